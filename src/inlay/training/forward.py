"""Exported files as functions from images to the raw output that a model decodes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from inlay.core.errors import InlayError, MissingExtraError


@contextmanager
def calm() -> Iterator[None]:
    """While it lasts, the exporter's remarks on its own workings are not shown."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def fitted(
    compute: Callable[[Tensor], tuple[Tensor, ...]], images: Tensor, shape: tuple[int | None, ...]
) -> Any:
    """What `compute` gives for images, when it takes a fixed shape: one image after the other, padded.

    Raises
    ------
    InlayError
        When they are larger.
    """
    batch, _, height, width = shape
    if height is not None and width is not None:
        low, wide = images.shape[2], images.shape[3]
        if low > height or wide > width:
            raise InlayError(
                f"the exported model takes images of up to {width}x{height} pixels, not {wide}x{low}: "
                f"give tiles, `--tile {min(height, width)}` (tile={min(height, width)})"
            )
        images = F.pad(images, (0, width - wide, 0, height - low))
    parts = [images[k : k + 1] for k in range(len(images))] if batch == 1 else [images]
    raw = tuple(torch.cat(each) for each in zip(*map(compute, parts), strict=True))
    return raw[0] if len(raw) == 1 else raw


class OnnxForward:
    """An ONNX file as a function from images to raw tensors, on the CPU."""

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        if find_spec("onnxruntime") is None:
            raise MissingExtraError("onnxruntime", "onnx")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = self.session.get_inputs()
        self._names = [item.name for item in inputs]
        self._shape = tuple(each if isinstance(each, int) else None for each in inputs[0].shape)

    @property
    def fixed(self) -> bool:
        """Whether it takes images up to one size only."""
        return self._shape[2] is not None

    @property
    def facts(self) -> dict[str, str]:
        """What the file says of itself."""
        found: dict[str, str] = self.session.get_modelmeta().custom_metadata_map
        return found

    def __call__(self, images: Tensor, brightness: tuple[float, float] = (0.0, 0.0)) -> Any:
        """(B, 3, H, W) -> the raw output that `decode` takes."""

        def compute(part: Tensor) -> tuple[Tensor, ...]:
            given = {"images": part.numpy(), "brightness": np.array([brightness] * len(part), np.float32)}
            wanted = {name: given[name] for name in self._names}
            return tuple(torch.from_numpy(each) for each in self.session.run(None, wanted))

        return fitted(compute, images, self._shape)


class TorchForward:
    """A file of `torch.export` as a function from images to raw tensors."""

    def __init__(self, path: Path) -> None:
        with calm(), path.open("rb") as file:
            program = torch.export.load(file)
        names = program.graph_signature.user_inputs
        node = next(node for node in program.graph.nodes if node.name == names[0])
        self._shape = tuple(each if isinstance(each, int) else None for each in node.meta["val"].shape)
        self._module, self._told = program.module(), len(names) > 1

    @property
    def fixed(self) -> bool:
        """Whether it takes images up to one size only."""
        return self._shape[2] is not None

    def __call__(self, images: Tensor, brightness: tuple[float, float] = (0.0, 0.0)) -> Any:
        """(B, 3, H, W) -> the raw output that `decode` takes."""

        def compute(part: Tensor) -> tuple[Tensor, ...]:
            raw = self._module(part, *([torch.tensor([brightness] * len(part))] if self._told else []))
            return (raw,) if isinstance(raw, Tensor) else tuple(raw)

        return fitted(compute, images, self._shape)
