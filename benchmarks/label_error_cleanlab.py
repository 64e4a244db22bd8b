"""cleanlab on the injected errors: pixels whose given class a network finds unlikely.

    python benchmarks/label_error_cleanlab.py --data ../shared/data    # trains the networks

`cleanlab.segmentation` wants the probability of each class at each pixel, of a network that has not seen the
image. Who has only the labels at hand trains on these, errors and all, by cross-validation. Here a U-Net
learns the clean labels of other images of the domain, more than the benchmark holds: kinder to cleanlab than
life is. `label_error_peers.py` asks it beside the other tools. COCO is left out: no network learns its 80
classes from the images at hand.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label as numbered

import bench
import inlay
from inlay import Classes, Dataset, Sample, Segmentation, SegmentClass, scenes
from label_errors import Base, Count, bases
from mistakes.canvas import Bits, Spoilt, grown

NETWORKS = bench.WORK / "label_errors"
DOMAINS = ("street", "cells", "parts", "camvid", "nuclei")
RENDERED, SEED = 240, 40_961  # scenes to learn from, and their seed: neither that of `dev` nor of `test`
SETTINGS = {  # probabilities as they are, without weights for rare classes
    "training": {"batch": 4, "validations": 2, "average": 0.99, "augment": {"crop": [192, 256]}},
    "unet": {"balance": "none"},
}
LARGE = 30  # pixels of a spot that somebody would look at
TOUCHING = np.ones((3, 3), np.int64)
FIND = """
import sys, numpy
from cleanlab.segmentation.filter import find_label_issues
sure = numpy.load(sys.argv[1])
with numpy.load(sys.argv[2]) as given:
    found = {
        name: find_label_issues(given[name][None, None], sure[None, :, None], n_jobs=1, verbose=False)[0, 0]
        for name in given.files
    }
