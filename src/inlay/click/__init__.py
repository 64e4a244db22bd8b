"""Click to segment: engines that turn a prompt (clicks, a box, a line, a mask to mend) into masks.

One module is one engine; it has `ready()`, `opens(path)` and `make(path)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inlay import plugins
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.models.pretrained.folder import folder_of

__all__ = ["Candidate", "Engine", "State", "everything", "follow", "load", "ready"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A mask that an engine offers.

    Parameters
    ----------
    window
        Pixels of the image (x0, y0, x1, y1) that `inside` covers; there is nothing beyond.
    inside
        (h, w) bool.
    score
        Predicted IoU.
    size
        (height, width) of the image.
    """

    window: tuple[int, int, int, int]
    inside: NDArray[np.bool_] = field(repr=False)
    score: float
    size: tuple[int, int]

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool of the whole image."""
        x0, y0, x1, y1 = self.window
        whole = np.zeros(self.size, np.bool_)
        whole[y0:y1, x0:x1] = self.inside
        return whole


class State(Protocol):
    """An image that answers prompts."""

    def mask(
        self,
        points: Sequence[Sequence[Any]] = (),
        box: Sequence[float] | None = None,
        scribble: Sequence[Sequence[float]] | None = None,
        mask: Masks | NDArray[np.bool_] | None = None,
    ) -> list[Candidate]:
        """Masks for a prompt, the best first.

        Parameters
        ----------
        points
            Clicks (x, y, positive) in the order they were made.
        box
            (x0, y0, x1, y1) around the segment.
        scribble
            Points (x, y) of a line inside the segment.
        mask
            The mask to mend, of the image's size; it changes only where a change reaches a click.

        Raises
        ------
        InlayError
            When the prompt leaves the image, contradicts itself or does not say where the segment is.
        """


class Engine(Protocol):
    """What makes images ready for prompts."""

    def embed(self, image: NDArray[np.uint8]) -> State:
        """The state of an (H, W, 3) uint8 image."""


def ready() -> list[str]:
    """Names of the engines that need no file of weights, or whose weights are at hand; "classical" first."""
    names = [name for name in plugins.names("click") if plugins.load("click", name).ready()]
    return sorted(names, key=lambda name: (name != "classical", name))


def load(engine: str | Path) -> Engine:
    """An engine by name ("classical", "network", "sam"), or from the file or folder of its weights.

    "hub:OWNER/NAME" fetches a folder of the Hugging Face hub; nothing else asks the network.

    Raises
    ------
    InlayError
        When there is no such engine, its weights are missing or broken, or what runs them is not installed.
    """
    names = plugins.names("click")
    if str(engine) in names:
        made: Engine = plugins.load("click", str(engine)).make()
        return made
    path = folder_of(engine)
    if not path.exists():
        raise InlayError(f"there is no engine and no file {str(engine)!r}; engines are: {', '.join(names)}")
    for name in names:
        module = plugins.load("click", name)
        if module.opens(path):
            made = module.make(path)
            break
    else:
        raise InlayError(f"{path}: holds no weights that a click engine knows; engines: {', '.join(names)}")
    return made


def __getattr__(name: str) -> Any:
    """What is made of many prompts, loaded when it is asked for."""
    if name == "everything":
        from inlay.click.parts.grid import everything

        return everything
    if name == "follow":
        from inlay.click.parts.follow import follow

        return follow
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
