"""Label folders: which label map belongs to which image, in the layouts that people use."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES
from inlay.formats.parts import label_maps
from inlay.formats.parts.split_lists import listed_splits, split_of

IMAGE_WORDS = frozenset(
    {"images", "image", "imgs", "img", "jpegimages", "frames", "rgb", "inputs", "input", "photos"}
)
LABEL_WORDS = frozenset(
    {
        *("labels", "label", "masks", "mask", "annotations", "annotation", "annots", "annot", "gt", "gts"),
        *("ground_truth", "groundtruth", "segmentation", "segmentations", "semantic", "targets", "target"),
        *("label_maps", "labelmaps"),
    }
)
_SIBLING_ENDS = ("annot", "_annot", "annotations", "_labels", "_label", "_masks", "_mask", "_gt")
_DEPTH = 3
_AFFIX = re.compile(
    r"^(?:gt|masks?|labels?|images?|img|seg)[_-]+"
    r"|[_-]+(?:masks?|labels?|labelids|gt|seg|segmentation|annotations?|l|manual\d*)$"
    r"|[_-]+(?:test|training|images?|img)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Pair:
    """One sample of a folder: its name, image, label map and split; what is missing is `None` or empty."""

    name: str
    image: Path | None
    label: Path | None
    split: str = ""


def find_pairs(root: Path, *, image_folder: str = "", label_folder: str = "") -> list[Pair]:
    """The samples below a folder, images matched with label maps.

    Layouts: `images/` beside `labels/` (`masks/`, `annotations/`, ...) at any of the upper levels; `train/`
    beside `trainannot/`; images and maps in one folder (`a.jpg` and `a.png`, or `a.png` and `a_mask.png`);
    label maps alone. Names are the paths of the images without suffix and without the folder word; a part of
    the path that is called train, val or test is the split, and lists such as `train.txt` come before that.

    Raises
    ------
    FormatError
        When a map could belong to several images, images have several candidate folders of maps, or a split
        list names a sample that does not exist.
    """
    if label_folder:
        images = root / image_folder if image_folder else None
        pairs = _match("", images, root / label_folder)
    else:
        pairs = [pair for prefix, images, labels in _folders(root) for pair in _match(prefix, images, labels)]
        pairs = pairs or _mixed(root) or _labels_alone(root)
    twice = [name for name, count in Counter(pair.name for pair in pairs).items() if count > 1]
    if twice:
        raise FormatError(root, f"sample {twice[0]!r}", "found in two places: read one of the folders inside")
    files = {pair.name: [path for path in (pair.image, pair.label) if path is not None] for pair in pairs}
    listed = listed_splits(root, files)
    return [replace(pair, split=listed.get(pair.name) or split_of(pair.name)) for pair in pairs]


def looks_like_labels(root: Path) -> bool:
    """Whether label maps lie below a folder, as far as names tell: opens no image, and never raises."""
    try:
        return _beside_images(root) or (_names_labels(root) and _holds_maps(root)) or _holds_both(root)
    except (OSError, FormatError):  # a folder that cannot be listed
        return False


def _beside_images(root: Path) -> bool:
    """Whether a folder of maps lies beside its folder of images."""
    for folder in _walk(root):
        inside = {child.name.lower(): child for child in _children(folder)}
        for name in inside:
            partners = [name + end for end in _SIBLING_ENDS] + (
                sorted(LABEL_WORDS) if name in IMAGE_WORDS else []
            )
            if any(_holds_maps(inside[word]) for word in partners if word in inside):
                return True
    return False


def _names_labels(root: Path) -> bool:
    """Whether a folder is called as folders of maps are, and holds no photographs."""
    named = root.name.lower() in LABEL_WORDS or root.name.lower().endswith(_SIBLING_ENDS)
    return named and not any(each.suffix.lower() in (".jpg", ".jpeg") for each in root.iterdir())


def _holds_maps(folder: Path) -> bool:
    """Whether the first folder with files has some that can be maps, and none of another format."""
    for _, _, names in os.walk(folder):
        shown = [name.lower() for name in names if not name.startswith(".")]
        if shown:
            maps = any(name.endswith(label_maps.SUFFIXES) for name in shown)
            return maps and not any(name.endswith((".json", ".xml")) for name in shown)
    return False


def _holds_both(root: Path) -> bool:
    """Whether a photograph and a map of one name lie in one folder."""
    for folder in _walk(root, 2):
        names = {entry.name.lower() for entry in folder.iterdir()}
        photos = {name.rpartition(".")[0] for name in names if name.endswith((".jpg", ".jpeg"))}
        if any(stem + end in names for stem in photos for end in (".png", "_mask.png", "_label.png")):
            return True
    return False


def _walk(root: Path, depth: int = _DEPTH) -> Iterator[Path]:
    yield root
    if depth:
        for child in _children(root):
            yield from _walk(child, depth - 1)


def _children(folder: Path) -> list[Path]:
    """Folders inside a folder, hidden ones left out, in order."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry) for entry in entries if not entry.name.startswith(".") and entry.is_dir()
            )
    except OSError as error:
        raise FormatError(folder, "", error.strerror or str(error)) from None


