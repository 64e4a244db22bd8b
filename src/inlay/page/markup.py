"""Self-contained web pages: one file, no network, light and dark, everything escaped."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.images import data_uri
from inlay.core.staging import staged

Cell = object  # what a table shows: `Html` as it is, anything else as escaped text
Colour = Sequence[int]

MARK = (
    '<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">'
    '<rect x="1" y="1" width="30" height="30" rx="8" fill="#2457c5"/>'
    '<circle cx="13" cy="13" r="7.5" fill="#fbbf24"/>'
    '<path fill="#fff" d="M27 12.5a7.5 7.5 0 0 1-7.5 14h-8a2 2 0 0 1-2-2v-3a9 9 0 0 0 13-9z"/></svg>'
)
# the page may load nothing, whatever a name in it says
POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
        "base-uri 'none'",
    )
)


class Html(str):
    """Markup that is safe to put into a page as it is; any other string is escaped."""

    __slots__ = ()


def text(value: object) -> Html:
    """A value as markup: `Html` as it is, anything else as escaped words."""
    return value if isinstance(value, Html) else Html(html.escape(_words(value)))


def _words(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "–" if math.isnan(value) else f"{value:.4g}"
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "\u202f")
    return str(value)


def page(title: str, body: str, *, intro: str = "", style: str = "", script: str = "") -> str:
    """A whole page.

    Parameters
    ----------
    title
        Plain words; escaped.
    body
        Markup, as the functions here return it.
    intro
        Plain words under the title.
    style, script
        CSS and JavaScript of the page's own; they must not come from data.
    """
    sheet = resources.files("inlay").joinpath("page/style.css").read_text("utf-8")
    under = f'<p class="intro">{text(intro)}</p>' if intro else ""
    code = f"<script>{script}</script>" if script else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'
        f"<style>{sheet}{style}</style></head>\n<body><header><div>{MARK}<div><h1>{text(title)}</h1>{under}</div></div></header>"
        f"\n<main>{body}</main>{code}</body></html>\n"
    )


def write_page(path: Path, markup: str | Iterable[str]) -> Path:
    """Write a page, or its parts as they come: whole or not at all; folders are made."""
    with staged(path) as part, part.open("w", encoding="utf-8") as file:
        file.writelines([markup] if isinstance(markup, str) else markup)
    return path


def section(title: str, *parts: str) -> Html:
    """A heading and markup under it."""
    return Html(f"<section><h2>{text(title)}</h2>{''.join(parts)}</section>")


def fold(summary: str, *parts: str) -> Html:
    """Markup that opens on a click."""
    return Html(f"<details><summary>{text(summary)}</summary>{''.join(parts)}</details>")


def picture(pixels: NDArray[np.uint8], alt: str, caption: str = "") -> Html:
    """An (H, W, 3) or (H, W) uint8 image inside the page, with words for those who cannot see it."""
    height, width = pixels.shape[:2]
    under = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
    return Html(
        f'<figure><img src="{data_uri(pixels)}" alt="{text(alt)}" width="{width}" height="{height}" '
        f'loading="lazy">{under}</figure>'
    )


def grid(items: Iterable[str], *, width: str = "17rem") -> Html:
    """Markup side by side in cards, as many to a row as fit at `width`."""
    cards = "".join(f'<div class="card">{item}</div>' for item in items)
    return Html(f'<div class="grid" style="--cell:{text(width)}">{cards}</div>')


def figures(values: Mapping[str, object]) -> Html:
    """The few numbers that matter, large."""
    boxes = "".join(
        f"<div><b>{text(value)}</b><span>{text(name)}</span></div>" for name, value in values.items()
    )
    return Html(f'<div class="figures">{boxes}</div>')


def legend(names: Sequence[str], colours: Iterable[Colour], counts: Sequence[int] | None = None) -> Html:
    """Names with their colours, and how many there are of each."""
    numbers = [""] * len(names) if counts is None else [f"<small>{text(count)}</small>" for count in counts]
    chips = "".join(
        f'<li class="chip">{swatch(colour)}{text(name)} {number}</li>'
        for name, colour, number in zip(names, colours, numbers, strict=True)
    )
    return Html(f'<ul class="chips">{chips}</ul>')


def swatch(colour: Colour) -> Html:
    """A small square of a colour (red, green, blue)."""
    red, green, blue = (int(value) for value in colour)
    return Html(f'<i style="background:rgb({red} {green} {blue})"></i>')


def table(rows: Iterable[Sequence[Cell]], header: Sequence[str], *, caption: str = "") -> Html:
    """Rows of cells under a header; numbers stand right, NaN is a dash, the first cell names its row."""
    kept = list(rows)
    number = [
        kept and all(len(row) > place and _is_number(row[place]) for row in kept)
        for place in range(len(header))
    ]
    head = "".join(
        f'<th scope="col"{_right(is_number and place > 0)}>{text(name)}</th>'
        for place, (name, is_number) in enumerate(zip(header, number, strict=True))
    )
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in kept)
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    return Html(
        f'<div class="scroll"><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cells(row: Sequence[Cell]) -> str:
    first = f'<th scope="row">{text(row[0])}</th>' if row else ""
    return first + "".join(f"<td{_right(_is_number(cell))}>{text(cell)}</td>" for cell in row[1:])


def _right(number: object) -> str:
    return ' class="number"' if number else ""


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, int | float | np.number) and not isinstance(cell, bool):
        return True
    try:
        float(str(cell).rstrip("%"))
    except ValueError:
        return False
    return True
