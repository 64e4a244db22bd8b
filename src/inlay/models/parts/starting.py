"""Where a network starts from: an earlier run, or published weights of its encoder or of the whole of it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from inlay.core.errors import FormatError
from inlay.models.encoders.weights import read_encoder_weights
from inlay.models.parts.weights import read_plain

FILE = "model.safetensors"  # in a run folder, and in one that transformers wrote
RUN = "config.toml"  # tells a run folder from the others


def start_from(path: Path, network: nn.Module) -> None:
    """Put weights into a network: those of an earlier run that fit, or published ones.

    The run may be of other classes, or of another family with the same encoder. Of a whole published network
    (which the family knows by `renamed`) the tensors it names `ANEW`, such as those of the classes, may have
    other shapes: they keep fresh values, but for rows that both have where it names them `ROWS`.

    Raises
    ------
    FormatError
        When the file is missing or broken, or is of another network.
    """
    if (path / RUN).is_file():
        _start_from_run(path / FILE, network)
        return
    path = path / FILE if path.is_dir() else path
    renamed = getattr(network, "renamed", None)
    whole = renamed(read_plain(path)) if renamed is not None else {}
    if not whole:
        read_encoder_weights(path, network.get_submodule("encoder"))
        return
    own = network.state_dict()
    anew, by_rows = tuple(getattr(network, "ANEW", ())), tuple(getattr(network, "ROWS", ()))
    for name, tensor in own.items():
        given = whole.get(name)
        if given is not None and given.shape == tensor.shape:
            own[name] = given
        elif given is not None and name in by_rows and given.shape[1:] == tensor.shape[1:]:
            count = min(len(given), len(tensor))
            own[name] = torch.cat([given[:count], tensor[count:]])
        elif not name.startswith(anew or "?") and not name.endswith("num_batches_tracked"):
            shape = "is missing" if given is None else f"has shape {tuple(given.shape)}"
            raise FormatError(
                path,
                name,
                f"{shape}, the network has {tuple(tensor.shape)}: set encoder, head and the like as the file "
                "has them",
            )
    network.load_state_dict(own)


def _start_from_run(path: Path, network: nn.Module) -> None:
    """Take each tensor that the run has under the same name and in the same shape; the others stay fresh."""
    own, given = network.state_dict(), read_plain(path)
    fit = {name: given[name] for name, tensor in own.items() if _shape(given.get(name)) == tensor.shape}
    for name, tensor in own.items():
        if name.startswith("encoder.") and name not in fit:
            found = "is missing" if name not in given else f"has shape {tuple(given[name].shape)}"
            raise FormatError(
                path,
                name,
                f"{found}, the network has {tuple(tensor.shape)}: set encoder, widths and depths as in the "
                f"{RUN} of the run",
            )
    network.load_state_dict({**own, **fit})


def _shape(tensor: torch.Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape
