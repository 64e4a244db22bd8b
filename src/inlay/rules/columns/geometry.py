"""Columns of a mask's shape: parts, holes, outline, thickness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import dilate
from inlay.rules.outline import perimeter
from inlay.rules.tables import Booleans, Floats, ImageTable, Integers, SegmentTable, ratio

LEAST = 3  # pixels of an island or a hole where masks overlap: rasterisers leave smaller ones along edges
BENEATH = 3  # pixels around a hole in which a segment goes on beneath the mask, or does not


def n_parts(table: SegmentTable) -> Integers:
    """Connected parts of the mask, pixels that share a corner hang together; 0 for an empty mask."""
    return np.bincount(table.parts[1], minlength=len(table))


def n_parts_region(table: SegmentTable, row: int) -> Masks:
    """All parts but the largest."""
    return _lesser_parts(table, row)


def largest_part_frac(table: SegmentTable) -> Floats:
    """Share of the mask's pixels in its largest part; above 0 to 1, unknown for an empty mask."""
    parts, row = table.parts
    largest = np.zeros(len(table), np.int64)
    np.maximum.at(largest, row, parts.area())
    return ratio(largest, table.area)


def largest_part_frac_region(table: SegmentTable, row: int) -> Masks:
    """All parts but the largest."""
    return _lesser_parts(table, row)


def smallest_part_px(table: SegmentTable) -> Floats:
    """Pixels of the smallest part; 1 or more, unknown for an empty mask."""
    parts, row = table.parts
    smallest = np.full(len(table), np.inf)
    np.minimum.at(smallest, row, parts.area())
    return np.where(table.area > 0, smallest, np.nan)


def smallest_part_px_region(table: SegmentTable, row: int) -> Masks:
    """The smallest part."""
    parts, _ = table.masks[row].parts()
    return parts[np.argsort(parts.area())[:1]].union()


def parts_under(table: SegmentTable, pixels: float) -> Integers:
    """Parts of fewer pixels than the argument, the largest part never counted; 0 or more."""
    parts, row = table.parts
    small = (parts.area() < pixels) & ~_is_largest(parts.area(), row)
    return np.bincount(row[small], minlength=len(table))


def parts_under_region(table: SegmentTable, row: int, pixels: float) -> Masks:
    """Those parts."""
    parts, of = table.masks[row].parts()
    small = (parts.area() < pixels) & ~_is_largest(parts.area(), of)
    return parts[small].union()


def islands_under(table: SegmentTable, pixels: float) -> Integers:
    """Parts of fewer pixels than the argument in the midst of one other segment, or of nobody; 0 or more.

    What remains of a segment behind others lies between them; a slip of the hand lies anywhere. The largest
    part is never counted, nor what lies within two pixels of the rest. An island that lies upon or beneath
    others is no remainder, whatever its neighbours. Where the label has full extents, what hangs together
    with the largest part in its extent is no island, and all the rest is.
    """
    _, row = table.once(_islands, pixels)
    return np.bincount(row, minlength=len(table))


def islands_under_region(table: SegmentTable, row: int, pixels: float) -> Masks:
    """Those parts."""
    islands, of = table.once(_islands, pixels)
    return islands[of == row].union()


def n_holes(table: SegmentTable) -> Integers:
    """Holes of the mask, whatever fills them; 0 or more."""
    return np.bincount(table.holes[1], minlength=len(table))


def n_holes_region(table: SegmentTable, row: int) -> Masks:
    """All holes."""
    return table.masks[row].holes()[0].union()


def hole_px(table: SegmentTable) -> Integers:
    """Pixels of all holes; 0 or more."""
    holes, row = table.holes
    found = np.zeros(len(table), np.int64)
    np.add.at(found, row, holes.area())
    return found


def hole_px_region(table: SegmentTable, row: int) -> Masks:
    """All holes."""
    return table.masks[row].holes()[0].union()


