"""The same things seen by several cameras: tracks of different videos that look alike get one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.measure.appearance import likeness, look

if TYPE_CHECKING:
    from inlay.core.dataset import Sample

LOOKS = 8  # frames of a track that its look is taken from: the largest views


@dataclass(frozen=True, eq=False)
class Gallery:
    """How each track of each camera looks."""

    group: tuple[str, ...]  # (T,) the camera or video
    instance: NDArray[np.int32]  # (T,)
    class_name: tuple[str, ...]  # (T,)
    look: NDArray[np.float64]  # (T, F)


def gallery(dataset: Dataset) -> Gallery:
    """The look of each tracked thing, averaged over its largest views; images must be at hand."""
    views: dict[tuple[str, int, str], list[tuple[int, NDArray[np.float64]]]] = {}
    for sample in dataset:
        things = sample.label().things()
        looks = look(sample.pixels(), things.masks)
        for row, area in enumerate(things.masks.area().tolist()):
            if area and things.instance_id[row] > 0:
                key = sample.group, int(things.instance_id[row]), things.class_names[row]
                best = sorted([*views.get(key, []), (area, looks[row])], key=lambda view: -view[0])
                views[key] = best[:LOOKS]
    keys = list(views)
    mean = [np.mean([seen for _, seen in views[key]], axis=0) for key in keys]
    return Gallery(
        tuple(key[0] for key in keys),
        np.array([key[1] for key in keys], np.int32),
        tuple(key[2] for key in keys),
        np.stack(mean) if mean else np.zeros((0, 0)),
    )


def link(tracks: Gallery, *, least: float = 0.9) -> dict[tuple[str, int], int]:
    """One number for each (camera, instance): tracks of different cameras that look alike share it.

    Cameras are joined one after another to those before them, by the best one-to-one assignment of tracks of
    the same class whose likeness is at least `least`.
    """
    from scipy.optimize import linear_sum_assignment

    number: dict[tuple[str, int], int] = {}
    people: list[list[int]] = []  # rows of the gallery that are one thing
    for camera in dict.fromkeys(tracks.group):
        rows = [row for row, group in enumerate(tracks.group) if group == camera]
        alike = np.zeros((len(people), len(rows)))
        if people:
            mean = np.stack([tracks.look[members].mean(axis=0) for members in people])
            alike = likeness(mean, tracks.look[rows])
            same = [
                [tracks.class_name[members[0]] == tracks.class_name[row] for row in rows]
                for members in people
            ]
            alike = np.where(np.array(same) & (alike >= least), alike, 0.0)
        matched = dict(zip(*(side.tolist() for side in linear_sum_assignment(-alike)[::-1])))
        for place, row in enumerate(rows):
            one = matched.get(place)
            if one is None or alike[one, place] == 0:
                people.append([])
                one = len(people) - 1
            people[one].append(row)
    for one, members in enumerate(people, 1):
        for row in members:
            number[tracks.group[row], int(tracks.instance[row])] = one
    return number


def linked(dataset: Dataset, numbers: dict[tuple[str, int], int]) -> Dataset:
    """The dataset with the numbers that `link` gave.

    Raises
    ------
    InlayError
        When a track has none.
    """

    def change(sample: Sample) -> Sample:
        label = sample.label()
        new = label.instance_id.copy()
        for row in np.flatnonzero(label.is_thing & (new > 0)):
            key = sample.group, int(new[row])
            if key not in numbers:
                raise InlayError(
                    f"track {key[1]} of {key[0]!r} is not in the gallery: take it from this dataset"
                )
            new[row] = numbers[key]
        return sample.replace(segmentation=label.replace(instance_id=new))

    return dataset.map(change)
