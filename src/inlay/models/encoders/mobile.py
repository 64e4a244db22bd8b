"""MobileNetV3-Large (Howard et al. 2019), quick on CPUs, under the tensor names of torchvision."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.blocks import Norm, normalisation

# kernel, inner channels, channels, squeeze and excite, hard swish, stride
BLOCKS = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)
ENDS = (
    1,
    3,
    6,
    12,
    15,
)  # the last layers at strides 2, 4, 8, 16, 32; torchvision's widening after that is left


class Excite(nn.Module):
    """Channels weighed by what the whole image shows."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = _rounded(width // 4)
        self.fc1, self.fc2 = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        return x * F.hardsigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


def _rounded(width: int) -> int:
    near = max(8, (width + 4) // 8 * 8)
    return near + 8 if near < 0.9 * width else near


def _conv(
    inputs: int,
    width: int,
    kernel: int,
    act: type[nn.Module] | None,
    norm: Norm,
    *,
    grid: tuple[int, int, int],
) -> nn.Sequential:
    """Convolution, norm and activation; `grid` is stride, dilation, groups."""
    stride, dilation, groups = grid
    padding = (kernel - 1) // 2 * dilation
    conv = nn.Conv2d(inputs, width, kernel, stride, padding, dilation, groups, bias=False)
    after = normalisation(norm, width)
    if isinstance(after, nn.BatchNorm2d):
        after.eps, after.momentum = 1e-3, 1e-2
    return nn.Sequential(conv, after, *([act(inplace=True)] if act else []))


class Inverted(nn.Module):
    """Wider by a 1x1 convolution, depthwise, narrower again; around it a shortcut where sizes agree."""

    def __init__(
        self, inputs: int, row: tuple[int, int, int, bool, bool, int], stride: int, dilation: int, norm: Norm
    ) -> None:
        super().__init__()
        kernel, inner, width, excite, hard, _ = row
        act = nn.Hardswish if hard else nn.ReLU
        layers: list[nn.Module] = []
        if inner != inputs:
            layers.append(_conv(inputs, inner, 1, act, norm, grid=(1, 1, 1)))
        layers.append(_conv(inner, inner, kernel, act, norm, grid=(stride, dilation, inner)))
        if excite:
            layers.append(Excite(inner))
        layers.append(_conv(inner, width, 1, None, norm, grid=(1, 1, 1)))
        self.block = nn.Sequential(*layers)
        self.same = stride == 1 and inputs == width

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / stride, W / stride)."""
        inner: Tensor = self.block(x)
        return x + inner if self.same else inner


class Mobile(nn.Module):
    """Features at strides 2, 4, 8, 16, 32, or less where dilated."""

    widths = (16, 24, 40, 112, 160)

    def __init__(self, norm: Norm = "batch", output_stride: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(3, 16, 3, nn.Hardswish, norm, grid=(2, 1, 1))]
        inputs, reached, dilation, strides = 16, 2, 1, []
        for place, row in enumerate(BLOCKS, start=1):
            stride = row[-1]
            if stride == 2 and reached >= output_stride:
                stride, dilation = 1, dilation * 2
            reached *= stride
            layers.append(Inverted(inputs, row, stride, dilation, norm))
            inputs = row[2]
            if place in ENDS:
                strides.append(reached)
        self.features, self.strides = nn.Sequential(*layers), tuple(strides)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i])."""
        features = []
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place in ENDS:
                features.append(x)
        return features
