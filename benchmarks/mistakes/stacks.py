"""Errors between segments (tiers P, I, O, C): seams, overlaps, duplicates, merged, split, missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inlay.core.contacts import contacts_of
from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from mistakes.canvas import Bits, Canvas, Spoilt, grown, moved

Random = np.random.Generator


def seam(sample: Sample, random: Random) -> Spoilt | None:
    """Two neighbours of an image labelled all over shrink from each other by 1 .. 3 pixels each."""
    canvas = Canvas(sample)
    if canvas.seen.any(axis=0).mean() < 0.9:
        return None  # where most is nobody's, a gap is no seam
    graph = contacts_of(canvas.label.masks) if canvas.layered else None
    if graph is None:
        return None
    pairs = np.flatnonzero(graph.length >= 20)
    if not len(pairs):
        return None
    pair = random.choice(pairs)
    a, b = int(graph.a[pair]), int(graph.b[pair])
    radius = float(random.integers(1, 4))
    gap_a, gap_b = (
        canvas.seen[a] & grown(canvas.seen[b], radius),
        canvas.seen[b] & grown(canvas.seen[a], radius),
    )
    canvas.take(a, gap_a)
    canvas.take(b, gap_b)
    return canvas.spoilt(gap_a | gap_b, (a, b))


def overlap(sample: Sample, random: Random) -> Spoilt | None:
    """One of two that touch grows over the other by 1 .. 5 pixels; both keep what they have."""
    canvas = Canvas(sample)
    if not canvas.layered:
        return None  # overlaps are the custom there
    graph = contacts_of(canvas.label.masks)
    things = set(canvas.things(60).tolist())
    ends = [(int(a), int(b)) for a, b in zip(graph.a, graph.b)] + [
        (int(b), int(a)) for a, b in zip(graph.a, graph.b)
    ]
    pairs = [(a, b) for a, b in ends if a in things]
    if not pairs:
        return None
    a, b = pairs[random.integers(len(pairs))]
    more = grown(canvas.seen[a], float(random.integers(1, 6))) & canvas.seen[b]
    canvas.seen[a] |= more
    if canvas.extent is not None:
        canvas.extent[a] |= more
    return canvas.spoilt(more, (a, b))


def duplicate(sample: Sample, random: Random) -> Spoilt | None:
    """A copy of a mask, IoU 0.8 .. 1."""
    canvas = Canvas(sample)
    for row in random.permutation(canvas.things(60))[:10]:
        mask = canvas.seen[row]
        tries = [moved(mask, *random.integers(-3, 4, 2)) for _ in range(8)]
        good = [each for each in tries if (each & mask).sum() / max((each | mask).sum(), 1) >= 0.8]
        copy = good[0] if good else mask
        return _with_row(canvas, int(row), copy)
    return None


def phantom(sample: Sample, random: Random) -> Spoilt | None:
    """The mask of a thing where nothing is."""
    canvas = Canvas(sample)
    things = canvas.things(100)
    taken = canvas.seen[canvas.label.is_thing].any(axis=0)
    for row in random.permutation(things)[:10]:
        mask = canvas.seen[row]
        height, width = mask.shape
        for _ in range(20):
            away = moved(
                mask, random.integers(-height // 2, height // 2), random.integers(-width // 2, width // 2)
            )
            if away.sum() >= 0.8 * mask.sum() and not (away & taken).any():
                if canvas.layered:
                    canvas.seen[:, away] = False
                return _with_row(canvas, int(row), away)
    return None


def speck(sample: Sample, random: Random) -> Spoilt | None:
    """A thing of 5 pixels."""
    canvas = Canvas(sample)
    things = canvas.things(30)
    if not len(things):
        return None
    height, width = canvas.seen.shape[1:]
    y, x = random.integers(2, height - 2), random.integers(2, width - 2)
    dot = np.zeros((height, width), np.bool_)
    dot[y - 1 : y + 2, x] = True
    dot[y, x - 1 : x + 2] = True
    if canvas.layered:
        canvas.seen[:, dot] = False
    return _with_row(canvas, int(random.choice(things)), dot)


def _with_row(canvas: Canvas, like: int, mask: Bits) -> Spoilt:
    """One more segment in front, with the class of another."""
    label = canvas.label
    count = len(label)
    label = label.replace(
        masks=Masks.encode(canvas.seen), amodal=None if canvas.extent is None else label.amodal
    )
    more = label[np.append(np.arange(count), like)]
    canvas.seen = np.concatenate([canvas.seen, mask[None]])
    if canvas.extent is not None:
        canvas.extent = np.concatenate([canvas.extent, mask[None]])
    ids = more.instance_id.copy()
    ids[-1] = ids.max(initial=0) + 1
    columns: dict[str, object] = {"instance_id": ids}
    if more.source_id is not None:
        source = more.source_id.copy()
        source[-1] = source.max() + 1
        columns["source_id"] = source
    canvas.sample = canvas.sample.replace(segmentation=more)
    return canvas.spoilt(mask, (like, count), **columns)


def merged(sample: Sample, random: Random) -> Spoilt | None:
    """Two of one class that touch are one segment."""
    canvas = Canvas(sample)
    label = canvas.label
    touching = contacts_of(label.masks) if canvas.layered else None
    if touching is None:
        return None
    things = set(canvas.things(40).tolist())
    pairs = [
        (int(a), int(b))
        for a, b in zip(touching.a, touching.b)
        if int(a) in things and int(b) in things and label.class_id[a] == label.class_id[b]
    ]
    if not pairs:
        return None
    a, b = pairs[random.integers(len(pairs))]
    canvas.give(a, canvas.seen[b].copy())
    return _without(canvas, b, canvas.seen[a].copy(), (a - (a > b),))


def missing(sample: Sample, random: Random) -> Spoilt | None:
    """A thing that nobody labelled."""
    canvas = Canvas(sample)
    things = canvas.things(100)
    if len(things) < 2:
        return None
    row = int(random.choice(things))
    return _without(canvas, row, canvas.seen[row].copy(), ())


def _without(canvas: Canvas, row: int, where: Bits, rows: tuple[int, ...]) -> Spoilt:
    keep = np.arange(len(canvas.seen)) != row
    canvas.seen = canvas.seen[keep]
    if canvas.extent is not None:
        canvas.extent = canvas.extent[keep]
    canvas.sample = canvas.sample.replace(segmentation=canvas.label[keep])
    return replace(canvas.spoilt(where, rows), gone=row)


def split(sample: Sample, random: Random) -> Spoilt | None:
    """One thing cut into two segments."""
    canvas = Canvas(sample)
    for row in random.permutation(canvas.things(200))[:10]:
        mask = canvas.seen[row]
        y, x = np.argwhere(mask).mean(axis=0)
        angle = random.uniform(0, np.pi)
        rows, columns = np.indices(mask.shape)
        side = (rows - y) * np.cos(angle) > (columns - x) * np.sin(angle)
        part = mask & side
        if min(part.sum(), (mask & ~side).sum()) >= 50:
            canvas.take(int(row), part)
            return _with_row(canvas, int(row), part)
    return None


def flipped(sample: Sample, random: Random) -> Spoilt | None:
    """A thing under another thing's class."""
    canvas = Canvas(sample)
    label, things = canvas.label, canvas.things(100)
    others = np.flatnonzero(label.classes.is_thing)
    if not len(things) or len(others) < 2:
        return None
    row = int(random.choice(things))
    class_id = label.class_id.copy()
    class_id[row] = random.choice(others[others != class_id[row]])
    return canvas.spoilt(canvas.seen[row], (row,), class_id=class_id)
