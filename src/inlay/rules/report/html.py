"""Findings as a contact sheet: a self-contained page, grouped by rule, a crop for each finding, capped.

Where the rule offers a fix, the crop after it stands beside the one before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from inlay import page
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.rules.finding import Finding, Findings
from inlay.rules.repair import repair_label
from inlay.rules.report.parts.crop import draw_crop, draw_fix
from inlay.rules.report.text import about, counted, remarks, totals

SUFFIX = ".html"
CAP = 24  # pictures for each rule
Pictures = dict[int, tuple[str, str]]  # markup, and words on the fix, by `id` of the finding
SHADES = {"error": (200, 50, 40), "warning": (214, 140, 20), "info": (70, 110, 170)}


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write the page; pictures are read from `dataset`, and left out where it cannot give them."""
    shown = {rule: _chosen(findings.of(rule)) for rule in findings.by_rule}
    pictures = _pictures(findings, [each for some in shown.values() for each in some], dataset)
    also = _others(findings)
    sections = [_section(findings, rule, some, pictures, also) for rule, some in shown.items()]
    body = "".join((_numbers(findings), _remarks(findings), _rules(findings), *sections))
    title = "Findings" if source is None else f"Findings in {source.name}"
    page.write_page(path, page.page(title, body, intro=counted(findings)))


def _others(findings: Findings) -> dict[int, str]:
    """What else was found about the same place, by `id` of the finding."""
    found: dict[int, str] = {}
    for cause in findings.causes:
        members = (cause.main, *cause.others)
        for each in members if len(members) > 1 else ():
            found[id(each)] = ", ".join(sorted({other.rule for other in members if other is not each}))
    return found


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
    size, counts = totals(findings)
    return page.figures(size | counts)


def _remarks(findings: Findings) -> str:
    lines = "".join(f"<li>{page.text(line)}</li>" for line in remarks(findings))
    return f"<ul>{lines}</ul>" if lines else ""


def _rules(findings: Findings) -> str:
    counts = findings.by_rule
    rows = [
        (each.rule, each.severity, counts.get(each.rule, 0), each.asked, each.unknown)
        for each in sorted(findings.verdicts, key=lambda each: -counts.get(each.rule, 0))
    ]
    header = ("rule", "severity", "findings", "asked", "not known")
    return page.fold("All rules, and how often each was asked", page.table(rows, header))


def _section(
    findings: Findings,
    rule: str,
    some: list[Finding],
    pictures: Pictures,
    also: dict[int, str],
) -> str:
    total = findings.by_rule[rule] + findings.left_out.get(rule, 0)
    words = about(findings.of(rule)).removeprefix(": ")
    more = f"{len(some)} of {total} are shown, from as many images as possible." if total > len(some) else ""
    said = " ".join(f"<p>{page.text(line)}</p>" for line in (words, more) if line)
    severity = some[0].severity
    chip = page.legend([severity], [SHADES[severity]], [total])
    cards = [_card(each, *pictures.get(id(each), ("", "")), also.get(id(each), "")) for each in some]
    width = "26rem" if any(each.fix for each in some) else "17rem"
    return page.section(rule, chip, page.Html(said), page.grid(cards, width=width))


def _card(finding: Finding, picture: str, fix: str, also: str) -> str:
    limit = "" if finding.limit is None else f", limit {page.text(finding.limit)}"
    value = "" if finding.measured is None else f"<br>measured {page.text(_rounded(finding.measured))}{limit}"
    place = page.text(finding.image or "the whole dataset")
    state = f" ({finding.state})" if finding.state else ""
    ids = f"<br>segment {page.text(', '.join(map(str, finding.segments)))}" if finding.segments else ""
    beside = f"<br>also here: {page.text(also)}" if also else ""
    mended = f"<br>{page.text(fix)}" if fix else ""
    words = f"<b>{place}</b>{state}<br>{page.text(finding.message)}{value}{ids}{mended}{beside}"
    return f"{picture}<figcaption>{words}</figcaption>"


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def _pictures(findings: Findings, shown: list[Finding], dataset: Dataset | None) -> Pictures:
    """A picture, and words, for each finding that has a place, by `id` of the finding."""
    pictures: Pictures = {}
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
        pictures.update({id(each): _picture(each, sample, findings) for each in found})
    return pictures


def _picture(finding: Finding, sample: Sample, findings: Findings) -> tuple[str, str]:
    words = f"{finding.image}: {finding.message}"
    if finding.fix is None or sample.segmentation is None:
        drawn = draw_crop(finding, sample)
        return ("" if drawn is None else page.picture(drawn, words)), ""
    fixed = repair_label(sample.segmentation, [finding], findings.limits)
    drawn, patch = draw_fix(finding, sample, fixed), fixed.patches[0]
    said = f"{patch.fix} is refused: {patch.refused}" if patch.refused else "before and after the fix "
    said += "" if patch.refused else f"{patch.fix}: {patch.changed_px} px, IoU {patch.iou:.3f}"
    return ("" if drawn is None else page.picture(drawn, words)), said
