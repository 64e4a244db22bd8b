"""Feature pyramid network (Lin et al. 2017): every level of one width, each knowing all coarser ones."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.blocks import ConvNorm


class FeaturePyramid(nn.Module):
    """1x1 convolutions aside, sums down from the coarsest level, a 3x3 convolution on each."""

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.aside = nn.ModuleList(
            ConvNorm(each, width, 1, norm="group", activation="none") for each in widths
        )
        self.out = nn.ModuleList(ConvNorm(width, width, norm="group", activation="none") for _ in widths)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features from fine to coarse -> as many, `width` channels each."""
        levels = [aside(feature) for aside, feature in zip(self.aside, features)]
        for k in range(len(levels) - 2, -1, -1):
            levels[k] = levels[k] + F.interpolate(levels[k + 1], size=levels[k].shape[2:], mode="nearest")
        return [out(level) for out, level in zip(self.out, levels)]


class BottomUp(nn.Module):
    """PANet's path back up (Liu et al. 2018, 3.1): each level joined with the finer one below it."""

    def __init__(self, levels: int, width: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(ConvNorm(width, width, norm="group", stride=2) for _ in range(levels - 1))
        self.out = nn.ModuleList(ConvNorm(width, width, norm="group") for _ in range(levels - 1))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Levels from fine to coarse -> the same shapes."""
        levels = [features[0]]
        for down, out, feature in zip(self.down, self.out, features[1:]):
            levels.append(out(down(levels[-1]) + feature))
        return levels
