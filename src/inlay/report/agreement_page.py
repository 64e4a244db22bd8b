"""How far people agree, as one self-contained page: people, pairs, classes, confusion, images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from inlay import page
from inlay.metrics.parts.agreement import Agreement
from inlay.page import Html
from inlay.report.agreement import FIGURES, AgreementReport, shown

MOST_IMAGES = 50
WIDEST = 22  # classes of a confusion table


def write_agreement(report: AgreementReport, path: Path) -> Path:
    """Write the page and return where it lies; it is whole or absent, and opens without a network."""
    whole = report.whole
    parts = [
        page.figures({name: shown(getattr(whole, key)) for key, name in FIGURES.items()}),
        page.section(
            "People",
            page.bars({name: each.pq for name, each in report.people.items()}, caption="PQ with all others")
            if report.people
            else "",
            _figures(report.people, "person with all others") if report.people else "",
            _figures({f"{a} – {b}": each for (a, b), each in report.pairs.items()}, "pair"),
        ),
        page.section("Known truth", _figures(report.honeypots, "person")) if report.honeypots else "",
        page.section("Classes", page.table(report.by_class(), ["PQ of class", "all", *report.people])),
        _confusion(report),
        page.section(
            "Images",
            page.table(
                [(name, shown(value)) for name, value in report.worst[:MOST_IMAGES]],
                ["least agreed on", "mean IoU of what is drawn"],
            ),
        ),
    ]
    intro = (
        f"PQ {shown(whole.pq)} is the human ceiling: a model that reaches it errs no more against one person "
        "than another person does."
    )
    return page.write_page(path, page.page("Agreement of people", "".join(parts), intro=intro))


def _figures(of: Mapping[str, Agreement], title: str) -> Html:
    rows = [
        (name, *(shown(getattr(each, key)) for key in FIGURES), str(each.images)) for name, each in of.items()
    ]
    return page.table(rows, [title, *FIGURES.values(), "images"])


def _confusion(report: AgreementReport) -> str:
    """Which classes people gave to one segment."""
    names = [*report.class_names, "nothing"]
    table = report.whole.confusion
    rows = [row for row in range(len(names)) if table[row].any()][:WIDEST]
    if not report.confused():
        return ""
    heat = page.heatmap(
        table[rows][:, rows],
        [names[row] for row in rows],
        caption="Of the segments that one person gave a class (row), per cent by what another said (column).",
    )
    pairs = [(one, other, str(number)) for one, other, number in report.confused()[:20]]
    return page.section("Confusion", heat, page.table(pairs, ["called", "and by another", "segments"]))
