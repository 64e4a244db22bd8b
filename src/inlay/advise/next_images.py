"""Which images to label next: those that make what is labelled like the pool and what the model doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset, Sample
    from inlay.core.segmentation import Segmentation

Floats = NDArray[np.float64]
GRID = 4  # cells along each side of the image that are described one by one
COVERED = 2000  # images of the pool, by lot, that those taken shall be like
MOST_DOUBT = 50  # power of the doubt that lets nothing else count
COLOURS, TURNS = 4, 4  # bins of brightness and of edge direction in each cell


def next_images(
    pool: Dataset,
    count: int,
    *,
    predictions: Dataset | None = None,
    labelled: Dataset | None = None,
    findings: Mapping[str, int] | None = None,
    describe: Callable[[Sample], Floats] | None = None,
    doubt_weight: float = 0.5,
    seed: int = 0,
) -> list[tuple[str, float]]:
    """Names of `count` images of `pool`, the most useful first, with what each gives beyond lot (0 .. 1).

    Greedily takes the image that makes what is labelled most like the pool, in which doubtful images weigh
    more: near to many of them, far from what is labelled or taken (the least energy distance: S. Mak,
    V. R. Joseph, "Support points", Annals of Statistics 46, 2018). So typical images come before odd ones,
    and each kind as often as it is, more evenly than by lot. Images are near that look alike and, with
    predictions, show as much of each class.

    Parameters
    ----------
    pool
        Images without labels.
    predictions
        The model's output on them: its doubt, with rare classes and many objects weighing more, and what it
        sees there. Without, looks alone decide.
    labelled
        Images that have labels already.
    findings
        Rule findings on the predictions of each image, by name: they count as doubt.
    describe
        (F,) features of a sample; default colours and edges on a grid.
    doubt_weight
        0 takes all images of the pool for equal, 1 looks at what the most doubtful ones are like.

    Raises
    ------
    InlayError
        When the pool has fewer images, or an image has no prediction.
    """
    if not 0 < count <= len(pool):
        raise InlayError(f"{count} images cannot be taken from a pool of {len(pool)}")
    if not 0 <= doubt_weight <= 1:
        raise InlayError(f"doubt_weight is {doubt_weight}; it lies in 0 .. 1")
    describe = describe or look
    spaces = [_scaled(np.stack([describe(sample) for sample in pool]), _described(labelled, describe))]
    weight = np.ones(len(pool))
    if predictions is not None:
        labels = _predicted(pool, predictions)
        weight = _ranked(_doubts(pool.names, labels, findings or {})) ** _power(doubt_weight)
        names = predictions.classes.names
        taught = _described(labelled, lambda sample: _content(sample.label(), names))
        spaces.append(_scaled(np.stack([_content(label, names) for label in labels]), taught))
    chosen = _greedy(spaces, weight, count, np.random.default_rng(seed))
    return [(pool.names[place], worth) for place, worth in chosen]


def _power(doubt_weight: float) -> float:
    """Of the doubt in an image's weight: none at 0, 1 at one half, nothing but the most doubtful at 1."""
    return doubt_weight / max(1 - doubt_weight, 1 / MOST_DOUBT)


def _described(dataset: Dataset | None, describe: Callable[[Sample], Floats]) -> Floats | None:
    return (
        np.stack([describe(sample) for sample in dataset]) if dataset is not None and len(dataset) else None
    )


def _scaled(new: Floats, old: Floats | None) -> tuple[Floats, Floats]:
    """Features of the pool and of what is labelled, each as wide as the pool is."""
    spread = new.std(axis=0) * np.sqrt(new.shape[1])
    known = new[:0] if old is None else old
    return (
        np.divide(new, spread, out=np.zeros_like(new), where=spread > 0),
        np.divide(known, spread, out=np.zeros_like(known), where=spread > 0),
    )


def _distances(one: Floats, other: Floats) -> Floats:
    """(N, M) Euclidean."""
    square = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def _content(label: Segmentation, names: tuple[str, ...]) -> Floats:
    """(C,) root of the share of the image that each class takes."""
    place = {name: number for number, name in enumerate(names)}
    share = np.zeros(len(names))
    for name, area in zip(label.class_names, label.masks.area().tolist()):
        if name in place:
            share[place[name]] += area / max(label.size[0] * label.size[1], 1)
    return np.sqrt(share)


