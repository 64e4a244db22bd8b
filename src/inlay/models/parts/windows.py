"""Windows of masks: the swap from aligned to natural masks, and which window is to show which thing.

Chen et al. 2019 (TensorMask). A map of *aligned* masks holds, at each pixel, what the windows around it say
of that pixel; a *natural* mask is what one window says of its own pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inlay.models.parts.alignment import judged
from inlay.models.parts.boxes import box_iou
from inlay.models.parts.targets import Target

Places = NDArray[np.int64]
Weights = NDArray[np.float32]
BEYOND = -6.0  # logit of what lies beyond the image
FAR = -(2**40)  # a place that lies in no image
ROOM = 2.0  # a window is at most so many times as long as its thing


def natural_masks(
    aligned: Tensor, images: Tensor, rows: Tensor, columns: Tensor, *, side: int, scale: int
) -> Tensor:
    """(n, scale * side, scale * side) natural masks of some windows only: `swap_align2nat` at these places.

    Parameters
    ----------
    aligned
        (B, side * side, H, W) aligned masks at the finest resolution.
    images, rows, columns
        (n,) where the windows lie, rows and columns in steps of `scale` pixels of the map.
    side, scale
        Pixels of the aligned masks along a side; natural ones have `scale` times as many.
    """
    height, width = aligned.shape[2:]
    flat = aligned.flatten()
    start = (images * (side * side * height * width))[:, None, None]
    found = aligned.new_zeros(())
    masks, offsets, weights = (torch.from_numpy(each).to(aligned.device) for each in _corners(side, scale))
    at_x, seen_x = _bounded(offsets[:, None] + columns[:, None] * scale, width)  # (T, n, V')
    at_x = (at_x + masks[:, None] * (height * width))[:, :, None, :]
    for mask, offset, weight in zip(masks, offsets, weights):
        at_y, seen_y = _bounded(offset + rows[:, None] * scale, height)
        index = start + ((at_y + mask * (side * height)) * width)[:, :, None] + at_x
        seen = seen_y[:, :, None] & seen_x[:, :, None, :]
        share = (weight[:, None] * weights[:, None, :]).to(aligned)
        found = found + (torch.where(seen, flat[index], BEYOND) * share[:, None]).sum(0)
    return found


def _bounded(place: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Places moved within 0 .. length - 1, and whether they were there."""
    inside = (place >= 0) & (place < length)
    return place.clamp(min=0).minimum(torch.full_like(place, length - 1)), inside


def _corners(side: int, scale: int) -> tuple[Places, Places, Weights]:
    """What natural pixels are mixed of along an axis: (T, V') mask rows, offsets in the map and weights.

    Beyond its own rows a mask is as unlikely as beyond the image: such rows are those of places far outside.
    """
    pixel = np.arange(side * scale, dtype=np.float64)
    terms = []
    for mask, mask_weight in _beside((pixel + 0.5) / scale - 0.5):
        for place, weight in _beside(pixel - side * scale / 2 + 0.5):
            if np.any(mask_weight * weight):
                far = np.where((mask >= 0) & (mask < side), place, FAR)
                terms.append((mask.clip(0, side - 1), far, (mask_weight * weight).astype(np.float32)))
    masks, places, weights = (np.stack(each) for each in zip(*terms))
    return masks, places, weights


def _beside(position: NDArray[np.float64]) -> list[tuple[Places, NDArray[np.float64]]]:
    """The whole numbers below and above positions, with the weight of each."""
    below = np.floor(position)
    share = position - below
    return [(below.astype(np.int64), 1 - share), (below.astype(np.int64) + 1, share)]


def swap_align2nat(aligned: Tensor, *, side: int, scale: int) -> Tensor:
    """(B, side * side, H, W) -> (B, (scale * side) ** 2, ceil(H / scale), ceil(W / scale)) natural masks."""
    images, _, height, width = aligned.shape
    shape = (images, math.ceil(height / scale), math.ceil(width / scale))
    places = [torch.arange(count, device=aligned.device) for count in shape]
    image, row, column = (each.flatten() for each in torch.meshgrid(*places, indexing="ij"))
    masks = natural_masks(aligned, image, row, column, side=side, scale=scale)
    return masks.reshape(*shape, -1).movedim(-1, 1)


