"""Foresight: how much memory and time a run will take, measured on one crop before the first step."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inlay.core.errors import InlayError
from inlay.training.batches import batch_of
from inlay.training.examples import Example
from inlay.training.hardware import autocast, backend, is_out_of_memory
from inlay.training.learner import Learner
from inlay.training.mixing import mixed
from inlay.training.plan import Plan

COPIES = 5  # of the weights: themselves, their average, gradients, two moments of AdamW
AT_WORK = 1.5  # memory of a step over what is kept for its backward pass: gradients of features, losses


@dataclass(frozen=True)
class Foresight:
    """What a run will take.

    Parameters
    ----------
    seconds
        Of one step.
    crop_bytes
        What one crop keeps for the backward pass.
    weight_bytes
        Weights and all that is as large as they are.
    free_bytes
        Memory of the device that is free; 0 where nobody knows.
    """

    seconds: float
    crop_bytes: int
    weight_bytes: int
    free_bytes: int
    batch: int
    accumulate: int
    images: int
    crops: int

    @property
    def bytes(self) -> int:
        """Memory of a step."""
        return self.weight_bytes + round(AT_WORK * self.crop_bytes * self.batch)

    def words(self, minutes: float | None, iterations: int | None) -> str:
        """In one sentence."""
        steps = iterations if minutes is None else minutes * 60 / max(self.seconds, 1e-9)
        assert steps is not None
        time_words = f"{steps * self.seconds / 60:.1f} minutes" if minutes is None else f"{minutes:g} minutes"
        free = f" of {_size(self.free_bytes)} that are free" if self.free_bytes else ""
        return (
            f"About {self.seconds:.2g} s a step: {steps:.0f} steps in {time_words}, each image seen "
            f"{steps * self.crops / self.images:.1f} times; about {_size(self.bytes)} of memory{free}."
        )

    def refuse_too_much(self) -> None:
        """Raise when a step needs more memory than there is, with a batch that fits."""
        if not self.free_bytes or self.bytes <= self.free_bytes:
            return
        room = self.free_bytes - self.weight_bytes
        fits = int(room / (AT_WORK * self.crop_bytes))
        if fits < 1:
            raise InlayError(
                f"one crop needs about {_size(self.weight_bytes + round(AT_WORK * self.crop_bytes))} of "
                f"memory, {_size(self.free_bytes)} are free: lower training.augment.crop or its widths"
            )
        raise InlayError(
            f"a batch of {self.batch} crops needs about {_size(self.bytes)} of memory, "
            f"{_size(self.free_bytes)} are free: set training.batch = {fits} and training.accumulate = "
            f"{self.accumulate * -(-self.batch // fits)} for steps as large"
        )


def foresee(plan: Plan, learner: Learner) -> Foresight:
    """Try a crop or two on a copy of the network: nothing of the run changes, its random numbers neither."""
    settings = plan.config.training
    before = torch.get_rng_state()
    network = copy.deepcopy(learner.network)
    rng = np.random.default_rng(settings.seed)
    tried = min(settings.batch, 2)  # batch norm needs more than one value
    batch = batch_of([_fullest(plan, rng) for _ in range(tried)]).to(learner.device)
    kept: dict[int, int] = {}

    def weigh(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    best = float("inf")
    try:
        for _ in range(2):  # the first time a device prepares itself
            started = time.perf_counter()
            kept.clear()
            with backend(network, batch.images):
                with torch.autograd.graph.saved_tensors_hooks(weigh, lambda tensor: tensor):
                    with autocast(learner.device, settings.precision):
                        raw = network(batch.images)
                    total = torch.stack(list(network.loss(raw, batch.targets).values())).sum()
                total.backward()  # type: ignore[no-untyped-call]
            float(total.detach())
            best = min(best, time.perf_counter() - started)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise InlayError("two crops do not fit into memory: lower training.augment.crop") from None
    finally:
        torch.set_rng_state(before)
    weights = sum(each.nbytes for each in network.state_dict().values())
    own = {each.untyped_storage().data_ptr() for each in network.state_dict().values()}
    crops = settings.batch * settings.accumulate
    return Foresight(
        seconds=best / tried * crops,
        crop_bytes=sum(size for place, size in kept.items() if place not in own) // tried,
        weight_bytes=COPIES * weights,
        free_bytes=free_memory(learner.device),
        batch=settings.batch,
        accumulate=settings.accumulate,
        images=len(plan.learnt),
        crops=crops * learner.group.count,
    )


def _fullest(plan: Plan, rng: np.random.Generator) -> Example:
    """A crop of the image with most things among a few: it needs most."""
    places = sorted({0, len(plan.learnt) // 2, len(plan.learnt) - 1})
    fullest = max(places, key=lambda place: len(plan.learnt[place].class_id))
    return mixed(plan.learnt, fullest, plan.config.training.augment, rng)


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a device, within the limits of a container; 0 where that cannot be known."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = []
    try:
        lines = [line.split() for line in Path("/proc/meminfo").read_text().splitlines()]
        found += [1024 * int(line[1]) for line in lines if line[0] == "MemAvailable:"]
        group = Path("/sys/fs/cgroup")
        most = (group / "memory.max").read_text().strip()
        if most.isdecimal():
            found.append(int(most) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return max(0, min(found, default=0))


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"
