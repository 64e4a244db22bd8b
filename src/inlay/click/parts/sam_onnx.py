"""Networks of the SAM family in ONNX files, named as Optimum and onnx-community name them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError, InlayError, MissingExtraError

Field = NDArray[np.float32]
ENCODER, DECODER = "vision_encoder.onnx", "prompt_encoder_mask_decoder.onnx"
USUAL = 1024  # side of the square where the encoder does not say


def files_in(folder: Path) -> Path | None:
    """The folder that holds both files: this one, or `onnx` in it."""
    return next((each for each in (folder, folder / "onnx") if (each / ENCODER).is_file()), None)


class Exported:
    """Two ONNX files as a network that answers clicks.

    Parameters
    ----------
    folder
        Where both lie.
    kind
        `model_type` of the network they were made of.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self._encoder, self._decoder = _session(folder / ENCODER), _session(folder / DECODER)
        self._path = folder / DECODER
        self._takes = [each.name for each in self._decoder.get_inputs()]
        self._gives = [each.name for each in self._encoder.get_outputs()]
        outputs = {each.name for each in self._decoder.get_outputs()}
        if "input_points" not in self._takes or not {"iou_scores", "pred_masks"} <= outputs:
            raise FormatError(
                self._path, "inputs", "takes no input_points, or gives no pred_masks and iou_scores"
            )
        self.padded = kind in ("sam", "sam_hq")
        side = self._encoder.get_inputs()[0].shape[-1]
        self.side = side if isinstance(side, int) else USUAL
        self.cells = self.side // 4

    def embed(self, pixels: Field) -> dict[str, Field]:
        """What the encoder sees in (1, 3, side, side) pixels."""
        return dict(zip(self._gives, _run(self._encoder, ENCODER, self._gives, {"pixel_values": pixels})))

    def answer(
        self,
        embedding: Mapping[str, Field],
        points: Field,
        labels: NDArray[np.int64],
        box: Field | None,
        mask: Field | None,
    ) -> tuple[Field, Field]:
        """Logits (M, h, w) and predicted IoU (M,): as many masks as the file gives; it never sees `mask`."""
        given: dict[str, Any] = {name: values for name, values in embedding.items() if name in self._takes}
        given["input_points"] = points[None, None]
        if "input_labels" in self._takes:
            given["input_labels"] = labels[None, None]
        elif (labels != 1).any():
            raise self._refused("clicks beside the segment")
        if "input_boxes" in self._takes:
            given["input_boxes"] = np.zeros((1, 0, 4), np.float32) if box is None else box.reshape(1, 1, 4)
        elif box is not None:
            raise self._refused("a box")
        if mask is not None and box is None and not len(points):
            raise self._refused("a mask without a click")
        logits, scores = _run(self._decoder, DECODER, ["pred_masks", "iou_scores"], given)
        return logits[0, 0], scores[0, 0]

    def _refused(self, what: str) -> InlayError:
        inputs = ", ".join(self._takes)
        return InlayError(f"{self._path}: the exported network does not take {what}; its inputs are {inputs}")


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise MissingExtraError("onnxruntime", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised
    if not path.is_file():
        raise FormatError(path, "", "there is no such file: the folder is not whole")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exceptions, of a dozen kinds
        raise FormatError(path, "", f"not an ONNX file that can be run ({str(error)[:200]})") from None


def _run(session: Any, name: str, wanted: list[str], given: Mapping[str, Any]) -> list[Any]:
    try:
        found: list[Any] = session.run(wanted, dict(given))
    except Exception as error:  # its own exceptions, of a dozen kinds
        raise InlayError(f"{name} does not run on this prompt ({str(error)[:300]})") from None
    return found