numpy.savez_compressed(sys.argv[3], **found)
"""


def plain(classes: Classes) -> Classes:
    """The classes as those of pixels, and one more for pixels that nobody labelled."""
    named = [row.name for row in classes.rows if row.kind != "void"]
    return Classes(tuple(SegmentClass(name, "stuff") for name in (*named, "nobody's")))


def class_map(label: Segmentation) -> NDArray[np.int64]:
    """(H, W) row of `plain` classes at each pixel: that of the front segment."""
    named = np.flatnonzero(~label.classes.is_void)
    place = np.full(len(label.classes) + 1, len(named))
    place[named] = np.arange(len(named))
    return place[label.semantic(len(label.classes))]


def lessons(base: Base, data: Path | None) -> Dataset:
    """Clean maps of classes of other images of the domain."""
    if base.name in ("camvid", "nuclei"):
        assert data is not None
        whole = inlay.read(data / {"nuclei": "dsb2018"}.get(base.name, base.name))
        asked = {each.name for each in base.samples}
        others = [each for each in whole.split("train") if each.name not in asked]
    else:
        others = list(scenes.make(base.name, RENDERED, size=(240, 320), seed=SEED))
    classes = plain(others[0].label().classes)

    def mapped(sample: Sample) -> Sample:
        ids = Segmentation.from_semantic(class_map(sample.label()), classes)
        return sample.replace(segmentation=ids, split="")

    return Dataset.of([mapped(each) for each in others], classes)


def folder_of(base: Base) -> Path:
    """Where the network of a domain lies."""
    return NETWORKS / base.name


def train(base: Base, data: Path | None, steps: int) -> None:
    """A network for the domain, unless it is there."""
    run = inlay.train(lessons(base, data), "unet", folder_of(base), iterations=steps, config=SETTINGS)
    print(run, flush=True)


def has_network(base: Base) -> bool:
    """Whether there is a network for the domain; says so where one could be trained."""
    there = (folder_of(base) / "model.safetensors").is_file()
    if base.name in DOMAINS and not there:
        print(f"no network for {base.name}: benchmarks/label_error_cleanlab.py trains one", file=sys.stderr)
    return there


def likelihoods(base: Base) -> list[NDArray[np.float32]]:
    """(K, H, W) probability of each class at each pixel, for each image."""
    import torch

    from inlay.training import Run

    network = Run(folder_of(base)).network()
    torch.set_num_threads(1)
    found = []
    with torch.inference_mode():
        for sample in base.samples:
            pixels = torch.from_numpy(sample.pixels()).permute(2, 0, 1)[None].float()
            found.append(network(pixels)[0].float().softmax(0).numpy())
    return found


@dataclass(frozen=True)
class Answers:
    """What cleanlab says of a domain, and how far its network is right."""

    clean: tuple[Bits, ...]  # pixels with an issue, of each clean image
    spoilt: Mapping[str, tuple[Bits, ...]]  # of each image with errors of a kind in some
    right: float  # share of the clean pixels whose class is the likeliest

    def row(self, name: str) -> str:
        """What it says of the clean images, as a line of a table."""
        spots = [sizes_of(each) for each in self.clean]
        every, large = (np.mean([int((s >= least).sum()) for s in spots]) for least in (1, LARGE))
        share = np.mean([each.mean() for each in self.clean])
        return f"| {name} | {self.right:.1%} | {share:.2%} | {every:.1f} | {large:.1f} |"


def sizes_of(issue: Bits) -> NDArray[np.int64]:
    """Pixels of each spot."""
    return np.bincount(numbered(issue, TOUCHING)[0].ravel())[1:]


def ask(python: Path, base: Base, spoilt: Mapping[str, Sequence[Sample]], folder: Path) -> Answers:
    """What cleanlab says of the clean labels of a domain, and of those with errors of each kind."""
    sure = likelihoods(base)
    clean = [class_map(each.label()) for each in base.samples]
    right = np.concatenate([(each.argmax(0) == ids).ravel() for each, ids in zip(sure, clean)]).mean()
    given = {"clean": clean} | {
        kind: [class_map(each.label()) for each in samples] for kind, samples in spoilt.items()
    }
    paths = [folder / name for name in ("sure.npy", "given.npz", "found.npz")]
    np.save(paths[0], np.concatenate([each.reshape(len(each), -1) for each in sure], axis=1))
    np.savez(
        paths[1], **{kind: np.concatenate([each.ravel() for each in ids]) for kind, ids in given.items()}
    )
    ran = subprocess.run(
        [str(python), "-c", FIND, *map(str, paths)], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise SystemExit(f"cleanlab stopped: {ran.stderr.strip().splitlines()[-1]}")
    with np.load(paths[2]) as found:
        answers = {kind: in_images(found[kind], clean) for kind in given}
    return Answers(answers.pop("clean"), answers, float(right))


def in_images(pixels: Bits, like: Sequence[NDArray[Any]]) -> tuple[Bits, ...]:
    """All pixels in a row, as images again."""
    ends = np.cumsum([each.size for each in like])[:-1]
    return tuple(part.reshape(each.shape) for part, each in zip(np.split(pixels, ends), like))


def judged(answers: Answers, kind: str, errors: Mapping[int, Spoilt], base: Base) -> Count:
    """How many of the errors that a map of classes can hold lie under, or right beside, a new spot."""
    count = Count()
    for place, error in errors.items():
        if np.array_equal(class_map(error.sample.label()), class_map(base.samples[place].label())):
            continue  # its map of classes is that of the clean label
        before, now = answers.clean[place], answers.spoilt[kind][place]
        spots = numbered(now, TOUCHING)[0]
        new = np.setdiff1d(spots[now & ~before], 0)
        true = np.intersect1d(new, spots[grown(error.where, 1.5)])
        count.tried += 1
        count.caught += bool(len(true))
        count.new += len(new)
        count.true += len(true)
    return count


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--bases", default=",".join(DOMAINS))
    parser.add_argument("--part", choices=("dev", "test"), default="test", help="images not to learn from")
    parser.add_argument("--images", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)  # what a network learns does not depend on who else is on the machine
    for base in bases(options.part, options.data, options.images):
        if base.name in options.bases.split(",") and base.name in DOMAINS:
            train(base, options.data, options.steps)


if __name__ == "__main__":
    main()
