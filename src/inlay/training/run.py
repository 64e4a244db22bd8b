"""Run: a folder with a trained model, and everything needed to use it and to trust it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.errors import FormatError
from inlay.models.parts.folding import fold
from inlay.training.checkpoint import read_classes, read_weights
from inlay.training.config import RunConfig, read_config
from inlay.training.hardware import pick_device
from inlay.training.segmenting import Segmenter


@dataclass(frozen=True)
class Run:
    """A run folder: `config.toml`, `classes.json`, `model.safetensors`, `log.jsonl`, model card `README.md`.

    Parameters
    ----------
    folder
        Where it lies.
    """

    folder: Path

    @cached_property
    def classes(self) -> Classes:
        """The classes that the model knows."""
        return read_classes(self.folder / "classes.json")

    @cached_property
    def config(self) -> RunConfig:
        """The settings it was trained with."""
        return read_config(self.folder / "config.toml")

    @property
    def log(self) -> list[dict[str, Any]]:
        """What training wrote down: one mapping a line, of losses or of a validation."""
        path = self.folder / "log.jsonl"
        if not path.is_file():
            raise FormatError(path, "", "not a run folder: there is no log")
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    @property
    def validations(self) -> list[dict[str, Any]]:
        """The lines of the log that judge the model."""
        return [line for line in self.log if "judged" in line]

    @property
    def best(self) -> Mapping[str, Any]:
        """The validation of the weights that were kept; empty when there was none."""
        return max(self.validations, key=lambda line: line["judged"], default={})

    def network(self) -> nn.Module:
        """The model with its weights, ready to predict.

        Raises
        ------
        FormatError
            When the folder is no run, or its weights are broken or belong to another model.
        """
        classes, config = self.classes, self.config
        network: nn.Module = plugins.load("models", config.model).build(config.family, classes)
        read_weights(self.folder / "model.safetensors", network)
        return network.eval()

    def segmenter(self, device: str = "auto", precision: str = "float32") -> Segmenter:
        """What looks at images with this model."""
        place = pick_device(device)
        network = fold(self.network()).to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return Segmenter(network, place, precision)

    def __str__(self) -> str:
        best = ", ".join(
            f"{k} {v:.3f}"
            for k, v in self.best.items()
            if isinstance(v, float) and k not in ("judged", "seconds")
        )
        return f"{self.config.model} in {self.folder}: {best or 'not validated'} (on validation images)"
