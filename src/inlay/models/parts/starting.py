"""Where a network starts from: published weights of its encoder, or of the whole of it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from inlay.core.errors import FormatError
from inlay.models.encoders.weights import read_encoder_weights
from inlay.models.parts.weights import read_plain

FILE = "model.safetensors"  # in a folder that transformers wrote


def start_from(path: Path, network: nn.Module) -> None:
    """Put published weights into a network: all that fit it, or those of its encoder.

    Of a whole network (which the family knows by `renamed`) the tensors it names `ANEW`, such as those of the
    classes, may have other shapes: they keep fresh values, but for rows that both have where it names them
    `ROWS`.

    Raises
    ------
    FormatError
        When the file is missing or broken, or is of another network.
    """
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
