"""A cross-stage partial encoder (Wang et al. 2020): half of the channels of a stage pass its blocks by.

With ReLU, not SiLU: where an image is flat, each group norm multiplies gradients; ReLU stops them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inlay.models.parts.blocks import ConvNorm, Norm


class PartialStage(nn.Module):
    """Halving, then residual blocks on half of the channels beside a path around them."""

    def __init__(self, inputs: int, width: int, depth: int, norm: Norm) -> None:
        super().__init__()
        half = width // 2
        self.halve = ConvNorm(inputs, width, norm=norm, stride=2)
        self.through = ConvNorm(width, half, 1, norm=norm)
        self.around = ConvNorm(width, half, 1, norm=norm)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                ConvNorm(half, half, 1, norm=norm),
                ConvNorm(half, half, norm=norm),
            )
            for _ in range(depth)
        )
        self.join = ConvNorm(2 * half, width, 1, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / 2, W / 2)."""
        x = self.halve(x)
        inner = self.through(x)
        for block in self.blocks:
            inner = inner + block(inner)
        joined: Tensor = self.join(torch.cat([inner, self.around(x)], 1))
        return joined


class CSP(nn.Module):
    """Partial stages of the given widths at strides 2, 4, 8, ...; `depths` blocks in each but the first."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], norm: Norm) -> None:
        super().__init__()
        self.widths = widths
        self.strides = tuple(2**k for k in range(1, len(widths) + 1))
        self.stem = ConvNorm(3, widths[0], norm=norm, stride=2)
        self.stages = nn.ModuleList(
            PartialStage(inputs, width, depth, norm)
            for inputs, width, depth in zip(widths[:-1], widths[1:], depths)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i])."""
        features = [self.stem(x)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features
