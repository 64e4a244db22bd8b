"""Counts of objects: as predicted, and corrected by the measured error of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.partial import is_there
from inlay.measure.estimate import Estimate, interval

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.core.segmentation import Segmentation

DRAWS = 2000
ENOUGH_SCORE = 0.5  # predictions below it are not counted
FEWEST_IMAGES = 5


def counts(dataset: Dataset, *, minimum_score: float = ENOUGH_SCORE) -> NDArray[np.int64]:
    """(S, C) things of each class in each sample; stuff and crowds are not counted.

    Parameters
    ----------
    dataset
        Labels or predictions.
    minimum_score
        Predictions with a lower score do not count.
    """
    found = [count(sample.label(), minimum_score=minimum_score) for sample in dataset]
    return np.stack(found) if found else np.zeros((0, len(dataset.classes)), np.int64)


def count(segmentation: Segmentation, *, minimum_score: float = ENOUGH_SCORE) -> NDArray[np.int64]:
    """(C,) things of each class in one image, whether they have pixels or a box alone."""
    counted = segmentation.is_thing & ~segmentation.crowd & is_there(segmentation)
    if segmentation.score is not None:
        counted &= segmentation.score >= minimum_score
    return np.bincount(segmentation.class_id[counted], minlength=len(segmentation.classes))


@dataclass(frozen=True, eq=False)
class CountError:
    """True and predicted counts of the same images: the measured error of a model that counts.

    The estimator is the ratio of truth to prediction over all images (W. G. Cochran, "Sampling Techniques",
    chapter 6), its interval a bootstrap over images that adds what single images scatter around the ratio: it
    is an interval for the true count of the new images, not for a mean.
    """

    names: tuple[str, ...]
    truth: NDArray[np.int64]  # (S, C)
    predicted: NDArray[np.int64]  # (S, C)

    @classmethod
    def measure(
        cls, truth: Dataset, prediction: Dataset, *, minimum_score: float = ENOUGH_SCORE
    ) -> CountError:
        """The error of predictions on labelled images, which the model must not have been trained on.

        Raises
        ------
        InlayError
            When fewer than five labelled images have a prediction.
        """
        names = truth.classes.names
        real, guessed = [], []
        for label, guess in truth.zip(prediction):
            real.append(count(label.label()))
            found = count(guess.label(), minimum_score=minimum_score)
            guessed.append(_arranged(found, guess.label().classes.names, names))
        if len(real) < FEWEST_IMAGES:
            raise InlayError(
                f"{len(real)} labelled images with predictions do not measure an error: "
                f"label at least {FEWEST_IMAGES}, better 30"
            )
        return cls(names, np.stack(real), np.stack(guessed))

    def arrange(self, predicted: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.int64]:
        """(S', C) counts of other columns in the order of these classes.

        Raises
        ------
        InlayError
            When a class that was counted is not among the measured ones.
        """
        return np.stack([_arranged(row, names, self.names) for row in predicted])

    def correct(self, predicted: NDArray[np.int64], *, seed: int = 0) -> list[Estimate]:
        """The true count of each class behind (S', C) predicted counts of new images, with 95 % intervals.

        Raises
        ------
        InlayError
            When the new images have a class that was never predicted on the measured ones, or the counts are
            of other classes.
        """
        if predicted.shape[1:] != (len(self.names),):
            raise InlayError(
                f"counts of {predicted.shape[-1]} classes; the error was measured of "
                f"{', '.join(self.names)}: bring them into that order with `arrange`"
            )
        total = predicted.sum(axis=0)
        measured = self.predicted.sum(axis=0)
        blind = np.flatnonzero((total > 0) & (measured == 0))
        if blind.size:
            raise InlayError(
                f"class {self.names[blind[0]]!r} was predicted {total[blind[0]]} times, and never on the "
                "images with known truth: label some images that have it"
            )
        return [
            self._one(row, int(total[row]), len(predicted), np.random.default_rng((seed, row)))
            for row in range(len(self.names))
        ]

    def _one(self, row: int, total: int, images: int, rng: np.random.Generator) -> Estimate:
        truth, predicted = self.truth[:, row], self.predicted[:, row]
        if predicted.sum() == 0:  # nothing to scale: what the model misses is missed here as well
            missed = rng.choice(truth, (DRAWS, images)).sum(axis=1).astype(np.float64)
            return Estimate(total, float(truth.mean() * images), *interval(missed))
        best = truth.sum() / predicted.sum() * total
        draw = rng.integers(0, len(truth), (DRAWS, len(truth)))
        sums = predicted[draw].sum(axis=1)
        ratio = truth[draw].sum(axis=1) / np.maximum(sums, 1)
        scatter = truth - truth.sum() / predicted.sum() * predicted
        noise = rng.normal(0, scatter.std(ddof=1) * np.sqrt(images), DRAWS)
        low, high = interval(ratio[sums > 0] * total + noise[sums > 0])
        return Estimate(total, float(best), max(low, 0.0), high)


def _arranged(found: NDArray[np.int64], names: Sequence[str], order: Sequence[str]) -> NDArray[np.int64]:
    place = {name: index for index, name in enumerate(order)}
    arranged = np.zeros(len(order), np.int64)
    for name, amount in zip(names, found.tolist()):
        if name in place:
            arranged[place[name]] += amount
        elif amount:
            raise InlayError(f"the class {name!r} is not among those measured: {', '.join(order)}")
    return arranged
