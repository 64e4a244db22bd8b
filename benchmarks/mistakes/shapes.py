"""Errors of shape (tiers G and B): fragments, holes, spurs, bites; outlines coarse, moved or leaking."""

from __future__ import annotations

import numpy as np

from inlay.core.dataset import Sample
from mistakes.canvas import Bits, Canvas, Spoilt, disc, edge, grown, moved, shrunk

Random = np.random.Generator


def fragment(sample: Sample, random: Random) -> Spoilt | None:
    """1 .. 30 stray pixels that do not touch the mask."""
    canvas = Canvas(sample)
    for row in random.permutation(canvas.things())[:20]:
        mask = canvas.seen[row]
        near = grown(mask, 30) & ~grown(mask, 3)
        spots = np.argwhere(near)
        if not len(spots):
            continue
        y, x = spots[random.integers(len(spots))]
        size = int(random.integers(1, 31))
        blob = _blob(mask.shape, int(y), int(x), size, random) & ~grown(mask, 2)
        blob &= ~canvas.seen[row + 1 :].any(axis=0) if canvas.extent is not None else True
        if blob.any():
            canvas.give(int(row), blob)
            return canvas.spoilt(blob, (int(row),))
    return None


def _blob(shape: tuple[int, ...], y: int, x: int, size: int, random: Random) -> Bits:
    blob = np.zeros(shape, np.bool_)
    blob[y, x] = True
    while blob.sum() < size:
        ring = np.argwhere(grown(blob, 1) & ~blob)
        if not len(ring):
            break
        blob[tuple(ring[random.integers(len(ring))])] = True
    return blob


def hole(sample: Sample, random: Random) -> Spoilt | None:
    """A disc of radius 1 .. 6 inside a mask does not belong to it."""
    canvas = Canvas(sample)
    radius = float(random.integers(1, 7))
    for row in random.permutation(canvas.things(30)):
        inner = np.argwhere(shrunk(canvas.seen[row], radius + 1))
        if len(inner):
            y, x = inner[random.integers(len(inner))]
            pixels = disc(canvas.seen[row].shape, y, x, radius)
            canvas.take(int(row), pixels)
            return canvas.spoilt(pixels, (int(row),))
    return None


def spur(sample: Sample, random: Random) -> Spoilt | None:
    """A line 1 or 2 pixels wide and 5 .. 60 long leaves the outline."""
    canvas = Canvas(sample)
    height, width = canvas.seen.shape[1:]
    for row in random.permutation(canvas.things(100))[:20]:
        mask = canvas.seen[row]
        rim = edge(mask)
        if not len(rim):
            continue
        y, x = rim[random.integers(len(rim))]
        middle = np.argwhere(mask).mean(axis=0)
        away = np.arctan2(y - middle[0], x - middle[1]) + random.uniform(-0.6, 0.6)
        reach = np.arange(0, random.integers(5, 61), 0.5)
        line = np.zeros_like(mask)
        thick = random.integers(1, 3)
        for off in range(thick):
            rows = np.round(y + np.sin(away) * reach + off * np.cos(away)).astype(int)
            columns = np.round(x + np.cos(away) * reach - off * np.sin(away)).astype(int)
            inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            line[rows[inside], columns[inside]] = True
        line &= ~mask
        line &= ~canvas.seen[row + 1 :].any(axis=0) if canvas.extent is not None else True
        if line.sum() >= 5 * thick:
            canvas.give(int(row), line)
            return canvas.spoilt(line, (int(row),))
    return None


def bite(sample: Sample, random: Random) -> Spoilt | None:
    """A half-disc of radius 3 .. 8 at the outline does not belong to the mask.

    It is a half-disc where the mask goes on around it: where a disc takes off a whole end or a corner, or
    cuts a part in two, what is left is shorter, and has no bite.
    """
    canvas = Canvas(sample)
    radius = float(random.integers(3, 9))
    least = int(6 * radius * radius)
    for row in random.permutation(canvas.things(least))[:20]:
        rim = edge(canvas.seen[row])
        if not len(rim):
            continue
        y, x = rim[random.integers(len(rim))]
        pixels = disc(canvas.seen[row].shape, y, x, radius) & canvas.seen[row]
        if pixels.sum() >= radius * radius and _goes_around(canvas.seen[row], y, x, radius):
            canvas.take(int(row), pixels)
            return canvas.spoilt(pixels, (int(row),))
    return None


