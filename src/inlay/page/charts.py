"""Charts for pages: bars with whiskers, confusion matrices, curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from inlay.page.markup import Html, text

LINES = 6  # colours in style.css


def bars(
    values: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]] | None = None,
    *,
    top: float = 1.0,
    caption: str = "",
) -> Html:
    """A bar for each value in 0 .. `top`, with a whisker for its interval; reads as a table without eyes."""
    rows = []
    for name, value in values.items():
        low, high = (intervals or {}).get(name, (math.nan, math.nan))
        spread = "" if math.isnan(low + high) else f"{low:.3f} – {high:.3f}"
        number = "–" if math.isnan(value) else f"{value:.3f}"
        rows.append(
            f'<tr><th scope="row">{text(name)}</th><td>{_bar(value / top, low / top, high / top)}</td>'
            f'<td class="number">{number}</td>'
            + (f'<td class="number">{spread}</td>' if intervals else "")
            + "</tr>"
        )
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    return Html(
        f'<div class="scroll"><table class="bars">{title}<tbody>{"".join(rows)}</tbody></table></div>'
    )


def _bar(share: float, low: float, high: float) -> str:
    def place(value: float) -> float:
        return round(100 * min(max(value, 0.0), 1.0), 2)

    parts = ['<rect class="track" width="100" height="10" y="3" rx="1"/>']
    if not math.isnan(share):
        parts.append(f'<rect class="bar" width="{place(share)}" height="10" y="3" rx="1"/>')
    if not math.isnan(low + high):
        a, b = place(low), place(high)
        parts.append(f'<line x1="{a}" x2="{b}" y1="8" y2="8"/>')
        parts += [f'<line x1="{x}" x2="{x}" y1="4.5" y2="11.5"/>' for x in (a, b)]
    return f'<svg viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">{"".join(parts)}</svg>'


def heatmap(
    matrix: ArrayLike, names: Sequence[str], *, columns: Sequence[str] | None = None, caption: str = ""
) -> Html:
    """A matrix of counts as shares of its rows; the diagonal is right, the rest wrong (a confusion matrix).

    Parameters
    ----------
    matrix
        (R, C) counts, not negative.
    names
        R row names (truth).
    columns
        C column names (prediction); default `names`.
    """
    counts = np.asarray(matrix, np.float64)
    across = names if columns is None else columns
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in across)
    rows = []
    for i, name in enumerate(names):
        cells = "".join(
            _heat_cell(float(shares[i, j]), counts[i, j], right=across[j] == name, small=len(across) > 24)
            for j in range(len(across))
        )
        rows.append(f'<tr><th scope="row">{text(name)}</th>{cells}</tr>')
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    return Html(
        f'<div class="scroll"><table class="heat">{title}<thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _heat_cell(share: float, count: float, *, right: bool, small: bool) -> str:
    if count == 0:
        return '<td class="nothing">·</td>'
    kind = ("right" if right else "wrong") + (" strong" if share > 0.5 else "")
    words = "" if small else f"{100 * share:.0f}"
    title = f"{count:.0f} ({100 * share:.1f} %)"
    return f'<td class="{kind}" style="--share:{share:.3f}" title="{title}">{words}</td>'


def curve(series: Mapping[str, Sequence[tuple[float, float]]], *, x: str, y: str, unit: bool = False) -> Html:
    """Lines of (x, y) points over shared axes, by name; points that are not finite are left out.

    With `unit` both axes show the whole of 0 .. 1, as shares need; else they span the points.
    """
    lines = {name: [p for p in points if all(map(math.isfinite, p))] for name, points in series.items()}
    every = [point for points in lines.values() for point in points]
    if not every:
        return Html(f"<p>There are no points of {text(y)} yet.</p>")
    spans = [(0.0, 1.0)] * 2 if unit else [_span([point[axis] for point in every]) for axis in (0, 1)]
    (x0, x1), (y0, y1) = spans

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return 56 + 520 * (point[0] - x0) / (x1 - x0), 268 - 244 * (point[1] - y0) / (y1 - y0)

    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        down = 268 - 244 * share
        parts.append(f'<line class="axis" x1="56" x2="576" y1="{down}" y2="{down}"/>')
        parts.append(f'<text x="50" y="{down + 4}" text-anchor="end">{y0 + share * (y1 - y0):.3g}</text>')
        parts.append(
            f'<text x="{56 + 520 * share}" y="286" text-anchor="middle">{x0 + share * (x1 - x0):.3g}</text>'
        )
    names = []
    for number, (name, points) in enumerate(lines.items()):
        colour = f"var(--line-{number % LINES})"
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in map(at, points))
        parts.append(f'<polyline points="{path}" style="stroke:{colour}"/>')
        names.append(f'<tspan dx="{14 if number else 0}" style="fill:{colour}">{text(name)}</tspan>')
    parts.append(f'<text x="576" y="14" text-anchor="end">{"".join(names)}</text>')
    parts.append(
        f'<text x="316" y="306" text-anchor="middle">{text(x)}</text><text x="56" y="14">{text(y)}</text>'
    )
    words = f"{text(y)} over {text(x)}"
    return Html(
        f'<svg class="curve" viewBox="0 0 600 316" role="img" aria-label="{words}">{"".join(parts)}</svg>'
    )


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
