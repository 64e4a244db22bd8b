"""Pretrained networks in the place of a run: a folder that transformers wrote, or its name on the hub."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from inlay.core.classes import Classes
from inlay.core.errors import FormatError
from inlay.models.parts.tasks import task_of
from inlay.models.pretrained.folder import folder_of, is_hub, read_config
from inlay.models.pretrained.kinds import classes_named, task_named
from inlay.models.pretrained.look import read_look
from inlay.models.pretrained.network import NETWORKS, open_pretrained
from inlay.training.checkpoint import read_classes
from inlay.training.hardware import pick_device
from inlay.training.segmenting import Segmenter

ONLY = {"segformer": "semantic", "rf_detr": "instance"}  # networks that have one task


def is_pretrained(where: Path | str) -> bool:
    """Whether this names a pretrained network, and no run of ours."""
    path = Path(where)
    return is_hub(where) or ((path / "config.json").is_file() and not (path / "config.toml").exists())


@dataclass(frozen=True)
class PretrainedRun:
    """A folder with `config.json` and weights.

    Its classes are those of `id2label`; a `classes.json` beside it, as a run has one, says more of them:
    which are things and which stuff, and their colours.

    Parameters
    ----------
    where
        The folder, or "hub:OWNER/NAME".
    """

    where: Path | str

    @cached_property
    def folder(self) -> Path:
        """Where it lies, once it is fetched."""
        return folder_of(self.where)

    @cached_property
    def kind(self) -> str:
        """The kind of network.

        Raises
        ------
        FormatError
            When it is none that can be read here.
        """
        kind: str = read_config(self.folder)["model_type"]
        if kind not in NETWORKS:
            raise FormatError(
                self.folder / "config.json",
                "model_type",
                f"is {kind!r}; networks that predict are {', '.join(NETWORKS)}",
            )
        return kind

    @cached_property
    def _named_task(self) -> str:
        if read_look(self.folder, self.kind).split:
            return "semantic"
        return ONLY.get(self.kind) or task_named(self.folder, self.where)

    @property
    def task(self) -> str:
        """What it is asked for, as `inlay.models.parts.tasks` names it: by its name, or by its classes."""
        return task_of("any", self._named_task, self.classes)

    @cached_property
    def classes(self) -> Classes:
        """The classes that the network knows."""
        own = self.folder / "classes.json"
        if own.is_file():
            return read_classes(own)
        config = read_config(self.folder)
        names = config.get("id2label", {0: "LABEL_0", 1: "LABEL_1"})  # transformers leaves its default out
        try:
            return classes_named({int(number): name for number, name in names.items()}, self._named_task)
        except (AttributeError, ValueError):
            raise FormatError(
                self.folder / "config.json", "id2label", "does not give each class number a name"
            ) from None

    def network(self) -> nn.Module:
        """The network, ready to predict."""
        return open_pretrained(self.folder, self.kind, self.classes, self.task)

    def segmenter(self, device: str = "auto", precision: str = "float32") -> Segmenter:
        """What looks at images with this network."""
        place = pick_device(device)
        network = self.network().to(place)
        return Segmenter(network, torch.device(place), precision)
