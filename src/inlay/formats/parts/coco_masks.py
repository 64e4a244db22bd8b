"""Masks of COCO `segmentation` values: polygons, run lengths as lists, compressed run lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import MAX_PIXELS
from inlay.core.masks import Masks
from inlay.core.polygons import Polygons, Rule, fill, trace
from inlay.formats.parts.coco_columns import Texts
from inlay.formats.parts.coco_json import Geometry, Rle
from inlay.formats.parts.keyholes import closed_holes
from inlay.formats.parts.typed_json import json_errors

FAR = 1e7  # pixels; corners beyond are no corners of any image
_GEOMETRIES = msgspec.json.Decoder(list[Geometry])
Rings = list[list[float]]


@dataclass(frozen=True)
class Place:
    """Where geometries of one image stand: in a file, the i-th under the JSON path `name(i)`."""

    path: Path
    name: Callable[[int], str]

    def error(self, i: int, what: str, below: str = "") -> FormatError:
        """The error for the i-th geometry, or what lies below it."""
        return FormatError(self.path, self.name(i) + below, what)


def read_geometries(
    texts: Sequence[Raw], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]] | None:
    """Run lengths and offsets of texts of images of (N, 2) sizes; `None` where one is not of the usual form.

    Polygons are filled by the pixel-edge rule.
    """
    found = texts if isinstance(texts, Texts) else Texts.of(texts)
    bad, counts, offsets = kernels.read_geometries(found.data, found.spans, sizes, 0)
    return (counts, offsets) if bad < 0 else None


def read_masks(texts: Sequence[Raw], size: tuple[int, int], rule: Rule, place: Place) -> Masks:
    """Masks of the `segmentation` texts of one image; no text is an empty mask.

    Raises
    ------
    FormatError
        When one is no COCO segmentation, or of another image size.
    """
    if min(size) < 1 or size[0] * size[1] > MAX_PIXELS:
        raise FormatError(place.path, "size", f"{size[1]}x{size[0]} pixels: an image has 1 to {MAX_PIXELS}")
    if rule == "pixel_edge":
        runs = read_geometries(texts, np.full((len(texts), 2), size, np.int64))
        if runs is not None:
            return Masks(*runs, size)
    try:  # what is unusual or wrong: slower, and with the place of what is wrong
        geometries = _GEOMETRIES.decode(b"[" + b",".join(texts) + b"]")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _first_error(texts, place) from None
    rings: dict[int, Rings] = {}
    lists: dict[int, list[int]] = {}
    strings: dict[int, str] = {}
    for i, geometry in enumerate(geometries):
        if not isinstance(geometry, Rle):
            rings[i] = geometry or []
        elif geometry.size != size:
            what = f"{list(geometry.size)} is not the {list(size)} (height, width) of the image"
            raise place.error(i, what, ".size")
        elif isinstance(geometry.counts, str):
            strings[i] = geometry.counts
        else:
            lists[i] = geometry.counts
    if len(strings) == len(geometries):
        return _from_runs(Masks.from_strings, strings, size, place)
    if len(rings) == len(geometries):
        return _fill(rings, size, rule, place)
    masks = Masks.concat(
        (
            _fill(rings, size, rule, place),
            _from_runs(Masks.from_runs, lists, size, place),
            _from_runs(Masks.from_strings, strings, size, place),
        )
    )
    return masks[np.argsort([*rings, *lists, *strings])]


def _first_error(texts: Sequence[Raw], place: Place) -> FormatError:
    for i, text in enumerate(texts):
        try:
            with json_errors(bytes(text), place.path, place.name(i)):
                msgspec.json.decode(text, type=Geometry)
        except FormatError as error:
            hint = " or NaN" if "got null" in error.what else ""
            hint += " (a segmentation is a list of polygons, [[x, y, ...], ...], or run lengths)"
            return FormatError(place.path, error.where, error.what + hint)
    return place.error(0, "no COCO segmentation")


def _fill(found: dict[int, Rings], size: tuple[int, int], rule: Rule, place: Place) -> Masks:
    lengths = [len(ring) for rings in found.values() for ring in rings]
    values = np.array(list(chain.from_iterable(chain.from_iterable(found.values()))), np.float64)
    ring_offsets = np.cumsum([0, *lengths])
    if (ring_offsets % 2).any() or (values.size and float(np.abs(values).max()) > FAR):
        for i, rings in found.items():
            for k, ring in enumerate(rings):
                if len(ring) % 2:
                    raise place.error(i, f"{len(ring)} numbers are no x, y pairs", f"[{k}]")
                if max(map(abs, ring), default=0) > FAR:
                    raise place.error(i, f"{max(ring, key=abs)} is over {FAR:.0f} pixels away", f"[{k}]")
    if rule == "pixel_centre":  # readers of this family cut or round to whole pixels; our writers suit both
        values = np.floor(values + 0.5)
    mask_offsets = np.cumsum([0, *(len(rings) for rings in found.values())])
    solid = np.zeros(len(lengths), np.bool_)
    return fill(Polygons(values.reshape(-1, 2), ring_offsets // 2, mask_offsets, solid), size, rule=rule)


def _from_runs(
    make: Callable[[Sequence[Any], tuple[int, int]], Masks],
    found: dict[int, Any],
    size: tuple[int, int],
    place: Place,
) -> Masks:
    """Masks of all values at once; when that fails, one by one for the place of the bad one."""
    try:
        return make(list(found.values()), size)
    except (InlayError, OverflowError):
        for i, value in found.items():
            try:
                make([value], size)
            except (InlayError, OverflowError) as error:
                raise place.error(i, str(error).replace(" of mask 0", ""), ".counts") from None
        raise


def write_masks(masks: Masks, *, runs: NDArray[np.bool_], rule: Rule, only_polygons: bool = False) -> Texts:
    """The `segmentation` of each mask as text: polygons where they hold it exactly, else compressed runs.

    Parameters
    ----------
    runs
        (N,) bool: masks that are run lengths whatever they look like (crowds).
    only_polygons
        For a reader without run lengths: holes are joined to their outer ring by a slit.
    """
    alone = runs & (not only_polygons)
    text, spans, holed = kernels.write_geometries(
        masks.counts,
        masks.offsets,
        alone.view(np.uint8),
        *masks.size,
        not only_polygons,
        rule == "pixel_centre",
    )
    written = Texts(text, spans)
    return _with_slits(written, masks, np.flatnonzero(holed), rule) if only_polygons else written


def _with_slits(written: Texts, masks: Masks, rows: NDArray[np.int64], rule: Rule) -> Texts:
    """The same with polygons of one ring for each part of these masks."""
    if not rows.size:
        return written
    outlines = trace(masks[rows], rule=rule)
    rings = [
        [closed_holes(part).astype(np.int64).reshape(-1).tolist() for part in parts] for parts in outlines
    ]
    return written.replace(rows, Texts.of([Raw(msgspec.json.encode(each)) for each in rings]))
