"""Click to segment with pretrained networks: SAM, SAM-HQ, SAM 2, SAM 3 (Kirillov et al. 2023 and after).

A folder as transformers writes it, or the ONNX files made of it. The encoder sees an image once, and what it
saw is kept on disk; a click costs the small decoder alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inlay.click import Candidate
from inlay.click.parts.embeddings import Arrays, Embeddings
from inlay.click.parts.frame import Frame
from inlay.click.parts.memory import Memory
from inlay.click.parts.prompt import Prompt, prompt_of
from inlay.click.parts.pyramid import Pyramid
from inlay.click.parts.result import settled
from inlay.click.parts.sam_onnx import Exported, files_in
from inlay.core.caching import default_folder
from inlay.core.errors import FormatError, InlayError, MissingExtraError
from inlay.core.masks import Masks
from inlay.models.cues.windows import Size, Window
from inlay.models.pretrained.folder import fingerprint, folder_of, read_config, read_json

WEIGHTS = "INLAY_SAM"  # names the folder, or "hub:OWNER/NAME", that "sam" stands for
CLICKED = ("sam", "sam_hq", "sam2", "sam2_video", "sam3_tracker", "sam3_tracker_video", "sam3_video")
NAMED = ("sam3", "sam3_video")
LINE = 8  # points of a scribble that the network gets
SURE = 0.3  # least score of a thing that a text names, as transformers has it
CUT = 0.5  # share from which a pixel belongs to a thing that a text names
NATURAL = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
EVEN = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

Field = NDArray[np.float32]


class Looks(Protocol):
    """A network with a large encoder."""

    padded: bool
    side: int

    def embed(self, pixels: Field) -> Arrays:
        """What it sees in (1, 3, side, side) pixels."""


class Answers(Looks, Protocol):
    """One that answers clicks."""

    cells: int

    def answer(
        self,
        embedding: Arrays,
        points: Field,
        labels: NDArray[np.int64],
        box: Field | None,
        mask: Field | None,
    ) -> tuple[Field, Field]:
        """Logits (M, h, w) of masks, and their predicted IoU (M,)."""


def ready() -> bool:
    """Whether weights are at hand: `INLAY_SAM` names them."""
    return bool(os.environ.get(WEIGHTS))


def opens(path: Path) -> bool:
    """Whether a folder holds a pretrained network: which one, `make` will see."""
    return (path / "config.json").is_file()


def make(path: Path | None = None) -> Sam:
    """The engine.

    Raises
    ------
    InlayError
        When there are no weights, or they are broken or of another network; `MissingExtraError` when nothing
        can run them.
    """
    if path is None and not ready():
        raise InlayError(
            "there are no weights of a SAM: name a folder that transformers wrote, or hub:OWNER/NAME, here "
            f"or in the environment variable {WEIGHTS}"
        )
    folder = path or folder_of(os.environ[WEIGHTS])
    kind = read_config(folder)["model_type"]
    if kind not in CLICKED + NAMED:
        raise FormatError(
            folder / "config.json",
            "model_type",
            f"is {kind!r}, no click engine: those are {', '.join(CLICKED)}, sam3",
        )
    return Sam(folder, kind)


class Sam:
    """A network of the SAM family as an engine.

    Parameters
    ----------
    folder
        Of the checkpoint.
    kind
        Its `model_type`.
    embeddings
        Where embeddings are kept; default: the user's cache.
    """

    def __init__(self, folder: Path, kind: str, embeddings: Embeddings | None = None) -> None:
        self._folder, self._kind = folder, kind
        self._embeddings = embeddings or Embeddings(default_folder() / "embeddings")
        self._network = fingerprint(folder)
        self._colours = _colours(folder, kind)
        if kind in CLICKED:
            self.clicked  # noqa: B018 - broken weights are said now
        else:
            self.named  # noqa: B018

    def embed(self, image: NDArray[np.uint8]) -> SamState:
        """An image ready for prompts: (H, W, 3) uint8."""
        pixels = Pyramid(image).levels[0]
        state = SamState(self, pixels)
        if self._kind in CLICKED:
            state.seen  # noqa: B018 - now, not at the first click
        return state

    @cached_property
    def clicked(self) -> Answers:
        """The network that answers clicks."""
        if self._kind not in CLICKED:
            raise InlayError(
                f"{self._folder}: a {self._kind} finds what a text names, it answers no clicks: give a text"
            )
        exported = files_in(self._folder)
        if exported and not any(self._folder.glob("*.safetensors")):
            return Exported(exported, self._kind)
        network: Answers = _torch().Clicked(self._folder, self._kind)
        return network

    @cached_property
    def named(self) -> Any:
        """The network that finds what a text names."""
        if self._kind not in NAMED:
            raise InlayError(
                f"{self._folder}: a {self._kind} reads no text; SAM 3 does. Give clicks or a box"
            )
        return _torch().Named(self._folder, self._kind)

    def seen(self, image: NDArray[np.uint8], network: Looks, way: str) -> Arrays:
        """What a network sees in an image, from the disk where it has seen it before."""

        def look() -> Arrays:
            return network.embed(self.frame(image, network).pixels(image, *self._colours))

        return self._embeddings.get(image, f"{self._network} {way}", look)

    @staticmethod
    def frame(image: NDArray[np.uint8], network: Looks) -> Frame:
        """How an image lies before a network."""
        return Frame((image.shape[0], image.shape[1]), network.side, network.padded)


class SamState:
    """An image that answers prompts, and finds what a text names where the network reads."""

    def __init__(self, engine: Sam, image: NDArray[np.uint8]) -> None:
        self._engine, self._image = engine, image
        self.size: Size = (image.shape[0], image.shape[1])
        self._memory: Memory[Any, tuple[Field, Field]] = Memory(16)

    @cached_property
    def seen(self) -> Arrays:
        """What the encoder of the clicked network sees."""
        return self._engine.seen(self._image, self._engine.clicked, "clicked")

    @cached_property
    def _read(self) -> Arrays:
        return self._engine.seen(self._image, self._engine.named, "named")

    def mask(
        self,
        points: Sequence[Sequence[Any]] = (),
        box: Sequence[float] | None = None,
        scribble: Sequence[Sequence[float]] | None = None,
        mask: Masks | NDArray[np.bool_] | None = None,
    ) -> list[Candidate]:
        """Masks for a prompt, the best first; see `inlay.click.State`."""
        prompt = prompt_of(self.size, points, box, scribble, mask)
        logits, scores = self._answer(prompt)
        frame = self._engine.frame(self._image, self._engine.clicked)
        found = [
            self._candidate(frame, logits[place], scores[place], prompt) for place in np.argsort(-scores)
        ]
        return [each for each in found if each.inside.any()]

    def find(self, text: str, *, minimum_score: float = SURE) -> list[Candidate]:
        """A mask for each thing that a text names ("a red car"), the surest first.

        Raises
        ------
        InlayError
            When the network reads no text, or the text is empty or too long.
        """
        if not text.strip():
            raise InlayError("the text is empty: name a thing, `a red car`")
        shares, scores = self._engine.named.answer(self._read, text)
        frame = self._engine.frame(self._image, self._engine.named)
        sure = [place for place in np.argsort(-scores) if scores[place] > minimum_score]
        found = [self._candidate(frame, shares[place] - CUT, scores[place]) for place in sure]
        return [each for each in found if each.inside.any()]

    def _answer(self, prompt: Prompt) -> tuple[Field, Field]:
        key = (prompt.clicks, prompt.box, prompt.line)
        if prompt.before is not None:
            return self._asked(prompt)
        return self._memory.get(key, lambda: self._asked(prompt))

    def _asked(self, prompt: Prompt) -> tuple[Field, Field]:
        network = self._engine.clicked
        frame = self._engine.frame(self._image, network)
        clicks = [*prompt.line[:: max(1, len(prompt.line) // LINE)], *prompt.clicks]
        return network.answer(
            self.seen,
            frame.points([click[:2] for click in clicks]),
            np.array([int(click[2]) for click in clicks], np.int64),
            None if prompt.box is None else frame.points([prompt.box[:2], prompt.box[2:]]).reshape(4),
            None if prompt.before is None else frame.mask(prompt.before, network.cells),
        )

    def _candidate(
        self, frame: Frame, values: Field, score: np.float32, prompt: Prompt | None = None
    ) -> Candidate:
        others = [] if prompt is None else _shown(prompt, self.size)
        window, inside = frame.inside(values, *others)
        if prompt is not None:
            inside = settled(inside, window, prompt)
        return Candidate(window, inside, float(np.clip(score, 0, 1)), self.size)


def _shown(prompt: Prompt, size: Size) -> list[Window]:
    """Windows that a mask for this prompt must cover: its positive clicks, and the mask to mend."""
    found: list[Window] = []
    for x, y, positive in prompt.clicks:
        left, top = min(int(x), size[1] - 1), min(int(y), size[0] - 1)
        if positive:
            found.append((left, top, left + 1, top + 1))
    if prompt.before is not None:
        left, top = prompt.before.corner
        height, width = prompt.before.inside.shape
        found.append((left, top, left + width, top + height))
    return found


def _colours(folder: Path, kind: str) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and deviation of the colours that the network was trained with."""
    mean, deviation = EVEN if kind.startswith("sam3") else NATURAL
    for name in ("preprocessor_config.json", "processor_config.json"):
        if (folder / name).is_file():
            told: Mapping[str, Any] = read_json(folder / name)
            told = told.get("image_processor", told)
            return told.get("image_mean", mean), told.get("image_std", deviation)
    return mean, deviation


def _torch() -> Any:
    try:
        from inlay.click.parts import sam_torch
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "pretrained") from None
    return sam_torch
