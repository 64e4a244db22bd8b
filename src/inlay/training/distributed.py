"""Several processes that train one model: who they are, and what they tell each other.

`torchrun` starts them and names them in the environment. After each step all hold the same weights, so that
any one of them could write the checkpoint; the first one does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from inlay.core.errors import InlayError


@dataclass(frozen=True)
class Group:
    """The processes of a run.

    Parameters
    ----------
    rank
        Number of this process.
    count
        How many there are.
    local
        Number of this process on its machine, which is that of its GPU.
    """

    rank: int = 0
    count: int = 1
    local: int = 0

    @property
    def leads(self) -> bool:
        """Whether this process writes files and decides when to stop."""
        return self.rank == 0

    def device(self, wanted: str) -> str:
        """The device of this process: each has a GPU of its own."""
        several = self.count > 1 and wanted in ("auto", "cuda") and torch.cuda.is_available()
        return f"cuda:{self.local}" if several else wanted

    def agree(self, value: float) -> float:
        """What the first process says."""
        if self.count == 1:
            return value
        told = [value]
        distributed.broadcast_object_list(told, src=0)
        return told[0]

    def gathered(self, mine: Sequence[Any]) -> list[Any]:
        """The things of all processes, each of which holds every `count`-th, in their order."""
        if self.count == 1:
            return list(mine)
        parts: list[Any] = [None] * self.count
        distributed.all_gather_object(parts, list(mine))
        longest = max(len(part) for part in parts)
        return [part[place] for place in range(longest) for part in parts if place < len(part)]

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their mean over all processes."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.count
        start = 0
        for tensor in tensors:
            tensor.detach().copy_(flat[start : start + tensor.numel()].reshape(tensor.shape))
            start += tensor.numel()

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def joined(device: str) -> Iterator[Group]:
    """The group that the environment names (`torchrun` does); one process alone where it names none.

    Raises
    ------
    InlayError
        When the other processes cannot be reached.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or "RANK" not in os.environ:
        yield Group()
        return
    group = Group(int(os.environ["RANK"]), count, int(os.environ.get("LOCAL_RANK", "0")))
    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(group.local)
    try:
        distributed.init_process_group("nccl" if on_gpu else "gloo", rank=group.rank, world_size=count)
    except (RuntimeError, ValueError) as error:
        raise InlayError(
            f"process {group.rank} of {count} cannot reach the others ({error}): start all with torchrun"
        ) from None
    try:
        yield group
    finally:
        distributed.destroy_process_group()


def gradients(network: nn.Module) -> list[Tensor]:
    """The gradient of each parameter, zeros where a step did not use it: all processes have the same list."""
    found = []
    for parameter in network.parameters():
        if parameter.requires_grad:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            found.append(parameter.grad)
    return found


def statistics(network: nn.Module) -> list[Tensor]:
    """Buffers that batches change, as the running means of batch norm."""
    return [buffer for buffer in network.buffers() if buffer.is_floating_point()]
