"""Decoders that carry what the coarse scales know down to the fine ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from inlay.models.parts.blocks import Join, Norm, PooledContext


class Pyramid(nn.Module):
    """Features of an encoder, each joined with all coarser ones; the coarsest also sees the whole image."""

    def __init__(self, widths: Sequence[int], *, norm: Norm = "batch") -> None:
        super().__init__()
        self.context = PooledContext(widths[-1], norm=norm)
        self.joins = nn.ModuleList(Join(below, width, width, norm=norm) for width, below in pairwise(widths))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features from fine to coarse -> as many of the same shapes."""
        joined = [self.context(features[-1])]
        for join, feature in zip(reversed(self.joins), reversed(features[:-1])):
            joined.insert(0, join(joined[0], feature))
        return joined
