"""Object numbers: the pixels of frames as numbers that stay with an object through its video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation

Named = Callable[[int], tuple[str, int] | None]  # class name and instance of a number; None: nobody


class ObjectNumbers:
    """Gives the objects of one video numbers: their own where these are free, else the next free one.

    Parameters
    ----------
    video
        Its name, for messages.
    most
        The largest number there is.
    """

    def __init__(self, video: str, most: int) -> None:
        self._video, self._most = video, most
        self._number: dict[tuple[str, int, int], int] = {}
        self._taken: set[tuple[str, int]] = set()

    def __call__(self, label: Segmentation, *, by_class: bool = False) -> NDArray[np.int64]:
        """(N,) number of each segment; with `by_class` those of different classes may be the same.

        Raises
        ------
        InlayError
            When there are more objects than numbers: they are never wrapped.
        """
        times: Counter[tuple[str, int]] = Counter()
        found = np.zeros(len(label), np.int64)
        for row, name in enumerate(label.class_names):
            pair = (name, int(label.instance_id[row]))
            key = (*pair, times[pair])
            times[pair] += 1
            if key not in self._number:
                self._number[key] = self._free(key[1], name if by_class else "", name)
            found[row] = self._number[key]
        return found

    def _free(self, wanted: int, room: str, name: str) -> int:
        numbers = [wanted] if 0 < wanted <= self._most else []
        number = next((each for each in numbers if (room, each) not in self._taken), None)
        if number is None:
            free = (each for each in range(1, self._most + 1) if (room, each) not in self._taken)
            number = next(free, None)
        if number is None:
            what = f"more than {self._most} objects" + (f" of class {name!r}" if room else "")
            raise InlayError(f"video {self._video!r} has {what}: its maps hold no more; write coco or native")
        self._taken.add((room, number))
        return number

    def meanings(self) -> dict[tuple[str, int], tuple[str, int]]:
        """(class name, number) to (class name, instance), of all objects so far."""
        return {(key[0], number): key[:2] for key, number in self._number.items()}


def from_numbers(values: NDArray[np.int32], named: Named, classes: Classes) -> Segmentation:
    """The segments of an (H, W) map of object numbers, ascending, as far as `named` knows them."""
    present = np.unique(values)
    rows: list[int] = []
    instances: list[int] = []
    table = np.full(len(present), -1, np.int32)
    for place, number in enumerate(present.tolist()):
        meaning = named(number)
        if meaning is not None:
            table[place] = len(rows)
            rows.append(classes.row(meaning[0]))
            instances.append(meaning[1])
    ids = table[np.searchsorted(present, values)]
    return Segmentation(
        classes, Masks.from_ids(ids, len(rows)), np.array(rows, np.int32), np.array(instances, np.int32)
    )
