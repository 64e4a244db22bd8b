"""Labels that say less than masks: only boxes, only some pixels, or boxes and a map of classes.

A segment says by itself how much of it was drawn:

- a mask: all its pixels are known;
- no pixel but a `stated_box`: it lies in that box, and touches its four sides;
- the tag `partial` and a `stated_box`: the mask holds only some of its pixels, as points or strokes; pixels
  that other segments claim are not its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation

PARTIAL = "partial"  # the tag
BACKGROUND = "background"  # the class that points beside all things get where there is no stuff


def is_whole(label: Segmentation) -> NDArray[np.bool_]:
    """(N,) whether all pixels of a segment are known."""
    tagged = np.array([PARTIAL in tags for tags in label.tags], np.bool_)
    return (label.masks.area() > 0) & ~tagged


def is_there(label: Segmentation) -> NDArray[np.bool_]:
    """(N,) whether a segment has a place in the image: pixels, or a stated box."""
    x0, y0, x1, y1 = label.boxes().T
    return np.asarray((label.masks.area() > 0) | ((x1 > x0) & (y1 > y0)), np.bool_)


def filled(label: Segmentation) -> Segmentation:
    """The label with segments that are nothing but a box filling it."""
    bare = is_there(label) & (label.masks.area() == 0)
    if not bare.any():
        return label
    masks = Masks.concat([label.masks, rectangles(extents(label)[bare], label.size)])
    place = np.where(bare, len(label) + np.cumsum(bare) - 1, np.arange(len(label)))
    return label.replace(masks=masks[place], amodal=None)


def extents(label: Segmentation) -> NDArray[np.int64]:
    """(N, 4) boxes in whole pixels, inside the image: as stated, else those of the masks.

    Raises
    ------
    InlayError
        When a segment is tagged `partial` and the label states no boxes.
    """
    if label.stated_box is None and any(PARTIAL in tags for tags in label.tags):
        row = next(row for row, tags in enumerate(label.tags) if PARTIAL in tags)
        raise InlayError(
            f"segment {row} is tagged {PARTIAL!r} but has no box: state one (stated_box), or take the tag off"
        )
    boxes = np.nan_to_num(label.boxes())
    height, width = label.size
    corners = np.concatenate([np.floor(boxes[:, :2] + 1e-6), np.ceil(boxes[:, 2:] - 1e-6)], 1)
    return corners.clip(0, [width, height, width, height]).astype(np.int64)


def rectangles(boxes: ArrayLike, size: tuple[int, int]) -> Masks:
    """(N,) masks that fill boxes of whole pixels, which lie in the image."""
    height, width = size
    runs = []
    for x0, y0, x1, y1 in np.asarray(boxes, np.int64).reshape(-1, 4).tolist():
        if x1 <= x0 or y1 <= y0:
            runs.append([height * width])
            continue
        columns = [x0 * height + y0, *[y1 - y0, height - (y1 - y0)] * (x1 - x0)]
        columns[-1] = height * width - sum(columns[:-1])
        runs.append(columns)
    return Masks.from_runs(runs, size)


def only_boxes(label: Segmentation, rows: ArrayLike | None = None) -> Segmentation:
    """The label with nothing but the boxes of some things; default: of all of them."""
    chosen = np.zeros(len(label), np.bool_)
    chosen[np.flatnonzero(label.is_thing) if rows is None else np.asarray(rows)] = True
    masks = Masks.concat([label.masks, Masks.empty(label.size, 1)])
    kept = masks[np.where(chosen, len(label), np.arange(len(label)))]
    return label.replace(masks=kept, stated_box=label.boxes(), stated_area=None, amodal=None)


def some_points(label: Segmentation, count: int, seed: int) -> Segmentation:
    """The label with boxes, and `count` points drawn in each box and given to the segment they lie on.

    Points on no segment go to a segment of the class "background".
    """
    rng = np.random.default_rng(seed)
    front = label.masks.paint(np.arange(1, len(label) + 1))
    seen = np.zeros(label.size, np.bool_)
    for x0, y0, x1, y1 in extents(label)[label.is_thing]:
        if x1 > x0 and y1 > y0:
            seen[rng.integers(y0, y1, count), rng.integers(x0, x1, count)] = True
    points = Masks.from_ids(np.where(seen & (front > 0), front - 1, -1), len(label))
    tags = tuple(each | {PARTIAL} for each in label.tags)
    known = label.replace(masks=points, tags=tags, stated_box=label.boxes(), stated_area=None, amodal=None)
    return with_background(known, seen & (front == 0), tags=frozenset({PARTIAL}))


def with_background(
    label: Segmentation, where: NDArray[np.bool_], *, tags: frozenset[str] = frozenset()
) -> Segmentation:
    """The label with one more segment at the back, of the class "background" (stuff)."""
    classes = label.classes.merge(Classes((SegmentClass(BACKGROUND, "stuff"),)))
    masks = Masks.encode(where[None])
    row = Segmentation(
        classes,
        masks,
        np.array([classes.names.index(BACKGROUND)], np.int32),
        np.zeros(1, np.int32),
        tags=(tags,),
        stated_box=masks.box().astype(np.float64),
    )
    return Segmentation.concat([row, label.with_classes(classes)])


def separated(boxes: Segmentation, regions: Segmentation) -> Segmentation:
    """Things from their boxes and a map of classes that does not tell them apart.

    A pixel of a class in a single box of that class belongs to that thing. Pixels in several boxes stay
    open, and the things of these boxes partial; pixels in none become a crowd. Where boxes do not overlap,
    what comes out are whole masks.

    Parameters
    ----------
    boxes
        One segment for each thing; its masks are not looked at.
    regions
        The map: segments of the same class names, each of one class, and of any stuff.

    Raises
    ------
    InlayError
        When the sizes differ, or the map has none of the classes of the boxes.
    """
    if boxes.size != regions.size:
        raise InlayError(f"boxes lie in an image of {boxes.size} pixels, the map is of {regions.size}")
    things = boxes.things()
    missing = set(things.class_names) - set(regions.classes.names)
    if missing:
        raise InlayError(
            f"the map has no class {', '.join(sorted(missing))}; its classes are: "
            f"{', '.join(regions.classes.names)}"
        )
    classes = boxes.classes.merge(regions.classes)
    names = regions.with_classes(classes)
    painted = names.masks.paint(names.class_id, fill=-1)
    class_id, extent = things.with_classes(classes).class_id, extents(things)
    owner, crowded = np.full(boxes.size, -1), []
    open_pixels = np.zeros(boxes.size, np.bool_)
    for row in np.unique(class_id):
        mine, pixels = np.flatnonzero(class_id == row), painted == row
        times, last = np.zeros(boxes.size, np.int64), np.full(boxes.size, -1)
        for number in mine:
            x0, y0, x1, y1 = extent[number]
            times[y0:y1, x0:x1] += 1
            last[y0:y1, x0:x1] = number
        owner = np.where(pixels & (times == 1), last, owner)
        open_pixels |= pixels & (times > 1)
        if (pixels & (times == 0)).any():
            crowded.append((int(row), pixels & (times == 0)))
    parts = [_crowd(classes, row, where) for row, where in crowded]
    stuff = names[~np.isin(names.class_id, class_id) & (names.masks.area() > 0)]
    if len(stuff):
        parts.insert(0, stuff.replace(stated_box=stuff.masks.box().astype(np.float64), score=None))
    cut = np.array([open_pixels[y0:y1, x0:x1].any() for x0, y0, x1, y1 in extent], np.bool_)
    tags = tuple(each | {PARTIAL} if some else each for each, some in zip(things.tags, cut))
    found = things.with_classes(classes).replace(
        masks=Masks.from_ids(owner, len(things)),
        tags=tags,
        stated_box=things.boxes(),
        stated_area=None,
        amodal=None,
    )
    joined = Segmentation.concat([*parts, found])
    return with_background(joined, painted < 0) if (painted < 0).any() else joined


def _crowd(classes: Classes, row: int, where: NDArray[np.bool_]) -> Segmentation:
    masks = Masks.encode(where[None])
    return Segmentation(
        classes,
        masks,
        np.array([row], np.int32),
        np.array([1], np.int32),
        crowd=np.ones(1, np.bool_),
        stated_box=masks.box().astype(np.float64),
    )
