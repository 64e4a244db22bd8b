"""Settings that model families share, and what each setting means."""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass
from typing import Any, Literal

from inlay.models.encoders import EncoderName
from inlay.models.parts.blocks import Norm
from inlay.models.parts.pixels import Contrast

Balance = Literal["none", "root", "median"]


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of the encoder that a family begins with.

    Parameters
    ----------
    encoder
        "light" (quick from scratch), "csp", "mit", "mobile", "vgg16", "resnet18" to "resnet101", "mit_b0" to
        "mit_b5", or "vit_tiny" to "vit_large".
    pretrained
        Folder of an earlier run to start from, or file of the encoder's weights, as torchvision, timm or
        transformers name them; empty: from scratch.
    widths
        Channels of a "light" or "csp" encoder at strides 2, 4, 8, 16, 32; of "mit" the last four.
    depths
        Its blocks at strides 4, 8, 16, 32.
    norm
        "batch"; or "group", which batches of one or two suit as well.
    contrast
        "fixed" colours, or each "image" to its own mean and spread.
    """

    encoder: EncoderName = "light"
    pretrained: str = ""
    widths: tuple[int, ...] = (24, 48, 96, 128, 160)
    depths: tuple[int, ...] = (1, 2, 2, 1)
    norm: Norm = "batch"
    contrast: Contrast = "fixed"


@dataclass(frozen=True)
class PixelSettings:
    """Settings of whatever gives each pixel a class.

    Parameters
    ----------
    dice
        Weight of the Dice loss beside cross entropy.
    balance
        Class weights: "none", inverse "root" of the frequency, or "median" frequency.
    class_weights
        One for each class; empty: by `balance` from the data.
    background
        Whether unlabelled pixels are learnt as none of the classes; unset: by the data.
    """

    dice: float = 0.0
    balance: Balance = "root"
    class_weights: tuple[float, ...] = ()
    background: bool | None = None


@dataclass(frozen=True)
class Setting:
    """One of the settings of a family or a training."""

    name: str
    value: Any
    meaning: str


def settings_of(config: Any) -> list[Setting]:
    """What a dataclass of settings holds; the meaning is said in its docstring, or in that of a base."""
    meaning: dict[str, str] = {}
    for kind in reversed(type(config).__mro__[:-1]):
        meaning |= _parameters(inspect.getdoc(kind) or "")
    names = [item.name for item in dataclasses.fields(config)]
    return [Setting(name, getattr(config, name), meaning.get(name, "")) for name in names]


def _parameters(text: str) -> dict[str, str]:
    """Names and texts of the section "Parameters" of a docstring; several names may share a text."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.partition("Parameters\n----------\n")[2].splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")]
        for name in names if line.startswith(" ") else ():
            found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found
