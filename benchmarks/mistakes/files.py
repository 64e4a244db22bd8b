"""Errors of files (tier X): what scripts and editors do to label maps."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

import inlay
from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from mistakes.canvas import Spoilt

Random = np.random.Generator
Mutator = Callable[[Image.Image, Random], Image.Image]


def unknown_class(label: Image.Image, random: Random) -> Image.Image:
    """A patch of a number that no class has."""
    ids = np.array(label)
    y, x = (int(random.integers(0, size - 12)) for size in ids.shape)
    ids[y : y + 12, x : x + 12] = 200
    return _like(label, ids)


def half_size(label: Image.Image, _random: Random) -> Image.Image:
    """The map at half its size."""
    return label.resize((label.width // 2, label.height // 2), Image.Resampling.NEAREST)


def no_palette(label: Image.Image, _random: Random) -> Image.Image:
    """The palette written as colours, and these as grey."""
    return label.convert("RGB").convert("L")


def blended(label: Image.Image, _random: Random) -> Image.Image:
    """The numbers resized as if they were brightness."""
    grey = Image.fromarray(np.array(label))
    small = grey.resize((label.width // 2, label.height // 2), Image.Resampling.BILINEAR)
    return _like(label, np.array(small.resize(label.size, Image.Resampling.BILINEAR)))


def transposed(label: Image.Image, _random: Random) -> Image.Image:
    """Rows and columns exchanged."""
    return _like(label, np.ascontiguousarray(np.array(label).T))


def upside_down(label: Image.Image, _random: Random) -> Image.Image:
    """The map upside down, as when EXIF turned the image and not the label."""
    return _like(label, np.array(label)[::-1, ::-1].copy())


def off_by_one(label: Image.Image, _random: Random) -> Image.Image:
    """Every number one too large."""
    ids = np.array(label)
    return _like(label, np.where(ids == 255, 255, ids + 1).astype(np.uint8))


def through_jpeg(label: Image.Image, _random: Random) -> Image.Image:
    """The numbers saved as a JPEG and read back."""
    buffer = io.BytesIO()
    Image.fromarray(np.array(label)).save(buffer, "jpeg", quality=75)
    return _like(label, np.array(Image.open(buffer)))


def _like(label: Image.Image, ids: np.ndarray) -> Image.Image:
    image = Image.fromarray(ids.astype(np.uint8), "L")
    if label.mode == "P":
        image = Image.fromarray(ids.astype(np.uint8))
        image.putpalette(label.getpalette() or [])
    return image


MUTATORS: dict[str, Mutator] = {
    "number without a class": unknown_class,
    "map at half its size": half_size,
    "palette lost": no_palette,
    "map resized by blending": blended,
    "map transposed": transposed,
    "map turned by 180 degrees": upside_down,
    "numbers off by one": off_by_one,
    "map through JPEG": through_jpeg,
}


def semantic(samples: list[Sample]) -> Dataset:
    """The samples as maps of classes, as most tools write them."""
    names = samples[0].label().classes
    classes = Classes(
        tuple(SegmentClass(item.name, "void" if item.kind == "void" else "stuff") for item in names.rows)
    )
    return Dataset.of(
        [
            each.replace(segmentation=Segmentation.from_semantic(each.label().semantic(), classes))
            for each in samples
        ],
        classes,
    )


def spoil(samples: list[Sample], mutate: Mutator, random: Random, share: float, packs: tuple[str, ...]):
    """Findings of the clean files and of those after some maps were spoilt, and the errors."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "maps"
        inlay.write(semantic(samples), path, to="label_png", lossy=True)
        clean = inlay.check(inlay.read(path), packs=packs)
        files = sorted((path / "labels").rglob("*.png"))
        chosen = random.permutation(len(files))[: max(1, round(share * len(files)))]
        errors = []
        for place in chosen:
            with Image.open(files[place]) as label:
                label.load()
                spoilt = mutate(label, random)
            spoilt.save(files[place])
            name = files[place].relative_to(path / "labels").with_suffix("").as_posix()
            shape = samples[0].label().size
            errors.append({name: Spoilt(Sample(name, None, None), np.ones(shape, np.bool_))})
        try:
            return inlay.check(inlay.read(path), packs=packs), clean, errors
        except InlayError:
            return None, clean, errors
