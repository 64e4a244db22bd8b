"""Inferred classes: what label maps without a class list mean, where they can mean one thing only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import FormatError
from inlay.formats.parts.class_lists import ClassList
from inlay.formats.parts.label_maps import LabelMap, read_label_map

PROBES = 48  # maps looked at before deciding, spread evenly over the folder
_MANY = 12  # values named in a message


@dataclass
class _Seen:
    """What the probed maps hold."""

    bits: int = 0
    values: set[int] = field(default_factory=set)
    colours: set[tuple[int, int, int]] = field(default_factory=set)
    has_palette: bool = False
    dense: bool = True  # every map uses at least half of the numbers up to its largest
    first_coloured: Path | None = None


def infer_classes(root: Path, labels: Sequence[Path]) -> ClassList:
    """The class list that the maps themselves tell.

    - 16-bit numbers without large gaps are instance ids: 0 is nobody, each other number one segment of the
      class "object".
    - Maps of 0 and one of 1, 255, 65535 are masks: class "background" and class "foreground". 255 is no void
      there: nothing else would be labelled.
    - All else could be classes or instances, or needs names: an error that shows the `classes.json` to write.

    Raises
    ------
    FormatError
        When the maps can mean more than one thing.
    """
    step = max(1, -(-len(labels) // PROBES))
    seen = _Seen()
    for path in labels[::step]:
        _look(read_label_map(path).as_numbers(), seen)
    if seen.first_coloured is not None:
        raise _colours_need_names(root, seen, seen.first_coloured)
    top = max(seen.values, default=0)
    if seen.values in ({0, 1}, {0, 255}, {0, 65535}) and (seen.bits <= 8 or top == 65535):
        rows = (
            SegmentClass("background", "stuff", source_id=0),
            SegmentClass("foreground", "stuff", source_id=top),
        )
        return ClassList(Classes(rows), (0, top))
    if seen.bits >= 16 and seen.dense:
        return ClassList(Classes.of("object"), (0,), instances=True, unlabelled=frozenset({0}))
    raise _ambiguous(root, seen)


def _look(label: LabelMap, seen: _Seen) -> None:
    seen.bits = max(seen.bits, label.bits)
    if label.is_coloured:
        seen.first_coloured = seen.first_coloured or label.path
        colours = np.unique(label.values.reshape(-1, 3), axis=0)
        if len(colours) > 256:
            what = f"{len(colours)} colours: a photograph, or a map that was compressed; no label map"
            raise FormatError(label.path, "", what)
        seen.colours |= {(int(r), int(g), int(b)) for r, g, b in colours}
        return
    values: NDArray[np.int64] = np.unique(label.values).astype(np.int64)
    seen.values |= set(values.tolist())
    seen.has_palette |= label.palette is not None
    seen.dense &= 2 * len(values) >= int(values[-1])


def _colours_need_names(root: Path, seen: _Seen, path: Path) -> FormatError:
    entries = [
        {"name": f"class {place}", "colour": colour} for place, colour in enumerate(sorted(seen.colours))
    ]
    return FormatError(
        path, "", f"a colour map without a class list: {_write(root, {'classes': entries[:_MANY]})}"
    )


def _ambiguous(root: Path, seen: _Seen) -> FormatError:
    values = sorted(seen.values)
    shown = _listed([str(value) for value in values])
    what = (
        f"{seen.bits}-bit maps with {len(values)} values ({shown}) and no class list: classes, or instances?"
    )
    ways = [f"instances: {_write(root, {'labels': 'instance'})}"]
    if seen.bits >= 16:
        what += " (values of class * 1000 + number are Cityscapes or MOTS)"
    else:
        named = {f"class {value}": value for value in values if value != 255}
        content = {"classes": dict(list(named.items())[:_MANY])}
        ways.append(f"classes: the same file with {json.dumps(content)}")
    if seen.bits == 8 and not seen.has_palette and len(values) > 2:
        ways.append(
            'masks, resized or compressed: {"classes": ["background", "foreground"], "threshold": 128}'
        )
    return FormatError(root, "", f"{what} If {'; if '.join(ways)}")


def _listed(words: list[str]) -> str:
    return ", ".join(words[:_MANY]) + (", ..." if len(words) > _MANY else "")


def _write(root: Path, content: object) -> str:
    return f"write {root / 'classes.json'} with {json.dumps(content)}"
