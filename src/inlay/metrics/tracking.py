"""Tracking of things over the frames of a sequence: HOTA, MOTSA, IDF1 and their parts, by masks.

- HOTA (Luiten et al., IJCV 2021): the geometric mean of how well things are detected (DetA) and how well
  their tracks hold together (AssA), mean over 19 IoUs; LocA says how well the found ones overlap.
- MOTSA, sMOTSA, MOTSP (Voigtlaender et al., CVPR 2019), at IoU 0.5; the first two fall below 0 where there
  are more errors than truths.
- IDF1, IDP, IDR (Ristani et al., ECCVW 2016), at IoU 0.5.

The definitions and the rules of what is not judged are those of TrackEval: a prediction without a partner
that lies on crowds of its class or on void leaves. A sequence is a `Sample.group`, its order `Sample.frame`,
a track an `instance_id`. Figures are means of the classes that occur; switches and fragments are sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.clear_mot import TALLIES as CLEAR
from inlay.metrics.parts.clear_mot import clear_figures, clear_tallies
from inlay.metrics.parts.hota import ALPHAS, hota_figures, hota_tallies
from inlay.metrics.parts.hota import TALLIES as HOTA
from inlay.metrics.parts.identity import identity_figures, identity_tallies
from inlay.metrics.parts.means import mean_of_known, summed
from inlay.metrics.parts.result import Details
from inlay.metrics.parts.tracks import Tracks, join_tracks, of_class, tracks_of

Floats = NDArray[np.float64]

UNITS = {
    "MOTSA": "",
    "sMOTSA": "",
    "id_switches": "switches",
    "fragments": "interruptions",
}
SUMS = ("id_switches", "fragments")
ENDS = np.cumsum([len(HOTA) * len(ALPHAS), len(CLEAR), 3])


def count(truth: Segmentation, prediction: Segmentation) -> Tracks:
    """The things of one frame."""
    return tracks_of(truth, prediction)


def join(frames: Sequence[Tracks]) -> Tracks:
    """The things of a sequence, its frames in order."""
    return join_tracks(frames)


def score(counts: Iterable[Tracks], classes: Classes) -> dict[str, float]:
    """`HOTA`, `DetA`, `AssA` ..., `IDF1` ..., `MOTSA` ... of sequences, and of each class `HOTA/c` ..."""
    counts = list(counts)
    ones = np.ones((1, len(counts)), np.int32)
    return {name: float(values[0]) for name, values in resampled(counts, classes, ones).items()}


def resampled(counts: Sequence[Tracks], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sequence `i` counts `weights[b, i]` times."""
    tallies = np.stack([_tallies(each, len(classes)) for each in counts]) if counts else _nothing(classes)
    figures = _figures(summed(weights, tallies))
    things = np.flatnonzero(classes.is_thing)
    whole = {}
    for name, values in figures.items():
        mean = mean_of_known(values[:, things])
        occurring = (~np.isnan(values[:, things])).sum(axis=-1)
        whole[name] = mean * occurring if name in SUMS else mean
    of = {
        f"{name}/{classes.names[row]}": values[:, row] for name, values in figures.items() for row in things
    }
    return whole | of


def details(counts: Sequence[Tracks], classes: Classes) -> Details:
    """How well the things of each frame are detected and how well they overlap; tracks need more frames."""
    tallies = np.stack([_tallies(each, len(classes)) for each in counts]) if counts else _nothing(classes)
    figures = _figures(tallies)
    return Details(per_sample={name: mean_of_known(figures[name]) for name in ("DetA", "MOTSP")})


def _nothing(classes: Classes) -> Floats:
    return np.zeros((0, len(classes), int(ENDS[-1])))


def _tallies(tracks: Tracks, classes: int) -> Floats:
    """(K, F) tallies of one sequence, by class."""
    table = np.zeros((classes, int(ENDS[-1])))
    for class_id in np.union1d(tracks.truth[1], tracks.prediction[1]):
        own = of_class(tracks, int(class_id))
        table[class_id] = np.concatenate(
            [hota_tallies(own).ravel(), clear_tallies(own), identity_tallies(own)]
        )
    return table


def _figures(tallies: Floats) -> dict[str, Floats]:
    """(..., K) figures of (..., K, F) tallies."""
    hota, clear, identity = np.split(tallies, ENDS[:-1], axis=-1)
    return {
        **hota_figures(hota.reshape(*hota.shape[:-1], len(HOTA), len(ALPHAS))),
        **identity_figures(identity),
        **clear_figures(clear),
    }
