"""A small encoder for training from scratch on a CPU: a stem and residual stages."""

from __future__ import annotations

from torch import Tensor, nn

from inlay.models.parts.blocks import ConvNorm, Norm, Residual


class Light(nn.Module):
    """Residual stages of the given widths at strides 2, 4, 8, ...; `depths` blocks in each but the first."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], norm: Norm) -> None:
        super().__init__()
        self.widths = widths
        self.stem = ConvNorm(3, widths[0], norm=norm, stride=2)
        self.stages = nn.ModuleList()
        for inputs, width, depth in zip(widths[:-1], widths[1:], depths):
            blocks = [Residual(inputs, width, norm=norm, stride=2)]
            blocks += [Residual(width, width, norm=norm) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / 2^(i + 1), W / 2^(i + 1))."""
        features = [self.stem(x)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features
