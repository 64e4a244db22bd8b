"""Where and how exactly to compute."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import cv2
import torch
from torch import Tensor, nn

from inlay.core.errors import InlayError

WIDE_ENOUGH, SMALL_ENOUGH = 16, 128 * 128  # channels, pixels: see `backend`


def pick_device(wanted: str) -> torch.device:
    """The device of that name; "auto" takes a GPU where there is one.

    Raises
    ------
    InlayError
        When torch has no such device here.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InlayError(f'device {wanted!r} is not at hand here; use device = "auto" or "cpu"') from None
    return device


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the hardware has bfloat16 units; emulated ones are slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, so its absence must do no harm
    return device.type == "cpu" and probe is not None and bool(probe())


def low_precision(device: torch.device, precision: str) -> torch.dtype | None:
    """What convolutions compute in, `None` for float32; GPUs without bfloat16 units take float16."""
    if precision == "auto":
        if multiplies_bfloat16(device):
            return torch.bfloat16
        return torch.float16 if device.type == "cuda" else None
    return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(precision)


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """A context in which convolutions run in the wanted precision."""
    low = low_precision(device, precision)
    return nullcontext() if low is None else torch.autocast(device.type, low)


@contextmanager
def backend(network: nn.Module, images: Tensor) -> Iterator[None]:
    """A context in which steps of a network do no harm: without oneDNN where that spoils memory.

    oneDNN of torch 2.13 writes beyond its own in backward passes over large crops when the first layer has
    less than 16 channels: the process dies, or worse. Such networks are small enough to do without.
    """
    first = next((layer for layer in network.modules() if isinstance(layer, nn.Conv2d)), None)
    narrow = first is not None and first.out_channels < WIDE_ENOUGH
    large = images.shape[-2] * images.shape[-1] > SMALL_ENOUGH
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = before and not (narrow and large)  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this error says that memory is used up, on whichever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = str(error)  # of the allocators of torch's CPU and of OpenCV
    return "allocate memory" in words or "Insufficient memory" in words or "out of memory" in words


def describe(device: torch.device, precision: str) -> str:
    """The device and precision in words, for the model card."""
    low = low_precision(device, precision)
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} threads"
    )
    return f"{name}, {str(low or torch.float32).removeprefix('torch.')}"


@contextmanager
def quiet_threads() -> Iterator[None]:
    """OpenCV on one thread, since torch wants the cores, and numbers too small to matter as zero."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        torch.set_flush_denormal(False)


def keep_memory() -> None:
    """Ask the C library to keep freed memory, as each training step frees and takes the same again.

    Without it each step of a small network has the kernel clear some 80 MB of pages anew, 8 % of its time. A
    library that is not glibc is left alone.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        most_mapped, trim_threshold = -4, -1  # names of the settings in malloc.h
        mallopt(most_mapped, 0)
        mallopt(trim_threshold, 2**31 - 1)
