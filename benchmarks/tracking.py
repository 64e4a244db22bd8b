"""Tracks on generated streets: perfect masks, each hidden in a share of its frames; then on DAVIS sequences.

    python benchmarks/tracking.py --videos 6 --frames 40

The truth has the numbers of the generator; the tracker sees masks without numbers.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

import bench
from inlay import Classes, Dataset, Masks, Sample, Segmentation
from inlay.core.images import read_image
from inlay.measure import Tracking, gallery, link, linked, proposals, repaired, track, tracks_of
from inlay.metrics import score
from inlay.scenes import make

SIZE = (180, 240)
STRETCH = 5
FIGURES = ("HOTA", "DetA", "AssA", "IDF1", "MOTSA")


def hidden_streets(
    videos: int, frames: int, share: float, stretch: int, seed: int
) -> tuple[Dataset, Dataset]:
    """Truth of what is seen, and the same masks without numbers."""
    random = np.random.default_rng(seed)
    truth, unnumbered = [], []
    left: dict[tuple[str, int], int] = {}
    for sample in make("street", videos * frames, size=SIZE, frames=frames, seed=seed):
        label = sample.label()
        keep = np.ones(len(label), bool)
        for row in np.flatnonzero(label.is_thing):
            key = sample.group, int(label.instance_id[row])
            if left.get(key, 0) == 0 and random.random() < share / (stretch * (1 - share)):
                left[key] = stretch
            if left.get(key, 0):
                left[key] -= 1
                keep[row] = False
        seen = label[keep]
        truth.append(sample.replace(segmentation=seen))
        unnumbered.append(
            sample.replace(segmentation=seen.replace(instance_id=np.zeros(len(seen), np.int32), score=None))
        )
    classes = truth[0].label().classes
    return Dataset.of(truth, classes), Dataset.of(unnumbered, classes)


def davis(folder: Path) -> tuple[Dataset, Dataset]:
    """Three sequences with one object each, in which nothing hides: every fifth frame has no mask for it."""
    classes = Classes.of("object")
    truth, unnumbered = [], []
    for sequence in sorted((folder / "Annotations" / "480p").iterdir()):
        for number, file in enumerate(sorted(sequence.glob("*.png"))):
            mask = read_image(file).any(axis=2)
            label = Segmentation(classes, Masks.encode(mask), np.zeros(1, np.int32), np.ones(1, np.int32))
            image = folder / "JPEGImages" / "480p" / sequence.name / f"{file.stem}.jpg"
            if number % 5 == 4:
                label = label[:0]
            sample = Sample(f"{sequence.name}/{file.stem}", image, label, group=sequence.name, frame=number)
            truth.append(sample)
            blank = label.replace(instance_id=np.zeros(len(label), np.int32))
            unnumbered.append(sample.replace(segmentation=blank))
    return Dataset.of(truth, classes), Dataset.of(unnumbered, classes)


def row(name: str, truth: Dataset, unnumbered: Dataset, config: Tracking) -> list[str]:
    """Figures of one workload."""
    start = time.process_time()
    tracked = track(unnumbered, config)
    spent = (time.process_time() - start) / len(truth)
    scored = tracked.map(
        lambda sample: sample.replace(segmentation=sample.label().replace(score=np.ones(len(sample.label()))))
    )
    found = score(truth, scored, metrics=["tracking"], intervals=False)
    return [name, *(f"{found[figure]:.3f}" for figure in FIGURES), f"{1000 * spent:.1f}"]


def figures(truth: Dataset, tracked: Dataset) -> dict[str, float]:
    """Scores of tracks, every one of them sure."""
    scored = tracked.map(
        lambda sample: sample.replace(segmentation=sample.label().replace(score=np.ones(len(sample.label()))))
    )
    return dict(score(truth, scored, metrics=["tracking"], intervals=False))


def by_hand(truth: Dataset, unnumbered: Dataset, memory: int) -> list[str]:
    """Tracks repaired by somebody who takes the right ones of the joins offered."""
    tracked = track(unnumbered, Tracking(memory=memory))
    tracked = Dataset.of(list(tracked), tracked.classes)
    real: dict[tuple[str, int], list[int]] = {}
    for one, other in zip(truth, tracked):
        for row in np.flatnonzero(other.label().is_thing):
            key = other.group, int(other.label().instance_id[row])
            real.setdefault(key, []).append(int(one.label().instance_id[row]))
    whose = {key: max(set(ids), key=ids.count) for key, ids in real.items()}
    made, offered, now, declined = [], 0, tracked, set()
    while True:
        found = [each for _, each in proposals(tracks_of(now)) if each not in declined]
        if not found:
            break
        taken: set[tuple[str, int]] = set()
        for each in found:
            pair = (each.video, each.track), (each.video, each.other)
            if taken.intersection(pair):
                continue
            offered += 1
            if whose[pair[0]] == whose[pair[1]]:
                made.append(each)
                taken.update(pair)
            else:
                declined.add(each)
        now = Dataset.of(list(repaired(tracked, made)), tracked.classes)
    before, after = figures(truth, tracked), figures(truth, now)
    return [f"{before[name]:.3f} to {after[name]:.3f}" for name in ("HOTA", "IDF1")] + [
        f"{len(made)}/{offered}"
    ]


def cameras(videos: int, frames: int, seed: int, gain: float) -> list[str]:
    """Two cameras see a street one after the other, the second one darker; each has numbers of its own."""
    truth, blind = [], []
    for sample in make("street", videos * frames, size=SIZE, frames=frames, seed=seed):
        late = (sample.frame or 0) >= frames // 2
        label = sample.label()
        pixels = (sample.pixels() * (gain if late else 1.0)).astype(np.uint8)
        ids = np.where(label.is_thing, label.instance_id + 1000 * late, 0).astype(np.int32)
        truth.append(sample.replace(image=pixels))
        camera = f"{sample.group}/{'late' if late else 'early'}"
        blind.append(sample.replace(image=pixels, segmentation=label.replace(instance_id=ids), group=camera))
    found = []
    for each in range(videos):  # only cameras of one street are asked about one another
        some = Dataset.of(blind[each * frames : (each + 1) * frames], truth[0].label().classes)
        found += list(linked(some, link(gallery(some))))
    merged = [each.replace(group=sample.group) for sample, each in zip(truth, found)]
    apart = [each.replace(group=sample.group) for sample, each in zip(truth, blind)]
    whole = Dataset.of(truth, truth[0].label().classes)
    before, after = (figures(whole, Dataset.of(each, whole.classes))["IDF1"] for each in (apart, merged))
    return [f"{gain:g}", f"{before:.3f}", f"{after:.3f}"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    rows = []
    for name, stretch in (("scattered", 1), ("stretches", STRETCH)):
        truth, unnumbered = hidden_streets(
            options.videos, options.frames, options.share, stretch, options.seed
        )
        for colour in (True, False):
            words = f"street, {name}, {'colour and place' if colour else 'place alone'}"
            rows.append(row(words, truth, unnumbered, Tracking(colour=colour)))
    folder = Path(os.environ.get("INLAY_SHARED", bench.ROOT.parent / "shared")) / "data" / "davis2016_val"
    if folder.is_dir():
        rows.append(row("DAVIS 2016, three sequences", *davis(folder), Tracking()))
    header = ["masks", *FIGURES, "ms CPU a frame"]
    words = (
        f"Perfect masks without numbers, each thing hidden in {options.share:.0%} of its frames, singly "
        "(scattered) or five in a row (stretches); DAVIS: every object in every fifth frame."
    )
    bench.report("tracking", "Tracking", words, header, rows, ())
    few = max(1, options.videos // 2)
    streets = hidden_streets(few, options.frames, options.share, STRETCH, options.seed)
    hand = [[f"{memory}", *by_hand(*streets, memory)] for memory in (1, 30)]
    seen = [cameras(few, options.frames, options.seed, gain) for gain in (1.0, 0.9, 0.75)]
    page = bench.PAGES / "tracking.md"
    page.write_text("\n\n".join([page.read_text().rstrip(), _more(few, hand, seen)]) + "\n")


def _more(videos: int, hand: list[list[str]], seen: list[list[str]]) -> str:
    lines = [
        "## Repaired by hand",
        f"{videos} streets, hidden in stretches, followed by a tracker that remembers for so many "
        "frames; then somebody who knows takes the right joins of those that `inlay measure tracks` offers.",
        "| memory | HOTA | IDF1 | right joins / offered |\n|---|---|---|---|\n" + _rows(hand),
        "## Two cameras",
        f"{videos} streets: a second camera sees the later half of each, its colours times a gain. IDF1 "
        "over both, when each camera numbers for itself, and with the numbers that `link` gives by looks.",
        "| gain | apart | linked |\n|---|---|---|\n" + _rows(seen),
    ]
    return "\n\n".join(lines)


def _rows(cells: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


if __name__ == "__main__":
    main()
