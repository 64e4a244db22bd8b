"""Tiny datasets to train on."""

from __future__ import annotations

import numpy as np
import pytest

from inlay import Classes, Dataset, Sample, Segmentation, SegmentClass

STREET = Classes(
    (
        SegmentClass("sky", "stuff"),
        SegmentClass("ground", "stuff"),
        SegmentClass("ball", "thing"),
        SegmentClass("nothing", "void"),
    )
)


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None:
    """For all tests of training."""


def picture(seed: int, size: tuple[int, int] = (64, 64), *, stuff: bool = True) -> Sample:
    """Balls over two bands of colour; the truth is exact."""
    rng = np.random.default_rng(seed)
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    horizon = height // 2 + int(rng.integers(-6, 7))
    image = np.where((rows < horizon)[..., None], (90, 140, 230), (60, 110, 50)).astype(np.float64)
    ids = np.where(rows < horizon, 1, 2)
    segments = [(1, 0), (2, 1)]
    for number in range(3):
        radius = int(rng.integers(5, 9))
        y, x = rng.integers(8, height - 8), 10 + 20 * number + rng.integers(0, 4)
        inside = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        image[inside] = (230, 80, 40)
        ids[inside] = 3 + number
        segments.append((3 + number, 2))
    pixels = (image + rng.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)
    if not stuff:
        classes = Classes.of("ball")
        segments = [(number, 0) for number, row in segments if row == 2]
    else:
        classes = STREET
    return Sample(f"picture_{seed}", pixels, Segmentation.from_panoptic(ids, segments, classes))


@pytest.fixture(name="picture", scope="session")
def _picture():
    """Makes a picture of a seed."""
    return picture


@pytest.fixture(scope="session")
def street() -> Dataset:
    """Six pictures of stuff and things: four to learn, one to judge, one to keep out."""
    splits = ["train"] * 4 + ["val", "test"]
    return Dataset.of([picture(seed).replace(split=split) for seed, split in enumerate(splits)])


@pytest.fixture(scope="session")
def balls() -> Dataset:
    """Six pictures in which only the things are labelled."""
    splits = ["train"] * 4 + ["val", "test"]
    return Dataset.of([picture(seed, stuff=False).replace(split=split) for seed, split in enumerate(splits)])
