"""Errors of logic (tiers L and C): impossible places, order, tags, full extents."""

from __future__ import annotations

import numpy as np

from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.rules.columns.parts.concepts import concept_of
from mistakes.canvas import Canvas, Spoilt, moved

Random = np.random.Generator


def place(sample: Sample, random: Random) -> Spoilt | None:
    """A vehicle or person moved into the sky, or ground under the class of the sky."""
    return _to_the_sky(sample, random) if random.random() < 0.5 else _ground_is_sky(sample, random)


def _means(canvas: Canvas, *concepts: str) -> np.ndarray:
    names = canvas.label.class_names
    return np.array([concept_of(name) in concepts for name in names], np.bool_)


def _to_the_sky(sample: Sample, random: Random) -> Spoilt | None:
    canvas = Canvas(sample)
    sky = canvas.seen[_means(canvas, "sky")].any(axis=0) if len(canvas.seen) else np.zeros(1)
    movers = [row for row in canvas.things(60) if _means(canvas, "vehicle", "person", "rider", "cycle")[row]]
    if not movers or sky.sum() < 500:
        return None
    for row in random.permutation(movers)[:10]:
        mask = canvas.seen[row].copy()
        y, x = np.argwhere(mask).mean(axis=0)
        for _ in range(30):
            to = np.argwhere(sky)[random.integers(int(sky.sum()))]
            away = moved(mask, round(to[0] - y), round(to[1] - x))
            if away.sum() == mask.sum() and sky[away].all():
                canvas.take(int(row), mask)
                canvas.give(int(row), away)
                return canvas.spoilt(away | mask, (int(row),))
    return None


def _ground_is_sky(sample: Sample, random: Random) -> Spoilt | None:
    canvas = Canvas(sample)
    label = canvas.label
    ground = np.flatnonzero(_means(canvas, "road", "pavement") & (label.masks.area() > 400))
    skies = [row for row, name in enumerate(label.classes.names) if concept_of(name) == "sky"]
    if not len(ground) or not skies:
        return None
    row = int(random.choice(ground))
    class_id = label.class_id.copy()
    class_id[row] = skies[0]
    return canvas.spoilt(canvas.seen[row], (row,), class_id=class_id)


def order(sample: Sample, random: Random) -> Spoilt | None:
    """Two segments of which one hides the other change places in the stack."""
    canvas = Canvas(sample)
    pair = _hiding(canvas, random)
    if pair is None:
        return None
    behind, front = pair
    label = canvas.label
    places = np.arange(len(label))
    places[[behind, front]] = front, behind
    assert canvas.extent is not None
    where = canvas.extent[behind] & canvas.seen[front]
    canvas.seen, canvas.extent = canvas.seen[places], canvas.extent[places]
    canvas.sample = sample.replace(segmentation=label[places])
    return canvas.spoilt(where, (behind, front))


def circle(sample: Sample, random: Random) -> Spoilt | None:
    """One segment hides part of another, which hides part of the first."""
    canvas = Canvas(sample)
    pair = _hiding(canvas, random)
    if pair is None:
        return None
    behind, front = pair
    assert canvas.extent is not None
    both = np.argwhere(canvas.extent[behind] & canvas.seen[front])
    half = both[: len(both) // 2]
    where = np.zeros(canvas.seen.shape[1:], np.bool_)
    where[tuple(half.T)] = True
    canvas.seen[front] &= ~where
    canvas.seen[behind] |= where
    return canvas.spoilt(where, (behind, front))


def _hiding(canvas: Canvas, random: Random) -> tuple[int, int] | None:
    """A row and one in front of it that hides 20 pixels of it or more."""
    if canvas.extent is None:
        return None
    extent = Masks.encode(canvas.extent)
    hidden = canvas.label.masks.intersection(extent - canvas.label.masks)
    front, behind = np.nonzero(hidden >= 20)
    pairs = [(b, a) for a, b in zip(front.tolist(), behind.tolist()) if a > b]
    return pairs[random.integers(len(pairs))] if pairs else None


def through(sample: Sample, random: Random) -> Spoilt | None:
    """Of a thing of glass in front of another, what one sees through it is labelled as the other's."""
    canvas = Canvas(sample)
    pair = _hiding(canvas, random)
    if pair is None:
        return None
    behind, front = pair
    assert canvas.extent is not None
    where = canvas.extent[behind] & canvas.seen[front]
    canvas.seen[front] &= ~where
    canvas.seen[behind] |= where
    tags = list(canvas.label.tags)
    tags[front] = tags[front] | {"transparent"}
    return canvas.spoilt(where, (behind, front), tags=tuple(tags))


def truncated_tag(sample: Sample, random: Random) -> Spoilt | None:
    """The tag "truncated" put on or taken off."""
    return _toggled(sample, random, "truncated")


def occluded_tag(sample: Sample, random: Random) -> Spoilt | None:
    """The tag "occluded" put on or taken off."""
    return _toggled(sample, random, "occluded")


def _toggled(sample: Sample, random: Random, word: str) -> Spoilt | None:
    canvas = Canvas(sample)
    tags = list(canvas.label.tags)
    things = canvas.things(30)
    if not any(tags) or not len(things):
        return None
    row = int(random.choice(things))
    tags[row] = tags[row] ^ {word}
    return canvas.spoilt(canvas.seen[row], (row,), tags=tuple(tags))


def crowd_flag(sample: Sample, random: Random) -> Spoilt | None:
    """A single thing as a crowd."""
    canvas = Canvas(sample)
    things = canvas.things(60)
    if not len(things):
        return None
    row = int(random.choice(things))
    crowd = canvas.label.crowd.copy()
    crowd[row] = True
    return canvas.spoilt(canvas.seen[row], (row,), crowd=crowd)


def extent(sample: Sample, random: Random) -> Spoilt | None:
    """The full extent lacks part of what one sees, or goes where nothing hides it."""
    canvas = Canvas(sample)
    if canvas.extent is None:
        return None
    for row in random.permutation(canvas.things(100))[:20]:
        points = np.argwhere(canvas.seen[row])
        y, x = points[random.integers(len(points))]
        height, width = canvas.seen.shape[1:]
        rows, columns = np.ogrid[:height, :width]
        near = (rows - y) ** 2 + (columns - x) ** 2 <= 36
        if random.random() < 0.5:
            where = near & canvas.seen[row]
            canvas.extent[row] &= ~where
        else:
            free = ~canvas.seen.any(axis=0)
            where = near & (free | canvas.seen[: int(row)].any(axis=0)) & ~canvas.extent[row]
            canvas.extent[row] |= where
        if where.sum() >= 12:
            return canvas.spoilt(where, (int(row),))
        canvas = Canvas(sample)
    return None


def no_id(sample: Sample, random: Random) -> Spoilt | None:
    """A thing has id 0."""
    return _renumbered(sample, random, to_zero=True)


def id_twice(sample: Sample, random: Random) -> Spoilt | None:
    """Two things have one id."""
    return _renumbered(sample, random, to_zero=False)


def _renumbered(sample: Sample, random: Random, *, to_zero: bool) -> Spoilt | None:
    canvas = Canvas(sample)
    things = canvas.things(1)
    if len(things) < 2:
        return None
    row, other = random.choice(things, 2, replace=False)
    ids = canvas.label.instance_id.copy()
    ids[row] = 0 if to_zero else ids[other]
    return canvas.spoilt(canvas.seen[row], (int(row),), instance_id=ids)
