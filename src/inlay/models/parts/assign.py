"""Target assignment: which cell of which grid is to find which thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inlay.models.parts.targets import Target


@dataclass(frozen=True, eq=False)
class GridTarget:
    """What one grid of one image is to find.

    Parameters
    ----------
    classes
        (H, W) int64 class row of the thing that a cell is to find, -1 for none.
    things
        (H, W) int64 number of that thing, -1 for none.
    known
        (H, W) bool: false in cells whose centre is ignored.
    """

    classes: Tensor
    things: Tensor
    known: Tensor


def assign_cells(
    target: Target, cell: int, shape: tuple[int, int], sides: tuple[float, float], centre: float = 0.2
) -> GridTarget:
    """Cells around the centre of mass of each thing whose size suits the grid; the smallest wins a cell.

    Parameters
    ----------
    cell
        Side of a cell, pixels.
    shape
        Cells of the grid, rows and columns.
    sides
        Least and largest sqrt(width x height) of a thing that this grid finds.
    centre
        Share of the box around the centre of mass whose cells are positive, at most one cell to each side.
    """
    device = target.class_id.device
    width, height = (target.boxes[:, 2:] - target.boxes[:, :2]).unbind(1)
    side = (width * height).sqrt()
    rows = torch.nonzero((side >= sides[0]) & (side < sides[1])).squeeze(1)
    rows = rows[torch.argsort(side[rows], descending=True, stable=True)]
    place = torch.arange(len(rows), device=device)  # small things come last, and the last one wins
    x, y = target.centres[rows].unbind(1)
    column, row = (x / cell).long(), (y / cell).long()
    winner = torch.full((shape[0] * shape[1],), -1, dtype=torch.int64, device=device)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            near = _within(y, height[rows], row + dy, cell, centre) & _within(
                x, width[rows], column + dx, cell, centre
            )
            here = (near | (dx == 0 and dy == 0)) & (row + dy >= 0) & (row + dy < shape[0])
            here &= (column + dx >= 0) & (column + dx < shape[1])
            at = ((row + dy) * shape[1] + column + dx)[here]
            winner.scatter_reduce_(0, at, place[here], "amax")
    winner = winner.reshape(shape)
    found = winner >= 0
    things = torch.where(found, rows[winner.clamp(min=0)] if len(rows) else winner, -1)
    classes = torch.where(found, target.class_id[things.clamp(min=0)] if len(rows) else winner, -1)
    return GridTarget(classes, things, ~_centres(target.ignored, cell, shape) | found)


def _within(middle: Tensor, length: Tensor, index: Tensor, cell: int, centre: float) -> Tensor:
    """Whether a cell index lies among those that the central share of a box touches."""
    reach = length * centre / 2
    return (index >= ((middle - reach) / cell).floor()) & (index <= ((middle + reach) / cell).floor())


def _centres(field: Tensor, cell: int, shape: tuple[int, int]) -> Tensor:
    """Values of an (H, W) map at the middle of each cell; true beyond its edge."""
    rows, columns = (torch.arange(n, device=field.device) * cell + cell // 2 for n in shape)
    inside = (rows < field.shape[0])[:, None] & (columns < field.shape[1])[None]
    values = field[rows.clamp(max=field.shape[0] - 1)][:, columns.clamp(max=field.shape[1] - 1)]
    return values | ~inside


def ranges_of(cells: Sequence[int], ratio: float = 5.0, overlap: float = 1.2) -> list[tuple[float, float]]:
    """(least, largest) side of the things that each grid finds; neighbours overlap by a factor."""
    ends = [cell * ratio for cell in cells[:-1]]
    least = [0.0] + [end / overlap for end in ends]
    largest = [end * overlap for end in ends] + [float("inf")]
    return list(zip(least, largest))


def pooled_masks(target: Target, rows: Tensor, stride: int) -> Tensor:
    """(n, H / stride, W / stride) share of each coarse pixel that a thing covers (its four middle pixels).

    Coarse pixels whose middle lies outside, below or to the right, are left out.
    """
    layer, number = target.layer_of[rows], (rows + 1).reshape(-1, 1, 1)
    half = stride // 2
    height, width = target.layers[0, half::stride, half::stride].shape
    parts = [
        target.layers[:, i::stride, j::stride][:, :height, :width][layer] == number
        for i in (half - 1, half)
        for j in (half - 1, half)
    ]
    return torch.stack(parts).sum(0, dtype=torch.float32) / 4
