"""Segments to click on, from the real data sets, and who clicks: the protocol of RITM (Sofiiuk et al. 2021).

Each click falls into the middle of the largest error (a noisy clicker: anywhere in the deeper half of it).
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

import inlay
from inlay import plugins

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Thing:
    """(H, W, 3) pixels, the (H, W) mask of one segment, and the band that does not count."""

    image: NDArray[np.uint8]
    truth: Mask
    ignored: Mask

    def iou(self, mask: Mask) -> float:
        union = ((mask | self.truth) & ~self.ignored).sum()
        return float((mask & self.truth & ~self.ignored).sum() / max(union, 1))


def grabcut(data: Path) -> Iterator[Thing]:
    """50 objects; the band of unsure pixels is ignored."""
    for file in sorted((data / "grabcut/boundary_GT").glob("*")):
        truth = np.asarray(Image.open(file).convert("L"))
        yield Thing(_rgb(next((data / "grabcut/data_GT").glob(f"{file.stem}.*"))), truth == 255, truth == 128)


def camvid(data: Path, part: str, seed: int = 0, least: int = 300) -> Iterator[Thing]:
    """Connected cars and pedestrians of at least so many pixels, every second of them by lot."""
    with (data / "camvid/classes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wanted = [
        int(row.get("id") or row["index"]) for row in rows if row["name"].lower() in ("car", "pedestrian")
    ]
    lot = np.random.default_rng(seed)
    files = sorted((data / f"camvid/{part}annot").glob("*.png"))
    lot.shuffle(files)  # type: ignore[arg-type]
    for file in files:
        label = np.asarray(Image.open(file))
        image = _rgb(next((data / f"camvid/{part}").glob(f"{file.stem}.*")))
        for row in wanted:
            parts, count = ndimage.label(label == row)
            for number in range(1, count + 1):
                mask = parts == number
                if mask.sum() >= least and lot.random() < 0.5:
                    yield _plain(image, mask)


def nuclei(data: Path, part: str, seed: int = 0) -> Iterator[Thing]:
    """Two nuclei of each image."""
    return _of_dataset(inlay.read(data / "dsb2018").split(part), seed, least=60)


def coco(data: Path, seed: int = 0) -> Iterator[Thing]:
    """Two segments of each image of the training part."""
    return _of_dataset(inlay.read(data / "coco_subset/annotations/instances_train2017.json"), seed, least=800)


def davis(data: Path, part: str, seed: int = 0) -> Iterator[Thing]:
    """The object of single frames; the last four sequences are held out as "val"."""
    files = davis_files(data, part)
    np.random.default_rng(seed).shuffle(files)  # type: ignore[arg-type]
    for file in files:
        mask = np.asarray(Image.open(file).convert("L")) > 127
        if mask.any():
            yield _plain(_rgb(data / "davis_frames/images" / f"{file.stem}.jpg"), mask)


def davis_files(data: Path, part: str) -> list[Path]:
    """Masks of the sequences of a part, in order."""
    files = sorted((data / "davis_frames/masks").glob("*.png"))
    names = sorted({file.stem.rsplit("_", 1)[0] for file in files})
    kept = names[:8] if part == "train" else names[8:]
    return [file for file in files if file.stem.rsplit("_", 1)[0] in kept]


def drawn(seed: int = 0) -> Iterator[Thing]:
    """Things of our own scenes, and plain ellipses on plain ground, half of them noisy."""
    lot = np.random.default_rng(seed)
    for number in itertools.count():
        name = ("street", "cells", "plain")[number % 3]
        if name == "plain":
            yield _ellipse(lot)
            continue
        image, label = plugins.load("scenes", name).draw((seed, number), (240, 320))
        rows = np.flatnonzero(label.is_thing & (label.masks.area() >= 80))
        if len(rows):
            yield _plain(image, label.masks[int(lot.choice(rows))].decode()[0].astype(bool))


def _ellipse(lot: np.random.Generator) -> Thing:
    y, x = np.mgrid[: int(lot.integers(60, 300)), : int(lot.integers(60, 300))]
    height, width = y.shape
    angle, radii = lot.uniform(0, np.pi), np.exp(lot.uniform(np.log(6), np.log(0.45 * min(y.shape)), 2))
    x, y = x - lot.uniform(0.2, 0.8) * width, y - lot.uniform(0.2, 0.8) * height
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = (along / radii[0]) ** 2 + (across / radii[1]) ** 2 < 1
    image = np.where(inside[..., None], lot.integers(0, 255, 3), lot.integers(0, 255, 3))
    return _plain(noisy(image, lot, lot.choice([0, 0, 4, 8, 12])), inside)


def noisy(image: NDArray, lot: np.random.Generator, deviation: float) -> NDArray[np.uint8]:
    """Pixels with added noise."""
    return (image + deviation * lot.standard_normal(image.shape)).clip(0, 255).astype(np.uint8)


def take(things: Iterator[Thing], count: int) -> list[Thing]:
    """The first ones."""
    return list(islice(things, count))


def next_click(
    thing: Thing, mask: Mask, lot: np.random.Generator | None = None
) -> tuple[float, float, bool] | None:
    """Where the next click falls; `None` when nothing is wrong. With `lot` the clicker is noisy."""
    best: tuple[float, tuple[float, float, bool]] | None = None
    for error, positive in ((thing.truth & ~mask, True), (mask & ~thing.truth, False)):
        error = error & ~thing.ignored
        if not error.any():
            continue
        rows, columns = np.flatnonzero(error.any(1)), np.flatnonzero(error.any(0))
        top, left = rows[0], columns[0]
        depth = ndimage.distance_transform_edt(np.pad(error[top : rows[-1] + 1, left : columns[-1] + 1], 1))[
            1:-1, 1:-1
        ]
        deepest = float(depth.max())
        if best is not None and deepest <= best[0]:
            continue
        place = int(depth.argmax())
        if lot is not None:
            parts, _ = ndimage.label(depth > 0)
            place = int(lot.choice(np.flatnonzero((depth >= deepest / 2) & (parts == parts.flat[place]))))
        y, x = divmod(place, depth.shape[1])
        best = deepest, (float(left + x) + 0.5, float(top + y) + 0.5, positive)
    return None if best is None else best[1]


def _of_dataset(dataset: inlay.Dataset, seed: int, least: int) -> Iterator[Thing]:
    lot = np.random.default_rng(seed)
    names = list(dataset.names)
    lot.shuffle(names)
    for name in names:
        sample = dataset[name]
        label = sample.label()
        label = label[~label.crowd]
        rows = np.flatnonzero(label.masks.area() >= least)
        if len(rows):
            image = sample.pixels()
            for row in lot.choice(rows, min(2, len(rows)), replace=False):
                yield _plain(image, label.masks[int(row)].decode()[0].astype(bool))


def _plain(image: NDArray[np.uint8], mask: Mask) -> Thing:
    return Thing(image, mask, np.zeros_like(mask))


def _rgb(file: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(file).convert("RGB"))