def empty_holes_under(table: SegmentTable, pixels: float) -> Integers:
    """Holes of fewer pixels than the argument that nobody's label fills; 0 or more.

    A segment that goes on beneath the mask around the hole does not fill it.
    """
    return np.bincount(_empty_holes(table, pixels)[1], minlength=len(table))


def empty_holes_under_region(table: SegmentTable, row: int, pixels: float) -> Masks:
    """Those holes."""
    holes, of = _empty_holes(table, pixels)
    return holes[of == row].union()


def perimeter_px(table: SegmentTable) -> Integers:
    """Pixel edges around the mask, its holes included; 4 or more, 0 for an empty mask."""
    return table.perimeter


def thickness_px(table: SegmentTable) -> Floats:
    """Mean thickness: twice the area over the perimeter; 0.5 or more, about 1 for a line of pixels."""
    return ratio(2 * table.area, table.perimeter)


def circularity(table: SegmentTable) -> Floats:
    """4 pi area / perimeter squared in pixel edges: square 0.79, disc 0.62, thread near 0.

    Of the full extent where the label has it (amodal), holes filled.
    """
    amodal = table.segmentation.amodal
    filled = (table.masks if amodal is None else amodal).fill_holes()
    around = perimeter(filled)
    return ratio(4 * np.pi * filled.area(), around * around)


def edge_contact_px(table: SegmentTable) -> Integers:
    """Pixel edges of the visible part that lie on the edge of the image; 0 or more."""
    border: Integers = table.contacts.border.sum(axis=1)
    return border


def edge_contact_on(table: SegmentTable, side: str) -> Integers:
    """Pixel edges of the visible part on one side of the image, 'left', 'top', 'right' or 'bottom'."""
    border: Integers = table.contacts.border[:, ("left", "top", "right", "bottom").index(side)]
    return border


def neighbours(table: SegmentTable) -> Integers:
    """Other segments that the visible part touches; 0 or more."""
    graph = table.contacts
    return np.bincount(np.append(graph.a, graph.b), minlength=len(table))


def visible_frac(table: SegmentTable) -> Floats:
    """Share of the mask that no later segment covers; 0 to 1, unknown for an empty mask."""
    return ratio(table.visible.area(), table.area)


def stuff_specks(table: ImageTable, pixels: float) -> int:
    """Parts of stuff of fewer pixels than the argument, the largest of each segment left out; 0 or more."""
    return len(_specks(table.segments, pixels))


def stuff_specks_region(table: ImageTable, _row: int, pixels: float) -> Masks:
    """Those parts."""
    return _specks(table.segments, pixels).union()


def _islands(table: SegmentTable, pixels: float) -> tuple[Masks, NDArray[np.int32]]:
    """The small parts that are no remainders of what others hide, and the row of each."""
    if table.segmentation.amodal is None:
        parts, row = table.parts
        body = table.masks
    else:
        parts, row = table.visible_parts
        body = table.visible
    small = (parts.area() < pixels) & ~_is_largest(parts.area(), row)
    if not small.any():
        return parts[small], row[small]
    small[small] = _far(parts[small], row[small], body)
    if table.segmentation.amodal is not None:
        small[small] = _apart(table, parts[small], row[small], parts[_is_largest(parts.area(), row)])
    else:
        small[small] = _in_one(table, parts[small]) | _shared(table, parts[small])
    return parts[small], row[small]


def _shared(table: SegmentTable, parts: Masks) -> Booleans:
    """(P,) whether more than half of each part lies in other masks as well; no rasteriser leaves it there."""
    area = parts.area()
    over: Booleans = (area >= LEAST) & (2 * (parts & table.twice).area() > area)
    return over