def _greedy(
    spaces: Sequence[tuple[Floats, Floats]], weight: Floats, count: int, random: np.random.Generator
) -> list[tuple[int, float]]:
    """Places in the pool, and what each gives; `spaces` are features of the pool and of what is labelled."""
    size, known = len(weight), len(spaces[0][1])
    some = np.sort(random.permutation(size)[:COVERED])
    old = np.sum([_distances(new, taught) for new, taught in spaces], axis=0)
    away = np.sum([_distances(new, new[some]) for new, _ in spaces], axis=0)
    share = size / (size + known)  # what is labelled was a part of the pool
    near = share * (away @ (weight[some] / weight[some].sum()))
    near += (1 - share) * old.mean(axis=1) if known else 0
    apart, free = old.sum(axis=1), np.ones(size, bool)
    lot = 1e-9 * random.random(size)
    taken, most = [], 0.0
    for number in range(known, known + count):
        gain = apart / (number + 1) - near
        gain = gain - gain[free].mean()
        best = int(np.where(free, gain + lot * np.ptp(gain), -np.inf).argmax())
        most = max(most, float(gain[best]), 1e-12)
        taken.append((best, float(np.clip(gain[best] / most, 0, 1))))
        free[best] = False
        apart = apart + np.sum([_distances(new, new[best : best + 1])[:, 0] for new, _ in spaces], axis=0)
    return taken


def _predicted(pool: Dataset, predictions: Dataset) -> list[Segmentation]:
    partner = dict(pool.pair(predictions))
    missing = [name for name in pool.names if name not in partner]
    if missing:
        raise InlayError(f"image {missing[0]!r} has no prediction; predict the whole pool")
    return [predictions[partner[name]].label() for name in pool.names]


def _doubts(names: tuple[str, ...], labels: list[Segmentation], findings: Mapping[str, int]) -> Floats:
    classes = np.sum([np.bincount(each.class_id, minlength=len(each.classes)) for each in labels], axis=0)
    rarity = 1 / np.sqrt(np.maximum(classes, 1) / max(classes.sum(), 1))
    return np.array(
        [doubt(label, rarity) + 0.1 * findings.get(name, 0) for name, label in zip(names, labels)]
    )


def doubt(label: Segmentation, rarity: Floats | None = None) -> float:
    """How unsure a prediction is: things by their scores, most at one half; areas by what is not sure.

    Parameters
    ----------
    rarity
        (C,) weight of each class.
    """
    if not len(label) or label.score is None:
        return 0.0
    weight = np.ones(len(label)) if rarity is None else rarity[label.class_id]
    thing = label.is_thing
    unsure = 1 - np.abs(2 * label.score - 1)
    area = label.masks.area() / max(label.size[0] * label.size[1], 1)
    things = float((unsure * weight)[thing].sum()) / np.sqrt(max(int(thing.sum()), 1))
    return float(things + ((1 - label.score) * area * weight)[~thing].sum())


def _ranked(values: Floats) -> Floats:
    """Ranks in (0, 1]: figures of different models have different scales."""
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray((order + 1) / len(values))


def look(sample: Sample) -> Floats:
    """(GRID * GRID * 8 + 6,) colours and edges on a grid: what an image looks like, without a network."""
    from PIL import Image

    side = GRID * 16
    shrunk = Image.fromarray(sample.pixels()).resize((side, side), Image.Resampling.BOX)
    small = np.asarray(shrunk, np.float64) / 255
    grey = small.mean(axis=2)
    down, across = np.gradient(grey)
    strength, turn = np.hypot(down, across), np.arctan2(down, across) % np.pi
    cells = grey.reshape(GRID, 16, GRID, 16)
    parts = [small.mean(axis=(0, 1)), small.std(axis=(0, 1))]
    for low in range(COLOURS):
        inside = (cells >= low / COLOURS) & (cells < (low + 1) / COLOURS + (low + 1 == COLOURS))
        parts.append(inside.mean(axis=(1, 3)).ravel())
    for step in range(TURNS):
        facing = strength * ((turn >= step * np.pi / TURNS) & (turn < (step + 1) * np.pi / TURNS))
        parts.append(facing.reshape(GRID, 16, GRID, 16).mean(axis=(1, 3)).ravel())
    return np.concatenate(parts)


def pilot(loads: Floats, *, within: float = 0.2, least: int = 20) -> list[int]:
    """Which images to time first: as many as keep the mean time within a share of itself.

    Parameters
    ----------
    loads
        (J,) expected work in each image: objects, or the formula's seconds.
    within
        Half of the 80 % interval of the mean, as a share of it.
    least
        At least so many, or all.

    Returns
    -------
    list
        Places of the images, spread over the whole range of work.

    Raises
    ------
    InlayError
        When there is no image or the share is not positive.
    """
    work = np.asarray(loads, np.float64)
    if not work.size or not within > 0:
        raise InlayError("a pilot is taken from at least one image, for an interval above 0")
    scatter = np.hypot(work.std() / max(work.mean(), 1e-12), 0.35)  # people scatter as well
    wanted = int(np.ceil((1.2816 * scatter / within) ** 2))
    number = min(len(work), max(wanted, least))
    order = np.argsort(work, kind="stable")
    return sorted(int(order[int((k + 0.5) * len(work) / number)]) for k in range(number))
