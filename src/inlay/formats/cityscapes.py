"""Cityscapes: `leftImg8bit/<split>/<city>/`, and label and instance maps in `gtFine/<split>/<city>/`.

Reading takes the first of these that an image has: `_instanceIds.png` (16 bits: class * 1000 + number for
things; the plain class number for stuff, and for a *group* of things that nobody separated, which becomes a
crowd), `_labelIds.png` (things then are crowds), `_labelTrainIds.png` (0 .. 18, 255) and `_polygons.json`.
Polygons are painted in their order, the last one in front, so they give full extents (amodal) as well;
their pixels differ a little from the PNGs, which the authors painted with PIL (ours are filled by the
`pixel_centre` rule), and so PNGs come first. Number 0, "unlabeled", is nobody's pixel; "license plate" (-1)
is in none of their PNGs and is not painted here either.

Sample names are `<city>/<image>` and the city is the group. Images without a group are written to the folder
`nocity`, those without a split to `unsplit`. Read `gtCoarse` by naming that folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import list_images
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.cityscapes_classes import CLASSES, TRAIN_IDS, UNLABELED
from inlay.formats.parts.class_lists import read_json
from inlay.formats.parts.label_maps import LabelMap, read_label_map, write_label_map
from inlay.formats.parts.places import place, save_png, store_image

KEEPS = frozenset(
    {"masks", "class_id", "instances", "holes", "parts", "crowd", "split", "group", "empty", "unlabelled"}
    | {"stuff", "void"}  # as its own classes are
)
_LABELS = ("gtFine", "gtCoarse")
_IMAGES = ("leftImg8bit", "imgsFine/leftImg8bit", "imgsCoarse/leftImg8bit")
_KINDS = ("instanceIds.png", "labelIds.png", "labelTrainIds.png", "polygons.json")
_LABEL_NAME = re.compile(
    r"(.+)_gt(?:Fine|Coarse)_(instanceIds\.png|labelIds\.png|labelTrainIds\.png|polygons\.json)"
)
_NO_SPLIT, _NO_CITY = "unsplit", "nocity"  # folders of samples that have none
_PER_CLASS = 1000  # instance numbers of each class


def sniff(path: Path) -> bool:
    """Whether it is a folder with `gtFine` or `gtCoarse` in it, or one of these."""
    if not path.is_dir():
        return False
    return path.name in _LABELS or any((path / name).is_dir() for name in _LABELS)


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the classes are fixed
    """The images of `leftImg8bit` with the labels of `gtFine`, in order of their names."""
    labels = (
        path
        if path.name in _LABELS
        else next((path / name for name in _LABELS if (path / name).is_dir()), None)
    )
    if labels is None or not labels.is_dir():
        raise FormatError(path, "", "no folder gtFine or gtCoarse: these hold the labels of Cityscapes")
    shots = dict(_with_images(labels.parent, dict(_labelled(labels))))
    if not shots:
        raise FormatError(
            labels, "", "no *_gtFine_instanceIds.png, *_labelIds.png or *_polygons.json below it"
        )
    names = sorted(shots)
    splits = {name: shots[name].split for name in names if shots[name].split}
    return Dataset(CLASSES, tuple(names), partial(_load, shots), splits)


@dataclass(frozen=True)
class _Shot:
    """One image: its split, its city, its file, its best label file."""

    split: str
    group: str
    image: Path | None = None
    label: Path | None = None


def _labelled(folder: Path) -> Iterator[tuple[str, _Shot]]:
    """The best label file of each image."""
    best: dict[str, tuple[int, _Shot]] = {}
    for file in sorted(folder.rglob("*_gt*_*")):
        match = _LABEL_NAME.fullmatch(file.name)
        if match is None:
            continue
        split, city, name = _name(folder, file, match[1])
        rank = _KINDS.index(match[2])
        if name in best and best[name][1].split != split:
            what = f"lies in {best[name][1].split!r} and in {split!r}: read one of them"
            raise FormatError(folder, f"sample {name!r}", what)
        if name not in best or rank < best[name][0]:
            best[name] = (rank, _Shot(split, city, None, file))
    yield from ((name, shot) for name, (_, shot) in best.items())


def _name(folder: Path, file: Path, stem: str) -> tuple[str, str, str]:
    """(split, city, sample name) of `<split>/<city>/<stem>...`."""
    split, *rest = file.parent.relative_to(folder).parts or (_NO_SPLIT,)
    city = rest[0] if rest and rest[0] != _NO_CITY else ""
    name = "/".join([*rest, stem]).removeprefix(f"{_NO_CITY}/")
    return "" if split == _NO_SPLIT else split, city, name


def _with_images(root: Path, shots: dict[str, _Shot]) -> Iterator[tuple[str, _Shot]]:
    found: dict[str, Path] = {}
    for folder in (root / name for name in _IMAGES):
        for file in list_images(folder) if folder.is_dir() else []:
            stem = file.name.removesuffix(file.suffix).removesuffix("_leftImg8bit")
            split, city, name = _name(folder, file, stem)
            found[name] = file
            shots.setdefault(name, _Shot(split, city))
    yield from ((name, replace(shot, image=found.get(name))) for name, shot in shots.items())


def _load(shots: dict[str, _Shot], name: str) -> Sample:
    shot = shots[name]
    label = None if shot.label is None else _segmentation(shot.label)
    return Sample(name, shot.image, label, shot.split, shot.group)


def _segmentation(path: Path) -> Segmentation:
    if path.suffix == ".json":
        return _from_polygons(path)
    numbers = read_label_map(path).as_numbers()
    if numbers.is_coloured:
        raise FormatError(
            path, "", "colours; Cityscapes keeps numbers in *_instanceIds.png and *_labelIds.png"
        )
    if path.name.endswith("labelTrainIds.png"):
        return _from_train_ids(numbers)
    if path.name.endswith("labelIds.png"):
        _refuse(numbers, numbers.values >= _PER_CLASS)
    return _from_numbers(numbers)


def _refuse(numbers: LabelMap, bad: NDArray[np.bool_]) -> None:
    if bad.any():
        way_out = "is this a map of train ids? Then call it *_labelTrainIds.png"
        raise numbers.fail(
            bad, f"{{value}} is no class of Cityscapes (label ids are 0 .. 33, see `CLASSES`); {way_out}"
        )


def _from_numbers(numbers: LabelMap) -> Segmentation:
    """Segments of class numbers and class * 1000 + instance numbers, ascending."""
    values = numbers.values.astype(np.int32)
    each = values // _PER_CLASS
    class_id = np.where(each > 0, each, values)
    _refuse(numbers, (class_id < 0) | (class_id >= len(CLASSES) - 1))
    present = np.flatnonzero(np.bincount(values.ravel()))
    present = present[present != UNLABELED]
    ranks = np.full(int(values.max(initial=0)) + 1, -1, np.int32)
    ranks[present] = np.arange(len(present))
    row_class = np.where(present >= _PER_CLASS, present // _PER_CLASS, present).astype(np.int32)
    thing = CLASSES.is_thing[row_class]
    return Segmentation(
        CLASSES,
        Masks.from_ids(ranks[values], len(present)),
        row_class,
        instance_numbers(thing),
        crowd=thing & (present < _PER_CLASS),
        source_id=present,
    )


def _from_train_ids(numbers: LabelMap) -> Segmentation:
    table = np.full(256, -2, np.int32)
    table[255] = -1
    table[list(TRAIN_IDS.values())] = list(TRAIN_IDS)
    rows = table[np.minimum(numbers.values, 254 if numbers.bits > 8 else 255)]
    if (rows == -2).any():
        raise numbers.fail(rows == -2, "{value} is no train id (0 .. 18, 255): is this a map of label ids?")
    label = Segmentation.from_semantic(rows, CLASSES)
    return label.replace(crowd=label.is_thing)


def _from_polygons(path: Path) -> Segmentation:
    """Segments in the order of the polygons; full extents are amodal, what one sees of them is the mask."""
    from inlay.core import polygons

    data = read_json(path)
    size = (_size(path, data, "imgHeight"), _size(path, data, "imgWidth"))
    rows, crowd, rings = [], [], []
    for index, item in enumerate(_objects(path, data)):
        name, group = _class_name(path, index, item)
        row = CLASSES.row(name)
        if item.get("deleted") or CLASSES[row].source_id in (UNLABELED, -1):
            continue
        rows.append(row)
        crowd.append(group)
        rings.append([_ring(path, index, item)])
    class_id = np.array(rows, np.int32)
    masks = (
        polygons.fill(polygons.from_parts(rings), size, rule="pixel_centre") if rings else Masks.empty(size)
    )
    numbers = instance_numbers(CLASSES.is_thing[class_id] if rows else [])
    return Segmentation(CLASSES, masks, class_id, numbers, crowd=np.array(crowd, np.bool_)).flatten()


def _size(path: Path, data: Any, key: str) -> int:
    value = data.get(key) if isinstance(data, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 20:
        raise FormatError(path, key, f"{value!r} is no size in pixels")
    return value


def _objects(path: Path, data: Any) -> list[dict[str, Any]]:
    objects = data.get("objects", [])
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise FormatError(path, "objects", "expected a list of objects with label and polygon")
    return objects


def _class_name(path: Path, index: int, item: dict[str, Any]) -> tuple[str, bool]:
    """(class name, whether it is a group): `cargroup` is several cars."""
    name = item.get("label")
    if name in CLASSES.names:
        return str(name), False
    single = name.removesuffix("group") if isinstance(name, str) else ""
    if single in CLASSES.names and CLASSES.is_thing[CLASSES.row(single)]:
        return single, True
    raise FormatError(path, f"objects[{index}].label", f"{name!r} is no class of Cityscapes")


def _ring(path: Path, index: int, item: dict[str, Any]) -> NDArray[np.float64]:
    try:
        points = np.array(item.get("polygon"), np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if (
        points.ndim != 2
        or points.shape[1] != 2
        or not np.isfinite(points).all()
        or np.abs(points).max() > 1e6
    ):
        raise FormatError(path, f"objects[{index}].polygon", "expected [[x, y], ...] in pixels")
    return np.rint(points)  # the few that are not whole


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `leftImg8bit/` and `gtFine/` with `labelIds`, `instanceIds` and `color` maps.

    Raises
    ------
    InlayError
        When a class is none of Cityscapes' or of another kind, or an image has more than 1000 instances or
        two crowds of one class: the maps cannot tell them apart.
    """
    foreign = [name for name in dataset.classes.names if name not in CLASSES.names]
    if foreign:
        what = f"cityscapes has no class {foreign[0]!r}; its classes are {', '.join(CLASSES.names)}"
        raise InlayError(f"{what}: rename yours, or write another format")
    for item in dataset.classes:
        known = CLASSES[CLASSES.row(item.name)].kind
        if item.kind != known:
            what = f"cityscapes knows {item.name!r} as {known}, the dataset as {item.kind}"
            raise InlayError(f"{what}: change its kind (`Classes.with_kinds`), or write another format")
    if not len(dataset):
        raise InlayError("cityscapes is known by its label files, and the dataset has no sample")
    (path / "gtFine").mkdir(parents=True)
    taken: set[str] = set()
    for sample in dataset:
        where = _place(sample)
        if where in taken:
            raise InlayError(f"sample {sample.name!r} would lie at {where}, as another one does: rename it")
        taken.add(where)
        store_image(sample, path / "leftImg8bit", f"{where}_leftImg8bit")
        if sample.segmentation is not None:
            label = sample.segmentation.with_classes(CLASSES)
            _write_label(sample.name, label, path / "gtFine", f"{where}_gtFine_")


