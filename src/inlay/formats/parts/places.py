"""Places: where the files of a sample go, and its image with them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Sample
from inlay.core.errors import InlayError
from inlay.core.images import image_size


def place(folder: Path, name: str, suffix: str) -> Path:
    """`folder/name + suffix` with its parents made, for a sample name that may hold folders.

    Raises
    ------
    InlayError
        When the name would leave the folder.
    """
    parts = PurePosixPath(name).parts
    if (
        not parts
        or name.startswith("/")
        or ".." in parts
        or "\\" in name
        or "\0" in name
        or re.match("[A-Za-z]:", name)
    ):
        raise InlayError(f"sample name {name!r} is no path below a folder: rename the sample")
    path = folder.joinpath(*parts)
    path = path.with_name(path.name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


class FlatNames:
    """Gives each sample name a file name without folders, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """The name with _ between its folders, and a number where that is taken."""
        flat = found = name.strip("/").replace("/", "_") or "_"
        number = 1
        while found.lower() in self._taken:
            number += 1
            found = f"{flat}-{number}"
        self._taken.add(found.lower())
        return found


def refuse_nothing(sample: Sample) -> None:
    """Refuse a sample that would leave no file.

    Raises
    ------
    InlayError
        When it has neither image nor label.
    """
    if sample.image is None and sample.segmentation is None:
        raise InlayError(f"sample {sample.name!r} has neither image nor label: there is nothing to write")


def size_of(sample: Sample) -> tuple[int, int]:
    """(height, width) of a sample: of its label, else of its image."""
    if sample.segmentation is not None:
        return sample.segmentation.size
    if isinstance(sample.image, Path):
        return image_size(sample.image)
    return (0, 0) if sample.image is None else (sample.image.shape[0], sample.image.shape[1])


def store_image(sample: Sample, folder: Path, name: str | None = None) -> Path | None:
    """Write the image of a sample into `folder`, and return its path: files byte for byte, arrays as PNG.

    `None` when the sample has no image.
    """
    if sample.image is None:
        return None
    if isinstance(sample.image, Path):
        path = place(folder, name or sample.name, sample.image.suffix)
        shutil.copyfile(sample.image, path)
        return path
    path = place(folder, name or sample.name, ".png")
    save_png(sample.image, path)
    return path


def save_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write (H, W) or (H, W, 3) uint8 as PNG."""
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(pixels)).save(path, compress_level=4)
