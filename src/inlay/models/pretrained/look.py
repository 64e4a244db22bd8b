"""How an image is shown to a pretrained network: the sizes and colours that its folder names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from inlay.core.errors import FormatError
from inlay.models.pretrained.folder import read_json

Size = tuple[int, int]  # height, width
NATURAL = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
USUAL: Mapping[str, Any] = {  # where a folder names no size
    "segformer": {"height": 512, "width": 512},
    "mask2former": {"shortest_edge": 800, "longest_edge": 1333},
    "eomt": {"shortest_edge": 640, "longest_edge": 640},
    "eomt_dinov3": {"shortest_edge": 640, "longest_edge": 640},
    "rf_detr": {"height": 560, "width": 560},
}


@dataclass(frozen=True)
class Look:
    """Sizes and colours.

    Parameters
    ----------
    size
        "height" and "width", or "shortest_edge" and "longest_edge" (which keep the proportions).
    resized
        Whether images are resized at all.
    multiple
        Sides are made multiples of it.
    padded
        Whether the image is padded below and on the right to (shortest edge, longest edge).
    split
        Whether squares along the longer side are looked at, and their shares averaged.
    mean, deviation
        Of the colours, of 1.
    """

    size: Mapping[str, int]
    resized: bool = True
    multiple: int = 1
    padded: bool = False
    split: bool = False
    mean: tuple[float, ...] = NATURAL[0]
    deviation: tuple[float, ...] = NATURAL[1]

    @property
    def square(self) -> Size:
        """(height, width) that padded images have."""
        short = self.size["shortest_edge"]
        return short, self.size.get("longest_edge") or short

    def inner(self, size: Size) -> Size:
        """(height, width) of an image once it is resized."""
        if not self.resized:
            return size
        if "height" in self.size:
            height, width = self.size["height"], self.size["width"]
        else:
            height, width = _proportional(size, self.size["shortest_edge"], self.size.get("longest_edge"))
        return -(-height // self.multiple) * self.multiple, -(-width // self.multiple) * self.multiple

    def pixels(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) pixels 0 .. 255 -> (B, 3, h, w); or squares (B * N, 3, s, s)."""
        size = self.inner((images.shape[2], images.shape[3]))
        if size != tuple(images.shape[2:]):
            images = F.interpolate(images, size, mode="bilinear", antialias=True).round().clamp(0, 255)
        if self.split:
            images = torch.stack([self._square(images, start) for start in self.starts(size)], 1).flatten(
                0, 1
            )
        if self.padded and not self.split:
            height, width = self.square
            images = F.pad(images, (0, max(0, width - size[1]), 0, max(0, height - size[0])))
        mean = images.new_tensor(self.mean).reshape(1, 3, 1, 1)
        return (images / 255 - mean) / images.new_tensor(self.deviation).reshape(1, 3, 1, 1)

    def starts(self, size: Size) -> list[int]:
        """Where the squares along the longer side of a resized image begin."""
        side, longer = self.size["shortest_edge"], max(size)
        count = -(-longer // side)
        overlap = (count * side - longer) / (count - 1) if count > 1 else 0.0
        return [int(place * (side - overlap)) for place in range(count)]

    def _square(self, images: Tensor, start: int) -> Tensor:
        side = self.size["shortest_edge"]
        axis = 2 if images.shape[2] > images.shape[3] else 3
        return images.narrow(axis, start, min(side, images.shape[axis] - start))


def read_look(folder: Path, kind: str) -> Look:
    """What `preprocessor_config.json` says; what it leaves out is as usual for the kind.

    Raises
    ------
    FormatError
        When its sizes or colours are none.
    """
    path = folder / "preprocessor_config.json"
    told = read_json(path) if path.is_file() else {}
    size = told.get("size", USUAL[kind])
    size = {"height": size, "width": size} if isinstance(size, int) else size
    good = isinstance(size, dict) and ({"height", "width"} <= size.keys() or "shortest_edge" in size)
    if not good or not all(
        value is None or (isinstance(value, int) and value > 0) for value in size.values()
    ):
        raise FormatError(path, "size", f"is {size!r}; height and width, or shortest_edge, are pixels")
    mean, deviation = told.get("image_mean", NATURAL[0]), told.get("image_std", NATURAL[1])
    for name, values in (("image_mean", mean), ("image_std", deviation)):
        if len(values) != 3 or not all(isinstance(value, int | float) for value in values):
            raise FormatError(path, name, f"is {values!r}; three numbers are the colours")
    edges = "shortest_edge" in size
    return Look(
        size,
        bool(told.get("do_resize", True)),
        int(told.get("size_divisor", 32)) if kind == "mask2former" else 1,
        kind.startswith("eomt") and edges and bool(told.get("do_pad", False)),
        kind.startswith("eomt") and edges and bool(told.get("do_split_image", False)),
        tuple(mean),
        tuple(deviation),
    )


def _proportional(size: Size, shortest: int, longest: int | None) -> Size:
    """The shorter side `shortest`, or less where the longer one would be more than `longest`."""
    low, high = min(size), max(size)
    if longest is not None and high / low * shortest > longest:
        exact = longest * low / high
        short, long = round(exact), int(exact * high / low)
    else:
        short, long = shortest, int(shortest * high / low)
    short, long = max(1, short), max(1, long)
    return (long, short) if size[0] > size[1] else (short, long)
