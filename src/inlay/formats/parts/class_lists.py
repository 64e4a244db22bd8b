"""Class lists: the files beside label maps that say which number or colour is which class."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inlay.core.classes import KINDS, Classes, Colour, Kind, SegmentClass
from inlay.core.errors import FormatError, InlayError

MAX_BYTES = 16_000_000  # a class list is a page of text, whatever its name says
VOID_NAMES = frozenset(
    {"void", "ignore", "ignored", "unlabeled", "unlabelled", "unannotated", "_ignore_", "__ignore__"}
)
_KEYS = {"labels", "classes", "unlabelled", "threshold", "image_folder", "label_folder"}
_CLASS_KEYS = {"name", "id", "kind", "colour", "color", "parent", "source_id"}


@dataclass(frozen=True)
class ClassList:
    """What the numbers of a folder of label maps mean.

    Parameters
    ----------
    classes
        The classes, in the order of the file.
    values
        The number in the maps of each class.
    path
        The file; `None` when the list was inferred or given by another dataset.
    instances
        Whether the numbers tell instances apart instead of classes.
    unlabelled
        Numbers that belong to nobody.
    threshold
        Numbers from here on are the second class, those below the first; `None` takes them as they are.
    image_folder, label_folder
        Where they lie below the list, when the list says so.
    """

    classes: Classes
    values: tuple[int, ...]
    path: Path | None = None
    instances: bool = False
    unlabelled: frozenset[int] = frozenset()
    threshold: int | None = None
    image_folder: str = ""
    label_folder: str = ""

    @property
    def is_coloured(self) -> bool:
        """Whether the source states a colour for any class."""
        return any(item.colour is not None for item in self.classes)


def kind_of(name: str, default: Kind) -> Kind:
    """The kind that a class name alone tells: void for `void`, `ignore`, ..., stuff for a background."""
    word = name.strip().lower()
    if word in VOID_NAMES:
        return "void"
    return "stuff" if word.strip("_") in ("background", "bg") else default


def find_class_list(root: Path) -> ClassList | None:
    """The class list of a folder: its own file, those of its splits, or a `classes.json` one folder above."""
    for name, reader in _READERS.items():
        if (root / name).is_file():
            return reader(root / name)
    several = [_read_csv(path) for path in sorted(root.glob("*/_classes.csv"))]  # as Roboflow exports
    if several:
        first = (several[0].classes, several[0].values)
        other = next((each.path for each in several if (each.classes, each.values) != first), None)
        if other is not None:
            raise FormatError(other, "", f"lists other classes than {several[0].path}")
        return several[0]
    above = root.parent / "classes.json"
    return read_classes_json(above) if above.is_file() else None


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file.

    Raises
    ------
    FormatError
        When it is missing, too large or not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(
                path, "", f"{path.stat().st_size} bytes are over the limit of {MAX_BYTES} for a text file"
            )
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, f"byte {error.start}", "not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise FormatError(path, "", error.strerror or str(error)) from None


def read_json(path: Path) -> Any:
    """The value of a small JSON file.

    Raises
    ------
    FormatError
        Naming line and column where it is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FormatError(
            path, f"line {error.lineno} column {error.colno}", f"not JSON ({error.msg})"
        ) from None
    except RecursionError:
        raise FormatError(path, "", "nested too deep for a class list") from None


def read_classes_json(path: Path) -> ClassList:
    """The class list of our `classes.json`; also a plain list of names, {"name": id} and {"id": "name"}.

    Raises
    ------
    FormatError
        Naming the entry that is wrong.
    """
    data = read_json(path)
    if isinstance(data, list) or (isinstance(data, dict) and data and not _KEYS & set(data)):
        data = {"classes": data}
    if not isinstance(data, dict):
        raise FormatError(path, "", 'expected {"labels": "semantic" or "instance", "classes": [names]}')
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise FormatError(path, f"key {unknown[0]!r}", f"unknown; keys are {', '.join(sorted(_KEYS))}")
    labels = data.get("labels", "semantic")
    if labels not in ("semantic", "instance"):
        raise FormatError(path, "labels", f'{labels!r} is neither "semantic" nor "instance"')
    instances = labels == "instance"
    entries = data.get("classes", ["object"] if instances else None)
    if entries is None:
        raise FormatError(
            path, "classes", 'missing: class maps need their names, such as "classes": ["sky", "road"]'
        )
    none = entries == [] and "label_folder" in data  # we wrote it, and there were no classes yet
    classes, values = (
        (Classes(()), ()) if none else classes_from_json(path, entries, "thing" if instances else "stuff")
    )
    return ClassList(
        classes,
        values,
        path,
        instances,
        _unlabelled(path, data.get("unlabelled"), values, instances=instances),
        _whole(path, "threshold", data["threshold"]) if "threshold" in data else None,
        _word(path, "image_folder", data.get("image_folder", "")),
        _word(path, "label_folder", data.get("label_folder", "")),
    )


