"""ResNet-18 (He et al. 2016), with the tensor names of torchvision, so that its weights fit as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.errors import FormatError
from inlay.models.parts.blocks import Norm, normalisation
from inlay.models.parts.weights import read_plain


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = normalisation(norm, width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = normalisation(norm, width)
        self.downsample = (
            nn.Identity()
            if stride == 1 and inputs == width
            else nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), normalisation(norm, width))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / stride, W / stride)."""
        inner = F.relu(self.bn1(self.conv1(x)))
        inner = self.bn2(self.conv2(inner)) + self.downsample(x)
        return F.relu(inner)


class ResNet18(nn.Module):
    """Features at strides 2 (the stem), 4, 8, 16, 32."""

    widths = (64, 64, 128, 256, 512)

    def __init__(self, norm: Norm = "batch") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = normalisation(norm, 64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1, norm), BasicBlock(64, 64, 1, norm))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2, norm), BasicBlock(128, 128, 1, norm))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2, norm), BasicBlock(256, 256, 1, norm))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2, norm), BasicBlock(512, 512, 1, norm))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / 2^(i + 1), W / 2^(i + 1))."""
        features = [F.relu(self.bn1(self.conv1(x)))]
        x = F.max_pool2d(features[0], 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            features.append(x)
        return features


def read_encoder_weights(path: Path, encoder: nn.Module) -> None:
    """Put weights of a local file (safetensors, or torch without code) into an encoder, but for a classifier.

    Raises
    ------
    FormatError
        When the file is missing, holds code, or lacks a tensor of the encoder or has it in another shape.
    """
    weights = read_plain(path)
    if not isinstance(weights, Mapping):
        raise FormatError(path, "", "not a mapping of names to tensors")
    own = encoder.state_dict()
    for name, tensor in own.items():
        if name not in weights and not name.endswith("num_batches_tracked"):
            raise FormatError(
                path, name, 'the tensor is missing: the file needs the names of torchvision, norm = "batch"'
            )
        if name in weights and weights[name].shape != tensor.shape:
            raise FormatError(
                path, name, f"shape {tuple(weights[name].shape)}, the encoder has {tuple(tensor.shape)}"
            )
    encoder.load_state_dict({name: weights.get(name, tensor) for name, tensor in own.items()})
