"""Click to segment with a network that `inlay train --model click` made: its run folder, or an ONNX file.

The network looks at windows round the segment, always at the same small size (the zoom-in of FocalClick): a
small segment is seen as finely as a large one, and a click costs the same in an image of any size. Its
answers are averaged with those of the classical engine, which errs in other places and finds the scale of a
first click; a network that has seen enough to do without says so (`click.classical = 0`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.click import classical
from inlay.click.parts.features import cues_of
from inlay.click.parts.prompt import Click
from inlay.click.parts.pyramid import Pyramid
from inlay.click.parts.shape import Shape
from inlay.click.parts.state import SCALES as ALL_SCALES
from inlay.click.parts.state import Ask, State, around
from inlay.click.parts.trim import reaches, trimmed
from inlay.core.errors import FormatError, InlayError, MissingExtraError
from inlay.models.cues import CERTAIN, MAPS, SPREAD, STRIDE, cells_of
from inlay.models.cues.windows import LARGEST, SIDE, Size, grid_of

WEIGHTS = "INLAY_CLICK_NETWORK"  # names the run folder or ONNX file that "network" stands for
SCALES = 3  # windows of a first click of a network alone: each costs a pass of it
UNSURE = 2  # clicks after which the segment is still likely to be of another size than its window
SHARE = "classical"  # of the classical engine in an answer, as ONNX files name it

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Weights:
    """A click network as it is run.

    Parameters
    ----------
    answer
        Images (N, 3, SIDE, SIDE) and maps (N, MAPS, h, w) -> logits of masks (N, h, w) and of scores (N,).
    classical
        Share of the classical engine in an answer.
    """

    answer: Callable[[Field, Field], tuple[Field, Field]]
    classical: float


def ready() -> bool:
    """Whether weights are at hand: `INLAY_CLICK_NETWORK` names them."""
    return bool(os.environ.get(WEIGHTS))


def opens(path: Path) -> bool:
    """Whether a file or folder holds a click network."""
    if path.suffix == ".onnx":
        return path.is_file()
    config = path / "config.toml"
    return config.is_file() and 'model = "click"' in config.read_text(encoding="utf-8", errors="replace")


def make(path: Path | None = None) -> Network:
    """The engine.

    Raises
    ------
    InlayError
        When there are no weights, or they are broken; `MissingExtraError` when nothing can run them.
    """
    if path is None and not ready():
        raise InlayError(
            "there are no weights of a click network: train some with `inlay train DATA --model click --out "
            f"RUN`, and name RUN here or in the environment variable {WEIGHTS}"
        )
    path = path or Path(os.environ[WEIGHTS])
    return Network(_from_onnx(path) if path.suffix == ".onnx" else _from_run(path))


class Network:
    """A click network as an engine."""

    def __init__(self, weights: Weights) -> None:
        self._answer, self._share = weights.answer, weights.classical
        self._classical = classical.make()

    def embed(self, image: NDArray[np.uint8]) -> State:
        """An image ready for prompts: (H, W, 3) uint8."""
        return State(Pyramid(image), self, scales=ALL_SCALES if self._share else SCALES)

    def __call__(self, pyramid: Pyramid, asks: Sequence[Ask]) -> list[Shape]:
        """A shape with its score for each window."""
        if not self._share:
            return self._seen(pyramid, asks)
        if asks[0].before or asks[0].box:
            return [self._beside(pyramid, ask) for ask in asks]
        others = self._classical(pyramid, asks)
        best = max(others, key=lambda shape: shape.score)
        found = self._beside(pyramid, _round(best, asks[0], pyramid))
        return [replace(found, score=max(found.score, best.score)), *others]

    def _beside(self, pyramid: Pyramid, ask: Ask) -> Shape:
        """What both engines see, averaged; while clicks are few, what the network sees at a second look."""
        if ask.before and ask.steps <= UNSURE:
            return self._seen(pyramid, [_round(self._seen(pyramid, [ask])[0], ask, pyramid)])[0]
        own, other = self._seen(pyramid, [ask])[0], self._classical(pyramid, [ask])[0]
        return _mean(ask, own, other, self._share)

    def _seen(self, pyramid: Pyramid, asks: Sequence[Ask]) -> list[Shape]:
        sizes = [grid_of(ask.window, SIDE, enlarged=LARGEST) for ask in asks]
        clicks = [_clicks(ask) for ask in asks]
        images = np.stack([_image(pyramid, ask, size) for ask, size in zip(asks, sizes)])
        maps = np.stack([_maps(pyramid, ask, each, size) for ask, each, size in zip(asks, clicks, sizes)])
        logits, scores = self._answer(images, maps)
        shapes = [
            _shape(ask, each, size, logits[row], float(scores[row]))
            for row, (ask, each, size) in enumerate(zip(asks, clicks, sizes))
        ]
        # in training what lies beyond the window is not missed: a mask that goes on there is a part
        return [replace(each, score=each.score * (1 - reaches(each, pyramid.size))) for each in shapes]


def _round(shape: Shape, ask: Ask, pyramid: Pyramid) -> Ask:
    """The same clicks in a window round a shape, which is to be mended."""
    return replace(ask, window=around(shape, ask.clicks, pyramid.size), before=shape)


def _mean(ask: Ask, own: Shape, other: Shape, share: float) -> Shape:
    """What the network saw in a window, averaged with what the classical engine saw."""
    size = other.values.shape[0], other.values.shape[1]
    values = share * other.values + (1 - share) * own.at(ask.window, size)
    before = None if ask.before is None else ask.before.at(ask.window, size)
    cells = cells_of(ask.clicks, ask.window, size)
    score = share * other.score + (1 - share) * own.score
    return Shape(ask.window, trimmed(values.astype(np.float32), *cells, before), score)


def _clicks(ask: Ask) -> tuple[tuple[float, float, bool], ...]:
    """The clicks; a box is one into its middle and four beyond its corners."""
    if ask.box is None or ask.clicks:
        return ask.clicks
    x0, y0, x1, y1 = ask.box
    reach = 0.03 * max(x1 - x0, y1 - y0) + 1
    beyond = [(x, y, False) for x in (x0 - reach, x1 + reach) for y in (y0 - reach, y1 + reach)]
    return (*beyond, ((x0 + x1) / 2, (y0 + y1) / 2, True))


def _image(pyramid: Pyramid, ask: Ask, size: Size) -> Field:
    """(3, SIDE, SIDE) pixels 0 .. 255 of a window, black beyond it."""
    image = np.zeros((3, SIDE, SIDE), np.float32)
    image[:, : size[0], : size[1]] = pyramid.cut(ask.window, size).transpose(2, 0, 1)
    return image


def _maps(pyramid: Pyramid, ask: Ask, clicks: Sequence[Click], size: Size) -> Field:
    """(MAPS, h, w) marks of positive and of negative clicks, the share of the mask before, and cues."""
    cells = SIDE // STRIDE
    maps = np.zeros((MAPS, cells, cells), np.float32)
    place = np.arange(cells, dtype=np.float32) + 0.5
    x0, y0, x1, y1 = ask.window
    for x, y, positive in clicks:
        column = (x - x0) * size[1] / (x1 - x0) / STRIDE
        row = (y - y0) * size[0] / (y1 - y0) / STRIDE
        mark = np.exp(((place - row)[:, None] ** 2 + (place - column) ** 2) / (-2 * SPREAD**2))
        side = 0 if positive else 1
        maps[side] = np.maximum(maps[side], mark)
    height, width = _covered(size)
    known = None
    if ask.before is not None:
        known = ask.before.at(ask.window, (height, width))
        maps[2, :height, :width] = 1 / (1 + np.exp(-known))
    maps[3:, :height, :width] = cues_of(pyramid, ask.window, clicks, (height, width), known)[2]
    return maps


def _covered(size: Size) -> Size:
    """(height, width) of the cells that the window covers."""
    return -(-size[0] // STRIDE), -(-size[1] // STRIDE)


def _shape(
    ask: Ask, clicks: Sequence[tuple[float, float, bool]], size: Size, logits: Field, score: float
) -> Shape:
    height, width = _covered(size)
    values = np.clip(logits[:height, :width], -CERTAIN, CERTAIN)
    cells = cells_of(clicks, ask.window, (height, width))
    return Shape(ask.window, trimmed(values, *cells), 1 / (1 + float(np.exp(-score))))


def _from_onnx(path: Path) -> Weights:
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise MissingExtraError("onnxruntime", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exceptions, of a dozen kinds
        raise FormatError(path, "", f"not an ONNX file that can be run ({str(error)[:200]})") from None
    inputs = session.get_inputs()
    if [each.name for each in inputs] != ["images", "maps"] or inputs[1].shape[1] != MAPS:
        raise FormatError(
            path, "inputs", "not a click network of today: write one with `inlay.models.click.write_onnx`"
        )

    def answer(images: Field, maps: Field) -> tuple[Field, Field]:
        logits, scores = session.run(["logits", "scores"], {"images": images, "maps": maps})
        return logits, scores

    return Weights(answer, _share_of(session.get_modelmeta().custom_metadata_map, path))


def _share_of(notes: Mapping[str, str], path: Path) -> float:
    try:
        share = float(notes.get(SHARE, "0"))
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise FormatError(path, f"metadata {SHARE}", "must be a number from 0 to below 1")
    return share


def _from_run(folder: Path) -> Weights:
    try:
        import torch

        from inlay.models.click import Step, read_run
        from inlay.models.parts.folding import fold
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train") from None
    network = read_run(folder)
    step: torch.nn.Module = Step(network).eval()
    fold(step)
    last = torch.channels_last  # convolutions on a CPU are half as fast again
    step.to(memory_format=last)  # type: ignore[call-overload]

    def answer(images: Field, maps: Field) -> tuple[Field, Field]:
        with torch.inference_mode():
            pixels, told = (torch.from_numpy(each).to(memory_format=last) for each in (images, maps))
            logits, scores = step(pixels, told)
        return logits.numpy(), scores.numpy()

    return Weights(answer, network.config.classical)
