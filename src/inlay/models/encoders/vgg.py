"""VGG (Simonyan and Zisserman 2015) with normalisation, under the tensor names of torchvision and timm."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.blocks import Norm, normalisation


class VGG(nn.Module):
    """Stages of convolutions, each ended by a 2x2 pooling: features at strides 2, 4, 8, 16, 32.

    Parameters
    ----------
    widths, depths
        Channels and convolutions of each stage; the defaults are those of VGG-16.
    kernel
        Side of the convolutions.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (64, 128, 256, 512, 512),
        depths: tuple[int, ...] = (2, 2, 3, 3, 3),
        *,
        norm: Norm = "batch",
        kernel: int = 3,
    ) -> None:
        super().__init__()
        self.widths = widths
        self.strides = tuple(2**k for k in range(1, len(widths) + 1))
        layers: list[nn.Module] = []
        inputs = 3
        for width, depth in zip(widths, depths, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(inputs, width, kernel, padding=kernel // 2), normalisation(norm, width)]
                layers += [nn.ReLU(inplace=True)]
                inputs = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i])."""
        features = []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                features.append(x)
        return features

    def pooled(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The coarsest features, and of each pooling the (B, C, h, w) places of the maxima in a plane."""
        places = []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                x, place = F.max_pool2d(x, 2, 2, return_indices=True)
                places.append(place)
            else:
                x = layer(x)
        return x, places
