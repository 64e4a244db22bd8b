"""HOTA of one class in one sequence (Luiten et al., IJCV 2021), with the definitions of TrackEval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.metrics.parts.means import divide
from inlay.metrics.parts.tracks import EPS, ClassTracks, Frame

Floats = NDArray[np.float64]

ALPHAS = np.arange(0.05, 0.99, 0.05)  # IoU of a match
TALLIES = ("found", "missed", "false", "overlap", "association", "recall", "precision")


def hota_tallies(tracks: ClassTracks) -> Floats:
    """(7, 19) sums over the matches at each alpha, in the order of TALLIES; they add up over sequences."""
    tallies = np.zeros((len(TALLIES), len(ALPHAS)))
    alignment = _alignment(tracks)
    together = np.zeros((len(ALPHAS), *alignment.shape))
    for frame in tracks.frames:
        row, column = _assigned(frame, alignment)
        iou = frame.iou[row, column]
        matched = iou >= ALPHAS[:, None] - EPS
        tallies[0] += matched.sum(axis=1)
        tallies[3] += (matched * iou).sum(axis=1)
        for alpha, pairs in zip(together, matched):
            alpha[frame.truth[row[pairs]], frame.prediction[column[pairs]]] += 1
    tallies[1] = tracks.true_length.sum() - tallies[0]
    tallies[2] = tracks.length.sum() - tallies[0]
    lengths = tracks.true_length[:, None] + 0 * tracks.length, 0 * tracks.true_length[:, None] + tracks.length
    for place, whole in ((4, lengths[0] + lengths[1] - together), (5, lengths[0]), (6, lengths[1])):
        tallies[place] = (together**2 / np.maximum(1, whole)).sum(axis=(1, 2))
    return tallies


def _alignment(tracks: ClassTracks) -> Floats:
    """(I, J) how well two tracks go together over the whole sequence: what HOTA's matching looks at first."""
    potential = np.zeros((len(tracks.true_length), len(tracks.length)))
    for frame in tracks.frames:
        whole = frame.iou.sum(axis=0)[None] + frame.iou.sum(axis=1)[:, None] - frame.iou
        share = np.divide(frame.iou, whole, out=np.zeros_like(frame.iou), where=whole > EPS)
        potential[np.ix_(frame.truth, frame.prediction)] += share
    aligned: Floats = potential / (tracks.true_length[:, None] + tracks.length - potential)
    return aligned


def _assigned(frame: Frame, alignment: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    from scipy.optimize import linear_sum_assignment

    worth = alignment[np.ix_(frame.truth, frame.prediction)] * frame.iou
    row, column = linear_sum_assignment(-worth)
    return row, column


def hota_figures(tallies: Floats) -> dict[str, Floats]:
    """Figures of (..., 7, 19) tallies: means over alpha."""
    found, missed, false, overlap, association, recall, precision = np.moveaxis(tallies, -2, 0)
    total = found + missed + false
    some = np.maximum(1, found)
    detection = found / np.maximum(1, total)
    means = {
        "HOTA": np.sqrt(detection * association / some),
        "DetA": detection,
        "AssA": association / some,
        # where nothing is found the place of what is found is perfect, as in TrackEval
        "LocA": np.maximum(1e-10, overlap) / np.maximum(1e-10, found),
        "DetRe": found / np.maximum(1, found + missed),
        "DetPr": found / np.maximum(1, found + false),
        "AssRe": recall / some,
        "AssPr": precision / some,
    }
    known = np.where(total[..., 0] > 0, 1.0, 0.0)
    return {name: divide(known * values.mean(axis=-1), known) for name, values in means.items()}
