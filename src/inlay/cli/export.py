"""`inlay export`: a trained model as one file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def export(run: Path, /, *, out: Path | None = None, to: Literal["onnx", "torch"] = "onnx") -> int:
    """Write a trained model as one file for ONNX Runtime or torch.export, checked against the run.

    Example: `inlay export runs/street`, then `inlay predict runs/street/model.onnx photos --out found`

    Parameters
    ----------
    run
        Run folder of `inlay train`.
    out
        File to write; default: `model.onnx` or `model.pt2` in the run folder.
    to
        "onnx" needs `pip install 'inlay[onnx]'`.
    """
    from inlay.training.export import export as write_file

    print(write_file(run, out, to=to))
    return 0