def _unlabelled(path: Path, given: Any, values: Sequence[int], *, instances: bool) -> frozenset[int]:
    if given is not None:
        return frozenset(
            _whole(path, "unlabelled", value) for value in (given if isinstance(given, list) else [given])
        )
    if instances:
        return frozenset({0})
    # 255 is the customary "ignore", but in a map of two classes it is as often the foreground: do not guess
    return frozenset({255}) - set(values) if len(values) > 2 else frozenset()


def _whole(path: Path, where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatError(path, where, f"{value!r} is not a whole number")
    return value


def _word(path: Path, where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise FormatError(path, where, f"{value!r} is not a text")
    return value


def classes_from_json(path: Path, entries: Any, default: Kind) -> tuple[Classes, tuple[int, ...]]:
    """Classes and their numbers from a list of names or objects, {"name": id} or {"id": "name"}.

    Raises
    ------
    FormatError
        Naming the entry that is none of these.
    """
    if isinstance(entries, dict):
        by_number = all(str(key).lstrip("-").isdigit() for key in entries)
        pairs = [(value, int(key)) if by_number else (key, value) for key, value in entries.items()]
        entries = [{"name": name, "id": value} for name, value in pairs]
    if not isinstance(entries, list) or not entries:
        raise FormatError(path, "classes", "expected a list of at least one class")
    rows, values = [], []
    for place, entry in enumerate(entries):
        item = {"name": entry} if isinstance(entry, str) else entry
        row, value = _class(path, f"classes[{place}]", item, place, default)
        rows.append(row)
        values.append(value)
    return _checked(path, rows, values)


def _class(path: Path, where: str, item: Any, place: int, default: Kind) -> tuple[SegmentClass, int]:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise FormatError(path, where, f'{item!r} is neither a name nor {{"name": ..., "id": ...}}')
    unknown = sorted(set(item) - _CLASS_KEYS)
    if unknown:
        raise FormatError(
            path, f"{where}.{unknown[0]}", f"unknown; keys are {', '.join(sorted(_CLASS_KEYS))}"
        )
    kind = item.get("kind", kind_of(item["name"], default))
    if kind not in KINDS:
        raise FormatError(path, f"{where}.kind", f"{kind!r}; kinds are {', '.join(KINDS)}")
    number = _whole(path, f"{where}.id", item.get("id", place))
    source_id = item.get("source_id", number)
    row = SegmentClass(
        item["name"],
        kind,
        _colour(path, f"{where}.colour", item.get("colour", item.get("color"))),
        _word(path, f"{where}.parent", item.get("parent", "")),
        None if source_id is None else _whole(path, f"{where}.source_id", source_id),
    )
    return row, number


def _colour(path: Path, where: str, value: Any) -> Colour | None:
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch("#?[0-9a-fA-F]{6}", value):
        value = list(bytes.fromhex(value.lstrip("#")))
    whole = (
        isinstance(value, list | tuple) and len(value) == 3 and all(isinstance(part, int) for part in value)
    )
    if not whole or not all(0 <= part <= 255 for part in value):
        raise FormatError(
            path, where, f'{value!r} is not a colour: write [red, green, blue] of 0 .. 255 or "#rrggbb"'
        )
    return (value[0], value[1], value[2])


def _checked(
    path: Path, rows: Sequence[SegmentClass], values: Sequence[int]
) -> tuple[Classes, tuple[int, ...]]:
    seen: dict[int, str] = {}
    for item, value in zip(rows, values):
        if value in seen:
            raise FormatError(
                path, f"class {item.name!r}", f"id {value} is already that of class {seen[value]!r}"
            )
        seen[value] = item.name
    try:
        return Classes(tuple(rows)), tuple(values)
    except InlayError as error:
        raise FormatError(path, "classes", str(error)) from None


def _read_csv(path: Path) -> ClassList:
    """Class list of a table with a header: a name, and as it pleases an id, a colour and a kind."""
    lines = [line for line in csv.reader(read_text(path).splitlines(), skipinitialspace=True) if any(line)]
    header = [cell.strip().lower().replace(" ", "_") for cell in lines[0]] if lines else []
    name_at = _column(header, "name", "class", "class_name", "label")
    if name_at is None:
        raise FormatError(path, "line 1", f"no column `name` among {', '.join(header) or 'nothing'}")
    id_at = _column(header, "id", "pixel_value", "value", "index", "label_id", "class_id")
    channels = [_column(header, *words) for words in (("r", "red"), ("g", "green"), ("b", "blue"))]
    kind_at = _column(header, "kind")
    entries = []
    for number, line in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in line]
        if len(cells) < len(header):
            raise FormatError(path, f"line {number}", f"{len(cells)} cells; the header has {len(header)}")
        entry: dict[str, Any] = {"name": cells[name_at]}
        if id_at is not None:
            entry["id"] = _number(path, f"line {number}", cells[id_at])
        if None not in channels:
            entry["colour"] = [
                _number(path, f"line {number}", cells[at]) for at in channels if at is not None
            ]
        if kind_at is not None and cells[kind_at]:
            entry["kind"] = cells[kind_at]
        entries.append(entry)
    return _listed(path, entries)


def _column(header: list[str], *words: str) -> int | None:
    return next((header.index(word) for word in words if word in header), None)


def _number(path: Path, where: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise FormatError(path, where, f"{text!r} is not a whole number") from None


def _listed(path: Path, entries: list[Any], default: Kind = "stuff") -> ClassList:
    classes, values = classes_from_json(path, entries, default)
    return ClassList(classes, values, path, unlabelled=_unlabelled(path, None, values, instances=False))


def read_class_lines(path: Path, default: Kind = "stuff") -> ClassList:
    """Class list of lines: `name`, `name:r,g,b:parts:actions` (CVAT) or `r g b name` (CamVid).

    Raises
    ------
    FormatError
        Naming the line that is none of these.
    """
    entries: list[Any] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        text = line.strip()
        coloured = re.fullmatch(r"(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\S.*)", text)
        named = re.fullmatch(r"([^:]+):\s*(?:(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*)?(?::.*)?", text)
        if not text or text.startswith("#"):
            continue
        if coloured:
            colour = [int(part) for part in coloured.groups()[:3]]
            entries.append({"name": coloured[4], "id": len(entries), "colour": colour})
        elif named:
            colour = [int(part) for part in named.groups()[1:] if part]
            entries.append({"name": named[1].strip(), "id": len(entries), "colour": colour or None})
        elif ":" in text:
            raise FormatError(path, f"line {number}", f"{text!r} is not `name:red,green,blue`")
        else:
            entries.append({"name": text, "id": len(entries)})
    return _listed(path, entries, default)


def _read_meta(path: Path) -> ClassList:
    """Class list of Datumaro's `dataset_meta.json`."""
    data = read_json(path)
    names = data.get("label_map") if isinstance(data, dict) else None
    if not isinstance(names, dict):
        raise FormatError(path, "label_map", 'expected {"0": name, ...}')
    entries = [{"name": name, "id": _number(path, "label_map", key)} for key, name in names.items()]
    colours = data.get("segmentation_colors", [])
    if not isinstance(colours, list):
        raise FormatError(path, "segmentation_colors", "expected [[red, green, blue], ...]")
    if colours and len(colours) != len(entries):
        raise FormatError(path, "segmentation_colors", f"{len(colours)} colours for {len(entries)} classes")
    return _listed(path, [{**entry, "colour": colour} for entry, colour in zip(entries, colours)] or entries)


def _read_object_info(path: Path) -> ClassList:
    """Class list of ADE20K's scene parsing challenge: a table between tabs; 0 is anything else."""
    lines = [line.split("\t") for line in read_text(path).splitlines() if line.strip()]
    entries = [
        {"name": cells[-1].strip(), "id": _number(path, f"line {number}", cells[0].strip())}
        for number, cells in enumerate(lines[1:], 2)
    ]
    return replace(_listed(path, entries), unlabelled=frozenset({0, 255}))


_READERS: Mapping[str, Callable[[Path], ClassList]] = {
    "classes.json": read_classes_json,
    "dataset_meta.json": _read_meta,
    "classes.csv": _read_csv,
    "class_dict.csv": _read_csv,
    "_classes.csv": _read_csv,
    "label_colors.txt": read_class_lines,
    "labelmap.txt": read_class_lines,
    "classes.txt": read_class_lines,
    "class_names.txt": read_class_lines,
    "objectInfo150.txt": _read_object_info,
}


def classes_as_json(classes: Classes, values: Sequence[int]) -> list[dict[str, Any]]:
    """The entries of a `classes.json` from which `read_classes_json` makes the same classes and numbers."""
    entries = []
    for item, value, colour in zip(classes, values, classes.colours.tolist()):
        entry: dict[str, Any] = {"name": item.name, "id": value, "kind": item.kind}
        if item.colour is not None:
            entry["colour"] = list(colour)
        if item.parent:
            entry["parent"] = item.parent
        if item.source_id != value:
            entry["source_id"] = item.source_id
        entries.append(entry)
    return entries
