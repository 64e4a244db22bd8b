"""Columns of class numbers that slipped: classes that lie where others do in the rest of the images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.rules.gathered import AllImages
from inlay.rules.tables import Floats, Integers

READS = ("area_px", "image.width", "image.height")
FEW = 8  # images with a class, under which nothing is known of where it lies
SHIFTS = (-1, 1)
ENOUGH, EACH = 4.0, 0.3  # natural units of likelihood by which a shift is better: in all, and for each class
ROUNDS, FIRST = 3, 2.0  # in the first rounds so much less is enough
NARROWEST = (0.3, 0.04, 0.04, 0.04, 0.04)  # least deviation of each feature
WIDE = -3.0  # likelihood of a class of which nothing is known


def number_shift(table: AllImages) -> Integers:
    """By how much all class numbers of the image are too large, 1 or -1, if that fits far better; 0 if not.

    Held against the other images: how large each class is, and where it lies. An image of one class says
    nothing, nor does a class that fewer than 8 images have.
    """
    gain = _gains(table)
    best = gain.argmax(axis=1)
    return np.where(gain.max(axis=1, initial=-np.inf) > 0, np.array(SHIFTS)[best], 0)


def shift_gain(table: AllImages) -> Floats:
    """How much more likely the better shift of all class numbers by one is than none; natural logarithm.

    What is needed to say so is taken off: below 0 for an image like the others, above for one that slipped.
    """
    gain: Floats = _gains(table).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(gain), gain, np.nan)


@dataclass(frozen=True, eq=False)
class _Usual:
    """Middle and spread of the features of each class, and the share of the images that have it."""

    middle: Floats  # (K, F)
    spread: Floats  # (K, F)
    known: NDArray[np.bool_]  # (K,)
    share: Floats  # (K,)

    def fit(self, features: Floats, class_id: Integers) -> Floats:
        """(P,) logarithm of how likely features are under some classes: long-tailed, so that none rules."""
        off = (features - self.middle[class_id]) / self.spread[class_id]
        found = (-2.0 * np.log1p(off * off / 3.0) - np.log(self.spread[class_id])).sum(axis=1)
        return np.where(self.known[class_id], found, WIDE)


def _gains(table: AllImages) -> Floats:
    """(I, 2) likelihood of each shift less that of none, and less what is asked of it; -inf where unknown.

    What is usual is learnt twice: the second time without the images that looked shifted at first.
    """
    image, class_id, features = _features(table)
    gains = np.full((len(table), len(SHIFTS)), -np.inf)
    if not len(image):
        return gains
    odd = np.zeros(len(table), np.bool_)
    for _ in range(ROUNDS):
        trusted = ~odd[image]
        usual = _usual(features[trusted], class_id[trusted], len(table.gathered.classes), int((~odd).sum()))
        gains = _judged(usual, image, class_id, features, len(table))
        odd = gains.max(axis=1) > -FIRST
    return gains


def _judged(usual: _Usual, image: Integers, class_id: Integers, features: Floats, count: int) -> Floats:
    gains = np.full((count, len(SHIFTS)), -np.inf)
    many = np.bincount(image, minlength=count)
    own = usual.fit(features, class_id) + _presence(usual, class_id)
    for place, shift in enumerate(SHIFTS):
        meant = class_id - shift
        inside = (meant >= 0) & (meant < len(usual.known))
        within = np.clip(meant, 0, len(usual.known) - 1)
        other = np.where(inside, usual.fit(features, within) + _presence(usual, within), -np.inf)
        better = np.zeros(count)
        np.add.at(better, image, other - own)
        told = np.bincount(image, usual.known[class_id] & usual.known[within], count)
        able = (many >= 2) & (told >= 2)
        gains[able, place] = (better - np.maximum(ENOUGH, EACH * many))[able]
    return gains


def _presence(usual: _Usual, class_id: Integers) -> Floats:
    """(P,) what it says that the classes are there at all; kept small, for many images lack many classes."""
    bounded: Floats = np.clip(np.log(usual.share[class_id]), -1.0, 0.0)
    return bounded


def _features(table: AllImages) -> tuple[Integers, Integers, Floats]:
    """Image and class of each class in each image, and how large it is there and where: (P, 5)."""
    gathered = table.gathered
    area = gathered["area_px"].astype(np.float64)
    there = np.flatnonzero(area > 0)
    key = gathered.image[there] * max(len(gathered.classes), 1) + gathered.class_id[there]
    order = np.argsort(key, kind="stable")
    there, starts = there[order], np.flatnonzero(np.diff(key[order], prepend=-1))
    if not len(there):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 5))
    image, class_id = gathered.image[there[starts]], gathered.class_id[there[starts]]
    width, height = (table[side].astype(np.float64)[image] for side in ("width", "height"))
    covered = np.add.reduceat(area[there], starts) / (width * height)
    low = np.minimum.reduceat(gathered.box[there, :2], starts)
    high = np.maximum.reduceat(gathered.box[there, 2:], starts)
    features = [
        np.log(covered),
        low[:, 0] / width,
        low[:, 1] / height,
        high[:, 0] / width,
        high[:, 1] / height,
    ]
    return image, class_id, np.column_stack(features)


def _usual(features: Floats, class_id: Integers, classes: int, images: int) -> _Usual:
    middle, spread = np.zeros((classes, features.shape[1])), np.ones((classes, features.shape[1]))
    many = np.bincount(class_id, minlength=classes)
    for row in np.flatnonzero(many >= FEW):
        of = features[class_id == row]
        middle[row] = np.median(of, axis=0)
        spread[row] = np.maximum(1.4826 * np.median(np.abs(of - middle[row]), axis=0), NARROWEST)
    return _Usual(middle, spread, many >= FEW, (many + 0.5) / (images + 1))
