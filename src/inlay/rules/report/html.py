"""Findings as a contact sheet: a self-contained page, grouped by rule, a crop for each finding, capped."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from inlay import page
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.rules.finding import Finding, Findings
from inlay.rules.report.crop import draw_crop
from inlay.rules.report.text import counted

CAP = 24  # pictures for each rule
SHADES = {"error": (200, 50, 40), "warning": (214, 140, 20), "info": (70, 110, 170)}


def write(findings: Findings, path: Path, dataset: Dataset | None) -> None:
    """Write the page; pictures are read from `dataset`, and left out where it cannot give them."""
    shown = {rule: _chosen(findings.of(rule)) for rule in findings.by_rule}
    pictures = _pictures([each for some in shown.values() for each in some], dataset)
    sections = [_section(findings, rule, some, pictures) for rule, some in shown.items()]
    body = "".join((_numbers(findings), _rules(findings), *sections))
    page.write_page(path, page.page("Findings", body, intro=counted(findings)))


def _chosen(found: tuple[Finding, ...]) -> list[Finding]:
    """At most `CAP`, spread over the images: the first of each, then the second; of too many, evenly."""
    turns: dict[int, list[int]] = defaultdict(list)
    seen: Counter[str | None] = Counter()
    for place, finding in enumerate(found):
        turns[seen[finding.image]].append(place)
        seen[finding.image] += 1
    chosen: list[int] = []
    for turn in sorted(turns):
        room, places = CAP - len(chosen), turns[turn]
        chosen += (
            [places[each * len(places) // room] for each in range(room)] if len(places) > room else places
        )
    return [found[each] for each in sorted(chosen)]


def _numbers(findings: Findings) -> str:
    counts: dict[str, int] = {name: count for name, count in findings.by_severity.items() if count}
    return page.figures({"images": findings.images, "segments": findings.segments} | counts)


def _rules(findings: Findings) -> str:
    counts = findings.by_rule
    rows = [
        (each.rule, each.severity, counts.get(each.rule, 0), each.asked, each.unknown)
        for each in sorted(findings.verdicts, key=lambda each: -counts.get(each.rule, 0))
    ]
    header = ("rule", "severity", "findings", "asked", "not known")
    return page.fold("All rules, and how often each was asked", page.table(rows, header))


def _section(findings: Findings, rule: str, some: list[Finding], pictures: dict[int, str]) -> str:
    total = findings.by_rule[rule]
    more = f" {len(some)} of them are shown, from as many images as possible." if total > len(some) else ""
    severity = some[0].severity
    chip = page.legend([severity], [SHADES[severity]], [total])
    cards = page.grid([_card(each, pictures.get(id(each), "")) for each in some])
    return page.section(rule, chip, page.Html(f"<p>{page.text(more)}</p>") if more else "", cards)


def _card(finding: Finding, picture: str) -> str:
    limit = "" if finding.limit is None else f", limit {page.text(finding.limit)}"
    value = "" if finding.measured is None else f"<br>measured {page.text(_rounded(finding.measured))}{limit}"
    place = page.text(finding.image or "the whole dataset")
    words = f"<b>{place}</b><br>{page.text(finding.message)}{value}"
    return f"{picture}<figcaption>{words}</figcaption>"


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def _pictures(shown: list[Finding], dataset: Dataset | None) -> dict[int, str]:
    """A picture for each finding that has a place, by `id` of the finding; each sample is read once."""
    pictures: dict[int, str] = {}
    if dataset is None:
        return pictures
    by_image: dict[str, list[Finding]] = defaultdict(list)
    for finding in shown:
        if finding.image is not None and dataset.__contains__(finding.image):
            by_image[finding.image].append(finding)
    for name, found in by_image.items():
        try:
            sample = dataset.load(name)
        except (InlayError, OSError):  # the finding says so in words
            continue
        pictures.update({id(each): _picture(each, sample) for each in found})
    return pictures


def _picture(finding: Finding, sample: Sample) -> str:
    drawn = draw_crop(finding, sample)
    return "" if drawn is None else page.picture(drawn, f"{finding.image}: {finding.message}")
