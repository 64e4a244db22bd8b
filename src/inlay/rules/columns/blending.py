"""Columns of a label map that was resized as if its numbers were brightness."""

from __future__ import annotations

import numpy as np

from inlay.core.contacts import contacts_of
from inlay.core.masks import Masks
from inlay.rules.tables import ImageTable, SegmentTable

LONG = 5  # pixels, at least, of a strip
LITTLE = 0.1  # of the borders: where thin parts cannot cover more, they are not looked at


def blended_frac(table: ImageTable) -> float:
    """Share of the borders between classes two or more numbers apart that a strip of a number between covers.

    0 to 1; little in a label that somebody drew, near 1 in a map that was resized by blending. Unknown where
    there are no such borders. Numbers are places in the list of classes. One class that is nothing but strips
    is one of outlines, and not counted.
    """
    _, covered, bare = table.segments.once(_between)
    return covered / (covered + bare) if covered + bare else float("nan")


def blended_frac_region(table: ImageTable, _row: int) -> Masks:
    """Those strips."""
    return table.segments.once(_between)[0].union()


def blended_px(table: ImageTable) -> int:
    """Pixels of those strips; 0 or more."""
    return int(table.segments.once(_between)[0].area().sum())


def _between(table: SegmentTable) -> tuple[Masks, int, int]:
    """The strips of a number between those on either side; the edges that they cover, and those left bare."""
    label = table.segmentation
    stuff = table.is_labelled & ~table.is_thing
    parts, row = table.visible_parts
    box, area = parts.box().astype(np.int64), parts.area()
    sides = box[:, 2:] - box[:, :2]
    thin = stuff[row] & (area <= 2.5 * sides.sum(axis=1)) & (sides.max(axis=1, initial=0) >= LONG)
    graph = table.contacts
    number = label.class_id.astype(np.int64)
    apart = (np.abs(number[graph.a] - number[graph.b]) > 1) & stuff[graph.a] & stuff[graph.b]
    bare = int(graph.length[apart].sum())
    if 2 * int(area[thin].sum()) <= LITTLE * bare or not thin.any():
        return parts[:0], 0, bare
    strips, own = parts[thin], number[row[thin]]
    count = len(strips)
    rest = Masks.concat([strips, parts[~thin & stuff[row]]])
    numbers = np.append(own, number[row[~thin & stuff[row]]])
    beside = contacts_of(rest)
    ends = [(beside.a, beside.b), (beside.b, beside.a)]
    below, above = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for strip, other in ends:
        of = strip < count
        less = numbers[other[of]] < numbers[strip[of]]
        np.add.at(below, strip[of][less], beside.length[of][less])
        np.add.at(above, strip[of][~less], beside.length[of][~less])
    around = beside.perimeter[:count]
    between = (np.minimum(below, above) > 0.2 * around) & (below + above > 0.7 * around)
    if len(np.unique(own[between])) == 1:
        body = rest.area()[count:][numbers[count:] == own[between][0]].sum()
        between &= bool(body > strips[between].area().sum())
    return strips[between], int(np.minimum(below, above)[between].sum()), bare
