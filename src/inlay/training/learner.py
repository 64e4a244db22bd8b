"""Learner: a network with its optimiser and its running average; all that changes while a model trains."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.models.parts.starting import start_from
from inlay.training.batches import Batch
from inlay.training.checkpoint import load_weights
from inlay.training.config import RunConfig
from inlay.training.distributed import Group, gradients, statistics
from inlay.training.hardware import autocast, backend, is_out_of_memory, low_precision
from inlay.training.schedule import follow, optimiser_of
from inlay.training.teacher import taught


class DivergedError(InlayError):
    """A loss is not a number any more."""


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
    group
        The processes that learn together.
    """

    def __init__(
        self, config: RunConfig, classes: Classes, device: torch.device, group: Group | None = None
    ) -> None:
        torch.manual_seed(config.training.seed)
        network: nn.Module = plugins.load("models", config.model).build(config.family, classes)
        if getattr(config.family, "pretrained", ""):
            start_from(Path(config.family.pretrained), network)
        self.settings, self.device, self.group = config.training, device, group or Group()
        self.network = network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = optimiser_of(self.network, config.training)
        self.scaler = torch.amp.GradScaler(
            device.type, enabled=low_precision(device, self.settings.precision) == torch.float16
        )
        self.step = 0

    def reach(self, share: float) -> None:
        """Tell the network how much of the run is done, if it wants to know."""
        if hasattr(self.network, "reach"):
            self.network.reach(share)

    def learn(self, batches: Sequence[Batch], rate: float, *, teaching: bool = False) -> dict[str, float]:
        """Take one step on the mean of some batches; returns the losses, means over them and all processes.

        Parameters
        ----------
        teaching
            Whether the running average labels the unlabelled crops, which are left out otherwise.

        Raises
        ------
        DivergedError
            When a loss is not a number any more.
        InlayError
            When memory is too small.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        if teaching:
            batches = [taught(batch, self.average, self.settings, self.device) for batch in batches]
        several = [self._backward(batch, 1 / len(batches)) for batch in batches]
        values = {name: sum(each[name] for each in several) for name in several[0]}
        self._refuse_no_number(values)
        told = torch.tensor(list(values.values()), device=self.device)
        if self.group.count > 1:
            self.group.average([*gradients(self.network), *statistics(self.network), told])
        if self.settings.clip:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        follow(self.average, self.network, self.settings.average, self.step)
        self.step += 1
        return dict(zip(values, told.tolist())) if self.group.count > 1 else values

    def _backward(self, batch: Batch, share: float) -> dict[str, float]:
        """Add `share` of the gradient of a batch; returns that share of its losses."""
        batch = batch.to(self.device)
        try:
            with backend(self.network, batch.images):
                with autocast(self.device, self.settings.precision):
                    raw = self.network(batch.images)
                losses: dict[str, Tensor] = self.network.loss(raw, batch.targets)
                self.scaler.scale(torch.stack(list(losses.values())).sum() * share).backward()  # type: ignore[no-untyped-call]
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise InlayError(self._too_large(len(batch.images))) from None
        return {name: float(loss.detach()) * share for name, loss in losses.items()}

    def _too_large(self, count: int) -> str:
        less = max(1, count // 2)
        return (
            f"a batch of {count} crops does not fit into memory: lower training.batch (to {less}, with "
            f"training.accumulate = {self.settings.accumulate * -(-count // less)} for the same steps) or "
            "training.augment.crop"
        )

    def _refuse_no_number(self, values: Mapping[str, float]) -> None:
        if not all(map(math.isfinite, values.values())):
            raise DivergedError(
                f"the loss is not a number in step {self.step + 1} ({values}): lower training.learning_rate "
                f'(now {self.settings.learning_rate}), or set training.precision = "float32"'
            )

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "random": torch.get_rng_state(),
        }

    def restore(self, state: Mapping[str, Any], path: Path) -> None:
        """Go back to where `state`, read from `path`, was taken."""
        load_weights(path, self.network, state["network"])
        load_weights(path, self.average, state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"])
        self.step = state["step"]
