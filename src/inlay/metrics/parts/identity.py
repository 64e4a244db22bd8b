"""IDF1 of one class in one sequence (Ristani et al., ECCVW 2016): tracks are matched one to one as wholes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.metrics.parts.means import divide
from inlay.metrics.parts.tracks import ENOUGH, ClassTracks, assigned

Floats = NDArray[np.float64]


def identity_tallies(tracks: ClassTracks) -> Floats:
    """(3,) frames with the right identity, missed ones, false ones; they add up over sequences."""
    together = np.zeros((len(tracks.true_length), len(tracks.length)))
    for frame in tracks.frames:
        row, column = np.nonzero(frame.iou >= ENOUGH)
        together[frame.truth[row], frame.prediction[column]] += 1
    # each frame in common saves one missed and one false one: most in common is least errors
    right = float(together[assigned(together)].sum())
    return np.array([right, tracks.true_length.sum() - right, tracks.length.sum() - right])


def identity_figures(tallies: Floats) -> dict[str, Floats]:
    """Figures of (..., 3) tallies."""
    right, missed, false = np.moveaxis(tallies, -1, 0)
    known = np.where(right + missed + false > 0, 1.0, 0.0)
    return {
        "IDF1": divide(known * right / np.maximum(1, right + 0.5 * (missed + false)), known),
        "IDP": divide(known * right / np.maximum(1, right + false), known),
        "IDR": divide(known * right / np.maximum(1, right + missed), known),
    }
