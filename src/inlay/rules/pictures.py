"""Tiny label pictures drawn with letters: the examples that rules carry and are tested by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inlay.core.classes import KINDS, Classes, SegmentClass
from inlay.core.dataset import Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.rules.expression import nearest

NOBODY = "."
KEYS = ("pass", "fail", "legend", "scale")
ENTRY_KEYS = ("class", "kind", "tags", "crowd", "score")


@dataclass(frozen=True)
class Drawn:
    """What one letter stands for: a segment."""

    name: str
    kind: str = "thing"
    tags: frozenset[str] = frozenset()
    crowd: bool = False
    score: float | None = None


@dataclass(frozen=True)
class Example:
    """One picture that a rule must pass, or find something in.

    A picture is lines of letters; each letter is one segment, `.` is nobody. An empty line ends a layer, and
    the next lies in front. A letter that stands in several layers is one segment, at the place of its first.
    """

    picture: str
    passes: bool
    legend: Mapping[str, Drawn]
    scale: int = 1  # pixels for each letter, both ways

    @property
    def classes(self) -> Classes:
        """Classes of the legend, in its order."""
        kinds = {drawn.name: drawn.kind for drawn in reversed(list(self.legend.values()))}
        names = dict.fromkeys(drawn.name for drawn in self.legend.values())
        return Classes(tuple(SegmentClass(name, kinds[name]) for name in names))  # type: ignore[arg-type]

    def sample(self, name: str = "example") -> Sample:
        """The picture as a sample without pixels.

        Raises
        ------
        InlayError
            When lines differ in length, or a letter is not in the legend.
        """
        layers = _layers(self.picture)
        letters = list(
            dict.fromkeys(str(letter) for layer in layers for letter in layer.flat if letter != NOBODY)
        )
        for letter in letters:
            if letter not in self.legend:
                raise InlayError(f"letter {letter!r} is not in the legend; {nearest(letter, self.legend)}")
        stack = np.array(
            [np.any([layer == letter for layer in layers], axis=0) for letter in letters], np.bool_
        )
        stack = stack.reshape(-1, *layers[0].shape)
        masks = Masks.encode(stack.repeat(self.scale, axis=1).repeat(self.scale, axis=2))
        drawn = [self.legend[letter] for letter in letters]
        class_id = np.array([self.classes.row(item.name) for item in drawn], np.int32)
        thing = self.classes.is_thing[class_id] if letters else np.empty(0, np.bool_)
        scores = [item.score for item in drawn]
        return Sample(
            name,
            None,
            Segmentation(
                self.classes,
                masks,
                class_id,
                instance_numbers(thing),
                score=None if None in scores or not scores else np.array(scores, np.float64),
                crowd=np.array([item.crowd for item in drawn], np.bool_),
                tags=tuple(item.tags for item in drawn),
            ),
        )


def _layers(picture: str) -> list[np.ndarray[Any, Any]]:
    lines = [line.strip() for line in picture.strip().splitlines()]
    layers: list[list[str]] = [[]]
    for line in lines:
        if line:
            layers[-1].append(line)
        elif layers[-1]:
            layers.append([])
    shapes = {len(line) for layer in layers for line in layer}
    if len(shapes) != 1 or len({len(layer) for layer in layers}) != 1:
        raise InlayError(
            f"the lines of a picture must be equally long, and its layers equally high: {picture!r}"
        )
    return [np.array([list(line) for line in layer]) for layer in layers]


def read_examples(content: object) -> tuple[Example, ...]:
    """The examples of a rule as its file writes them.

    Raises
    ------
    InlayError
        On unknown keys, or pictures that are no pictures.
    """
    if not isinstance(content, dict):
        raise InlayError(f"examples must be a table with pass, fail and legend, not {content!r}")
    for key in content:
        if key not in KEYS:
            raise InlayError(f"examples: there is no key {key!r}; {nearest(key, KEYS)}")
    legend = _legend(content.get("legend", {}))
    scale = content.get("scale", 1)
    if type(scale) is not int or not 1 <= scale <= 100:
        raise InlayError(f"examples: scale is the pixels for each letter, 1 to 100, not {scale!r}")
    examples = []
    for key in ("pass", "fail"):
        pictures = content.get(key, [])
        for picture in [pictures] if isinstance(pictures, str) else pictures:
            if not isinstance(picture, str):
                raise InlayError(f"examples.{key} must be pictures made of letters, not {picture!r}")
            example = Example(picture, key == "pass", legend, scale)
            example.sample()
            examples.append(example)
    return tuple(examples)


def _legend(content: object) -> dict[str, Drawn]:
    if not isinstance(content, dict):
        raise InlayError(f"examples.legend must be a table of letters, not {content!r}")
    return {str(letter): _drawn(str(letter), entry) for letter, entry in content.items()}


def _drawn(letter: str, entry: object) -> Drawn:
    if len(letter) != 1 or letter == NOBODY:
        raise InlayError(f"examples.legend: {letter!r} must be one letter, and not {NOBODY!r}")
    if isinstance(entry, str):
        return Drawn(entry)
    if not isinstance(entry, dict) or not isinstance(entry.get("class"), str):
        raise InlayError(f"examples.legend: {letter!r} must be a class, or a table with class, not {entry!r}")
    for key in entry:
        if key not in ENTRY_KEYS:
            raise InlayError(f"examples.legend: there is no key {key!r}; {nearest(key, ENTRY_KEYS)}")
    kind = entry.get("kind", "thing")
    if kind not in KINDS:
        raise InlayError(f"examples.legend: there is no kind {kind!r}; {nearest(str(kind), KINDS)}")
    tags, score = entry.get("tags", []), entry.get("score")
    if not isinstance(tags, list) or not isinstance(score, int | float | None):
        raise InlayError(f"examples.legend: {letter!r} has odd tags or score: {entry!r}")
    return Drawn(entry["class"], kind, frozenset(map(str, tags)), bool(entry.get("crowd")), score)
