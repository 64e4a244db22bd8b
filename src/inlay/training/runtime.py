"""Exported models: an ONNX file in the place of a run folder, computed by ONNX Runtime."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.errors import FormatError, InlayError, MissingExtraError
from inlay.models.parts.pixels import Contrast255
from inlay.training.checkpoint import classes_from
from inlay.training.config import RunConfig, config_from
from inlay.training.forward import OnnxForward
from inlay.training.hardware import pick_device
from inlay.training.segmenting import Segmenter


@dataclass(frozen=True)
class OnnxRun:
    """A model in an ONNX file that `inlay export` wrote.

    Parameters
    ----------
    path
        The file.
    """

    path: Path

    @cached_property
    def _forward(self) -> OnnxForward:
        if not self.path.is_file():
            raise FormatError(self.path, "", "there is no such file")
        try:
            return OnnxForward(self.path)
        except MissingExtraError:
            raise
        except Exception as error:  # ONNX Runtime has a dozen kinds, all its own
            first = str(error).split("\n")[0][:200]
            raise FormatError(self.path, "", f"not an ONNX file that can be run ({first})") from None

    def _told(self, key: str) -> str:
        if key not in self._forward.facts:
            raise FormatError(
                self.path, key, "the file does not say what its outputs mean: write it with `inlay export`"
            )
        return self._forward.facts[key]

    @cached_property
    def classes(self) -> Classes:
        """The classes that the model knows."""
        try:
            return classes_from(json.loads(self._told("inlay.classes")))
        except (ValueError, TypeError) as error:
            raise FormatError(self.path, "inlay.classes", f"not a list of classes ({error})") from None

    @cached_property
    def config(self) -> RunConfig:
        """The settings it was trained with."""
        try:
            return config_from(tomllib.loads(self._told("inlay.config")))
        except (tomllib.TOMLDecodeError, InlayError) as error:
            raise FormatError(self.path, "inlay.config", str(error)) from None

    def decoder(self) -> nn.Module:
        """The model without its weights, which decodes what ONNX Runtime computes.

        Raises
        ------
        InlayError
            When the family needs weights to decode.
        """
        with torch.device("meta"):
            network: nn.Module = plugins.load("models", self.config.model).build(
                self.config.family, self.classes
            )
        network.eval()
        size = (32, 32)
        try:
            with torch.inference_mode():
                network.decode(self._forward(torch.zeros(1, 3, *size)), [size])  # type: ignore[operator]
        except (RuntimeError, NotImplementedError) as error:
            if "meta" not in str(error):
                raise
            raise InlayError(
                f"{self.config.model} decodes with weights of its own, which an ONNX file of its features "
                'lacks: use the run folder, or export to "torch"'
            ) from None
        return network

    def segmenter(self, device: str = "auto", precision: str = "float32") -> Segmenter:
        """What looks at images with this model."""
        if device not in ("auto", "cpu"):
            raise InlayError(f"{self.path.name} runs on the CPU; for device {device!r} give the run folder")
        network, forward = self.decoder(), self._forward
        layers = [module for module in network.modules() if isinstance(module, Contrast255)]

        def run(images: Sequence[NDArray[np.uint8]]) -> Any:
            pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().contiguous()
            told = next((layer.whole for layer in layers if layer.whole is not None), (0.0, 0.0))
            return forward(pixels, told)

        return Segmenter(network, pick_device("cpu"), precision, forward=run)
