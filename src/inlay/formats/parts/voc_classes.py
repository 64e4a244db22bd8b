"""The classes of a Pascal VOC folder: `labelmap.txt`, `class_names.txt`, or the 21 of the challenge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inlay.core.classes import Classes, Colour, SegmentClass
from inlay.core.errors import FormatError, InlayError
from inlay.formats.parts.class_lists import (
    ClassList,
    classes_as_json,
    classes_from_json,
    read_class_lines,
    read_text,
)

VOID = 255  # the ring around objects, and whatever nobody labelled
NAMES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *(
        "diningtable",
        "dog",
        "horse",
        "motorbike",
        "person",
        "pottedplant",
        "sheep",
        "sofa",
        "train",
        "tvmonitor",
    ),
)
_OURS = (
    "# inlay: "  # what other tools take for a comment holds what a labelmap cannot: kinds, parents, numbers
)


def palette_colour(index: int) -> Colour:
    """The colour of a number in the palette of VOC: its bits, spread over the high bits of three channels."""
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= ((index >> (3 * place + channel)) & 1) << (7 - place)
    return channels[0], channels[1], channels[2]


def read_classes(root: Path) -> ClassList:
    """The classes of a folder with their numbers in `SegmentationClass`; 255 is nobody.

    Raises
    ------
    FormatError
        When the class file is broken or lists more than 255 classes.
    """
    file = next(
        (root / name for name in ("labelmap.txt", "class_names.txt") if (root / name).is_file()), None
    )
    if file is None:
        rows = [SegmentClass(name, "thing" if number else "stuff") for number, name in enumerate(NAMES)]
        return _coloured(ClassList(Classes(tuple(rows)), tuple(range(len(rows)))))
    ours = next((line for line in read_text(file).splitlines() if line.startswith(_OURS)), None)
    if ours is None:
        listed = _coloured(read_class_lines(file, "thing"))
    else:
        try:
            entries = json.loads(ours.removeprefix(_OURS))
        except (json.JSONDecodeError, RecursionError):
            raise FormatError(
                file, _OURS.strip(), "this line is not JSON: delete it, or write the file again"
            ) from None
        classes, values = classes_from_json(file, entries, "thing") if entries else (Classes(()), ())
        listed = ClassList(classes, values, file)
    if max(listed.values, default=0) >= VOID or min(listed.values, default=0) < 0:
        raise FormatError(
            file, "", f"{len(listed.values)} classes; 8-bit maps with void hold {VOID}, numbers 0 .. 254"
        )
    nobody = {VOID} if 0 in listed.values else {0, VOID}
    return replace(listed, unlabelled=frozenset(nobody))


def _coloured(listed: ClassList) -> ClassList:
    """The same with the palette's colours where none is stated, so that RGB maps can be read."""
    rows = [
        replace(item, colour=item.colour or palette_colour(number), source_id=number)
        for item, number in zip(listed.classes, listed.values)
    ]
    return replace(listed, classes=Classes(tuple(rows)), unlabelled=frozenset({VOID}))


def palette_numbers(path: Path) -> ClassList:
    """The numbers 0 .. 255 by the colours of the palette, to read maps of objects that are RGB."""
    rows = tuple(SegmentClass(str(number), colour=palette_colour(number)) for number in range(256))
    return ClassList(Classes(rows), tuple(range(256)), path)


def number_classes(classes: Classes) -> ClassList:
    """The numbers that we write: 0 for "background", or for nobody where there is none; then 1, 2, ...

    Raises
    ------
    InlayError
        When there are more classes than 8 bits hold.
    """
    rest = iter(range(1, len(classes) + 1))
    ground = next((name for name in classes.names if name.strip("_").lower() == "background"), None)
    values = tuple(0 if name == ground else next(rest) for name in classes.names)
    if max(values, default=0) >= VOID:
        raise InlayError(
            f"voc maps have 8 bits and hold 254 classes, not {len(classes)}: write another format"
        )
    return ClassList(classes, values, unlabelled=frozenset({VOID if 0 in values else 0}))


def write_classes(path: Path, numbered: ClassList, colours: Sequence[Colour]) -> None:
    """Write `labelmap.txt` as CVAT does, with a comment that keeps the rest."""
    names = {value: name for name, value in zip(numbered.classes.names, numbered.values)}
    lines = ["# label:color_rgb:parts:actions"]
    lines.append(_OURS + json.dumps(classes_as_json(numbered.classes, numbered.values), ensure_ascii=False))
    for number in range(max(names, default=0) + 1):
        name = names.get(number, "background").replace(":", "_").replace("\n", " ")
        lines.append(f"{name}:{','.join(map(str, colours[number]))}::")
    path.write_text("\n".join(lines) + "\n", "utf-8")
