"""Small networks of plain layers: what weighs the measured features, and what predicts an IoU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layers:
    """Weights (inputs, outputs) and biases of layers; all but the last are cut off at zero."""

    weights: Sequence[Field]
    biases: Sequence[Field]

    def __call__(self, columns: Field) -> Field:
        """(..., inputs) -> (...): one number for each row."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            columns = np.maximum(columns @ weight + bias, 0)
        return (columns @ self.weights[-1] + self.biases[-1])[..., 0]


def read_layers(path: Path) -> dict[str, Layers]:
    """Named layers of a file of `write_layers`."""
    with np.load(path, allow_pickle=False) as file:
        names = sorted({key.split("/")[0] for key in file.files})

        def numbered(name: str, what: str) -> list[Field]:
            keys = sorted(key for key in file.files if key.startswith(f"{name}/{what}/"))
            return [file[key].astype(np.float32) for key in keys]

        return {name: Layers(numbered(name, "weight"), numbered(name, "bias")) for name in names}


def write_layers(path: Path, layers: Mapping[str, Layers]) -> None:
    """Write named layers as plain arrays."""
    arrays = {}
    for name, each in layers.items():
        for number, (weight, bias) in enumerate(zip(each.weights, each.biases)):
            arrays[f"{name}/weight/{number}"] = weight.astype(np.float32)
            arrays[f"{name}/bias/{number}"] = bias.astype(np.float32)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
