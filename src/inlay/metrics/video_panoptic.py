"""Panoptic segmentation over time: STQ and VPQ of sequences.

STQ (Weber et al., NeurIPS 2021), as deeplab2 computes it: the geometric mean of `STQ_association`, how well
the pixels of each thing keep one identity over the whole sequence, whatever their class, and
`STQ_segmentation`, mIoU. Where pixels are left without a prediction, deeplab2 counts "nothing" as one more
class, of IoU 0; here they are missed pixels of their class alone.

VPQ (Kim et al., CVPR 2020): PQ of tubes in all windows of 1, 2, 3 and 4 frames that follow one another, mean
of the four; a tube is the segments of one class and identity (of one class for stuff) in the frames of a
window.

What is void, background, crowd or a thing without an id is as for `panoptic_quality`, whose view is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.means import divide, mean_of_known, summed
from inlay.metrics.parts.result import Details
from inlay.metrics.parts.tubes import CLASS, Tubes, join_tubes, numbered, tubes_of

Floats = NDArray[np.float64]

WINDOWS = (1, 2, 3, 4)  # frames


def count(truth: Segmentation, prediction: Segmentation) -> Tubes:
    """The pairs of segments of one frame."""
    return tubes_of(truth, prediction)


def join(frames: Sequence[Tubes]) -> Tubes:
    """The pairs of a sequence, its frames in order."""
    return join_tubes(frames)


def score(counts: Iterable[Tubes], classes: Classes) -> dict[str, float]:
    """`STQ`, `STQ_association`, `STQ_segmentation`; `VPQ`, `VPQ_things`, `VPQ_stuff`, `VPQ/c`."""
    counts = list(counts)
    ones = np.ones((1, len(counts)), np.int32)
    return {name: float(values[0]) for name, values in resampled(counts, classes, ones).items()}


def resampled(counts: Sequence[Tubes], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sequence `i` counts `weights[b, i]` times."""
    association, pixels, matches = (summed(weights, tallies) for tallies in _tallies(counts, classes))
    return _figures(association, pixels, matches, classes)


def details(counts: Sequence[Tubes], classes: Classes) -> Details:
    """STQ and VPQ of each frame by itself."""
    figures = _figures(*_tallies(counts, classes), classes)
    return Details(per_sample={name: figures[name] for name in ("STQ", "VPQ")})


def _tallies(counts: Sequence[Tubes], classes: Classes) -> tuple[Floats, Floats, Floats]:
    """Of each sequence: (N, 2) association and tubes, (N, 3, K) pixels, (N, windows, 4, K) matches."""
    association = np.array([_association(each, classes) for each in counts], np.float64).reshape(-1, 2)
    pixels = np.array([_pixels(each, len(classes)) for each in counts], np.float64)
    matches = np.array([[_matches(each, k, classes) for k in WINDOWS] for each in counts], np.float64)
    size = len(classes)
    return association, pixels.reshape(-1, 3, size), matches.reshape(-1, len(WINDOWS), 4, size)


def _figures(association: Floats, pixels: Floats, matches: Floats, classes: Classes) -> dict[str, Floats]:
    """Figures of (B, ...) sums of the tallies."""
    kept = divide(association[:, 0], association[:, 1])
    segmented = mean_of_known(divide(pixels[:, 0], pixels[:, 1] + pixels[:, 2] - pixels[:, 0]))
    iou, found, missed, false = np.moveaxis(matches, 2, 0)  # (B, windows, K) each
    quality = divide(iou, found + 0.5 * (missed + false))
    of_class = mean_of_known(np.moveaxis(quality, 1, 2))

    def mean(rows: NDArray[np.bool_]) -> Floats:
        return mean_of_known(mean_of_known(quality[:, :, rows]))

    judged = ~classes.is_void
    figures = {
        "STQ": np.sqrt(kept * segmented),
        "STQ_association": kept,
        "STQ_segmentation": segmented,
        "VPQ": mean(judged),
    }
    if classes.is_thing.any() and (judged & ~classes.is_thing).any():
        figures |= {"VPQ_things": mean(classes.is_thing), "VPQ_stuff": mean(judged & ~classes.is_thing)}
    return figures | {f"VPQ/{classes.names[row]}": of_class[:, row] for row in np.flatnonzero(judged)}


