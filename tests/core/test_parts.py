"""Connected parts and holes against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import ndimage

from inlay import Masks

from .random_masks import MANY, stacks

CONNECTED = {4: ndimage.generate_binary_structure(2, 1), 8: ndimage.generate_binary_structure(2, 2)}


@pytest.mark.parametrize("connectivity", [4, 8])
@settings(**MANY)
@given(stacks)
def test_parts_are_those_of_scipy(connectivity, stack):
    wanted = []
    for row, mask in enumerate(stack):
        labels, count = ndimage.label(mask, CONNECTED[connectivity])
        wanted += [(row, (labels == k).tobytes()) for k in range(1, count + 1)]
    parts, row = Masks.encode(stack).parts(connectivity)
    found = [(int(r), part.tobytes()) for r, part in zip(row, np.ascontiguousarray(parts.decode()))]
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize("connectivity", [4, 8])
@settings(**MANY)
@given(stacks)
def test_merged_parts_are_the_masks_again(connectivity, stack):
    masks = Masks.encode(stack)
    parts, row = masks.parts(connectivity)
    assert (np.diff(row) >= 0).all()
    assert parts.merge(row, len(masks)).equals(masks)


@pytest.mark.parametrize("connectivity", [4, 8])
@settings(**MANY)
@given(stacks)
def test_filled_holes_are_those_of_scipy(connectivity, stack):
    around = CONNECTED[12 - connectivity]
    filled = np.array([ndimage.binary_fill_holes(mask, around) for mask in stack], bool).reshape(stack.shape)
    masks = Masks.encode(stack)
    assert masks.fill_holes(connectivity).equals(Masks.encode(filled))
    holes, row = masks.holes(connectivity)
    assert holes.merge(row, len(masks)).equals(Masks.encode(filled & ~stack))


def test_pixels_that_share_a_corner_are_one_part_or_two():
    masks = Masks.encode(np.eye(4, dtype=bool))
    assert len(masks.parts(8)[0]) == 1
    assert len(masks.parts(4)[0]) == 4


def test_a_bay_is_no_hole():
    ring = np.ones((5, 5), bool)
    ring[1:4, 1:4] = False
    assert len(Masks.encode(ring).holes()[0]) == 1
    ring[2, 0] = False
    assert len(Masks.encode(ring).holes()[0]) == 0
