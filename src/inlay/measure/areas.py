"""Areas of classes, without the bias of a model's map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.geodesy import areas_on_earth
from inlay.core.masks import Masks
from inlay.measure.estimate import Estimate, interval

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.core.segmentation import Segmentation

DRAWS = 400


@dataclass(frozen=True, eq=False)
class AreaError:
    """What a model's map says against the truth, pixel by pixel, on images where both are known.

    `pixels[s, i, j]` of sample s are mapped as class i and truly of class j; the last row and column are
    pixels of no class. From it follow areas without the map's bias: P. Olofsson et al., "Good practices for
    estimating area and assessing accuracy of land change", Remote Sensing of Environment 148, 2014, with
    images as the sampled clusters.
    """

    names: tuple[str, ...]
    pixels: NDArray[np.int64]  # (S, C + 1, C + 1)

    @classmethod
    def measure(cls, truth: Dataset, prediction: Dataset) -> AreaError:
        """The error of predictions on labelled images.

        Raises
        ------
        InlayError
            When fewer than five labelled images have a prediction.
        """
        names = truth.classes.names
        tables = [_confusion(label.label(), guess.label(), names) for label, guess in truth.zip(prediction)]
        if len(tables) < 5:
            raise InlayError(
                f"{len(tables)} labelled images with predictions do not measure an error: "
                "label at least 5, better 30"
            )
        return cls(names, np.stack(tables))

    def correct(self, mapped: NDArray[np.float64], *, seed: int = 0) -> list[Estimate]:
        """The true area of each class behind (C + 1,) mapped areas, with 95 % intervals, in the same unit."""
        rng = np.random.default_rng(seed)
        draws = rng.multinomial(len(self.pixels), np.full(len(self.pixels), 1 / len(self.pixels)), DRAWS)
        best = self._true_areas(np.ones((1, len(self.pixels)), np.int64), mapped)[0]
        spread = self._true_areas(draws, mapped)
        return [
            Estimate(float(mapped[i]), float(best[i]), *interval(spread[:, i]))
            for i in range(len(self.names))
        ]

    def _true_areas(self, weights: NDArray[np.int64], mapped: NDArray[np.float64]) -> NDArray[np.float64]:
        """(B, C) areas when samples count `weights` (B, S) times."""
        table = np.einsum("bs,sij->bij", weights, self.pixels).astype(np.float64)
        total = table.sum(axis=2, keepdims=True)
        share = np.divide(table, total, out=np.zeros_like(table), where=total > 0)
        share += (total == 0) * np.eye(table.shape[1])  # never mapped there: taken as it is
        return np.asarray(np.einsum("i,bij->bj", mapped, share)[:, : len(self.names)])


def _confusion(truth: Segmentation, prediction: Segmentation, names: Sequence[str]) -> NDArray[np.int64]:
    count = len(names)
    mapped, real = class_map(prediction, names), class_map(truth, names)
    if mapped.shape != real.shape:
        raise InlayError(f"a prediction of {mapped.shape} pixels does not fit its label of {real.shape}")
    judged = ~np.append(truth.classes.is_void, False)[real]
    keys = mapped[judged] * (count + 1) + real[judged]
    return np.bincount(keys, minlength=(count + 1) ** 2).reshape(count + 1, count + 1)


def class_map(segmentation: Segmentation, names: Sequence[str]) -> NDArray[np.int64]:
    """(H, W) place of each pixel's front class in `names`; len(names) where there is none."""
    place = {name: index for index, name in enumerate(names)}
    unknown = set(segmentation.class_names) - place.keys()
    if unknown:
        raise InlayError(f"the class {sorted(unknown)[0]!r} is not among those measured: {', '.join(names)}")
    values = [place[name] for name in segmentation.class_names]
    return segmentation.masks.paint(np.array(values, np.int32), fill=len(names)).astype(np.int64)


def mapped_areas(dataset: Dataset, *, names: Sequence[str]) -> NDArray[np.float64]:
    """(C + 1,) pixels of each class over all images; the last of no class. Front segments count."""
    total = np.zeros(len(names) + 1)
    for sample in dataset:
        total += np.bincount(class_map(sample.label(), names).ravel(), minlength=len(names) + 1)
    return total


def mapped_square_metres(dataset: Dataset, *, names: Sequence[str]) -> NDArray[np.float64]:
    """(C + 1,) square metres of each class over all images, on the ellipsoid; the last of no class.

    Raises
    ------
    InlayError
        When an image has no coordinate system, or one that cannot give areas.
    """
    total = np.zeros(len(names) + 1)
    for sample in dataset:
        regions = Masks.from_ids(class_map(sample.label(), names), len(names) + 1)
        total += areas_on_earth(regions, sample)
    return total
