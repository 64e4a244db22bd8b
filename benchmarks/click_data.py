"""One data set to train the click network on, of the training parts of all sets that have segments.

    python benchmarks/click_data.py --data ../shared/data --out click_data
    inlay train click_data --model click --out runs/click --minutes 240

Cars, pedestrians, cyclists and signs of streets, nuclei, things of photographs, one object of films, regions
of photographs as people drew them, and scenes that we draw ourselves. All are of one class. Nothing of a
validation or test part is among them; each twentieth image is set aside to choose the best weights.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

import inlay
from click_objects import davis_files
from inlay import plugins
from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.segmentation import Segmentation

CLASSES = Classes((SegmentClass("thing", "thing"),))
STREETS = ("car", "pedestrian", "bicyclist", "sign")
LEAST = 100  # pixels of a segment
LEAST_SHARE = 0.02  # of the photograph, for a region of it
SCENES = 150


def camvid(data: Path) -> Iterator[tuple[str, Path, Segmentation]]:
    """Connected parts of things in the streets of the training part."""
    with (data / "camvid/classes.csv").open(encoding="utf-8") as file:
        rows = [int(row.get("id") or row["index"]) for row in csv.DictReader(file) if _is_thing(row)]
    for file in sorted((data / "camvid/trainannot").glob("*.png")):
        label = np.asarray(Image.open(file))
        ids, count = np.zeros(label.shape, np.int32), 0
        for row in rows:
            parts, found = ndimage.label(label == row)
            ids += np.where(parts > 0, parts + count, 0).astype(np.int32)
            count += found
        yield f"street-{file.stem}", next((data / "camvid/train").glob(f"{file.stem}.*")), _things(ids)


def _is_thing(row: dict[str, str]) -> bool:
    return any(word in row["name"].lower() for word in STREETS)


def bsds(data: Path) -> Iterator[tuple[str, Path, Segmentation]]:
    """Large regions of photographs, of the person who drew the fewest: the nearest to whole things.

    With all regions of all people two thirds of the clicks would ask for parts of things.
    """
    people = defaultdict(list)
    for file in sorted((data / "bsds_multi/partitions").glob("*.png")):
        people[file.stem.rsplit("_", 1)[0]].append(file)
    for name, files in people.items():
        drawings = [np.asarray(Image.open(file)).astype(np.int32) + 1 for file in files]
        ids = min(drawings, key=lambda drawing: int(drawing.max()))
        yield (
            f"region-{name}",
            data / f"bsds_multi/images/{name}.jpg",
            _things(ids, int(LEAST_SHARE * ids.size)),
        )


def davis(data: Path) -> Iterator[tuple[str, Path, Segmentation]]:
    """The object of single frames of the training films."""
    for file in davis_files(data, "train"):
        mask = np.asarray(Image.open(file).convert("L")) > 127
        yield (
            f"film-{file.stem}",
            data / "davis_frames/images" / f"{file.stem}.jpg",
            _things(mask.astype(int)),
        )


def labelled(dataset: Dataset, kind: str) -> Iterator[tuple[str, Path | NDArray[np.uint8], Segmentation]]:
    """The things of a data set that can be read."""
    for sample in dataset:
        label = sample.label()
        label = label[label.is_thing & ~label.crowd & (label.masks.area() >= LEAST)]
        if len(label) and sample.image is not None:
            yield f"{kind}-{sample.name.replace('/', '-')}", sample.image, _plain(label)


def drawn() -> Iterator[tuple[str, NDArray[np.uint8], Segmentation]]:
    """Scenes that we draw."""
    for number in range(SCENES):
        image, label = plugins.load("scenes", ("street", "cells")[number % 2]).draw((7, number), (240, 320))
        label = label[label.is_thing & (label.masks.area() >= LEAST)]
        yield f"scene-{number:03d}", image, _plain(label)


def _things(ids: NDArray[np.integer], least: int = LEAST) -> Segmentation:
    counts = np.bincount(ids.ravel())
    counts[0] = 0
    large = np.flatnonzero(counts >= least)
    return Segmentation.from_panoptic(ids, [(int(number), 0) for number in large], CLASSES)


def _plain(label: Segmentation) -> Segmentation:
    return label.replace(classes=CLASSES, class_id=np.zeros(len(label), np.int32))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    data = arguments.data
    coco = inlay.read(data / "coco_subset/annotations/instances_train2017.json")
    parts = [
        camvid(data),
        labelled(inlay.read(data / "dsb2018").split("train"), "nuclei"),
        labelled(coco, "photo"),
        davis(data),
        bsds(data),
        drawn(),
    ]
    samples = []
    for part in parts:
        here = [
            Sample(name, image, label, split="val" if place % 20 == 19 else "train")
            for place, (name, image, label) in enumerate(part)
            if len(label)
        ]
        things = sum(len(sample.label()) for sample in here)
        print(f"{here[0].name.split('-')[0]}: {len(here)} images, {things} segments", flush=True)
        samples += here
    inlay.write(Dataset.of(samples, CLASSES), arguments.out, to="coco", overwrite=True)


if __name__ == "__main__":
    main()
