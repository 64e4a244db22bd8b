"""Tiny label pictures drawn with letters: the examples that rules carry and are tested by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import KINDS, Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.rules.expression import nearest

NOBODY, NEXT, FACTS = ".", "---", "#"
KEYS = ("pass", "fail", "legend", "scale")
ENTRY_KEYS = (
    "class",
    "kind",
    "tags",
    "crowd",
    "score",
    "id",
    "source",
    "box",
    "area",
    "extent",
    "empty",
    "light",
)
FACT_KEYS = ("split", "group", "frame", "image", "label")


@dataclass(frozen=True)
class Drawn:
    """What one letter stands for: a segment, or with `extent` the full extent of another letter's."""

    name: str
    kind: str = "thing"
    tags: frozenset[str] = frozenset()
    crowd: bool = False
    score: float | None = None
    id: int | None = None
    source: int | None = None
    box: tuple[float, ...] | None = None
    area: float | None = None
    extent: str = ""
    empty: bool = False  # the letter marks a place; the segment has no pixel
    light: int | None = None  # grey of its pixels in the image, 0 .. 255


@dataclass(frozen=True)
class Example:
    """One picture, or several, that a rule must pass, or find something in.

    A picture is lines of letters; each letter is one segment, `.` is nobody. An empty line ends a layer, and
    the next lies in front. A letter that stands in several layers is one segment, at the place of its first.
    A line `---` begins the next image, which is the next frame of one video; a line `# split=val frame=7`
    states facts about an image: split, group, frame, label=none, image (missing, broken, or its size, 8x6).
    """

    picture: str
    passes: bool
    legend: Mapping[str, Drawn]
    scale: int = 1  # pixels for each letter, both ways

    @property
    def classes(self) -> Classes:
        """Classes of the legend, in its order."""
        named = [drawn for drawn in self.legend.values() if not drawn.extent]
        kinds = {drawn.name: drawn.kind for drawn in reversed(named)}
        names = dict.fromkeys(drawn.name for drawn in named)
        return Classes(tuple(SegmentClass(name, kinds[name]) for name in names))  # type: ignore[arg-type]

    def sample(self, name: str = "example") -> Sample:
        """The first picture as a sample.

        Raises
        ------
        InlayError
            When lines differ in length, or a letter is not in the legend.
        """
        return self.samples(None, name)[0]

    def samples(self, folder: Path | None, name: str = "example") -> list[Sample]:
        """All pictures; image files that should be missing or broken lie in `folder`, or are left out."""
        lines = [line.strip() for line in self.picture.strip().splitlines()]
        pictures: list[list[str]] = [[]]
        for line in lines:
            if line == NEXT:
                pictures.append([])
            else:
                pictures[-1].append(line)
        names = [name] if len(pictures) == 1 else [f"{name}-{place}" for place in range(len(pictures))]
        return [
            self._one(folder, each, lines, place) for place, (each, lines) in enumerate(zip(names, pictures))
        ]

    def dataset(self, folder: Path | None = None) -> Dataset:
        """All pictures as a dataset."""
        return Dataset.of(self.samples(folder), self.classes)

    def _one(self, folder: Path | None, name: str, lines: list[str], place: int) -> Sample:
        facts = _facts(lines)
        layers = _layers([line for line in lines if not line.startswith(FACTS)])
        used = dict.fromkeys(str(letter) for layer in layers for letter in layer.flat if letter != NOBODY)
        for letter in used:
            if letter not in self.legend:
                raise InlayError(f"letter {letter!r} is not in the legend; {nearest(letter, self.legend)}")
        areas = {
            letter: self._enlarged(np.any([layer == letter for layer in layers], axis=0)) for letter in used
        }
        shape = self._enlarged(layers[0] == NOBODY).shape
        label = None if facts.get("label") == "none" else self._label(areas, (shape[0], shape[1]))
        return Sample(
            name,
            _image(facts.get("image", ""), folder, self._pixels(areas, (shape[0], shape[1]))),
            label,
            facts.get("split", ""),
            facts.get("group", "video"),
            int(facts.get("frame", place)),
        )

    def _enlarged(self, mask: NDArray[Any]) -> NDArray[Any]:
        return mask.repeat(self.scale, axis=0).repeat(self.scale, axis=1)

    def _label(self, areas: Mapping[str, NDArray[Any]], size: tuple[int, int]) -> Segmentation:
        letters = [letter for letter in areas if not self.legend[letter].extent]
        drawn = [self.legend[letter] for letter in letters]
        extents = {self.legend[letter].extent: area for letter, area in areas.items()}
        seen = [area & (not item.empty) for item, area in zip(drawn, (areas[letter] for letter in letters))]
        whole = [extents.get(letter, mask) for letter, mask in zip(letters, seen)]
        class_id = np.array([self.classes.row(item.name) for item in drawn], np.int32)
        thing = self.classes.is_thing[class_id] if letters else np.empty(0, np.bool_)
        ids = [
            number if item.id is None else item.id
            for item, number in zip(drawn, instance_numbers(thing).tolist())
        ]
        scores, sources, boxes, stated = (
            [getattr(item, key) for item in drawn] for key in ("score", "source", "box", "area")
        )
        return Segmentation(
            self.classes,
            _masks(seen, size),
            class_id,
            np.array(ids, np.int32),
            score=None if None in scores or not scores else np.array(scores, np.float64),
            crowd=np.array([item.crowd for item in drawn], np.bool_),
            tags=tuple(item.tags for item in drawn),
            amodal=_masks(whole, size) if any(extents) else None,
            source_id=None if None in sources or not sources else np.array(sources, np.int64),
            stated_box=None if None in boxes or not boxes else np.array(boxes, np.float64),
            stated_area=None if None in stated or not stated else np.array(stated, np.float64),
        )

    def _pixels(self, areas: Mapping[str, NDArray[Any]], size: tuple[int, int]) -> NDArray[np.uint8] | None:
        """The image, when the legend says how light the segments are."""
        if all(drawn.light is None for drawn in self.legend.values()):
            return None
        grey = np.zeros(size, np.uint8)
        for letter, area in areas.items():
            grey[area] = self.legend[letter].light or 0
        return np.repeat(grey[..., None], 3, axis=2)


