"""ResNet (He et al. 2016), under the tensor names of torchvision and timm."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.blocks import Norm, dilations, normalisation

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def shortcut(inputs: int, width: int, stride: int, norm: Norm) -> nn.Module:
    """What a block adds its inner part to: its input, or a projection of it to another size."""
    if stride == 1 and inputs == width:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), normalisation(norm, width))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, norm: Norm, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, dilation, dilation, bias=False)
        self.bn1 = normalisation(norm, width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
        self.bn2 = normalisation(norm, width)
        self.downsample = shortcut(inputs, width, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / stride, W / stride)."""
        inner = F.relu_(self.bn1(self.conv1(x)))
        inner = self.bn2(self.conv2(inner)).add_(self.downsample(x))
        return F.relu_(inner)


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 ones on a quarter of the channels, around a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, norm: Norm, dilation: int = 1) -> None:
        super().__init__()
        inner = width // 4
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = normalisation(norm, inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, dilation, dilation, bias=False)
        self.bn2 = normalisation(norm, inner)
        self.conv3 = nn.Conv2d(inner, width, 1, bias=False)
        self.bn3 = normalisation(norm, width)
        self.downsample = shortcut(inputs, width, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / stride, W / stride)."""
        inner = F.relu_(self.bn1(self.conv1(x)))
        inner = F.relu_(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner)).add_(self.downsample(x))
        return F.relu_(inner)


class ResNet(nn.Module):
    """Features at strides 2 (the stem), 4, 8, 16, 32, or less where dilated; `size` is 18, 34, 50 or 101."""

    def __init__(self, size: int = 18, norm: Norm = "batch", output_stride: int = 32) -> None:
        super().__init__()
        block, grown = (BasicBlock, 1) if size < 50 else (Bottleneck, 4)
        self.widths = (64, *(width * grown for width in (64, 128, 256, 512)))
        self.strides, steps = dilations(5, output_stride)
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = normalisation(norm, 64)
        before = 1
        for k, depth in enumerate(DEPTHS[size], start=1):
            # the first block of a dilated stage keeps the dilation before it, as in torchvision
            stride, dilation = steps[k] if k > 1 else (1, 1)
            blocks = [block(self.widths[k - 1], self.widths[k], stride, norm, before)]
            blocks += [block(self.widths[k], self.widths[k], 1, norm, dilation) for _ in range(depth - 1)]
            self.add_module(f"layer{k}", nn.Sequential(*blocks))
            before = dilation

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i])."""
        features = [F.relu_(self.bn1(self.conv1(x)))]
        x = F.max_pool2d(features[0], 3, 2, 1)
        for k in range(1, 5):
            x = self.get_submodule(f"layer{k}")(x)
            features.append(x)
        return features

    def renamed(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of transformers' ResNet under the names of torchvision; others as they are."""
        return {_renamed(name): tensor for name, tensor in weights.items()}


def _renamed(name: str) -> str:
    name = name.removeprefix("resnet.")
    for kind, ours, place in (("convolution", "conv", 0), ("normalization", "bn", 1)):
        name = re.sub(rf"^embedder\.embedder\.{kind}\.", f"{ours}1.", name)
        inner = re.match(rf"encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.(\d+)\.{kind}\.(\w+)", name)
        if inner:
            return f"layer{int(inner[1]) + 1}.{inner[2]}.{ours}{int(inner[3]) + 1}.{inner[4]}"
        aside = re.match(rf"encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.{kind}\.(\w+)", name)
        if aside:
            return f"layer{int(aside[1]) + 1}.{aside[2]}.downsample.{place}.{aside[3]}"
    return name
