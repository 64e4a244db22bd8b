"""What drives the cost of labelling an image, measured on labels at hand or stated for images to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.contacts import contacts_of
from inlay.core.errors import InlayError
from inlay.core.partial import filled

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.core.segmentation import Segmentation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Load:
    """The work in each of J images.

    Parameters
    ----------
    classes
        (J,) classes that occur.
    regions, region_boundary
        (J,) connected areas of one class, and their boundary, in diagonals of the image.
    objects, object_boundary
        (J,) things and their boundary, in diagonals of the image.
    contacts
        (J,) pairs of things of one class that touch.
    occlusions
        (J,) pairs of things that touch or overlap, of which somebody must say which is in front.
    """

    classes: Floats
    regions: Floats
    region_boundary: Floats
    objects: Floats
    object_boundary: Floats
    contacts: Floats
    occlusions: Floats

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, rows: NDArray[np.int64]) -> Load:
        return Load(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def measure_load(dataset: Dataset) -> Load:
    """The work in each labelled image of a dataset; of a segment that is a box alone, the box is the outline.

    Raises
    ------
    InlayError
        When there is no image.
    """
    if not len(dataset):
        raise InlayError("a dataset without images has no cost; give images or say how many there will be")
    rows = np.array([_of_image(sample.label()) for sample in dataset], np.float64)
    return Load(*rows.T)


def _of_image(label: Segmentation) -> tuple[float, ...]:
    diagonal = float(np.hypot(*label.size)) or 1.0
    label = filled(label)
    seen = label[(label.masks.area() > 0) & ~label.classes.is_void[label.class_id]]
    present, place = np.unique(seen.class_id, return_inverse=True)
    areas = seen.masks.merge(place, len(present))
    parts, _ = areas.parts()
    things = seen.things()
    contacts = contacts_of(things.masks)
    same = things.class_id[contacts.a] == things.class_id[contacts.b]
    return (
        len(present),
        len(parts),
        float(contacts_of(areas).perimeter.sum()) / diagonal,
        len(things),
        float(contacts.perimeter.sum()) / diagonal,
        int(same.sum()),
        len(contacts.a),
    )


def state_load(
    objects: Floats, *, size: float, classes: float = 3.0, touching: float = 0.1, overlapping: float = 0.1
) -> Load:
    """The work in images of which only counts are known: those of a quick look, or a guess.

    Parameters
    ----------
    objects
        (J,) objects in each image that somebody counted.
    size
        Usual diameter of an object, as a share of the image's diagonal.
    classes
        Classes in an image.
    touching
        Contacts of objects of one class for each object.
    overlapping
        Pairs to order for each object.

    Raises
    ------
    InlayError
        When there are no counts, or a figure is negative.
    """
    objects = np.asarray(objects, np.float64)
    if not objects.size or min(objects.min(), size, classes, touching, overlapping) < 0:
        raise InlayError("a load needs counts of at least one image, and no figure below 0")
    boundary = objects * size * np.pi
    regions = np.maximum(objects * (1 - touching), np.minimum(objects, 1))
    return Load(
        np.full(len(objects), classes),
        regions,
        boundary * (1 - 0.1 * touching),
        objects,
        boundary,
        objects * touching,
        objects * overlapping,
    )
