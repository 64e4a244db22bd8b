"""Weights of encoders from local files, under the names that torchvision, timm and transformers give them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from inlay.core.errors import FormatError
from inlay.models.parts.weights import read_plain

WRAPPINGS = ("state_dict", "model", "model_state_dict")  # keys under which others put the tensors
PREFIXES = ("module.", "encoder.", "backbone.", "model.")


def read_encoder_weights(path: Path, encoder: nn.Module) -> None:
    """Put weights of a local file (safetensors, or torch without code) into an encoder, but for a classifier.

    Raises
    ------
    FormatError
        When the file is missing, holds code, or lacks a tensor of the encoder or has it in another shape.
    """
    weights = read_plain(path)
    for key in WRAPPINGS:
        weights = weights.get(key, weights) if isinstance(weights, Mapping) else weights
    if not isinstance(weights, Mapping):
        raise FormatError(path, "", "not a mapping of names to tensors")
    own = encoder.state_dict()
    weights = fitting(weights, encoder)
    fresh = tuple(getattr(encoder, "fresh", ()))
    for name, tensor in own.items():
        if (
            name not in weights
            and not name.endswith("num_batches_tracked")
            and not name.startswith(fresh or "?")
        ):
            raise FormatError(path, name, _missing(encoder))
        if name in weights and weights[name].shape != tensor.shape:
            raise FormatError(
                path, name, f"shape {tuple(weights[name].shape)}, the encoder has {tuple(tensor.shape)}"
            )
    encoder.load_state_dict({name: weights.get(name, tensor) for name, tensor in own.items()})


def fitting(weights: Mapping[str, Tensor], encoder: nn.Module) -> Mapping[str, Tensor]:
    """The tensors under the encoder's own names, whichever known way they are named in the file."""
    own = set(encoder.state_dict())
    rename = getattr(encoder, "renamed", dict)
    candidates = [weights, rename(weights)]
    for prefix in PREFIXES:
        inner = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
        candidates += [inner, rename(inner)]
    return max(candidates, key=lambda each: len(own & each.keys()))


def _missing(encoder: nn.Module) -> str:
    norms = any(isinstance(module, nn.GroupNorm) for module in encoder.modules())
    if norms:
        return 'the tensor is missing: published weights have batch norms, set norm = "batch"'
    return "the tensor is missing: the file is for another encoder, or names its tensors in an unknown way"