def _masks(areas: list[NDArray[Any]], size: tuple[int, int]) -> Masks:
    return Masks.encode(np.array(areas, np.bool_).reshape(-1, *size))


def _image(
    word: str, folder: Path | None, pixels: NDArray[np.uint8] | None
) -> Path | NDArray[np.uint8] | None:
    if word in ("missing", "broken"):
        path = None if folder is None else folder / f"{word}.png"
        if path is not None and word == "broken":
            path.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
        return path
    if word:
        width, _, height = word.partition("x")
        if not (width.isdigit() and height.isdigit()):
            raise InlayError(f"image={word} must be missing, broken, or a size like 8x6")
        return np.zeros((int(height), int(width), 3), np.uint8)
    return pixels


def _facts(lines: list[str]) -> dict[str, str]:
    words = [word for line in lines if line.startswith(FACTS) for word in line[len(FACTS) :].split()]
    facts = {key: value for key, _, value in (word.partition("=") for word in words)}
    for key in facts:
        if key not in FACT_KEYS:
            raise InlayError(f"a picture has no fact {key!r}; {nearest(key, FACT_KEYS)}")
    if not facts.get("frame", "0").isdigit():
        raise InlayError(f"frame={facts['frame']} must be a number")
    return facts


def _layers(lines: list[str]) -> list[np.ndarray[Any, Any]]:
    layers: list[list[str]] = [[]]
    for line in lines:
        if line:
            layers[-1].append(line)
        elif layers[-1]:
            layers.append([])
    layers = [layer for layer in layers if layer] or [[]]
    shapes = {len(line) for layer in layers for line in layer}
    if len(shapes) != 1 or len({len(layer) for layer in layers}) != 1:
        picture = "\n".join(lines)
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
            example.samples(None)
            examples.append(example)
    return tuple(examples)


def _legend(content: object) -> dict[str, Drawn]:
    if not isinstance(content, dict):
        raise InlayError(f"examples.legend must be a table of letters, not {content!r}")
    legend = {str(letter): _drawn(str(letter), entry) for letter, entry in content.items()}
    for letter, drawn in legend.items():
        if drawn.extent and (drawn.extent not in legend or legend[drawn.extent].extent):
            raise InlayError(
                f"examples.legend: {letter!r} is the extent of {drawn.extent!r}, which is no segment"
            )
    return legend


def _drawn(letter: str, entry: object) -> Drawn:
    if len(letter) != 1 or letter in (NOBODY, FACTS, NEXT[0]):
        raise InlayError(f"examples.legend: {letter!r} must be one letter, and not {NOBODY!r}")
    if isinstance(entry, str):
        return Drawn(entry)
    if not isinstance(entry, dict) or not isinstance(entry.get("class", entry.get("extent")), str):
        raise InlayError(f"examples.legend: {letter!r} must be a class, or a table with class, not {entry!r}")
    for key in entry:
        if key not in ENTRY_KEYS:
            raise InlayError(f"examples.legend: there is no key {key!r}; {nearest(key, ENTRY_KEYS)}")
    kind = entry.get("kind", "thing")
    if kind not in KINDS:
        raise InlayError(f"examples.legend: there is no kind {kind!r}; {nearest(str(kind), KINDS)}")
    tags, score, box = entry.get("tags", []), entry.get("score"), entry.get("box")
    if not isinstance(tags, list) or not isinstance(score, int | float | None):
        raise InlayError(f"examples.legend: {letter!r} has odd tags or score: {entry!r}")
    if box is not None and (not isinstance(box, list) or len(box) != 4):
        raise InlayError(f"examples.legend: {letter!r} has a box that is not [x0, y0, x1, y1]: {box!r}")
    area = entry.get("area")
    if not isinstance(area, int | float | None):
        raise InlayError(f"examples.legend: {letter!r} has an area that is no number: {area!r}")
    numbers = {key: entry.get(key) for key in ("id", "source", "light")}
    if not all(isinstance(value, int | None) for value in numbers.values()):
        raise InlayError(
            f"examples.legend: id, source and light of {letter!r} are whole numbers, not {numbers}"
        )
    return Drawn(
        entry.get("class", ""),
        kind,
        frozenset(map(str, tags)),
        bool(entry.get("crowd")),
        score,
        box=None if box is None else tuple(map(float, box)),
        area=area,
        extent=entry.get("extent", ""),
        empty=bool(entry.get("empty")),
        **numbers,
    )