def _folders(root: Path, folder: Path | None = None, depth: int = _DEPTH) -> Iterator[tuple[str, Path, Path]]:
    """(prefix of the names, image folder, label folder) of each pair of folders below the root."""
    folder = folder or root
    inside = {child.name: child for child in _children(folder)}
    place = "" if folder == root else folder.relative_to(root).as_posix() + "/"
    used: set[Path] = set()
    for name, images in inside.items():
        partner = next((inside[name + end] for end in _SIBLING_ENDS if name + end in inside), None)
        if partner is not None:
            used |= {images, partner}
            yield f"{place}{name}/", images, partner
        elif name.lower() in IMAGE_WORDS:
            labels = _label_folder(
                root, images, [each for each in inside.values() if each.name.lower() not in IMAGE_WORDS]
            )
            if labels is not None:
                used |= {images, labels}
                yield place, images, labels
    for child in inside.values():
        if child not in used and depth:
            yield from _folders(root, child, depth - 1)


def _label_folder(root: Path, images: Path, siblings: list[Path]) -> Path | None:
    """The one sibling that holds label maps for a folder of images."""
    if len(siblings) == 1:
        return siblings[0] if siblings[0].name.lower() in LABEL_WORDS else None
    known = _keys(images) if siblings else set()
    able = [each for each in siblings if known & _keys(each)]
    if len(able) > 1:
        names = ", ".join(each.relative_to(root).as_posix() for each in able)
        raise FormatError(
            root,
            images.relative_to(root).as_posix(),
            f"labels could be in {names}; choose one in {root / 'classes.json'}: "
            f'"image_folder": "{images.relative_to(root).as_posix()}", '
            f'"label_folder": "{able[0].relative_to(root).as_posix()}"',
        )
    return able[0] if able and able[0].name.lower() in LABEL_WORDS else None


def _images(folder: Path) -> Iterator[tuple[str, str]]:
    """(relative path without suffix, path) of the image files below a folder, hidden ones left out."""
    root, seen = os.fspath(folder), set()
    for place, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # a link that leads back up would never end
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        prefix = place[len(root) :].replace(os.sep, "/").lstrip("/")
        for name in names:
            stem, dot, suffix = name.rpartition(".")
            if stem and not name.startswith(".") and dot + suffix.lower() in SUFFIXES:
                yield (f"{prefix}/{stem}" if prefix else stem), f"{place}{os.sep}{name}"


def _keys(folder: Path) -> set[str]:
    return {_key(stem) for stem, _ in _images(folder)}


