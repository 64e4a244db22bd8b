"""How far a run is, how large its steps are, and the running average of its weights."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor, nn

from inlay.core.errors import InlayError
from inlay.training.config import Training


class Budget:
    """The end of a run: after so many minutes, or so many steps. Time of earlier, killed parts counts."""

    def __init__(self, minutes: float | None, iterations: int | None, spent: float = 0.0) -> None:
        if (minutes is None) == (iterations is None):
            raise InlayError("a run needs either `minutes` or `iterations`: for example minutes=30")
        if (minutes if minutes is not None else iterations or 0) <= 0:
            raise InlayError(f"a run of {minutes if minutes is not None else iterations} is empty; give more")
        self.minutes, self.iterations = minutes, iterations
        self._start = time.monotonic() - spent

    def seconds(self) -> float:
        """Seconds spent so far, in all parts of the run."""
        return time.monotonic() - self._start

    def share(self, step: int, reserve: float = 0.0) -> float:
        """0 at the start, 1 when `step` is the end; `reserve` seconds are kept back for what follows."""
        if self.iterations is not None:
            return min(1.0, step / self.iterations)
        assert self.minutes is not None
        return min(1.0, self.seconds() / max(1e-9, self.minutes * 60 - reserve))

    def progress(self, step: int) -> tuple[int, int]:
        """(done, total) in steps, or in seconds."""
        if self.iterations is not None:
            return step, self.iterations
        assert self.minutes is not None
        total = round(self.minutes * 60)
        return min(total, int(self.seconds())), total


def rate(share: float, settings: Training) -> float:
    """The learning rate when `share` of the run is done."""
    if share < settings.warm_up:
        return settings.learning_rate * max(share / settings.warm_up, 0.01)
    left = 1.0 - (share - settings.warm_up) / (1.0 - settings.warm_up)
    if settings.schedule == "cosine":
        return settings.learning_rate * 0.5 * (1.0 - math.cos(math.pi * left))
    return float(settings.learning_rate * left**0.9)


def optimiser_of(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """AdamW that decays the weights of convolutions and leaves norms and biases alone."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights towards the network's; fast at first, by `decay` later."""
    keep = min(decay, (1 + step) / (10 + step))
    ours, theirs = average.state_dict(), network.state_dict()
    floats = [name for name, tensor in theirs.items() if tensor.is_floating_point()]
    here: list[Tensor] = [ours[name] for name in floats]
    torch._foreach_lerp_(here, [theirs[name] for name in floats], 1.0 - keep)
    for name in theirs.keys() - set(floats):
        ours[name].copy_(theirs[name])
