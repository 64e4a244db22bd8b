"""Clicks on a batch of things: as maps for a network, and where a simulated user would click next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inlay.core import kernels

STRIDE = 4  # pixels of the image for one cell of the maps
SPREAD = 1.0  # cells that a click's mark is wide


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

    def maps(self, size: Sequence[int], device: torch.device) -> Tensor:
        """(N, 2, h, w) marks of positive and of negative clicks, 1 in their middle."""
        y = (torch.arange(size[0], device=device) + 0.5) * STRIDE
        x = (torch.arange(size[1], device=device) + 0.5) * STRIDE
        points, signs = self.points.to(device), self.signs.to(device)
        down = (y - points[..., 1:]).square()[..., :, None]  # (N, T, h, 1)
        across = (x - points[..., :1]).square()[..., None, :]
        marks = torch.exp((down + across) / (-2 * (SPREAD * STRIDE) ** 2))
        sides = [(marks * (signs == sign)[..., None, None]).amax(1) for sign in (1, -1)]
        return torch.stack(sides, 1)


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