def _stems(folder: Path) -> dict[str, Path]:
    """Image files below a folder by their relative path without suffix, in order.

    JPEG files count in folders of labels too, so that reading them can refuse them by name.
    """
    found: dict[str, str] = {}
    for stem, path in _images(folder):
        if stem in found:
            names = f"{Path(found[stem]).name} and {Path(path).name}"
            raise FormatError(folder, stem, f"two files of one name: {names}; keep one")
        found[stem] = path
    return {stem: Path(found[stem]) for stem in sorted(found)}


def _key(stem: str) -> str:
    """A stem without the words that tell a map from its image: `01_test` and `01_manual1` are both `01`."""
    head, slash, last = stem.rpartition("/")
    while (short := _AFFIX.sub("", last)) != last and short:
        last = short
    return f"{head}{slash}{last}"


def _match(prefix: str, images: Path | None, labels: Path) -> list[Pair]:
    """Samples of an image and a label folder: by equal stems, or where none are equal by their keys."""
    for folder in (images, labels):
        if folder is not None and not folder.is_dir():
            raise FormatError(folder, "", "there is no such folder")
    pictures = {} if images is None else _stems(images)
    maps = _stems(labels)
    if pictures and not pictures.keys() & maps.keys():
        maps = _by_key(labels, pictures, maps)
    names = [*pictures, *(name for name in maps if name not in pictures)]
    return [Pair(prefix + name, pictures.get(name), maps.get(name)) for name in sorted(names)]


def _by_key(labels: Path, pictures: dict[str, Path], maps: dict[str, Path]) -> dict[str, Path]:
    """Maps under the stems of their images, found through the keys of both."""
    stem_of: dict[str, str] = {}
    for stem in pictures:
        if stem_of.setdefault(_key(stem), stem) != stem:
            return maps
    matched: dict[str, Path] = {}
    for stem, path in maps.items():
        name = stem_of.get(_key(stem), stem)
        if name in matched:
            raise FormatError(
                labels, name, f"both {matched[name].name} and {path.name} could be its label; keep one"
            )
        matched[name] = path
    return matched


def _mixed(root: Path) -> list[Pair]:
    """Samples of folders that hold images and their maps side by side."""
    pairs = []
    for folder in sorted({Path(path).parent for _, path in _images(root)}):
        place = [part for part in folder.relative_to(root).parts if part.lower() not in IMAGE_WORDS]
        groups: dict[str, list[Path]] = {}
        for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
            if not path.name.startswith("."):
                groups.setdefault(_key(path.stem), []).append(path)
        for key, files in groups.items():
            image, label = _tell_apart(folder, key, files)
            pairs.append(Pair("/".join([*place, key]), image, label))
    return pairs if any(pair.image and pair.label for pair in pairs) else []


def _tell_apart(folder: Path, key: str, files: list[Path]) -> tuple[Path | None, Path | None]:
    """(image, label) among files of one key: the label has a word more, or is the PNG beside a photograph."""
    plain = [path for path in files if path.stem == key]
    worded = [path for path in files if path.stem != key]
    photos = [path for path in plain if path.suffix.lower() in (".jpg", ".jpeg")]
    if len(plain) == 2 and len(photos) == 1 and not worded:
        return photos[0], next(path for path in plain if path not in photos)
    if len(plain) <= 1 and len(worded) <= 1:
        return (plain[0] if plain else None), (worded[0] if worded else None)
    names = ", ".join(path.name for path in files)
    raise FormatError(
        folder, key, f"which is the image and which the label of {names}? Put them into images/ and labels/"
    )


def _labels_alone(root: Path) -> list[Pair]:
    """Samples without images, where every file can be a map."""
    maps = _stems(root)
    if any(
        path.suffix.lower() not in label_maps.SUFFIXES or _in_images(root, path) for path in maps.values()
    ):
        return []  # images that no rule above could match
    short = {_key(name): path for name, path in maps.items()}
    named = short if len(short) == len(maps) else maps
    return [Pair(name, None, path) for name, path in named.items()]


def _in_images(root: Path, path: Path) -> bool:
    return any(part.lower() in IMAGE_WORDS for part in path.relative_to(root).parts[:-1])
