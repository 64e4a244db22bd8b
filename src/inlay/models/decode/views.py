"""Views: two predictions of one image into one that both had a say in."""

from __future__ import annotations

import numpy as np

from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.semantic import scores_of

SAME = 0.5  # IoU from which two segments of a class are one


def agreed(one: Segmentation, other: Segmentation) -> Segmentation:
    """The segments of both: where two of a class are the same, the surer one with their mean score.

    What only one of the views shows has half its score.
    """
    both = Segmentation.concat([one, other])
    score = scores_of(both)
    overlap = one.masks.iou(other.masks) if len(one) and len(other) else np.zeros((len(one), len(other)))
    overlap *= one.class_id[:, None] == other.class_id[None]
    pairs = np.argwhere(overlap >= SAME)
    pairs = pairs[np.argsort(-overlap[tuple(pairs.T)], kind="stable")]
    partner = np.full(len(both), -1)
    for mine, theirs in pairs + np.array([0, len(one)]):
        if partner[mine] < 0 and partner[theirs] < 0:
            partner[mine], partner[theirs] = theirs, mine
    mean = (score + np.where(partner >= 0, score[partner], 0.0)) / 2
    rows = np.arange(len(both))
    surer = (score > score[partner]) | ((score == score[partner]) & (rows < partner))
    kept = (partner < 0) | surer
    left = np.flatnonzero(kept)
    found = both.replace(score=mean)[left[np.argsort(mean[left], kind="stable")]]
    if one.is_partition and other.is_partition and not found.is_partition:
        found = found.flatten().replace(amodal=None)
        found = found[found.masks.area() > 0]
    return found.replace(instance_id=instance_numbers(found.is_thing))
