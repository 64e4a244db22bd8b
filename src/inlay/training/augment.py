"""Augmentation: an example becomes a crop, moved, scaled, mirrored, recoloured.

Every map goes the way of its image, by choosing source pixels; no value of a map is ever mixed with another.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.models.parts.targets import VOID
from inlay.training.config import Augment
from inlay.training.examples import Example

Window = tuple[int, int, int, int]  # y, x, height, width; may leave the image
LARGEST = 8.0  # enlargement of a thing in focus: there is nothing more to see


def vary(example: Example, settings: Augment, rng: np.random.Generator) -> Example:
    """A random crop of `settings.crop` pixels of an example."""
    crop = settings.crop
    focused = settings.focus[1] > 0 and len(example.class_id) > 0
    window = _round_a_thing(example, settings, rng) if focused else _anywhere(example, settings, rng)
    if settings.rotate or settings.shear:
        angles = (rng.uniform(-most, most) for most in (settings.rotate, settings.shear))
        part = warped(example, window, crop, *angles)
    else:
        part = resized(example, window, crop)
    varied = turned(part, settings, rng)
    return without_empty(replace(varied, image=recoloured(varied.image, settings, rng)))


def plain_crop(example: Example, settings: Augment, rng: np.random.Generator) -> Example:
    """A random crop with the colours it has."""
    kept = replace(settings, brightness=0.0, contrast=0.0, saturation=0.0, gamma=0.0, invert=0.0, noise=0.0)
    return vary(example, kept, rng)


def _anywhere(example: Example, settings: Augment, rng: np.random.Generator) -> Window:
    scale = float(np.exp(rng.uniform(*np.log(settings.scale))))
    height, width = (max(1, round(side / scale)) for side in settings.crop)
    return _offset(example.size[0], height, rng), _offset(example.size[1], width, rng), height, width


def _round_a_thing(example: Example, settings: Augment, rng: np.random.Generator) -> Window:
    """A window that holds a thing by lot, or lies inside it, at its share of `settings.focus`."""
    number = int(rng.integers(len(example.class_id))) + 1
    seen = (example.layers == number).any(0)
    if not seen.any():
        return _anywhere(example, settings, rng)
    ends = [np.flatnonzero(seen.any(axis))[[0, -1]] + (0, 1) for axis in (1, 0)]  # rows, columns: half-open
    share = float(np.exp(rng.uniform(*np.log(settings.focus))))
    scale = share * min(settings.crop) / max(int(high - low) for low, high in ends)
    sides = [max(1, round(side / min(scale, LARGEST))) for side in settings.crop]
    places = []
    for (low, high), side, length in zip(ends, sides, example.size):
        first, last = sorted((int(high) - side, int(low)))
        slack = length - side  # inside the image where it fits, around it where it does not
        places.append(int(rng.integers(first, last + 1).clip(min(slack, 0), max(slack, 0))))
    return places[0], places[1], sides[0], sides[1]


def _offset(length: int, window: int, rng: np.random.Generator) -> int:
    """Where a window begins: inside the image where it fits, around it where it does not."""
    slack = length - window
    return int(rng.integers(min(slack, 0), max(slack, 0) + 1))


def resized(example: Example, window: Window, size: tuple[int, int]) -> Example:
    """The window of an example, scaled to `size`; outside the image lies black, void and ignored."""
    image = _cut(example.image, window, 0)
    if window[2:] != size:
        way = cv2.INTER_AREA if window[2] > size[0] else cv2.INTER_LINEAR
        image = cv2.resize(image, size[::-1], interpolation=way).reshape(*size, 3)
    rows, columns = (
        ((np.arange(n) + 0.5) * length / n).astype(np.int64) for n, length in zip(size, window[2:])
    )

    def nearest(field: NDArray[Any], fill: int) -> NDArray[Any]:
        return _cut(field, window, fill)[rows[:, None], columns[None]]

    def stacked(fields: NDArray[Any]) -> NDArray[Any]:
        return np.stack([nearest(each, 0) for each in fields]) if len(fields) else fields.reshape(0, *size)

    return Example(
        image,
        nearest(example.semantic, VOID),
        nearest(example.ignored, 1),
        stacked(example.layers),
        example.class_id,
        example.whole,
        stacked(example.hints),
    )


def warped(example: Example, window: Window, size: tuple[int, int], rotate: float, shear: float) -> Example:
    """The window of an example, scaled to `size`, turned and sheared by degrees about its middle.

    Outside the image lies black, void and ignored.
    """
    y, x, height, width = window
    turn, slant = np.deg2rad([rotate, shear])
    turning = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    scale = np.diag([width / size[1], height / size[0]])
    matrix = turning @ np.array([[1.0, np.tan(slant)], [0.0, 1.0]]) @ scale  # from the crop to the image
    middle = np.array([x + width / 2, y + height / 2]) - matrix @ np.array([size[1] / 2, size[0] / 2])
    centres = np.concatenate([matrix, (middle + matrix.sum(1) / 2 - 0.5)[:, None]], 1)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    image = np.asarray(cv2.warpAffine(example.image, centres, size[::-1], flags=way), np.uint8)
    down, across = np.mgrid[: size[0], : size[1]] + 0.5
    columns, rows = (
        np.floor(a * across + b * down + c).astype(np.int64) for (a, b), c in zip(matrix, middle)
    )
    inside = (rows >= 0) & (rows < example.size[0]) & (columns >= 0) & (columns < example.size[1])
    rows, columns = rows.clip(0, example.size[0] - 1), columns.clip(0, example.size[1] - 1)
    return Example(
        image,
        np.where(inside, example.semantic[rows, columns], VOID).astype(np.int16),
        example.ignored[rows, columns] | ~inside,
        np.where(inside, example.layers[:, rows, columns], 0).astype(np.int32),
        example.class_id,
        example.whole,
        np.where(inside, example.hints[:, rows, columns], 0).astype(np.int8),
    )


def _cut(field: NDArray[Any], window: Window, fill: int) -> NDArray[Any]:
    """The window of an array, `fill` outside it."""
    y, x, height, width = window
    inside = field[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    if inside.shape[:2] == (height, width):
        return inside
    whole = np.full((height, width, *field.shape[2:]), fill, field.dtype)
    top, left = max(-y, 0), max(-x, 0)
    whole[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return whole


def turned(example: Example, settings: Augment, rng: np.random.Generator) -> Example:
    """The example mirrored, and with `turn` in any of its eight (a square) or four orientations."""
    if settings.flip and rng.random() < 0.5:
        example = mirrored(example, axis=1)
    if not settings.turn:
        return example
    if rng.random() < 0.5:
        example = mirrored(example, axis=0)
    square = example.size[0] == example.size[1]
    return transposed(example) if square and rng.random() < 0.5 else example


def mirrored(example: Example, *, axis: int) -> Example:
    """The example upside down (axis 0) or left to right (axis 1)."""
    return Example(
        np.flip(example.image, axis),
        np.flip(example.semantic, axis),
        np.flip(example.ignored, axis),
        np.flip(example.layers, axis + 1),
        example.class_id,
        example.whole,
        np.flip(example.hints, axis + 1),
    )


def transposed(example: Example) -> Example:
    """The example with rows and columns exchanged."""
    return Example(
        example.image.swapaxes(0, 1),
        example.semantic.T,
        example.ignored.T,
        example.layers.swapaxes(1, 2),
        example.class_id,
        example.whole,
        example.hints.swapaxes(1, 2),
    )


def recoloured(image: NDArray[np.uint8], settings: Augment, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pixels under another brightness, contrast, saturation, gamma; inverted or noisy where asked."""
    brightness, contrast, saturation, gamma = (
        1.0 + rng.uniform(-most, most)
        for most in (settings.brightness, settings.contrast, settings.saturation, settings.gamma)
    )
    image = np.ascontiguousarray(image)
    if settings.saturation:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = np.asarray(cv2.addWeighted(image, saturation, grey, 1.0 - saturation, 0.0), np.uint8)
    middle = float(image.mean())
    ramp = 255.0 * (np.arange(256) / 255.0) ** gamma * brightness
    curve = ((ramp - middle) * contrast + middle).clip(0, 255)
    if rng.random() < settings.invert:
        curve = 255.0 - curve
    image = np.asarray(cv2.LUT(image, curve.round().astype(np.uint8)), np.uint8)
    deviation = rng.uniform(0, settings.noise)
    if settings.noise:
        noise = rng.normal(0.0, deviation, image.shape).astype(np.float32)
        image = (image + noise).clip(0, 255).astype(np.uint8)
    return image


def without_empty(example: Example) -> Example:
    """The example with only the things that can be seen, numbered anew."""
    count = len(example.class_id)
    seen = np.zeros(count + 1, np.bool_)
    seen[example.layers] = True
    seen[0] = False
    number = np.cumsum(seen, dtype=np.int32) * seen
    layers = number.astype(np.int32)[example.layers]
    shown = layers.any((1, 2))
    return replace(
        example,
        layers=layers[shown],
        hints=example.hints[shown],
        class_id=example.class_id[seen[1:]],
        whole=example.whole[seen[1:]],
    )
