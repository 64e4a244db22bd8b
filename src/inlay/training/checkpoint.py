"""Files of a run: weights, state to resume from, classes. Whole or not at all, and never code."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import FormatError
from inlay.core.staging import staged
from inlay.models.parts.weights import read_plain


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path` and move it there: a kill leaves the old file or the new one."""
    with staged(path) as part:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    replace_file(path, lambda part: part.write_text(text, encoding="utf-8"))


def write_classes(path: Path, classes: Classes) -> None:
    """Write classes as a JSON list of their fields, in row order."""
    write_text(path, json.dumps([dataclasses.asdict(item) for item in classes.rows], indent=1) + "\n")


def read_classes(path: Path) -> Classes:
    """The classes of `write_classes`.

    Raises
    ------
    FormatError
        When the file is missing or not such a list.
    """
    try:
        return classes_from(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise FormatError(
            path, "", "not a run folder: there is no classes.json (make one with `inlay train`)"
        ) from None
    except (ValueError, TypeError) as error:
        raise FormatError(path, "", f"not a list of classes ({error})") from None


def classes_from(rows: Sequence[Mapping[str, Any]]) -> Classes:
    """Classes of a list of their fields, in row order."""
    return Classes(tuple(_class(row) for row in rows))


def _class(row: Mapping[str, Any]) -> SegmentClass:
    colour = row.get("colour")
    return SegmentClass(**{**row, "colour": None if colour is None else tuple(colour)})


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write named tensors as safetensors."""
    from safetensors.torch import save_file

    dense = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    replace_file(path, lambda part: save_file(dense, part))


def read_weights(path: Path, network: nn.Module) -> None:
    """Put the tensors of a safetensors file into a network.

    Raises
    ------
    FormatError
        When the file is no safetensors, or its tensors are not those of the network.
    """
    if not path.exists():
        raise FormatError(path, "", "there are no weights; has the run reached its first validation?")
    weights = read_plain(path)
    load_weights(path, network, weights)


def load_weights(path: Path, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put tensors into a network whose names and shapes they must have."""
    own = network.state_dict()
    for name, tensor in own.items():
        if name not in weights:
            raise FormatError(
                path, name, "the tensor is missing: the weights belong to other settings of the model"
            )
        if weights[name].shape != tensor.shape:
            raise FormatError(
                path,
                name,
                f"shape {tuple(weights[name].shape)}, the model has {tuple(tensor.shape)}: "
                "the weights belong to other classes or settings",
            )
    extra = next((name for name in weights if name not in own), None)
    if extra is not None:
        raise FormatError(path, extra, "the model has no such tensor: the weights belong to other settings")
    network.load_state_dict(weights)


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write what a run needs to go on: tensors, numbers, strings, and containers of them."""
    replace_file(path, lambda part: torch.save(dict(state), part))


def read_state(path: Path) -> dict[str, Any]:
    """The state of `write_state`; a file that holds code is refused.

    Raises
    ------
    FormatError
        When the file is broken or holds anything but plain data.
    """
    state = read_plain(path)
    if not isinstance(state, dict):
        raise FormatError(path, "", "not the state of a run; delete it to start the run anew")
    return state
