"""Encoders: features at strides 2, 4, 8, 16, 32."""

from __future__ import annotations

from typing import Literal

from inlay.models.encoders.light import Light
from inlay.models.encoders.resnet import ResNet18
from inlay.models.parts.blocks import Norm

EncoderName = Literal["light", "resnet18"]


def make_encoder(
    name: EncoderName, widths: tuple[int, ...], depths: tuple[int, ...], norm: Norm
) -> Light | ResNet18:
    """An encoder with fresh weights; `widths` and `depths` are those of the light one."""
    return ResNet18(norm) if name == "resnet18" else Light(widths, depths, norm)
