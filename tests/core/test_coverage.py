"""Shared pixels and confusion tables against numpy."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import InlayError, Masks
from inlay.core.coverage import confusion, covered, shared

from .random_masks import MANY, stacks


@settings(**MANY)
@given(stacks, st.integers(1, 5))
def test_covered_pixels_are_counted_over_the_masks(stack, least):
    masks = Masks.encode(stack)
    assert covered(masks, least).equals(Masks.encode(stack.sum(axis=0) >= least))
    assert covered(masks).equals(masks.union())
    if len(masks):
        assert shared(masks).equals(Masks.encode(stack.all(axis=0)))


def test_no_masks_share_nothing():
    assert shared(Masks.empty((3, 4))).area().tolist() == [0]


@settings(**MANY)
@given(st.integers(0, 2**32 - 1), st.integers(0, 256), st.integers(1, 40), st.integers(0, 300))
def test_confusion_counts_pairs_of_judged_pixels(seed, classes, longest, width):
    rng = np.random.default_rng(seed)
    values = np.minimum([*range(classes), classes, 255], 255)
    maps = np.repeat(rng.choice(values, (2, 5, width)), rng.integers(1, longest + 1), axis=2).astype(np.uint8)
    wanted = np.zeros((257, classes + 1), np.int64)
    np.add.at(wanted, (maps[0].astype(int), np.minimum(maps[1].astype(int), classes)), 1)
    assert np.array_equal(confusion(maps[0], maps[1], classes), wanted[:classes])


def test_threads_count_the_same_pixels():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 5, (2, 1500, 1500)).astype(np.uint8)
    tables = [confusion(truth, prediction, 4, threads=threads) for threads in (1, 2, 4)]
    assert all(np.array_equal(table, tables[0]) for table in tables)
    assert tables[0].sum() == (truth < 4).sum()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_of_its_own():
    """Threads that stay do not come along into a fork: there new ones are begun."""
    script = """
import os, sys
import numpy as np
from inlay.core.coverage import confusion
maps = np.random.default_rng(0).integers(0, 5, (2, 1500, 1500)).astype(np.uint8)
before = confusion(*maps, 4, threads=4)
child = os.fork()
same = np.array_equal(before, confusion(*maps, 4, threads=4))
if not child:
    os._exit(0 if same else 1)
sys.exit(os.waitpid(child, 0)[1] or not same)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], timeout=60, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda ids: confusion(ids, ids[:1], 3),
        lambda ids: confusion(ids, ids.astype(int), 3),
        lambda ids: confusion(ids, ids, 257),
        lambda ids: covered(Masks.empty((2, 2), 1), 0),
    ],
)
def test_what_cannot_be_counted_is_refused(wrong):
    with pytest.raises(InlayError):
        wrong(np.zeros((2, 2), np.uint8))