def _place(sample: Sample) -> str:
    """`<split>/<city>/<image>`, the group being the city."""
    split, city = sample.split or _NO_SPLIT, sample.group or _NO_CITY
    if "/" in split + city:
        raise InlayError(
            f"sample {sample.name!r}: split {split!r} and group {city!r} become folders: take out the /"
        )
    return f"{split}/{city}/{sample.name.removeprefix(f'{city}/')}"


def _write_label(name: str, label: Segmentation, folder: Path, where: str) -> None:
    numbers = label.masks.paint(_numbers(name, label), fill=UNLABELED)
    class_ids = np.where(numbers >= _PER_CLASS, numbers // _PER_CLASS, numbers)
    write_label_map(place(folder, where, "instanceIds.png"), numbers, bits=16)
    write_label_map(place(folder, where, "labelIds.png"), class_ids)
    save_png(CLASSES.colours[class_ids], place(folder, where, "color.png"))


def _numbers(name: str, label: Segmentation) -> NDArray[np.int64]:
    """The number of each segment in the instance map."""
    class_id = label.class_id.astype(np.int64)
    if (class_id == len(CLASSES) - 1).any():
        raise InlayError(
            f"sample {name!r}: cityscapes paints no 'license plate': give it to 'car', or leave it out"
        )
    several = np.bincount(class_id, minlength=len(CLASSES)) > 1
    numbered = (label.is_thing | several[class_id]) & ~label.crowd
    numbers = class_id.copy()
    for row in np.unique(class_id[numbered]):
        mine = np.flatnonzero(numbered & (class_id == row))
        if len(mine) > _PER_CLASS:
            what = (
                f"has {len(mine)} segments of class {CLASSES.names[row]!r}; cityscapes numbers {_PER_CLASS}"
            )
            raise InlayError(f"sample {name!r} {what}: write another format")
        numbers[mine] = _kept(label, mine, int(row))
    plain, count = np.unique(numbers[~numbered], return_counts=True)
    if (count > 1).any() or (label.crowd & ~label.is_thing).any():
        stuff = label.crowd & ~label.is_thing
        row = int(class_id[stuff][0] if stuff.any() else plain[count > 1][0])
        what = (
            f"a crowd of stuff {CLASSES.names[row]!r}"
            if stuff.any()
            else f"two crowds of {CLASSES.names[row]!r}"
        )
        raise InlayError(
            f"sample {name!r} has {what}; cityscapes has one group of each thing class: unite them"
        )
    return numbers


def _kept(label: Segmentation, rows: NDArray[np.intp], class_number: int) -> NDArray[np.int64]:
    """The numbers the segments came with, where they are of this class and unique; else from 0 on."""
    fresh = class_number * _PER_CLASS + np.arange(len(rows))
    if label.source_id is None:
        return fresh
    old: NDArray[np.int64] = label.source_id[rows]
    fits = bool((old // _PER_CLASS == class_number).all()) and len(np.unique(old)) == len(old)
    return old if fits else fresh
