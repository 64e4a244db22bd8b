"""The tasks of Label Studio: what of them is read, and the classes they name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from inlay.core.classes import Classes, SegmentClass
from inlay.core.images import SUFFIXES
from inlay.formats.parts.safe_xml import read_xml

KINDS = ("brush", "polygon", "rectangle", "ellipse")


class Result(Struct):
    """A region, or a word on one or on the image."""

    type: str = ""
    value: dict[str, Any] = {}
    id: str | None = None
    from_name: str = ""
    original_width: int | None = None
    original_height: int | None = None
    score: float | None = None
    meta: dict[str, Any] | None = None

    @property
    def kind(self) -> str:
        """Brush, polygon, rectangle, ellipse or another word."""
        return self.type.removesuffix("labels")

    @property
    def labels(self) -> list[str]:
        """The classes that the region carries itself."""
        words = self.value.get(self.type) or self.value.get("labels") or []
        return [str(word) for word in words] if isinstance(words, list) else []


class Annotation(Struct):
    """What one labeller or model said."""

    result: list[Result] = []
    was_cancelled: bool | None = False
    ground_truth: bool | None = False
    score: float | None = None


class Task(Struct):
    """An image and what was said of it."""

    data: dict[str, Any]
    annotations: list[Annotation] | None = None
    completions: list[Annotation] | None = None  # as they were called before 1.0
    predictions: list[Annotation | int] | None = None

    def chosen(self) -> tuple[Annotation | None, bool]:
        """The annotation or prediction to read, and whether it is a prediction."""
        able = [each for each in self.annotations or self.completions or [] if not each.was_cancelled]
        guesses = [each for each in self.predictions or [] if isinstance(each, Annotation)]
        if able:
            return next((each for each in able if each.ground_truth), able[0]), False
        return (guesses[0], True) if guesses else (None, False)

    def image(self) -> str:
        """Where the image is, as the data say it."""
        words = {key: value for key, value in self.data.items() if isinstance(value, str)}
        usual = [words[key] for key in ("image", "img") if key in words]
        likely = [word for word in words.values() if word.lower().split("?")[0].endswith(SUFFIXES)]
        return next(iter([*usual, *likely, *words.values()]), "")


def classes_of(config: Path, tasks: Sequence[Task]) -> Classes:
    """The labels of the labelling config in their order, then those that only regions name."""
    found: dict[str, SegmentClass] = {}
    for node in read_xml(config).iter("Label") if config.is_file() else ():
        name, text = node.get("value", ""), node.get("background", "")
        known = re.fullmatch("#[0-9a-fA-F]{6}", text)
        red, green, blue = bytes.fromhex(text[1:]) if known else (0, 0, 0)
        found.setdefault(name, SegmentClass(name, colour=(red, green, blue) if known else None))
    for task in tasks:
        chosen, _ = task.chosen()
        names = labels_by_id(chosen.result) if chosen else {}
        for result in chosen.result if chosen else ():
            for name in names_of(result, names)[:1]:
                found.setdefault(name, SegmentClass(name))
    return Classes(tuple(found.values()))


def labels_by_id(results: Sequence[Result]) -> dict[str | None, list[str]]:
    """The labels of regions that stand in a result of their own."""
    return {each.id: each.labels for each in results if each.type == "labels" and each.id}


def names_of(result: Result, by_id: Mapping[str | None, list[str]]) -> list[str]:
    """The classes of a region; none where it has no area."""
    if result.kind not in KINDS:
        return []
    return result.labels or by_id.get(result.id, [])


def left_out(tasks: Iterable[Task]) -> dict[str, int]:
    """What the tasks say that is not read, with counts."""
    counts: Counter[str] = Counter()
    for task in tasks:
        chosen, is_prediction = task.chosen()
        several = len(task.annotations or task.completions or [])
        counts["further annotations"] += max(0, several - (not is_prediction and chosen is not None))
        counts["predictions"] += max(0, len(task.predictions or []) - is_prediction)
        by_id = labels_by_id(chosen.result) if chosen else {}
        for result in chosen.result if chosen else ():
            if result.kind in KINDS:
                counts["regions without a label"] += not names_of(result, by_id)
            elif result.type not in ("labels", "choices", "textarea"):
                counts[result.type or "relations"] += 1
    return {word: count for word, count in counts.items() if count}
