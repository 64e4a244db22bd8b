"""Learner: a network with its optimiser and its running average; all that changes while a model trains."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.models.encoders.resnet import read_encoder_weights
from inlay.training.batches import Batch
from inlay.training.checkpoint import load_weights
from inlay.training.config import RunConfig
from inlay.training.hardware import autocast
from inlay.training.schedule import follow, optimiser_of


class Learner:
    """Takes steps.

    Parameters
    ----------
    config
        Settings; `seed` settles the first weights.
    classes
        What the network is to tell apart.
    device
        Where it computes.
    """

    def __init__(self, config: RunConfig, classes: Classes, device: torch.device) -> None:
        torch.manual_seed(config.training.seed)
        network: nn.Module = plugins.load("models", config.model).build(config.family, classes)
        if getattr(config.family, "pretrained", ""):
            read_encoder_weights(Path(config.family.pretrained), network.get_submodule("encoder"))
        self.settings, self.device = config.training, device
        self.network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = optimiser_of(self.network, config.training)
        self.step = 0

    def learn(self, batch: Batch, rate: float) -> dict[str, float]:
        """Take one step; returns the losses.

        Raises
        ------
        InlayError
            When a loss is not a number any more, or memory is too small.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        batch = batch.to(self.device)
        try:
            with autocast(self.device, self.settings.precision):
                raw = self.network(batch.images)
            losses: dict[str, Tensor] = self.network.loss(raw, batch.targets)
            self.optimiser.zero_grad(set_to_none=True)
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        except torch.OutOfMemoryError:
            raise InlayError(
                f"a batch of {len(batch.images)} crops does not fit into memory: "
                "lower training.batch or training.augment.crop"
            ) from None
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        if not all(map(math.isfinite, values.values())):
            raise InlayError(
                f"the loss is not a number in step {self.step + 1} ({values}): lower training.learning_rate "
                f'(now {self.settings.learning_rate}), or set training.precision = "float32"'
            )
        if self.settings.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()
        follow(self.average, self.network, self.settings.average, self.step)
        self.step += 1
        return values

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
        }

    def restore(self, state: Mapping[str, Any], path: Path) -> None:
        """Go back to where `state`, read from `path`, was taken."""
        load_weights(path, self.network, state["network"])
        load_weights(path, self.average, state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        self.step = state["step"]
