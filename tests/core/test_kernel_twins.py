"""Kernels against plain numpy where no other tool says what is right: the rule, one thing at a time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Masks
from inlay.core import kernels

from .random_masks import MANY, stacks

seeds = st.integers(0, 2**32 - 1)


def to_segment(points, a, b):
    """Squared distance of points to the straight piece from a to b."""
    along = b - a
    length = along @ along
    t = np.clip(((points - a) @ along) / length, 0, 1) if length else np.zeros(len(points))
    return ((a + t[:, None] * along - points) ** 2).sum(axis=1)


def thinned(points, limit):
    """Douglas and Peucker, as they wrote it: which points stay beside the two ends."""
    if len(points) < 3:
        return set()
    far = to_segment(points[1:-1], points[0], points[-1])
    k = int(far.argmax()) + 1
    if far[k - 1] <= limit:
        return set()
    return {k} | thinned(points[: k + 1], limit) | {k + each for each in thinned(points[k:], limit)}


def simplified(points, limit):
    """Which points of an arc stay; a loop is cut at its farthest point and keeps three."""
    last = len(points) - 1
    ends = {0, last}
    if last <= 2 or not np.array_equal(points[0], points[-1]):
        return ends | thinned(points, limit)
    middle = int(to_segment(points[1:-1], points[0], points[-1]).argmax()) + 1
    keep = ends | {middle} | thinned(points[: middle + 1], limit)
    keep |= {middle + each for each in thinned(points[middle:], limit)}
    if len(keep) > 3:
        return keep
    sides = []
    for first, end in ((0, middle), (middle, last)):
        far = to_segment(points[first + 1 : end], points[first], points[end])
        sides.append((far.max(initial=-1.0), first + 1 + int(far.argmax()) if far.size else first))
    return keep | {sides[0][1] if sides[0][0] > sides[1][0] else sides[1][1]}


@settings(**MANY)
@given(seeds, st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=3), st.floats(0, 6))
def test_arcs_are_simplified_as_douglas_and_peucker_do(seed, arcs, tolerance):
    rng = np.random.default_rng(seed)
    pieces = [rng.integers(0, 12, (count, 2)).astype(float) for count, _ in arcs]
    for piece, (_, closed) in zip(pieces, arcs):
        if closed:
            piece[-1] = piece[0]
    offsets = np.cumsum([0, *(len(piece) for piece in pieces)])
    kept = kernels.simplify(np.concatenate(pieces), offsets, tolerance)
    for piece, start in zip(pieces, offsets.tolist()):
        found = np.flatnonzero(kept[start : start + len(piece)]).tolist()
        assert found == sorted(simplified(piece, tolerance * tolerance))


@settings(**MANY)
@given(seeds, st.integers(1, 5), st.integers(1, 12), st.integers(1, 12))
def test_each_pixel_has_the_front_row_that_the_arcs_west_of_its_centre_lead_into(seed, count, height, width):
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(0, 4 * count + 1, count - 1))
    offsets = np.array([0, *ends, 4 * count])
    points = rng.uniform(-5, 17, (4 * count, 2)).round(int(rng.integers(0, 4)))
    left, right = rng.integers(-1, 4, (2, count)).astype(np.int32)
    counts = np.zeros((height, width, 5), int)
    counts[..., 0] = 1  # of nobody, whose row is -1
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    sure = np.ones((height, width), bool)
    for arc in range(count):
        for p, q in zip(points[offsets[arc] : offsets[arc + 1]], points[offsets[arc] + 1 : offsets[arc + 1]]):
            crossed = (min(p[1], q[1]) <= y) & (y < max(p[1], q[1]))
            if not crossed.any():
                continue
            at = p[0] + (y - p[1]) * ((q[0] - p[0]) / (q[1] - p[1]))
            west_of = crossed[:, None] & (at[:, None] <= x)
            sure &= ~crossed[:, None] | (abs(at[:, None] - x) > 1e-9) | (at[:, None] == x)
            west, east = (right, left) if p[1] < q[1] else (left, right)
            counts[west_of, west[arc] + 1] -= 1
            counts[west_of, east[arc] + 1] += 1
    front = np.where(counts > 0, np.arange(-1, 4), -2).max(axis=2)
    found = kernels.sweep(points, offsets, left, right, height, width)
    assert np.array_equal(found[sure], front[sure])


@settings(**MANY)
@given(stacks, seeds)
def test_masks_taken_in_any_order_are_those_of_numpy(stack, seed):
    rows = np.random.default_rng(seed).integers(0, max(len(stack), 1), 6 if len(stack) else 0)
    masks = Masks.encode(stack)
    counts, offsets = kernels.take(masks.counts, masks.offsets, rows)
    assert Masks(counts, offsets, masks.size).equals(Masks.encode(stack[rows]))


@settings(**MANY)
@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=4), st.integers(0, 20), st.sampled_from([0, 1])
)
def test_runs_of_another_length_are_found_and_empty_ones_joined(runs, pixels, first):
    counts = np.array([each for run in runs for each in run], np.uint32)
    offsets = np.cumsum([0, *map(len, runs)])
    bad = [row for row, run in enumerate(runs) if sum(run) != pixels]
    found = kernels.canonical(counts, offsets, pixels)
    assert found[0] == (bad[0] if bad else -1)
    if not bad:
        wanted = [np.repeat(np.arange(len(run)) % 2, run).reshape(1, -1) for run in runs]
        stack = np.reshape(wanted, (len(runs), 1, pixels))
        assert Masks(*found[1:], (1, pixels)).equals(Masks.encode(stack))
    wrong_offsets = first > 0 or (np.diff(offsets) < 1).any()
    assert kernels.uncovered(counts, offsets + first, pixels) == (-2 if wrong_offsets else found[0])


def plain_lengths(text):
    """Run lengths of a text as pycocotools' rleFrString reads it; `None` where it says nothing."""
    lengths, at = [], 0
    while at < len(text):
        value, groups, more = 0, 0, True
        while more:
            if at == len(text) or groups > 7 or not 48 <= text[at] < 112:
                return None
            group = text[at] - 48
            value |= (group & 31) << 5 * groups
            more, groups, at = bool(group & 32), groups + 1, at + 1
        if group & 16:
            value -= 1 << 5 * groups
        if len(lengths) > 2:
            value += lengths[-2]
        if not 0 <= value < 2**32:
            return None
        lengths.append(value)
    return lengths


