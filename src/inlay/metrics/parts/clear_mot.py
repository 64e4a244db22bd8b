"""MOTSA and its kin of one class in one sequence (Voigtlaender et al., CVPR 2019), as TrackEval has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.metrics.parts.means import divide
from inlay.metrics.parts.tracks import ENOUGH, EPS, ClassTracks, assigned

Floats = NDArray[np.float64]

MOSTLY, PARTLY = 0.8, 0.2  # share of its frames in which a mostly, a partly tracked one is found
CONTINUES = 1000.0  # to go on with the track of the frame before is worth more than any overlap
TALLIES = ("found", "missed", "false", "overlap", "switches", "mostly", "partly", "lost", "fragments")


def clear_tallies(tracks: ClassTracks) -> Floats:
    """(9,) in the order of TALLIES; they add up over sequences."""
    last = np.full(len(tracks.true_length), -1)  # the track that each truth had whenever it was found last
    before = last.copy()  # ... in the frame before
    times = np.zeros(len(last))
    begun = np.zeros(len(last))
    found, overlap, switches = 0, 0.0, 0
    for frame in tracks.frames:
        if not len(frame.truth) or not len(frame.prediction):
            continue  # TrackEval forgets nothing over such a frame
        goes_on = frame.prediction[None] == before[frame.truth][:, None]
        worth = np.where(frame.iou < ENOUGH - EPS, 0.0, CONTINUES * goes_on + frame.iou)
        row, column = assigned(worth)
        truth, mine = frame.truth[row], frame.prediction[column]
        switches += int(((last[truth] >= 0) & (last[truth] != mine)).sum())
        times[truth] += 1
        was_lost = before < 0
        last[truth] = mine
        before = np.full_like(last, -1)
        before[truth] = mine
        begun += was_lost & (before >= 0)
        found += len(row)
        overlap += float(frame.iou[row, column].sum())
    share = times / tracks.true_length
    mostly, partly = int((share > MOSTLY).sum()), int((share >= PARTLY).sum())
    return np.array(
        [
            found,
            tracks.true_length.sum() - found,
            tracks.length.sum() - found,
            overlap,
            switches,
            mostly,
            partly - mostly,
            len(last) - partly,
            (begun[begun > 0] - 1).sum(),
        ],
        np.float64,
    )


def clear_figures(tallies: Floats) -> dict[str, Floats]:
    """Figures of (..., 9) tallies."""
    found, missed, false, overlap, switches, mostly, partly, lost, fragments = np.moveaxis(tallies, -1, 0)
    truths, tracks = found + missed, mostly + partly + lost
    known = np.where(truths + false > 0, 1.0, 0.0)
    true = np.maximum(1, truths)
    return {
        "MOTSA": divide(known * (found - false - switches) / true, known),
        "sMOTSA": divide(known * (overlap - false - switches) / true, known),
        "MOTSP": divide(known * overlap / np.maximum(1, found), known),
        "mostly_tracked": divide(mostly, tracks),
        "mostly_lost": divide(lost, tracks),
        "id_switches": divide(known * switches, known),
        "fragments": divide(known * fragments, known),
    }
