"""The card of a Hugging Face dataset: names of classes, read and written, and what its columns are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inlay.core.classes import Classes, Kind
from inlay.core.errors import FormatError
from inlay.formats.parts.class_lists import (
    ClassList,
    classes_from_json,
    read_classes_json,
    read_json,
    read_text,
)

_CARD, _NUMBERS = "README.md", "id2label.json"


def find_classes(root: Path, shards: Iterable[Path], feature: str, default: Kind) -> ClassList | None:
    """The classes of `classes.json` or `id2label.json`, or those that the card or a shard give a feature.

    Parameters
    ----------
    feature
        The column of objects or segments; empty for maps, whose numbers no card names: the names of another
        column, as the kinds of scenes, are not theirs.

    Raises
    ------
    FormatError
        When a list is broken.
    """
    if (root / "classes.json").is_file():
        return read_classes_json(root / "classes.json")
    for path in (root / _NUMBERS, root / "data" / _NUMBERS):
        if path.is_file():
            entries = read_json(path)
            return ClassList(Classes(()), (), path) if entries == {} else _listed(path, entries, default)
    if not feature:
        return None
    path = root / _CARD
    names = _names(_front(path).get("dataset_info"), feature) if path.is_file() else None
    if names is None:
        path = next(iter(shards), root)
        names = _names(_stored(path), feature) if path.is_file() else None
    return None if names is None else _listed(path, names, default)


def _listed(path: Path, entries: Any, default: Kind) -> ClassList:
    classes, values = classes_from_json(path, entries, default)
    unlabelled = frozenset({255}) - {*values} if len(values) > 2 else frozenset[int]()
    return ClassList(classes, values, path, unlabelled=unlabelled)


def _front(path: Path) -> Mapping[str, Any]:
    """The YAML between the lines of --- at the head of a card."""
    import yaml

    text = read_text(path)
    head, _, rest = text.partition("---\n")
    front, end, _ = rest.partition("\n---")
    if head.strip() or not end:
        return {}
    try:
        found = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        words = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise FormatError(path, "", f"not valid YAML between the lines of --- ({words})") from None
    return found if isinstance(found, dict) else {}


def _stored(path: Path) -> Any:
    """What the library stores of the columns in a shard."""
    import polars as pl

    try:
        return json.loads(pl.read_parquet_metadata(path).get("huggingface", "{}")).get("info")
    except (ValueError, RecursionError, AttributeError, OSError, pl.exceptions.PolarsError):
        return None


def _names(info: Any, feature: str) -> Any:
    """The first list of class names inside a feature."""
    for each in info if isinstance(info, list) else [info]:
        features = each.get("features") if isinstance(each, dict) else None
        for name, value in _by_name(features):
            found = next(_class_labels(value), None) if name == feature else None
            if found:
                return found
    return None


def _by_name(features: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(features, dict):
        yield from ((str(name), value) for name, value in features.items())
    elif isinstance(features, list):
        yield from ((str(each.get("name")), each) for each in features if isinstance(each, dict))


def _class_labels(feature: Any) -> Iterator[Any]:
    """All lists of names inside a feature; what refers to itself is looked at once."""
    stack, seen = [feature], set[int]()
    while stack:
        node = stack.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, dict):
            label = node.get("class_label", node if node.get("_type") == "ClassLabel" else None)
            if isinstance(label, dict) and label.get("names"):
                yield label["names"]
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def write_card(path: Path, classes: Classes, splits: Mapping[str, tuple[int, int]]) -> None:
    """Write `README.md` and, where there are classes, `id2label.json`; splits have (rows, bytes)."""
    import yaml

    names = {str(row): name for row, name in enumerate(classes.names)}
    category: dict[str, Any] = {"class_label": {"names": names}} if names else {"dtype": "int64"}
    lists: dict[str, Any] = {
        "id": "int64",
        "category": category if names else "int64",
        "bbox": {"sequence": "float64"},
        "area": "float64",
        "iscrowd": "bool",
        "segmentation": "string",
        "score": "float64",
        "instance_id": "int64",
        "tags": {"sequence": "string"},
    }
    features = [
        *({"name": name, "dtype": "image"} for name in ("image", "label")),
        {"name": "image_id", "dtype": "string"},
        *({"name": name, "dtype": "int64"} for name in ("height", "width")),
        {"name": "objects", "struct": [{"name": name, "sequence": kind} for name, kind in lists.items()]},
    ]
    sizes = [
        {"name": split, "num_bytes": size, "num_examples": count} for split, (count, size) in splits.items()
    ]
    files = [{"split": split, "path": f"data/{split}-*"} for split in splits]
    front = {
        "task_categories": ["image-segmentation"],
        "dataset_info": {"features": features, "splits": sizes},
        "configs": [{"config_name": "default", "data_files": files}],
    }
    text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    (path / _CARD).write_text(f"---\n{text}---\n\n{_WORDS}", "utf-8")
    if names:
        (path / _NUMBERS).write_text(json.dumps(names, indent=1, ensure_ascii=False) + "\n", "utf-8")


_WORDS = """\
`label` is a PNG of the class of each pixel, as `id2label.json` names them; 255 (65535 in 16 bits) is ignored.
`objects` lists all segments, back to front: `bbox` is x, y, width, height, and `segmentation` the compressed
run lengths of COCO: `pycocotools.mask.decode({"size": [height, width], "counts": segmentation})` is a mask.
"""
