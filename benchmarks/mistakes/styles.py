"""Errors of a person's style (tier D): one of three people draws all outlines in a way of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.core.morphology import dilate, erode

Random = np.random.Generator
PEOPLE = ("ann", "bob", "eve")


def wide(masks: Masks, random: Random) -> Masks:
    """Outlines 2 or 3 pixels too far out."""
    return dilate(masks, float(random.integers(2, 4)), element="disk")


def narrow(masks: Masks, random: Random) -> Masks:
    """Outlines 2 or 3 pixels too far in, where something is left."""
    less = erode(masks, float(random.integers(2, 4)), element="disk")
    kept = less.area() > 0
    return Masks.concat([less, masks])[np.arange(len(masks)) + np.where(kept, 0, len(masks))]


def coarse(masks: Masks, random: Random) -> Masks:
    """Outlines of few corners: simplified by 3 .. 6 pixels."""
    import cv2

    tolerance = float(random.uniform(3, 6))
    drawn = []
    for mask in masks.decode():
        rings, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        plain = np.zeros(mask.shape, np.uint8)
        cv2.fillPoly(plain, [cv2.approxPolyDP(ring, tolerance, True) for ring in rings], 1)
        drawn.append(plain > 0)
    return Masks.encode(np.array(drawn)) if drawn else masks


STYLES: dict[str, Callable[[Masks, Random], Masks]] = {"wide": wide, "narrow": narrow, "coarse": coarse}


def signed(samples: Sequence[Sample], random: Random) -> tuple[list[Sample], list[str]]:
    """The samples with a person's name on every segment, and the names."""
    names = [PEOPLE[place] for place in random.integers(0, len(PEOPLE), len(samples))]
    found = []
    for sample, name in zip(samples, names):
        label = sample.label()
        tags = tuple(each | {f"annotator={name}"} for each in label.tags)
        plain = label.replace(tags=tags, amodal=None, stated_box=None, stated_area=None)
        found.append(replace(sample, segmentation=plain))
    return found, names


def restyled(
    samples: Sequence[Sample], names: Sequence[str], person: str, style: str, random: Random
) -> list[Sample]:
    """The samples with the things of one person drawn in a style; overlaps go to whoever had the pixels."""
    found = []
    for sample, name in zip(samples, names):
        label = sample.label()
        rows = np.flatnonzero(label.is_thing & ~label.crowd & (label.masks.area() >= 80))
        if name != person or not len(rows):
            found.append(sample)
            continue
        drawn = STYLES[style](label.masks[rows], random)
        place = np.arange(len(label))
        place[rows] = len(label) + np.arange(len(rows))
        masks = Masks.concat([label.masks, drawn])[place]
        if label.is_partition:
            front = np.append(np.setdiff1d(place, place[rows]), place[rows])
            order = np.append(np.setdiff1d(np.arange(len(label)), rows), rows)
            ids = Masks.concat([label.masks, drawn])[front].paint(order + 1)
            masks = Masks.from_ids(ids - 1, len(label))
        found.append(replace(sample, segmentation=label.replace(masks=masks)))
    return found