@settings(**MANY)
@given(st.lists(st.lists(st.integers(46, 113), max_size=9).map(bytes), max_size=3))
def test_any_text_is_read_as_its_rule_says_or_refused(texts):
    wanted = [plain_lengths(text) for text in texts]
    ends = np.cumsum([0, *map(len, texts)])
    bad, counts, offsets = kernels.from_strings(np.frombuffer(b"".join(texts), np.uint8), ends)
    if None in wanted:
        assert bad == wanted.index(None)
    else:
        assert bad == -1
        assert [counts[a:b].tolist() for a, b in pairwise(offsets)] == wanted


@settings(**MANY)
@given(seeds, st.integers(1, 8), st.integers(1, 8), st.booleans())
def test_the_seed_that_owns_a_pixel_reaches_it_by_itself_at_that_cost(seed, height, width, barrier):
    rng = np.random.default_rng(seed)
    image = rng.random((height, width, 2), np.float32)
    starts = rng.choice(height * width, min(3, height * width), replace=False)
    far, owner = kernels.geodesic(image, starts, np.array([0, len(starts)]), 3.0, barrier)
    alone, _ = kernels.geodesic(image, starts, np.arange(len(starts) + 1), 3.0, barrier)
    assert np.take_along_axis(alone, owner, axis=0) == pytest.approx(far, rel=1e-5, abs=1e-6)