def _goes_around(mask: Bits, y: int, x: int, radius: float) -> bool:
    """Whether a mask holds a third or more of the circle just outside a disc, in one piece."""
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    rows = np.round(y + np.sin(angles) * (radius + 1.5)).astype(int)
    columns = np.round(x + np.cos(angles) * (radius + 1.5)).astype(int)
    inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    held = np.zeros(len(angles), np.bool_)
    held[inside] = mask[rows[inside], columns[inside]]
    return 3 * held.sum() >= len(angles) and int((held & ~np.roll(held, 1)).sum()) == 1


def _reshaped(sample: Sample, random: Random, change: object, least: int = 150) -> Spoilt | None:
    canvas = Canvas(sample)
    for row in random.permutation(canvas.things(least))[:10]:
        old = canvas.seen[row].copy()
        new = change(old)  # type: ignore[operator]
        if new.sum() >= 20 and (new != old).any():
            canvas.take(int(row), old & ~new)
            canvas.give(int(row), new & ~old)
            return canvas.spoilt(new != old, (int(row),))
    return None


def coarse(sample: Sample, random: Random) -> Spoilt | None:
    """The outline simplified by 1 .. 12 pixels."""
    import cv2

    tolerance = float(random.uniform(1, 12))

    def change(mask: Bits) -> Bits:
        rings, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        drawn = np.zeros(mask.shape, np.uint8)
        cv2.fillPoly(drawn, [cv2.approxPolyDP(ring, tolerance, True) for ring in rings], 1)
        return drawn > 0

    return _reshaped(sample, random, change)


def grown_or_shrunk(sample: Sample, random: Random) -> Spoilt | None:
    """The whole outline 1 .. 6 pixels too far out or in."""
    radius = float(random.integers(1, 7))
    morph = grown if random.random() < 0.5 else shrunk
    return _reshaped(sample, random, lambda mask: morph(mask, radius))


def shifted(sample: Sample, random: Random) -> Spoilt | None:
    """The mask moved by 1 .. 10 pixels."""
    angle, far = random.uniform(0, 2 * np.pi), random.uniform(1, 10)
    down, right = round(np.sin(angle) * far), round(np.cos(angle) * far)
    return _reshaped(sample, random, lambda mask: moved(mask, down, right))


def scaled(sample: Sample, random: Random) -> Spoilt | None:
    """The mask scaled about its centre by 2 .. 20 %."""
    import cv2

    factor = 1 + float(random.choice([-1, 1]) * random.uniform(0.02, 0.2))

    def change(mask: Bits) -> Bits:
        y, x = np.argwhere(mask).mean(axis=0)
        turn = cv2.getRotationMatrix2D((float(x), float(y)), 0, factor)
        size = (mask.shape[1], mask.shape[0])
        return cv2.warpAffine(mask.astype(np.uint8), turn, size, flags=cv2.INTER_NEAREST) > 0

    return _reshaped(sample, random, change)


def leak(sample: Sample, random: Random) -> Spoilt | None:
    """A flood out of the mask, over 10 .. 50 % of its area."""
    share = float(random.uniform(0.1, 0.5))

    def change(mask: Bits) -> Bits:
        rim = edge(mask)
        if not len(rim):
            return mask
        y, x = rim[random.integers(len(rim))]
        wanted = share * mask.sum()
        radius = 1.0
        while (new := disc(mask.shape, y, x, radius) & ~mask).sum() < wanted and radius < 200:
            radius += 1
        return mask | new

    return _reshaped(sample, random, change)
