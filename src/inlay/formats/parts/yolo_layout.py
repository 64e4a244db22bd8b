"""YOLO folders: what `data.yaml` says, and where images and label files lie."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES, list_images
from inlay.formats.parts.split_names import plain_split

UNSPLIT = "unsplit"  # key of samples that are in no split, beside others that are
MAX_BYTES = 16_000_000  # a list of classes is a page of text
NO_SPLITS = frozenset(
    {"path", "names", "nc", "download", "kpt_shape", "flip_idx", "roboflow", "channels", "yaml_file"}
)
ROW = re.compile(rb"\s*\d+(\.0+)?(\s+-?[\d.]+([eE][-+]?\d+)?){4,}\s*(\r?\n|$)")


@dataclass(frozen=True)
class YoloData:
    """What a `data.yaml` says.

    Parameters
    ----------
    path
        The file.
    names
        Class names in order.
    splits
        Places of the images of each split, as they are written.
    root
        Folder that these are relative to, if the file says one.
    """

    path: Path
    names: tuple[str, ...]
    splits: Mapping[str, tuple[str, ...]]
    root: str = ""


@dataclass(frozen=True)
class Entry:
    """One image of a YOLO folder.

    Parameters
    ----------
    stem
        Its name below the folder of its split.
    image
        Its file, if there is one.
    labels
        Its label file, which exists where somebody has labelled it.
    split
        "train", "val", "test", ...; empty when it is in several or in none.
    """

    stem: str
    image: Path | None
    labels: Path
    split: str


def find_yaml(path: Path) -> Path | None:
    """The data file of a folder, or the file itself, if it looks like one."""
    if path.is_file():
        return path if path.suffix.lower() in (".yaml", ".yml") and _fits(path) else None
    files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")], key=lambda file: file.stem != "data")
    return next((file for file in files if _fits(file)), None)


def _fits(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return False
    keys = set(re.findall(rb"^([A-Za-z_]+)\s*:", head, re.MULTILINE))
    return b"names" in keys and bool(keys & {b"train", b"val", b"test", b"path", b"nc"})


def is_label_folder(path: Path) -> bool:
    """Whether a folder, or `labels/` in it, holds text files of YOLO rows."""
    for folder in (path / "labels", path):
        first = next(iter(sorted(folder.glob("*.txt"))[:50]), None) if folder.is_dir() else None
        for file in sorted(folder.glob("*.txt"))[:50] if first else ():
            try:
                with file.open("rb") as opened:
                    line = opened.readline(1 << 20)
            except OSError:
                return False
            if line.strip():
                return ROW.fullmatch(line) is not None
    return False


def read_yaml(path: Path) -> YoloData:
    """The data file.

    Raises
    ------
    FormatError
        When it is not YAML, or its names or splits are none.
    """
    import yaml

    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(path, "", f"over {MAX_BYTES} bytes: that is no data.yaml")
        data = yaml.safe_load(path.read_text("utf-8-sig"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise FormatError(path, where, f"not valid YAML ({error.problem})") from None
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        words = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise FormatError(path, "", f"not valid YAML ({words})") from None
    except OSError as error:
        raise FormatError(path, "", error.strerror or str(error)) from None
    if not isinstance(data, dict):
        raise FormatError(path, "", "not a list of keys: data.yaml has names, train, val")
    if "kpt_shape" in data:
        raise FormatError(path, "kpt_shape", "these are poses (boxes and key points), not segments")
    splits = {
        str(key): _places(path, str(key), value)
        for key, value in data.items()
        if key not in NO_SPLITS and value and isinstance(value, str | list)
    }
    root = data.get("path") or ""
    if not isinstance(root, str):
        raise FormatError(path, "path", f"{root!r} is no folder name")
    return YoloData(path, _names(path, data.get("names"), data.get("nc")), splits, root)


def _names(path: Path, names: Any, count: Any) -> tuple[str, ...]:
    if isinstance(names, dict):
        if set(names) != set(range(len(names))):
            what = f"numbers {list(names)[:5]} are not 0 to {len(names) - 1}: each class needs its name"
            raise FormatError(path, "names", what)
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str | int | float) for name in names):
        raise FormatError(path, "names", "not a list of class names")
    found = tuple(str(name) for name in names)
    if len(set(found)) < len(found):
        twice = next(name for name in found if found.count(name) > 1)
        raise FormatError(path, "names", f"{twice!r} stands twice")
    if isinstance(count, int) and count != len(found):
        raise FormatError(path, "nc", f"{count} classes, but {len(found)} names")
    return found


def _places(path: Path, key: str, value: str | list[Any]) -> tuple[str, ...]:
    places = [value] if isinstance(value, str) else value
    if not all(isinstance(place, str) for place in places):
        raise FormatError(path, key, "not a folder, a file or a list of them")
    return tuple(places)


def entries(data: YoloData) -> list[Entry]:
    """The images of all splits, with their label files; an image that several splits name is in none of them.

    Raises
    ------
    FormatError
        When a split names a place that does not exist.
    """
    found: dict[Path, Entry] = {}
    for split, places in data.splits.items():
        word = "" if split == UNSPLIT else plain_split(split)
        for place in places:
            for entry in _place(data, split, place, word):
                known = found.get(entry.labels)
                found[entry.labels] = entry if known in (None, entry) else replace(entry, split="")
    return list(found.values())


def _place(data: YoloData, split: str, place: str, word: str) -> Iterator[Entry]:
    path = _resolve(data, place)
    if path is None:
        labels = _resolve(data, _to_labels(Path(place)).as_posix())
        if labels is None or not labels.is_dir():
            raise FormatError(data.path, split, f"{place!r} is not there: correct the file or its path")
        yield from (Entry(_stem(file, labels), None, file, word) for file in sorted(labels.rglob("*.txt")))
    elif path.is_dir():
        yield from _folder(path, word)
    elif path.suffix == ".txt":
        yield from _listed(data, path, word)
    elif path.suffix.lower() in SUFFIXES:
        yield Entry(path.stem, path, label_file(path), word)
    else:
        raise FormatError(data.path, split, f"{place!r} is no folder, no list of images and no image")


def _stem(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _listed_stem(image: Path, split: str) -> str:
    """The name of an image of a list: its path below `images/`, and below the folder of its split."""
    parts = image.with_suffix("").parts
    after = parts[len(parts) - parts[::-1].index("images") :] if "images" in parts else parts[-1:]
    return "/".join(after[1:] if len(after) > 1 and plain_split(after[0]) == split else after)


def _folder(path: Path, word: str) -> Iterator[Entry]:
    """Images of a folder, and label files whose images are gone."""
    images = list_images(path)
    yield from (Entry(_stem(image, path), image, label_file(image), word) for image in images)
    labels = _to_labels(path)
    if labels != path:
        used = {label_file(image) for image in images}
        lone = sorted(file for file in labels.rglob("*.txt") if file not in used)
        yield from (Entry(_stem(file, labels), None, file, word) for file in lone)


def _listed(data: YoloData, path: Path, word: str) -> Iterator[Entry]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, "", str(error)) from None
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if not name:
            continue
        image = _resolve(data, name, path.parent)
        if image is None:
            short = Path(*Path(name).parts[1:])  # darknet lists begin with data/
            image = _resolve(data, short.as_posix(), path.parent)
        if image is None or not image.is_file():
            raise FormatError(path, f"line {number}", f"{name!r} is not there")
        yield Entry(_listed_stem(image, word), image, label_file(image), word)


def bare_entries(path: Path) -> list[Entry]:
    """Label files of a folder without data.yaml, in `labels/` or in it, with the images beside them."""
    labels = path / "labels" if (path / "labels").is_dir() else path
    images = {label_file(image): image for image in list_images(path)}
    files = [file for file in sorted(labels.rglob("*.txt")) if file.name != "classes.txt"]
    beside = {
        file: next((file.with_suffix(end) for end in SUFFIXES if file.with_suffix(end).is_file()), None)
        for file in files
    }
    return [Entry(_stem(file, labels), images.get(file) or beside[file], file, "") for file in files]


def _resolve(data: YoloData, place: str, beside: Path | None = None) -> Path | None:
    """A place of the file: below its `path`, beside it, or where the tools that mislead by "../" mean it."""
    here = data.path.parent
    plain = place.replace("\\", "/")
    roots = [here / data.root, here] if data.root else [here]
    roots += [beside] if beside is not None else []
    for root in roots:
        for name in dict.fromkeys((plain, plain.removeprefix("../"), plain.removeprefix("./"))):
            if name and (root / name).exists():
                return root / name
    return None


def _to_labels(path: Path) -> Path:
    """The folder of labels for a folder of images: the last `images` in the path becomes `labels`."""
    parts = list(path.parts)
    for place in range(len(parts) - 1, -1, -1):
        if parts[place] == "images":
            return Path(*parts[:place], "labels", *parts[place + 1 :])
    return path


def label_file(image: Path) -> Path:
    """The label file of an image."""
    return _to_labels(image.parent) / f"{image.stem}.txt"
