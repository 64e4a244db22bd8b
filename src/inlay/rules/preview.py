"""Preview: every fix before and after, on one page, before anything is written."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from inlay import page
from inlay.core.dataset import Sample
from inlay.rules.repair import Patch, Repair, repair_label
from inlay.rules.report.parts.crop import draw_fix

CAP = 200  # fixes that are drawn


def write_preview(repair: Repair, path: Path | str) -> None:
    """Write the page: for each fix what was found, the place after it, and how much it changes."""
    counts: Counter[str] = Counter()
    cards: dict[str, list[str]] = {}
    for name in repair.found:
        repaired = repair.label(name)
        sample = repair.dataset.load(name)
        for patch in repaired.patches:
            counts["refused" if patch.refused else "applied"] += 1
            if sum(map(len, cards.values())) < CAP:
                cards.setdefault(patch.fix, []).append(_card(patch, sample, repair))
    sections = [page.section(fix, page.grid(some, width="26rem")) for fix, some in cards.items()]
    shown = f"; {CAP} of them are drawn" if sum(counts.values()) > CAP else ""
    intro = f"{counts['applied']} fixes can be applied, {counts['refused']} are refused{shown}"
    page.write_page(Path(path), page.page("Fixes before and after", "".join(sections), intro=intro))


def _card(patch: Patch, sample: Sample, repair: Repair) -> str:
    finding = patch.finding
    alone = repair_label(sample.label(), [finding], repair.limits, unsafe=repair.unsafe)
    drawn = draw_fix(finding, sample, alone)
    picture = "" if drawn is None else page.picture(drawn, finding.message)
    said = f"refused: {patch.refused}" if patch.refused else f"{patch.changed_px} px, IoU {patch.iou:.3f}"
    words = f"<b>{page.text(finding.image)}</b><br>{page.text(finding.message)}<br>{page.text(said)}"
    return f"{picture}<figcaption>{words}</figcaption>"