@dataclass(frozen=True)
class Slot:
    """The windows of one level and one side, row by row.

    Parameters
    ----------
    level
        0 is the finest.
    side
        Of a window, in steps.
    first
        Place of its first window among all.
    shape
        Rows and columns.
    finest
        Pixels of the image between windows of the finest level.
    """

    level: int
    side: int
    first: int
    shape: tuple[int, int]
    finest: int

    @property
    def scale(self) -> int:
        """Steps of the finest level between two windows."""
        return int(2**self.level)

    @property
    def step(self) -> int:
        """Pixels of the image between two windows."""
        return self.finest * self.scale

    @property
    def stop(self) -> int:
        """Place after its last window."""
        return self.first + self.shape[0] * self.shape[1]

    def places(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """(rows * columns,) row and column of each window."""
        y, x = (torch.arange(count, device=device) for count in self.shape)
        return y[:, None].expand(-1, x.shape[0]).flatten(), x.expand(y.shape[0], -1).flatten()

    def windows(self, like: Tensor) -> Tensor:
        """(rows * columns, 4) x0, y0, x1, y1."""
        y, x = (place.to(like) * self.step + self.finest / 2 for place in self.places(like.device))
        middle = torch.stack([x, y], -1)
        half = self.side * self.step / 2
        return torch.cat([middle - half, middle + half], 1)


def slots_of(shapes: Sequence[tuple[int, int]], sides: Sequence[int], finest: int) -> list[Slot]:
    """All windows, level by level, side by side; each level has twice the step of the one before."""
    slots: list[Slot] = []
    for level, shape in enumerate(shapes):
        for side in sides:
            slots.append(Slot(level, side, slots[-1].stop if slots else 0, shape, finest))
    return slots


def assign_windows(slots: Sequence[Slot], windows: Tensor, target: Target) -> tuple[Tensor, Tensor]:
    """(N,) the thing that each window is to show, -1 for none, and (N,) whether it is judged at all.

    The rule of the paper (3.1): a window contains the box, is at most twice as long (but for the smallest
    windows), has its centre within one step, and no other thing claims it. A thing that no window suits gets
    the one that overlaps it most.

    Parameters
    ----------
    windows
        (N, 4) of all slots.
    """
    known = judged((windows[:, :2] + windows[:, 2:]) / 2, target)
    things = torch.full((len(windows),), -1, dtype=torch.int64, device=windows.device)
    if len(target) == 0:
        return things, known
    smallest = min(slot.side * slot.step for slot in slots)
    claims = [_claims(slot, windows, target, smallest) for slot in slots]
    window, thing = (torch.cat(parts) for parts in zip(*claims))
    claimed = torch.bincount(window, minlength=len(windows))
    alone = claimed[window] == 1
    things[window[alone]] = thing[alone]
    lost = torch.nonzero(torch.bincount(thing, minlength=len(target)) == 0).squeeze(1)
    if len(lost):
        things[box_iou(windows, target.boxes[lost]).argmax(0)] = lost
    return things, known | (things >= 0)


def _claims(slot: Slot, windows: Tensor, target: Target, smallest: int) -> tuple[Tensor, Tensor]:
    """(n,) windows of a slot and (n,) the things that they suit; a window may be named more than once."""
    boxes = target.boxes[:, None]
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    nearest = ((centre - slot.finest / 2) / slot.step).round().long()
    around = torch.cartesian_prod(*[torch.arange(-1, 2, device=boxes.device)] * 2)
    column, row = (nearest + around).unbind(-1)  # (T, 9)
    inside = (row >= 0) & (row < slot.shape[0]) & (column >= 0) & (column < slot.shape[1])
    place = torch.where(inside, slot.first + row * slot.shape[1] + column, slot.first)
    window = windows[place]
    apart = ((window[..., :2] + window[..., 2:]) / 2 - centre).square().sum(-1).sqrt()
    contained = (window[..., :2] <= boxes[..., :2]).all(-1) & (window[..., 2:] >= boxes[..., 2:]).all(-1)
    length = slot.side * slot.step
    fits = (length - slot.step <= ROOM * (boxes[..., 2:] - boxes[..., :2]).amax(-1)) | (length == smallest)
    thing, which = torch.nonzero(inside & contained & fits & (apart <= slot.step)).unbind(1)
    return place[thing, which], thing


def window_truth(target: Target, things: Tensor, windows: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """(n, size, size) share of each pixel of windows that their things cover, and which pixels are judged.

    Parameters
    ----------
    windows
        (n, 4) x0, y0, x1, y1; pixels of the image beyond its edges are no thing's.
    """
    height, width = target.ignored.shape
    steps = (torch.arange(2 * size, device=windows.device) + 0.5) / (2 * size)  # four points in each pixel
    points = windows[:, :2, None] + (windows[:, 2:] - windows[:, :2])[..., None] * steps
    x, y = points.floor().long().unbind(1)
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    row, column = y.clamp(0, height - 1)[:, :, None], x.clamp(0, width - 1)[:, None, :]
    seen = target.layers[target.layer_of[things][:, None, None], row, column]
    covered = ((seen == (things + 1)[:, None, None]) & inside).to(windows.dtype)
    ignored = target.ignored[row, column] & inside & (covered == 0)
    shape = (len(windows), size, 2, size, 2)
    return covered.reshape(shape).mean((2, 4)), ~ignored.reshape(shape).any(4).any(2)
