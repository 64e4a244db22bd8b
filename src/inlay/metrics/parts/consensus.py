"""One segmentation out of those of several people: by majority, or by STAPLE.

STAPLE (Warfield et al., IEEE TMI 2004): expectation maximisation of the truth and of how reliable each person
is. Each class of the semantic view is a label; each person has a table of how often they call the one class
another; people who agree with the others weigh more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.metrics.parts.tracks import assigned

Floats = NDArray[np.float64]
Ids = NDArray[np.int32]

ENOUGH = 0.5
ROUNDS, STILL = 100, 1e-7  # of the expectation maximisation; change of reliability that ends it


def majority(segmentations: Sequence[Segmentation]) -> Segmentation:
    """The segments that more than half of the people have, of the pixels that more than half of these give.

    Segments of one class are matched to those of the people before, one to one, at an IoU above 0.5. What is
    left is a partition: a pixel that two segments win goes to the one with more votes.

    Raises
    ------
    InlayError
        When there is nobody, or the images differ in size.
    """
    _check(segmentations)
    first = segmentations[0]
    groups: list[list[Segmentation]] = []
    for each in segmentations:
        _join_groups(groups, each[~each.crowd])
    kept = [group for group in groups if 2 * len(group) > len(segmentations)]
    votes = np.zeros((len(kept), *first.size), np.int32)
    for count, group in zip(votes, kept):
        for each in group:
            count += each.masks.decode()[0]
    enough = 2 * votes > np.array([len(group) for group in kept], np.int32)[:, None, None]
    winner = np.argmax(np.where(enough, votes, 0), axis=0) if kept else np.zeros(first.size, np.int64)
    ids = np.where(enough.any(axis=0), winner, -1) if kept else winner - 1
    class_id = np.array([group[0].class_id[0] for group in kept], np.int32)
    masks = Masks.from_ids(ids, len(kept))
    shown = masks.area() > 0
    is_thing = first.classes.is_thing[class_id[shown]] if len(kept) else np.empty(0, np.bool_)
    return Segmentation(first.classes, masks[shown], class_id[shown], instance_numbers(is_thing))


def _join_groups(groups: list[list[Segmentation]], person: Segmentation) -> None:
    """Add each segment of a person to the group whose first segment it matches best, or to a new one."""
    if len(person) == 0:
        return
    taken = np.zeros(len(person), np.bool_)
    if groups:
        firsts = Segmentation.concat([_bare(group[0]) for group in groups])
        iou = person.masks.iou(firsts.masks)
        iou[(iou <= ENOUGH) | (person.class_id[:, None] != firsts.class_id)] = 0.0
        for row, group in zip(*assigned(iou)):
            groups[group].append(person[int(row)])
            taken[row] = True
    groups += [[person[int(row)]] for row in np.flatnonzero(~taken)]


def _bare(segment: Segmentation) -> Segmentation:
    return Segmentation(segment.classes, segment.masks, segment.class_id, segment.instance_id)


@dataclass(frozen=True, eq=False)
class Staple:
    """The likely truth and how reliable people are."""

    segmentation: Segmentation  # of the semantic view
    reliability: Floats  # (R, L, L) probability that person r calls what is l (row) l' (column); L = K + 1
    certainty: Floats  # (H, W) probability of the chosen class


def staple(segmentations: Sequence[Segmentation]) -> Staple:
    """The likely truth of the semantic view; what nobody drew is the last label.

    Pixels that all people call the same are settled and take no part, as is usual: else a large background
    would make everybody look reliable.

    Raises
    ------
    InlayError
        When there is nobody, or the images differ in size.
    """
    _check(segmentations)
    first = segmentations[0]
    labels = len(first.classes) + 1
    maps = np.stack([each.semantic(void=labels - 1).ravel() for each in segmentations])
    open_pixels = np.flatnonzero((maps != maps[0]).any(axis=0))
    # people who say the same on many pixels are looked at once
    said, which, times = np.unique(maps[:, open_pixels], axis=1, return_inverse=True, return_counts=True)
    reliability, likely = _maximise(said, times.astype(np.float64), labels)
    chosen, certainty = maps[0].copy(), np.ones(maps.shape[1])
    if open_pixels.size:
        chosen[open_pixels] = likely.argmax(axis=0)[which.reshape(-1)]
        certainty[open_pixels] = likely.max(axis=0)[which.reshape(-1)]
    ids = np.where(chosen == labels - 1, -1, chosen).reshape(first.size)
    return Staple(Segmentation.from_semantic(ids, first.classes), reliability, certainty.reshape(first.size))


def _maximise(said: Ids, times: Floats, labels: int) -> tuple[Floats, Floats]:
    """(R, L, L) reliability and (L, M) probability of each label, from what R people said in M cases."""
    people, cases = said.shape
    reliability = np.full((people, labels, labels), 0.1 / max(1, labels - 1))
    reliability[:, np.arange(labels), np.arange(labels)] = 0.9
    votes = np.stack([(said == label) @ times if cases else np.zeros(people) for label in range(labels)])
    prior = np.maximum(votes.sum(axis=1), 1e-12)
    prior /= prior.sum()
    likely = np.zeros((labels, cases))
    for _ in range(ROUNDS if cases else 0):
        log = np.log(prior)[:, None] + sum(np.log(reliability[r][:, said[r]]) for r in range(people))
        likely = np.exp(log - log.max(axis=0))
        likely /= likely.sum(axis=0)
        before = reliability.copy()
        for r in range(people):
            counted = np.stack(
                [np.bincount(said[r], times * likely[label], labels) for label in range(labels)],
                dtype=np.float64,
            )
            counted += 1e-6  # nobody is so sure that a word of theirs makes a class impossible
            reliability[r] = counted / counted.sum(axis=1, keepdims=True)
        if np.abs(reliability - before).max() < STILL:
            break
    return reliability, likely


def _check(segmentations: Sequence[Segmentation]) -> None:
    sizes = {each.size for each in segmentations}
    if len(sizes) != 1:
        what = "are of nobody" if not sizes else f"are of images of {sorted(sizes)} pixels"
        raise InlayError(f"the segmentations {what}: give those of one image by one person or more")
