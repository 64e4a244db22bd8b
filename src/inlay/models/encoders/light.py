"""A small encoder for training from scratch on a CPU: a stem and residual stages."""

from __future__ import annotations

from torch import Tensor, nn

from inlay.models.parts.blocks import ConvNorm, Norm, Residual, dilations


class Light(nn.Module):
    """Residual stages of the given widths at strides 2, 4, 8, ...; `depths` blocks in each but the first."""

    def __init__(
        self, widths: tuple[int, ...], depths: tuple[int, ...], norm: Norm, output_stride: int = 32
    ) -> None:
        super().__init__()
        self.widths = widths
        self.strides, steps = dilations(len(widths), output_stride)
        self.stem = ConvNorm(3, widths[0], norm=norm, stride=2)
        self.stages = nn.ModuleList()
        for inputs, width, depth, (stride, dilation) in zip(widths[:-1], widths[1:], depths, steps[1:]):
            blocks = [Residual(inputs, width, norm=norm, stride=stride, dilation=dilation)]
            blocks += [Residual(width, width, norm=norm, dilation=dilation) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i])."""
        features = [self.stem(x)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features
