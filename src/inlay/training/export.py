"""Export: a run as one file for other programs, checked against the run before it is kept."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from inlay.core.errors import InlayError, MissingExtraError
from inlay.core.staging import staged
from inlay.models.parts.pixels import Contrast255, spread_of
from inlay.training.alike import Images, compared, trial_images
from inlay.training.config import config_to_toml
from inlay.training.forward import OnnxForward, TorchForward, calm
from inlay.training.hardware import quiet_threads
from inlay.training.onnx_operations import in_onnx, in_torch
from inlay.training.run import Run
from inlay.training.runtime import OnnxRun

Kind = Literal["onnx", "torch"]
ENDINGS = {"onnx": ".onnx", "torch": ".pt2"}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    path
        The file.
    difference
        Largest difference of its raw outputs from the run's, as a share of the largest value.
    alike
        Least share of the pixels of an image that both predict alike.
    images
        On how many images both were compared.
    """

    path: Path
    difference: float
    alike: float
    images: int

    def __str__(self) -> str:
        megabytes = self.path.stat().st_size / 1e6
        return (
            f"{self.path}: {megabytes:.1f} MB, checked on {self.images} images: raw outputs differ by "
            f"{self.difference:.1e} at most, {self.alike:.2%} of the pixels are predicted alike"
        )


def export(
    run: Run | Path | str, out: Path | str | None = None, *, to: Kind = "onnx", images: Images | None = None
) -> Exported:
    """Write a run as one file that takes images of any size, and check it against the run.

    It takes `images`, (B, 3, H, W) float32 pixels 0 .. 255 in red, green, blue, and gives the raw tensors
    that the model's `decode` makes segmentations of. Of a model with `contrast = "image"` it also takes
    `brightness`, (B, 2) mean and spread of the image that a tile was cut from; zeros: of the tile itself.
    An ONNX file holds its classes and settings, and `predict` takes it in the place of a run folder.

    Parameters
    ----------
    run
        A run, or its folder.
    out
        The file; default: `model.onnx` or `model.pt2` in the run folder.
    to
        "onnx", or "torch" (`torch.export`).
    images
        Images to check with; default: two drawn by lot, and an empty one.

    Raises
    ------
    InlayError
        When the file does not predict what the run predicts; nothing is written then.
    """
    run = run if isinstance(run, Run) else Run(Path(run))
    if to not in ENDINGS:
        raise InlayError(f"cannot export to {to!r}: it can be {' or '.join(ENDINGS)}")
    network = run.network()
    path = run.folder / f"model{ENDINGS[to]}" if out is None else Path(out)
    if path.is_dir():
        raise InlayError(f"{path}: is a folder; name a file in it, such as {path / f'model{ENDINGS[to]}'}")
    with quiet_threads(), staged(path) as part:
        program = traced(network, run.config.training.augment.crop)
        if to == "onnx":
            write_onnx(part, program, facts_of(run))
        else:
            write_torch(part, program)
        forward = OnnxForward(part) if to == "onnx" else TorchForward(part)
        decoder = OnnxRun(part).decoder() if to == "onnx" else network
        checked = images or trial_images(run.config.training.augment.crop, fixed=forward.fixed)
        difference, alike = compared(network, decoder, forward, checked)
    return Exported(path, difference, alike, len(checked))


class Deployed(nn.Module):
    """A network as it is exported: without knowing which image a tile comes from, it is told."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval()
        layers = [
            name
            for name, layer in self.network.named_modules()
            if isinstance(layer, Contrast255) and layer.contrast == "image"
        ]
        self.by_image = bool(layers)
        for name in layers:
            self.network.set_submodule(name, nn.Identity())

    def forward(self, images: Tensor, brightness: Tensor | None = None) -> Any:
        """Pixels (B, 3, H, W) and, where each image has its own contrast, (B, 2) mean and spread -> raw."""
        if brightness is None:
            return self.network(images)
        own_mean, own_spread = spread_of(images)
        told = (brightness[:, 1] > 0).reshape(-1, 1, 1, 1)
        mean, spread = (
            torch.where(told, given.reshape(-1, 1, 1, 1), own)
            for given, own in zip(brightness.unbind(1), (own_mean, own_spread))
        )
        return self.network((images - mean) / (spread + Contrast255.FLOOR))

    def example(self, batch: int, size: tuple[int, int]) -> tuple[Tensor, ...]:
        """Inputs to trace it with."""
        images = torch.rand(batch, 3, *size) * 255
        return (images, torch.zeros(batch, 2)) if self.by_image else (images,)

    def free(self, *, batch: bool, sides: bool) -> tuple[dict[int, Any], ...]:
        """Which axes of its inputs take any length."""
        any_length = torch.export.Dim.DYNAMIC
        first: dict[int, Any] = {0: any_length} if batch else {}
        of_images = {**first, **({2: any_length, 3: any_length} if sides else {})}
        return (of_images, first) if self.by_image else (of_images,)


def traced(network: nn.Module, size: tuple[int, int]) -> torch.export.ExportedProgram:
    """The graph of a network, for batches and images of any size where it can, else for one of `size`.

    Raises
    ------
    InlayError
        When it has no graph, because what it does depends on values.
    """
    deployed, reasons = Deployed(network), []
    # no multiple of a stride, nor as high as wide: else the graph might hold for such images only
    odd = (-(-size[0] // 32) * 32 - 13, -(-size[1] // 32) * 32 + 27)
    with torch.no_grad(), calm():
        for batch, sides in ((True, True), (False, True), (False, False)):
            example = deployed.example(2 if batch else 1, odd if sides else size)
            try:
                return torch.export.export(
                    deployed, example, dynamic_shapes=deployed.free(batch=batch, sides=sides)
                )
            except Exception as error:  # torch raises a dozen kinds of its own
                reasons.append(str(error).split("\n")[0][:200])
    raise InlayError(f"torch.export gives no graph of this model ({reasons[-1]})")


def facts_of(run: Run) -> dict[str, str]:
    """What an exported file says of itself."""
    classes = json.dumps([asdict(row) for row in run.classes.rows])
    return {"inlay.config": config_to_toml(run.config), "inlay.classes": classes}


def write_onnx(path: Path, program: torch.export.ExportedProgram, facts: Mapping[str, str]) -> None:
    """Write a graph as ONNX, with facts that the file is to hold."""
    for needed in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(needed) is None:
            raise MissingExtraError(needed, "onnx")
    signature = program.graph_signature
    outputs = len(signature.user_outputs)
    with torch.no_grad(), calm():
        written = _converted(
            program,
            input_names=["images", "brightness"][: len(signature.user_inputs)],
            output_names=["raw"] if outputs == 1 else [f"raw_{k}" for k in range(outputs)],
        )
        written.model.metadata_props.update(facts)
        written.save(path)


def _converted(
    program: torch.export.ExportedProgram, *, input_names: list[str], output_names: list[str]
) -> torch.onnx.ONNXProgram:
    try:
        written = torch.onnx.export(
            program,
            dynamo=True,
            input_names=input_names,
            output_names=output_names,
            custom_translation_table=in_onnx(),
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).split("\n")[0][:200]
        raise InlayError(f"this model cannot be written as ONNX ({reason}); torch.export may do") from error
    assert written is not None  # it is None with `dynamo=False` alone
    return written


def write_torch(path: Path, program: torch.export.ExportedProgram) -> None:
    """Write a graph as `torch.export` saves it, in operations of torch alone."""
    ours = in_torch()
    with calm(), path.open("wb") as file:
        if any(node.target in ours for node in program.graph.nodes):
            program = program.run_decompositions(ours)
        torch.export.save(program, file)
