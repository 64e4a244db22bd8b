"""Where COCO files lie: label files, their splits, and the images they speak of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import msgspec

from inlay.core.errors import FormatError
from inlay.formats.parts.split_names import plain_split
from inlay.formats.parts.typed_json import looks_like

HEAD = 1 << 16  # bytes looked at to recognise a large file
SMALL = 1 << 24  # files up to this size are recognised by all their keys
PREFIXES = (
    "instances_",
    "person_keypoints_",
    "stuff_",
    "labels_",
    "panoptic_",
    "annotations_",
    "lvis_v1_",
    "lvis_v0.5_",
    "update_",
)


@dataclass(frozen=True)
class LabelFile:
    """A label file and the split it holds.

    Parameters
    ----------
    path
        The JSON file.
    split
        "train", "val", "test" or the word of the file name; empty when it says none.
    word
        The split as the file name or folder spells it ("train2017"), which is how image folders are called.
    """

    path: Path
    split: str = ""
    word: str = ""


def looks(path: Path, *, keys: Iterable[str]) -> tuple[bool, bytes]:
    """Whether a JSON file is an object with all of `keys`, and the beginning of its annotations."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False, b""
    named = [f'"{key}"'.encode() for key in keys]
    try:
        with path.open("rb") as file:
            head = file.read(HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
            if not head.startswith(b"{"):
                return False, b""
            if path.stat().st_size > SMALL:
                both = head + _windows(file, path.stat().st_size)
                if b'"image_id"' in both:  # what only annotations have; their key stands between the windows
                    both += b'"annotations"'
                if all(key in both for key in named):
                    return True, both
                if not any(key in both for key in [*named, b'"annotations"']):
                    return False, b""  # else a key may stand in the middle, as in LVIS
        about = path.stat()
        found, rest = _top_level(path, about.st_size, about.st_mtime_ns)
    except OSError:
        return False, b""
    if found is not None:
        return found >= set(keys), rest
    return any(key in rest for key in named), rest[:HEAD]  # broken: the reader will say where


def _windows(file: BinaryIO, size: int) -> bytes:
    """Pieces of a large file: at each quarter, and its end."""
    found = b""
    for start in (size // 4, size // 2, 3 * size // 4, size - HEAD):
        file.seek(start)
        found += file.read(HEAD)
    return found


@lru_cache(maxsize=1)
def _top_level(path: Path, size: int, changed: int) -> tuple[frozenset[str] | None, bytes]:  # noqa: ARG001
    """The keys of a JSON object and the beginning of its annotations; `None` and the text where it is none.

    Several formats ask it of one file, one after another: it is looked through once, while it stays as it is.
    """
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        return frozenset(found), bytes(found.get("annotations", b""))[:HEAD]
    return None, text if len(text) <= SMALL else text[:HEAD] + text[-HEAD:]


def is_labels(path: Path) -> bool:
    """Whether a file looks like COCO labels: images and categories, no panoptic segments, no LVIS."""
    fits, _ = looks(path, keys=("images", "categories"))
    return fits and not is_panoptic(path) and not is_lvis(path) and not is_kins(path)


def is_kins(path: Path) -> bool:
    """Whether a file has two masks for each segment, as KINS has."""
    return any(looks_like(path, "images", "categories", word) for word in ("i_segm", "inmodal_seg"))


def is_lvis(path: Path) -> bool:
    """Whether a file says for which classes its images were looked through, as LVIS does."""
    return looks_like(path, "neg_category_ids") or looks_like(path, "frequency", "instance_count")


def is_panoptic(path: Path) -> bool:
    """Whether a file looks like COCO panoptic labels: its annotations list segments, or are none yet."""
    fits, annotations = looks(path, keys=("images", "annotations", "categories"))
    none_yet = annotations.strip() == b"[]" and path.stem.startswith("panoptic")
    return fits and (b'"segments_info"' in annotations or none_yet)


def label_files(path: Path) -> list[LabelFile]:
    """The label files of a COCO data set: the file itself, or those of a folder.

    Of `annotations/` the `instances_*.json` are taken where there are any, else all that look like labels;
    then `_annotations.coco.json` here or in the folders of the splits; then files directly in the folder.
    """
    if path.is_file():
        word = split_word(path)
        return [LabelFile(path, plain_split(word), word)]
    if not path.is_dir():
        return []
    inside = sorted((path / "annotations").glob("*.json"))
    chosen = [file for file in inside if file.stem.startswith("instances")] or inside
    found = [
        LabelFile(file, plain_split(split_word(file)), split_word(file)) for file in chosen if is_labels(file)
    ]
    if not found:
        nested = sorted(path.glob("*/_annotations.coco.json"))
        found = [LabelFile(file, plain_split(file.parent.name), file.parent.name) for file in nested]
    if not found:
        found = [
            LabelFile(file, plain_split(split_word(file)), split_word(file))
            for file in sorted(path.glob("*.json"))
            if is_labels(file)
        ]
    return found


def split_word(path: Path) -> str:
    """The split that a file name spells: "train2017" of instances_train2017.json; empty when none."""
    stem = path.stem
    for prefix in PREFIXES:
        if stem.startswith(prefix):
            return stem.removeprefix(prefix)
    if path.name == "_annotations.coco.json" and plain_split(path.parent.name) in ("train", "val", "test"):
        return path.parent.name
    return stem if plain_split(stem) in ("train", "val", "test") else ""


def image_folders(labels: LabelFile) -> list[Path]:
    """Folders that may hold the images of a label file, likely ones first."""
    here = labels.path.parent
    roots = [here.parent, here] if here.name in ("annotations", "labels") else [here]
    words = [word for word in dict.fromkeys((labels.word, labels.split)) if word]
    found = [root / "images" / word for root in roots for word in words]
    found += [root / word for root in roots for word in words]
    found += [root / folder for root in roots for folder in ("images", "JPEGImages", "data", "input_images")]
    return [folder for folder in [*found, *roots] if folder.is_dir()]


def safe_parts(file_name: str) -> tuple[str, ...]:
    """The folders and the name of a `file_name`, whoever wrote it; nothing that leads out of a folder."""
    if "/" not in file_name and "\\" not in file_name and file_name not in ("", ".", ".."):
        return (file_name,)
    plain = file_name.replace("\\", "/")
    if "://" in plain or plain.startswith("/") or re.match(r"^[A-Za-z]:", plain):
        plain = plain.rsplit("/", 1)[-1].split("?")[0]  # a web address or somebody's absolute path
    return tuple(part for part in plain.split("/") if part not in ("", ".", ".."))


class ImageFinder:
    """Finds image files by their `file_name`, looking first where the last one was found."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._last = 0, False

    def __call__(self, file_name: str) -> Path | None:
        """The file, or `None` when no folder has it."""
        parts = safe_parts(file_name)
        if not parts:
            return None
        place, bare = self._last
        order = [(place, bare)] + [(i, short) for short in (False, True) for i in range(len(self._folders))]
        for i, short in order:
            if i >= len(self._folders) or (short and len(parts) == 1 and (i, short) != (place, bare)):
                continue
            path = os.path.join(self._folders[i], *(parts[-1:] if short else parts))  # noqa: PTH118 (5x faster)
            if os.path.isfile(path):  # noqa: PTH113
                self._last = i, short
                return Path(path)
        return None


def unique_names(file_names: list[str], given: list[str | None], path: Path) -> list[str]:
    """Sample names: as given, else the file names without suffix.

    Two files that differ in their suffix alone keep it.

    Raises
    ------
    FormatError
        When two images have one file name.
    """
    found: dict[str, int] = {}
    for place, (file_name, own) in enumerate(zip(file_names, given)):
        name = own
        if name is None:
            parts = safe_parts(file_name)
            if not parts:
                raise FormatError(path, f"images[{place}].file_name", f"{file_name!r} names no file")
            whole = "/".join(parts)
            dot = parts[-1].rfind(".")
            ends = len(parts[-1]) - dot if 0 < dot < len(parts[-1]) - 1 else 0
            stem = whole[: len(whole) - ends]
            name = whole if stem in found else stem
        if name in found:
            where = f"images[{place}]"
            raise FormatError(path, where, f"file name {file_name!r} stands at images[{found[name]}] too")
        found[name] = place
    return list(found)