def _in_one(table: SegmentTable, parts: Masks) -> Booleans:
    """(P,) whether visible parts, inside the image, have one other segment all around them, or nobody."""
    height, width = parts.size
    x0, y0, x1, y1 = parts.box().T
    ring = dilate(parts, 1, element="disk") - parts
    beside = ring.intersection(table.visible)
    alone: Booleans = beside.max(axis=1, initial=0) == np.where(beside.any(axis=1), ring.area(), 0)
    inside: Booleans = (x0 > 0) & (y0 > 0) & (x1 < width) & (y1 < height)
    return inside & alone


def _far(islands: Masks, row: NDArray[np.int32], masks: Masks) -> Booleans:
    """(P,) whether islands lie more than two pixels from the rest of their segment."""
    if not len(islands):
        return np.zeros(0, np.bool_)
    far: Booleans = ((dilate(islands, 2, element="disk") - islands) & masks[row]).area() == 0
    return far


def _apart(table: SegmentTable, islands: Masks, row: NDArray[np.int32], largest: Masks) -> Booleans:
    """(P,) whether islands lie outside the piece of the full extent that the largest visible part lies in."""
    amodal = table.segmentation.amodal
    if amodal is None or not len(islands):
        return np.zeros(len(islands), np.bool_)
    rows = np.unique(row)
    body = np.flatnonzero(table.visible.area() > 0)  # the rows of `largest`
    pieces, of = amodal[rows].parts()
    main = (pieces & largest[np.searchsorted(body, rows[of])]).area() > 0
    bodies = pieces[main].merge(of[main], len(rows))
    apart: Booleans = (islands - bodies[np.searchsorted(rows, row)]).area() > 0
    return apart


def _specks(table: SegmentTable, pixels: float) -> Masks:
    """The small parts of stuff."""
    parts, row = table.parts
    is_stuff = table.is_labelled & ~table.is_thing
    return parts[(parts.area() < pixels) & is_stuff[row] & ~_is_largest(parts.area(), row)]


def _lesser_parts(table: SegmentTable, row: int) -> Masks:
    parts, of = table.masks[row].parts()
    return parts[~_is_largest(parts.area(), of)].union()


def _is_largest(area: Integers, row: NDArray[np.int32]) -> Booleans:
    """(P,) whether each part is the first of the largest ones of its mask."""
    order = np.lexsort((-area, row))
    starts = np.flatnonzero(np.diff(row[order], prepend=-1))
    largest = np.zeros(len(area), np.bool_)
    largest[order[starts]] = True
    return largest


def _empty_holes(table: SegmentTable, pixels: float) -> tuple[Masks, NDArray[np.int64]]:
    """Small holes that nobody fills, and the row of each."""
    parts = table.nobody[table.nobody.area() < pixels]
    height, width = parts.size
    x0, y0, x1, y1 = parts.box().T
    parts = parts[(x0 > 0) & (y0 > 0) & (x1 < width) & (y1 < height)]
    ring = dilate(parts, 1, element="disk") - parts
    hole, row = np.nonzero(ring.intersection(table.masks) == ring.area()[:, None])
    shining, of = _shining(table, pixels)
    return Masks.concat([parts[hole], shining]), np.append(row, of)


def _shining(table: SegmentTable, pixels: float) -> tuple[Masks, NDArray[np.int64]]:
    """Small holes through which shows what goes on beneath the mask around them, and nothing else does."""
    one, other, _ = table.overlaps
    rows = np.unique(np.append(one, other))
    holes, place = table.masks[rows].holes()
    small = (holes.area() < pixels) & (holes.area() >= LEAST)
    holes, row = holes[small], rows[place[small]]
    within = holes.intersection(table.masks)
    ring = (dilate(holes, BENEATH, element="disk") - holes) & table.masks[row]
    goes_on = ring.intersection(table.masks) >= 0.9 * ring.area()[:, None]
    stray = np.where(goes_on, 0, within)
    found: Booleans = (within.max(axis=1, initial=0) > 0) & (stray.max(axis=1, initial=0) == 0)
    return holes[found], row[found]
