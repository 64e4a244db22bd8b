"""A score as one self-contained page: figures, classes, errors, confusion, curves, best and worst images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inlay import page
from inlay.core.dataset import Dataset
from inlay.metrics import Comparison, Score
from inlay.report import sections
from inlay.report.examples import examples

if TYPE_CHECKING:
    from inlay.rules.finding import Finding


def write_report(
    score: Score,
    truth: Dataset,
    prediction: Dataset,
    path: Path | str,
    *,
    findings: Sequence[Finding] | None = None,
    comparison: Comparison | None = None,
    title: str = "Score report",
) -> Path:
    """Write the page and return where it lies; it is whole or absent, and opens without a network.

    Parameters
    ----------
    truth, prediction
        The datasets that were scored; the images of the examples are read from them.
    path
        File to write, usually `report.html`; its folder is made.
    findings
        What `inlay.check` found in the labels, for a section of its own.
    comparison
        With another prediction, of which this score is the second, for a section of its own.
    title
        Heading of the page.
    """
    parts = [
        sections.headline(score),
        sections.comparison(comparison) if comparison is not None else "",
        sections.all_figures(score),
        sections.by_class(score),
        sections.sequences(score),
        sections.errors(score),
        examples(score, truth, prediction, findings=findings or ()),
        sections.confusion(score),
        sections.curves(score),
        sections.samples(score),
        sections.findings(findings) if findings is not None else "",
        sections.remarks(score),
    ]
    judged = sections.counted(len(score.samples), "image")
    known = sections.counted(len(score.known_classes()), "class", "classes")
    intro = f"{judged}, {known}; judged by {', '.join(name.replace('_', ' ') for name in score.metrics)}"
    return page.write_page(Path(path), page.page(title, "".join(parts), intro=intro))
