"""How long a check takes, and how much memory: labels of 2000 x 2000 pixels, drawn before the clock starts.

    python benchmarks/check.py                          # 20 000 segments, a fiftieth of the claim
    python benchmarks/check.py --segments 1000000       # the claim: 90 s on 2 cores, 1.5 GB
    python benchmarks/check.py --single                 # one image, as the studio asks while somebody draws
    python benchmarks/check.py --single --mosaic 4 --scenes 4 --packs default   # 12 MP with 500 segments each
    python benchmarks/check.py --profile 25             # the functions that take longest
    python benchmarks/check.py --scene cells            # other images, most of whose pixels are nobody's

The claim is read as 25 000 images of 40 segments each: 90 s on 2 cores are 7.2 ms of processor time an image,
180 microseconds a segment. Where other work shares the machine, only that tells anything: ask with --jobs 1.

Labels are street scenes of about 35 segments; a few dozen are drawn and come again and again under new names,
as fresh objects, so that nothing measured on one is found again on the next.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.placing import paste
from inlay.core.segmentation import Segmentation
from inlay.rules import DEFAULT_PACKS, Compiled, check_rules, check_sample, read_rules
from inlay.scenes import make

COLUMNS = ("counts", "offsets", "class_id", "instance_id")
PACKS = "schema,geometry,partition,logic"
ROUNDS = 5


@dataclass(frozen=True)
class Drawn:
    """Loads labels that lie in one file of run lengths, so that processes share the file."""

    file: str
    classes: Classes

    def __call__(self, name: str) -> Sample:
        stored = arrays_of(self.file)
        number = int(name) % int(stored["scenes"])
        counts, offsets, class_id, instance_id = (stored[f"{key}{number}"] for key in COLUMNS)
        masks = Masks(counts, offsets, tuple(stored["size"].tolist()))
        return Sample(name, None, Segmentation(self.classes, masks, class_id, instance_id))


@cache
def arrays_of(file: str) -> dict[str, np.ndarray]:
    """What lies in the file, read once by each process."""
    with np.load(file) as stored:
        return dict(stored)


def draw(
    folder: Path, scenes: int, side: int, scene: str = "street", mosaic: int = 0
) -> tuple[Drawn, list[int]]:
    """A loader of some scenes, or of mosaics of as many by as many of 1000x750 px; the segments of each."""
    size = (750, 1000) if mosaic else (side, side)
    each = max(mosaic, 1) ** 2
    dataset = make(scene, scenes * each, size=size)
    whole = [max(mosaic, 1) * length for length in size]
    arrays: dict[str, np.ndarray] = {"scenes": np.array(scenes), "size": np.array(whole)}
    lengths = []
    for number in range(scenes):
        label = beside([dataset[place].label() for place in range(number * each, (number + 1) * each)])
        lengths.append(len(label))
        arrays[f"counts{number}"], arrays[f"offsets{number}"] = label.masks.counts, label.masks.offsets
        arrays[f"class_id{number}"], arrays[f"instance_id{number}"] = label.class_id, label.instance_id
    np.savez(folder / "labels.npz", **arrays)
    return Drawn(str(folder / "labels.npz"), dataset.classes), lengths


def beside(labels: Sequence[Segmentation]) -> Segmentation:
    """The labels in rows and columns of one image, as many of both."""
    if len(labels) == 1:
        return labels[0]
    (height, width), across = labels[0].size, math.isqrt(len(labels))
    places = [(width * (i % across), height * (i // across)) for i in range(len(labels))]
    size = (height * across, width * across)
    masks = Masks.concat([paste(each.masks, size, x=x, y=y) for each, (x, y) in zip(labels, places)])
    classes = np.concatenate([each.class_id for each in labels])
    things = labels[0].classes.is_thing[classes]
    return Segmentation(labels[0].classes, masks, classes, np.where(things, np.cumsum(things), 0))


def dataset_of(load: Drawn, lengths: Sequence[int], segments: int) -> Dataset:
    """As many images as hold so many segments."""
    images = round(segments / np.mean(lengths))
    return Dataset(load.classes, tuple(f"{number:08d}" for number in range(images)), load)


def memory() -> float:
    """Most memory so far of this process and of its largest child, GB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1e6


def processor() -> float:
    """Seconds of processor time that this process, all its threads, has taken."""
    return time.process_time()


def named(packs: str) -> Sequence[str]:
    """The packs of a list with commas, or the default ones."""
    return DEFAULT_PACKS if packs == "default" else packs.split(",")


def timed(dataset: Dataset, packs: str, jobs: int, kept: Path | None) -> None:
    rules = read_rules(named(packs))
    start, used = time.perf_counter(), processor()
    found = check_rules(dataset, rules, on="processes" if jobs > 1 else "serial", workers=jobs, cache=kept)
    took, used = time.perf_counter() - start, processor() - used
    million = 1e6 * took / max(found.segments, 1)
    count = sum(each.found for each in found.verdicts)
    print(
        f"{found.images} images, {found.segments} segments, {len(rules)} rules, {jobs} jobs: {took:.1f} s, "
        f"{million:.0f} s for a million; {count} findings; {memory():.2f} GB"
    )
    if jobs == 1:
        image, segment = 1e3 * used / max(found.images, 1), 1e6 * used / max(found.segments, 1)
        print(f"processor time: {used:.1f} s, {image:.1f} ms an image, {segment:.0f} microseconds a segment")


def single(dataset: Dataset, packs: str) -> None:
    compiled = Compiled.of(read_rules(named(packs)), dataset.classes)
    times = []
    for number in range(1 + ROUNDS):
        for name in dataset.names:
            sample = dataset.load(name)  # anew: nothing that was measured lies in it
            start = time.process_time()
            check_sample(sample, compiled)
            times += [1000 * (time.process_time() - start)] * bool(number)  # once to warm up
    most = sorted(times)[int(0.95 * len(times))]
    median = statistics.median(times)
    print(f"{len(dataset.names)} images, {ROUNDS} times, of {dataset.load(dataset.names[0]).label()!r:.60}")
    print(f"processor time of one image: median {median:.1f} ms, 95th percentile {most:.1f} ms")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--segments", type=int, default=20_000)
    options.add_argument("--scenes", type=int, default=40)
    options.add_argument("--side", type=int, default=2000)
    options.add_argument("--mosaic", type=int, default=0, metavar="N", help="N x N scenes of 1000x750 px")
    options.add_argument("--scene", default="street", choices=("street", "cells", "parts"))
    options.add_argument("--packs", default=PACKS)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--cache", action="store_true", help="then check again what is unchanged")
    options.add_argument("--single", action="store_true")
    options.add_argument("--profile", type=int, default=0, metavar="LINES")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load, lengths = draw(Path(folder), given.scenes, given.side, given.scene, given.mosaic)
        dataset = dataset_of(load, lengths, given.segments)
        if given.single:
            single(Dataset(load.classes, [f"{each:08d}" for each in range(given.scenes)], load), given.packs)
        elif given.profile:
            with cProfile.Profile() as profile:
                timed(dataset, given.packs, 1, None)
            pstats.Stats(profile).sort_stats("tottime").print_stats(given.profile)
        else:
            kept = Path(folder) / "cache" if given.cache else None
            for _ in range(1 + given.cache):
                timed(dataset, given.packs, given.jobs, kept)


if __name__ == "__main__":
    main()
