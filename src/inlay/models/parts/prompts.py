"""Clicks on a batch of things: as maps for a network, and where a simulated user would click next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inlay.core import kernels
from inlay.models.cues import CERTAIN, COUNT, SPREAD, STRIDE, Cells, Field, cells_of, cues, guide_of

CUT = 0.7  # share of crops that are part of an image, and of their sides that cut it


@dataclass(frozen=True, eq=False)
class Clicks:
    """Clicks on N things.

    Parameters
    ----------
    points
        (N, T, 2) float x, y in pixels of the image.
    signs
        (N, T) float: 1 for a positive click, -1 for a negative one, 0 for none.
    """

    points: Tensor
    signs: Tensor

    def marks(self, size: Sequence[int], device: torch.device) -> Tensor:
        """(N, 2, h, w) marks of positive and of negative clicks, 1 in their middle."""
        y = (torch.arange(size[0], device=device) + 0.5) * STRIDE
        x = (torch.arange(size[1], device=device) + 0.5) * STRIDE
        points, signs = self.points.to(device), self.signs.to(device)
        down = (y - points[..., 1:]).square()[..., :, None]  # (N, T, h, 1)
        across = (x - points[..., :1]).square()[..., None, :]
        marks = torch.exp((down + across) / (-2 * (SPREAD * STRIDE) ** 2))
        sides = [(marks * (signs == sign)[..., None, None]).amax(1) for sign in (1, -1)]
        return torch.stack(sides, 1)

    def cells(self, row: int, scene: Scene) -> tuple[Cells, Cells]:
        """Numbers of the scene's cells with positive and with negative clicks on a thing; the last counts."""
        (top, left), (height, width) = scene.corner, scene.rim.shape
        window = (left * STRIDE, top * STRIDE, (left + width) * STRIDE, (top + height) * STRIDE)
        rows = zip(self.points[row].tolist(), self.signs[row].tolist())
        return cells_of([(x, y, sign > 0) for (x, y), sign in rows if sign], window, (height, width))


@dataclass(frozen=True, eq=False)
class Scene:
    """What cues of an image are measured on, cells of it.

    Parameters
    ----------
    guide
        (h, w, 3) colours of the part that is no padding.
    corner
        Row and column of that part's upper left cell.
    rim
        (h, w) bool cells of its sides where the image goes on, likely background.
    """

    guide: Field
    corner: tuple[int, int]
    rim: NDArray[np.bool_]


def scene_of(pixels: Tensor, real: NDArray[np.bool_] | None = None) -> Scene:
    """The scene of (3, h, w) mean pixels of cells, of which `real` (h, w) ones are no padding.

    Without `real` it is a whole image. A side of a crop that is no padding cuts the image or is its border:
    which of them is by lot, for a network that learns.
    """
    whole = real is None
    real = np.ones(pixels.shape[1:], np.bool_) if real is None or not real.any() else real
    rows, columns = np.flatnonzero(real.any(1)), np.flatnonzero(real.any(0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    rim = np.zeros(real.shape, np.bool_)
    if not whole:
        sides = torch.rand(5) < CUT
        rim[0], rim[-1], rim[:, 0], rim[:, -1] = (sides[:4] & sides[4]).tolist()
    part = pixels.detach().float().cpu()[:, top:bottom, left:right].permute(1, 2, 0).round().clamp(0, 255)
    guide = guide_of(np.ascontiguousarray(part.numpy().astype(np.uint8)))
    return Scene(guide, (int(top), int(left)), rim[top:bottom, left:right])


def maps_of(clicks: Clicks, before: Tensor | None, scenes: Sequence[Scene], size: Sequence[int]) -> Tensor:
    """(N, MAPS, h, w) what a network reads of clicks on N things.

    Parameters
    ----------
    clicks
        On N things.
    before
        (N, h, w) logits of the masks before, if there were any.
    scenes
        The scene of each thing.
    size
        (h, w).
    """
    device = torch.device("cpu") if before is None else before.device
    marks = clicks.marks(size, device)
    logits = None if before is None else before.detach().float().clamp(-CERTAIN, CERTAIN)
    shares = torch.zeros_like(marks[:, 0]) if logits is None else logits.sigmoid()
    values = None if logits is None else logits.cpu().numpy()
    told = np.zeros((len(scenes), COUNT, *size), np.float32)
    for row, scene in enumerate(scenes):
        (top, left), (height, width) = scene.corner, scene.rim.shape
        here = np.s_[top : top + height, left : left + width]
        inside, outside = clicks.cells(row, scene)
        known = None if values is None else values[row][here]
        if len(inside):
            told[row][:, *here] = cues(scene.guide, inside, outside, scene.rim, known)
    return torch.cat([marks, shares[:, None], torch.from_numpy(told).to(device)], 1)


def no_clicks(count: int) -> Clicks:
    """A list of clicks that is still empty, for so many things; it holds one click that marks nothing."""
    return Clicks(torch.zeros(count, 1, 2), torch.zeros(count, 1))


def with_next_click(clicks: Clicks, found: Tensor, truth: Tensor, known: Tensor) -> Clicks:
    """The clicks and one more for each thing, in the deeper half of its largest error.

    Parameters
    ----------
    found, truth, known
        (N, h, w) bool masks so far, true masks, and the cells that count. A first click for an empty truth
        falls on any known cell.
    """
    masks = (mask.cpu().numpy() for mask in (found, truth, known))
    chances = torch.rand(len(found), 3).numpy()
    first = not bool(clicks.signs.any())
    points, signs = np.zeros((len(found), 1, 2), np.float32), np.zeros((len(found), 1), np.float32)
    for row, (mask, right, seen) in enumerate(zip(*masks)):
        places, sign = _places(mask & seen, right & seen)
        if not len(places) and first:
            places, sign = np.flatnonzero(seen), 1.0
        if len(places):
            y, x = divmod(int(places[int(chances[row, 0] * len(places))]), mask.shape[1])
            points[row, 0] = (x + chances[row, 1]) * STRIDE, (y + chances[row, 2]) * STRIDE
            signs[row, 0] = sign
    return Clicks(
        torch.cat([clicks.points, torch.from_numpy(points)], 1),
        torch.cat([clicks.signs, torch.from_numpy(signs)], 1),
    )


def _places(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[NDArray[np.int64], float]:
    """Cells in the deeper half of the larger error, and the sign of a click there."""
    best, places, sign = 0, np.zeros(0, np.int64), 0.0
    for error, each in ((truth & ~found, 1.0), (found & ~truth, -1.0)):
        if error.any():
            depth = kernels.distance(np.ascontiguousarray(error, np.uint8), True)
            if int(depth.max()) > best:
                best, sign = int(depth.max()), each
                places = np.flatnonzero(depth * 4 >= best)  # squared distances
    return places, sign
