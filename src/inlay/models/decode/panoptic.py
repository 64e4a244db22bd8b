"""Things and stuff into one partition: the merge of Panoptic FPN (Kirillov et al. 2019, section 4).

It knows no model: the things of any instance prediction go before the stuff of any semantic one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.semantic import scores_of

STUFF_AREA = 4096  # pixels, on photographs of about 640x480


def merged(
    things: Segmentation,
    stuff: Segmentation,
    *,
    minimum_score: float = 0.5,
    hidden: float = 0.5,
    stuff_area: int = STUFF_AREA,
) -> Segmentation:
    """Each pixel to one segment at most: the surest thing that shows it, else its stuff, else nobody.

    Parameters
    ----------
    things
        A prediction of which the things count; masks may overlap.
    stuff
        A prediction of the same image of which the stuff counts. Its pixels of thing classes that no thing
        claims stay free.
    minimum_score
        Things below it are left out.
    hidden
        A thing is left out when surer ones hide more than this share of it.
    stuff_area
        Least pixels that a class of stuff must have beside the things; smaller remains stay free.

    Raises
    ------
    InlayError
        When the two are of images of different size.
    """
    if things.size != stuff.size:
        raise InlayError(
            f"things are of {things.size} pixels, stuff of {stuff.size} (height, width): give predictions of "
            "one image"
        )
    classes = things.classes.merge(stuff.classes)
    behind, front = _by_class(stuff.stuff()), things.things()
    front = front[_visible(front, minimum_score, hidden)]
    columns = [_plain(each).with_classes(classes) for each in (behind, front)]
    whole = Segmentation.concat(columns).flatten().replace(amodal=None)
    area = whole.masks.area()
    whole = whole[np.where(whole.is_thing, area > 0, area >= max(stuff_area, 1))]
    return whole.replace(instance_id=instance_numbers(whole.is_thing))


def _visible(things: Segmentation, minimum_score: float, hidden: float) -> NDArray[np.int64]:
    """Rows of the things that are sure enough and not hidden by surer ones, back to front."""
    score, area, boxes = scores_of(things), things.masks.area(), things.masks.box()
    taken = np.zeros(things.size, np.bool_)
    kept: list[int] = []
    for row in np.argsort(-score, kind="stable").tolist():
        x0, y0, x1, y1 = boxes[row]
        mask, here = things.masks.crop(row, boxes[row]), taken[y0:y1, x0:x1]
        lost = np.count_nonzero(mask & here)
        if score[row] >= minimum_score and lost < area[row] and lost <= hidden * area[row]:
            here |= mask
            kept.append(row)
    return np.array(kept[::-1], np.int64)


def _by_class(stuff: Segmentation) -> Segmentation:
    """One row for each class of stuff, its score the mean of its pixels."""
    rows, place = np.unique(stuff.class_id, return_inverse=True)
    area = stuff.masks.area()
    weight = np.bincount(place, area, len(rows))
    score = np.bincount(place, area * scores_of(stuff), len(rows)) / np.maximum(weight, 1)
    number = np.zeros(len(rows), np.int32)
    return Segmentation(stuff.classes, stuff.masks.merge(place, len(rows)), rows, number, score)


def _plain(prediction: Segmentation) -> Segmentation:
    """Its masks, classes and scores alone."""
    score = scores_of(prediction)
    return Segmentation(
        prediction.classes, prediction.masks, prediction.class_id, prediction.instance_id, score
    )