def _association(tubes: Tubes, classes: Classes) -> tuple[float, float]:
    """Sum over the true tubes of things of how well they are kept together, and how many there are."""
    is_thing = np.append(classes.is_thing, [False, False])  # of background, and of what is not judged (-1)
    true_thing = is_thing[tubes.truth[CLASS]]
    judged = true_thing & ~tubes.crowd
    predicted = is_thing[tubes.prediction[CLASS]] & ~(true_thing & tubes.crowd)
    t, p = numbered(tubes.truth)[1], numbered(tubes.prediction)[1]
    true_size = np.bincount(t[judged], tubes.pixels[judged], t.max(initial=0) + 1)
    size = np.bincount(p[predicted], tubes.pixels[predicted], p.max(initial=0) + 1)
    both = judged & predicted
    (a, b), place = np.unique(np.stack([t[both], p[both]]), axis=1, return_inverse=True)
    shared = np.bincount(place.reshape(-1), tubes.pixels[both], len(a))
    kept = shared**2 / (true_size[a] + size[b] - shared) / true_size[a]
    return float(kept.sum()), float((true_size > 0).sum())


def _pixels(tubes: Tubes, classes: int) -> Floats:
    """(3, K) rightly predicted, true, predicted pixels of each class, where the truth is judged."""
    true, mine = tubes.truth[CLASS], tubes.prediction[CLASS]
    judged = true >= 0

    def by_class(class_id: NDArray[np.int32], rows: NDArray[np.bool_]) -> Floats:
        return np.bincount(class_id[rows], tubes.pixels[rows], classes + 1)[:classes].astype(np.float64)

    return np.stack([by_class(true, judged & (true == mine)), by_class(true, judged), by_class(mine, judged)])


def _matches(tubes: Tubes, window: int, classes: Classes) -> Floats:
    """(4, K) IoU, found, missed, false tubes of all windows of that many frames."""
    total = np.zeros((4, len(classes)))
    for start in range(tubes.frames - window + 1):
        total += _window_matches(tubes, (tubes.frame >= start) & (tubes.frame < start + window), classes)
    return total


def _window_matches(tubes: Tubes, inside: NDArray[np.bool_], classes: Classes) -> Floats:
    """(4, K) IoU, found, missed, false tubes of one window; rules as for panoptic quality."""
    pixels = tubes.pixels[inside]
    truth = np.vstack([tubes.truth[:, inside], tubes.crowd[inside].astype(np.int32)])
    true, t = numbered(truth)
    mine, p = numbered(tubes.prediction[:, inside])
    true_area, area = np.bincount(t, pixels, true.shape[1]), np.bincount(p, pixels, mine.shape[1])
    on_void = np.bincount(p, pixels * (true[CLASS, t] < 0), len(area))
    same = true[CLASS, t] == mine[CLASS, p]
    excused = on_void + np.bincount(p, pixels * (same & (true[2, t] > 0)), len(area))

    (a, b), place = np.unique(np.stack([t, p]), axis=1, return_inverse=True)
    shared = np.bincount(place.reshape(-1), pixels, len(a))
    last = len(classes)
    alike = (true[CLASS, a] == mine[CLASS, b]) & (true[CLASS, a] < last) & (true[2, a] == 0)
    a, b, shared = a[alike], b[alike], shared[alike]
    iou = shared / (true_area[a] + area[b] - shared - on_void[b])
    match = iou > 0.5
    missed = (true[CLASS] >= 0) & (true[CLASS] < last) & (true[2] == 0)
    missed[a[match]] = False
    false = (mine[CLASS] < last) & ~(excused > 0.5 * area)
    false[b[match]] = False

    def by_class(class_id: NDArray[np.int32], weight: Floats | None = None) -> Floats:
        return np.bincount(class_id, weight, last).astype(np.float64)

    found = true[CLASS, a[match]]
    return np.stack(
        [
            by_class(found, iou[match]),
            by_class(found),
            by_class(true[CLASS, missed]),
            by_class(mine[CLASS, false]),
        ]
    )
