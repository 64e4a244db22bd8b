"""Which images to label next: those the model doubts, unlike each other and unlike what is labelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset, Sample
    from inlay.core.segmentation import Segmentation

Floats = NDArray[np.float64]
GRID = 4  # cells along each side of the image that are described one by one
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
    """Names of `count` images of `pool`, the most useful first, with what each is worth (0 .. 1).

    Greedily takes the image with the most doubt times distance to all images labelled or taken so far
    (k-centre cover: O. Sener and S. Savarese, "Active Learning for Convolutional Neural Networks", ICLR 2018,
    weighted by doubt).

    Parameters
    ----------
    pool
        Images without labels.
    predictions
        The model's output on them; its doubt, with rare classes and many objects weighing more. Without,
        variety alone decides.
    labelled
        Images that have labels already.
    findings
        Rule findings on the predictions of each image, by name: they count as doubt.
    describe
        (F,) features of a sample; default colours and edges on a grid.
    doubt_weight
        0 looks at variety alone, 1 at doubt alone.

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
    features = np.stack([describe(sample) for sample in pool])
    known = np.stack([describe(sample) for sample in labelled]) if labelled else features[:0]
    doubt = np.ones(len(pool))
    if predictions is not None:
        doubt = _ranked(_doubts(pool, predictions, findings or {}))
    scale = np.concatenate([features, known]).std(axis=0)
    features, known = (
        np.divide(each, scale, out=np.zeros_like(each), where=scale > 0) for each in (features, known)
    )
    return _greedy(pool.names, features, known, doubt, count, doubt_weight, np.random.default_rng(seed))


def _greedy(
    names: tuple[str, ...],
    features: Floats,
    known: Floats,
    doubt: Floats,
    count: int,
    doubt_weight: float,
    random: np.random.Generator,
) -> list[tuple[str, float]]:
    away = np.full(len(names), np.inf)
    for each in known:
        away = np.minimum(away, np.linalg.norm(features - each, axis=1))
    free = np.ones(len(names), bool)
    taken = []
    for _ in range(count):
        far = np.ones(len(names)) if np.isinf(away).all() else away / max(away[free].max(), 1e-12)
        worth = np.maximum(doubt, 1e-9) ** doubt_weight * np.maximum(far, 1e-9) ** (1 - doubt_weight)
        worth = np.where(free, worth + 1e-9 * random.random(len(names)), -1.0)
        best = int(worth.argmax())
        taken.append((names[best], float(min(worth[best], 1.0))))
        free[best] = False
        away = np.minimum(away, np.linalg.norm(features - features[best], axis=1))
    return taken


def _doubts(pool: Dataset, predictions: Dataset, findings: Mapping[str, int]) -> Floats:
    partner = dict(pool.pair(predictions))
    missing = [name for name in pool.names if name not in partner]
    if missing:
        raise InlayError(f"image {missing[0]!r} has no prediction; predict the whole pool")
    labels = [predictions[partner[name]].label() for name in pool.names]
    classes = np.sum(
        [np.bincount(each.class_id, minlength=len(predictions.classes)) for each in labels], axis=0
    )
    rarity = 1 / np.sqrt(np.maximum(classes, 1) / max(classes.sum(), 1))
    return np.array(
        [doubt(label, rarity) + 0.1 * findings.get(name, 0) for name, label in zip(pool.names, labels)]
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
