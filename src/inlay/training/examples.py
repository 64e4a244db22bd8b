"""Examples: samples as arrays that augmentation and batches work on, cached while they fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.partial import extents, is_whole, rectangles
from inlay.core.segmentation import Segmentation
from inlay.models.parts.targets import VOID, Facts

BAND = 4_000_000  # pixels measured at once
IGNORED = -2  # in the painted map: void classes


@dataclass(frozen=True, eq=False)
class Example:
    """One image with the maps a target is cut from.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    semantic
        (H, W) int16 class rows of the model, `VOID` where there is none.
    ignored
        (H, W) bool: void classes, crowds.
    layers
        (L, H, W) int32: number of a thing + 1. Things of one layer do not overlap.
    class_id
        (N,) int64 class row of each thing.
    whole
        (N,) bool: whether the layers show the pixels of a thing; else they show its box. Default: all.
    hints
        (L, H, W) int8, in the boxes of things that are not whole: 1 for pixels known to be of the thing, -1
        for pixels known not to be, 0 where nobody said. Default: nothing said.
    """

    image: NDArray[np.uint8]
    semantic: NDArray[np.int16]
    ignored: NDArray[np.bool_]
    layers: NDArray[np.int32]
    class_id: NDArray[np.int64]
    whole: NDArray[np.bool_] = None  # type: ignore[assignment]
    hints: NDArray[np.int8] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.whole is None:
            object.__setattr__(self, "whole", np.ones(len(self.class_id), np.bool_))
        if self.hints is None:
            object.__setattr__(self, "hints", np.zeros(self.layers.shape, np.int8))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return sum(
            array.nbytes for array in (self.image, self.semantic, self.ignored, self.layers, self.hints)
        )


def classes_to_learn(classes: Classes, task: str) -> Classes:
    """The classes a model of this task has: all but void ones, or for instances the things.

    Raises
    ------
    InlayError
        When there are none.
    """
    wanted = classes.is_thing if task == "instance" else ~classes.is_void
    rows = tuple(item for item, keep in zip(classes.rows, wanted) if keep)
    if not rows:
        kind = "thing" if task == "instance" else "thing or stuff"
        raise InlayError(
            f"the dataset has no {kind} class to learn; its classes are: {', '.join(classes.names)}"
        )
    return Classes(rows)


def example_of(sample: Sample, classes: Classes) -> Example:
    """The arrays of a sample, with class rows of `classes` matched by name."""
    label = sample.label()
    row_of = {name: row for row, name in enumerate(classes.names)}
    void = label.classes.is_void
    rows = np.array(
        [IGNORED if void[i] else row_of.get(name, VOID) for i, name in enumerate(label.classes.names)],
        np.int32,
    )[label.class_id]
    painted = label.masks.paint(rows, fill=VOID)
    ignored = painted == IGNORED
    if label.crowd.any():
        ignored |= label.masks[label.crowd].union().decode()[0]
    whole, boxes = is_whole(label), extents(label)
    if (~whole & (rows >= 0) & ~label.is_thing).any():  # points on stuff: the rest is not background
        ignored |= (painted == VOID) & (label.masks.union().decode()[0] == 0)
    shown = whole | (boxes[:, 2:] > boxes[:, :2]).all(1)
    chosen = np.flatnonzero((rows >= 0) & label.is_thing & ~label.crowd & shown)
    things = label[chosen]
    known = things.replace(masks=_areas(things, whole[chosen], boxes[chosen]))
    layers = layers_of(known)
    return Example(
        sample.pixels(),
        np.maximum(painted, VOID).astype(np.int16),
        ignored,
        layers,
        np.array([row_of[name] for name in things.class_names], np.int64),
        whole[chosen],
        hints_of(label, chosen, layers, whole[chosen], boxes[chosen]),
    )


def _areas(things: Segmentation, whole: NDArray[np.bool_], boxes: NDArray[np.int64]) -> Masks:
    """The mask of each thing, or its box where not all of the mask is known."""
    if whole.all():
        return things.masks
    both = Masks.concat([things.masks, rectangles(boxes, things.size)])
    return both[np.arange(len(things)) + np.where(whole, 0, len(things))]


def blank_example(sample: Sample, _: Classes) -> Example:
    """The pixels of a sample, whether it is labelled or not."""
    image = sample.pixels()
    size = image.shape[0], image.shape[1]
    nothing, layers = np.full(size, VOID, np.int16), np.zeros((0, *size), np.int32)
    return Example(image, nothing, np.zeros(size, np.bool_), layers, np.zeros(0, np.int64))


def hints_of(
    label: Segmentation,
    things: NDArray[np.int64],
    layers: NDArray[np.int32],
    whole: NDArray[np.bool_],
    boxes: NDArray[np.int64],
) -> NDArray[np.int8]:
    """(L, H, W) what is known of pixels in the boxes of things that are not whole: 1, -1, or 0.

    Parameters
    ----------
    things
        Their rows in the label; `layers` shows them by number + 1.
    """
    hints = np.zeros(layers.shape, np.int8)
    if whole.all():
        return hints
    claims = np.where(label.crowd | label.classes.is_void[label.class_id], 0, np.arange(1, len(label) + 1))
    claimed = label.masks.paint(claims)
    for number in np.flatnonzero(~whole):
        x0, y0, x1, y1 = boxes[number]
        here = claimed[y0:y1, x0:x1]
        own = here == things[number] + 1
        layer = layers[:, y0:y1, x0:x1] == number + 1
        hints[:, y0:y1, x0:x1] += (layer * np.where(own, 1, np.where(here > 0, -1, 0))).astype(np.int8)
    return hints


def layers_of(things: Segmentation) -> NDArray[np.int32]:
    """(L, H, W) maps of row + 1, as few as hold every mask whole; no layer without things."""
    count = len(things)
    if count == 0:
        return np.zeros((0, *things.size), np.int32)
    if things.is_partition:
        return things.panoptic()[None]
    overlap = things.masks.intersection(things.masks) > 0
    place = np.zeros(count, np.int64)
    for row in range(1, count):
        taken = place[:row][overlap[row, :row]]
        place[row] = next(layer for layer in range(row + 1) if layer not in taken)
    numbers = np.arange(1, count + 1)
    return np.stack(
        [things.masks[place == k].paint(numbers[place == k]) for k in range(int(place.max()) + 1)]
    )


class Examples(Sequence[Example]):
    """The examples of a dataset, kept in memory up to a limit."""

    def __init__(
        self,
        dataset: Dataset,
        classes: Classes,
        cache_megabytes: int,
        make: Callable[[Sample, Classes], Example] = example_of,
    ) -> None:
        self.dataset, self.classes, self._make = dataset, classes, make
        self._most, self._room = cache_megabytes, cache_megabytes * 1_000_000
        self._kept: dict[str, Example] = {}
        self._beyond: dict[str, int] = {}  # bytes of those that found no room

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]
        name = self.dataset.names[index]
        if name in self._kept:
            return self._kept[name]
        try:
            example = self._make(self.dataset[index], self.classes)
        except MemoryError:
            raise InlayError(
                f"{name}: the image and its label do not fit into memory: cut them into smaller images, or "
                f"lower training.cache_megabytes (now {self._most})"
            ) from None
        if example.bytes <= self._room:
            self._room -= example.bytes
            self._kept[name] = example
        else:
            self._beyond[name] = example.bytes
        return example

    @property
    def megabytes_beyond(self) -> int:
        """Memory that the examples seen so far would take beyond the limit."""
        return -(-sum(self._beyond.values()) // 1_000_000)

    def drop_unlabelled(self) -> int:
        """Leave out the samples without a label; returns how many."""
        labelled = [
            name
            for name in self.dataset.names
            if name in self._kept or self.dataset[name].segmentation is not None
        ]
        dropped = len(self.dataset) - len(labelled)
        self.dataset = self.dataset.only(labelled)
        return dropped


def facts_of(examples: Examples, seen: Callable[[int, int], None]) -> Facts:
    """What the whole set holds; each example is read once, and `seen(done, total)` called after it."""
    count = len(examples.classes)
    pixels, beside, unlabelled = np.zeros(count, np.int64), np.zeros(count, np.int64), 0
    sides, largest = [np.zeros(0)], (0, 0)
    things, partial = np.zeros(count, np.int64), 0
    shown = np.zeros((len(examples), count), np.bool_)
    for done, example in enumerate(examples, start=1):
        here = np.zeros(count, np.int64)
        for band in bands(example.size):
            semantic = example.semantic[band]
            here += np.bincount(semantic[semantic != VOID], minlength=count)
            unlabelled += int(((semantic == VOID) & ~example.ignored[band]).sum())
        pixels += here
        beside += np.where(here > 0, example.semantic.size, 0)
        sides.append(sides_of(example))
        own = np.bincount(example.class_id, minlength=count)
        things += own
        shown[done - 1] = (here > 0) | (own > 0)
        partial += int((~example.whole).sum())
        largest = max(largest[0], example.size[0]), max(largest[1], example.size[1])
        seen(done, len(examples))
    named = examples.dataset.classes
    return Facts(
        pixels=pixels,
        pixels_beside=beside,
        unlabelled=unlabelled,
        sides=np.concatenate(sides),
        most_things=max(len(each) for each in sides),
        largest=largest,
        has_void=bool(named.is_void.any() or (~named.is_thing).any()),
        things=things,
        partial=partial,
        shown=shown,
    )


def bands(size: tuple[int, int]) -> Iterator[slice]:
    """Rows of an image, so many at a time that what is measured on them takes little memory."""
    step = max(1, BAND // max(size[1], 1))
    for start in range(0, size[0], step):
        yield slice(start, min(start + step, size[0]))


def sides_of(example: Example) -> NDArray[np.float64]:
    """(N,) square root of the area of each thing's box."""
    boxes = boxes_of(example.layers, len(example.class_id))
    sides: NDArray[np.float64] = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1))
    return sides


def boxes_of(layers: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """(count, 4) x0, y0, x1, y1 of the pixels of each thing of layers, half-open; inf, inf, 0, 0 for none."""
    from scipy.ndimage import find_objects

    boxes = np.tile([np.inf, np.inf, 0.0, 0.0], (count, 1))
    for layer in layers:
        for thing, found in enumerate(find_objects(layer, max_label=count) if count else ()):
            if found is not None:
                rows, columns = found
                boxes[thing, :2] = np.minimum(boxes[thing, :2], (columns.start, rows.start))
                boxes[thing, 2:] = np.maximum(boxes[thing, 2:], (columns.stop, rows.stop))
    return boxes
