"""Convolution blocks that every family shares."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.errors import InlayError

Norm = Literal["batch", "group"]
Activation = Literal["relu", "silu", "none"]


def normalisation(norm: Norm, width: int) -> nn.Module:
    """BatchNorm, or GroupNorm (batches of one or two) with about eight channels to a group."""
    if norm == "batch":
        return nn.BatchNorm2d(width)
    groups = next(count for count in range(max(1, width // 8), 0, -1) if width % count == 0)
    return nn.GroupNorm(groups, width)


def dilations(count: int, output_stride: int) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """Stages that halve until `output_stride` and dilate after it: their strides, and the step of each.

    A step is the (stride, dilation) of the convolutions that begin a stage.

    Raises
    ------
    InlayError
        When the stride is not 8, 16 or 32.
    """
    if output_stride not in (8, 16, 32):
        raise InlayError(f"an encoder cannot stop at stride {output_stride}: it can be 8, 16 or 32")
    strides = tuple(min(2**k, output_stride) for k in range(1, count + 1))
    steps = [(2, 1) if 2**k <= output_stride else (1, 2**k // output_stride) for k in range(1, count + 1)]
    return strides, steps


class ConvNorm(nn.Sequential):
    """Convolution without bias, normalisation and an activation."""

    def __init__(
        self,
        inputs: int,
        width: int,
        size: int = 3,
        *,
        norm: Norm = "batch",
        stride: int = 1,
        dilation: int = 1,
        activation: Activation = "relu",
    ) -> None:
        padding = dilation * (size // 2)
        conv = nn.Conv2d(inputs, width, size, stride, padding, dilation, bias=False)
        parts = [conv, normalisation(norm, width)]
        if activation != "none":
            parts.append(nn.ReLU(inplace=True) if activation == "relu" else nn.SiLU(inplace=True))
        super().__init__(*parts)


class Separable(nn.Sequential):
    """A depthwise and a 1x1 convolution, each with normalisation and ReLU (Chollet 2017)."""

    def __init__(self, inputs: int, width: int, *, norm: Norm = "batch", dilation: int = 1) -> None:
        depthwise = nn.Conv2d(inputs, inputs, 3, 1, dilation, dilation, groups=inputs, bias=False)
        super().__init__(
            depthwise,
            normalisation(norm, inputs),
            nn.ReLU(inplace=True),
            ConvNorm(inputs, width, 1, norm=norm),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut, as in a basic ResNet block."""

    def __init__(
        self, inputs: int, width: int, *, norm: Norm = "batch", stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, width, norm=norm, stride=stride, dilation=dilation)
        self.second = ConvNorm(width, width, norm=norm, dilation=dilation, activation="none")
        same = inputs == width and stride == 1
        self.shortcut = (
            nn.Identity() if same else ConvNorm(inputs, width, 1, norm=norm, stride=stride, activation="none")
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / stride, W / stride)."""
        x = self.second(self.first(x)).add_(self.shortcut(x))
        return F.relu_(x)


class PooledContext(nn.Module):
    """Adds dilated views and the mean of the whole image to each pixel (a light ASPP)."""

    def __init__(self, width: int, *, norm: Norm = "batch", rates: tuple[int, ...] = (1, 2, 4)) -> None:
        super().__init__()
        part = width // 2
        self.views = nn.ModuleList(ConvNorm(width, part, norm=norm, dilation=rate) for rate in rates)
        self.whole = nn.Sequential(
            nn.Conv2d(width, part, 1), nn.ReLU(inplace=True)
        )  # no norm: one value a channel
        self.join = ConvNorm(part * (len(rates) + 1), width, 1, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        whole = self.whole(x.mean((2, 3), keepdim=True)).expand(-1, -1, x.shape[2], x.shape[3])
        added: Tensor = self.join(torch.cat([*(view(x) for view in self.views), whole], 1))
        return x + added


class Join(nn.Module):
    """A 3x3 convolution over two feature maps, of which the coarser one is enlarged first.

    Convolving each and adding is the same as convolving the two stacked, and nearly twice as fast on a CPU:
    nothing is copied into a stack.
    """

    def __init__(self, below: int, beside: int, width: int, *, norm: Norm = "batch") -> None:
        super().__init__()
        self.below = nn.Conv2d(below, width, 3, padding=1, bias=False)
        self.beside = nn.Conv2d(beside, width, 3, padding=1, bias=False)
        self.norm = normalisation(norm, width)

    def forward(self, x: Tensor, feature: Tensor) -> Tensor:
        """(B, below, h, w), (B, beside, H, W) -> (B, width, H, W)."""
        enlarged = F.interpolate(x, size=feature.shape[2:], mode="nearest")
        return F.relu_(self.norm(self.below(enlarged).add_(self.beside(feature))))


def upsample(x: Tensor, like: Tensor) -> Tensor:
    """`x` resized bilinearly to the height and width of `like`."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def initialise(module: nn.Module) -> None:
    """He initialisation of every convolution; use as `network.apply(initialise)`."""
    if isinstance(module, nn.Conv2d):
        reached = module.weight[0, 0].numel() * module.out_channels / module.groups  # outputs of one input
        nn.init.normal_(module.weight, std=(2 / reached) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def begin_rare(category: nn.Conv2d, *others: nn.Conv2d) -> None:
    """Let heads begin so that one place in a hundred shows something (focal loss, Lin et al. 2017, 4.1)."""
    for layer in (category, *others):
        nn.init.normal_(layer.weight, std=0.01)
    assert category.bias is not None
    nn.init.constant_(category.bias, -4.6)
