r"""Real label errors of nuclei: which masks that volunteers corrected by hand does `inlay check` find?

    python benchmarks/real_label_errors.py --data ../shared/data/dsb2018_corrections \
        --images ../shared/data/dsb2018

The labels as first published are checked; `changes.csv` says which masks were deleted or reshaped afterwards.
Corrections are not complete: a flag without a correction is not proven false, so precision is a lower bound.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import inlay
from inlay.core.dataset import Dataset
from inlay.rules import DEFAULT_PACKS
from label_errors import wilson

PACKS = (*DEFAULT_PACKS, "cells")  # as a user gets them


def shown(labels: Dataset, folder: Path | None) -> Dataset:
    """The labels with those images that the folder has."""
    if folder is None:
        return labels
    files = {path.stem: path for path in folder.glob("*/images/*.png")}
    with_images = [replace(sample, image=files.get(Path(sample.name).stem)) for sample in labels]
    print(f"{sum(each.image is not None for each in with_images)} of {len(labels)} images at hand\n")
    return Dataset.of(with_images, labels.classes)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--packs", default=",".join(PACKS))
    parser.add_argument("--images", type=Path, help="folder of the data set, for the pack of pixels")
    options = parser.parse_args()
    labels = inlay.read(options.data / "original.json")
    findings = inlay.check(shown(labels, options.images), packs=options.packs.split(","))
    flagged: dict[int, set[str]] = defaultdict(set)
    for finding in findings:
        if finding.severity != "info":
            for number in finding.segments:
                flagged[number].add(finding.rule)
    with (options.data / "changes.csv").open(encoding="utf-8") as file:
        changes = [row for row in csv.DictReader(file) if row["change"] != "added"]
    share = len(flagged) / findings.segments
    print(f"{len(flagged)} of {findings.segments} masks flagged ({share:.1%})\n")
    rules = Counter(rule for found in flagged.values() for rule in found)
    print("flags by rule:", ", ".join(f"{rule} {many}" for rule, many in rules.most_common()), "\n")
    print("| change | found how | masks | flagged | 95 % | by |\n|---|---|---|---|---|---|")
    groups = sorted({(row["change"], row["found"]) for row in changes})
    for group in [*groups, ("deleted or reshaped", "by_hand")]:
        wanted = ("deleted", "reshaped") if group[0] == "deleted or reshaped" else (group[0],)
        of = [
            int(row["annotation_id"])
            for row in changes
            if row["change"] in wanted and row["found"] == group[1]
        ]
        hits = [number for number in of if number in flagged]
        low, high = wilson(len(hits), len(of))
        by = Counter(rule for number in hits for rule in flagged[number])
        words = ", ".join(f"{rule} {many}" for rule, many in by.most_common(4))
        print(
            f"| {group[0]} | {group[1]} | {len(of)} | {len(hits)} ({len(hits) / len(of):.0%}) "
            f"| {low:.0%}–{high:.0%} | {words} |"
        )


if __name__ == "__main__":
    main()
