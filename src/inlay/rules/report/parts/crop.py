"""The picture of a finding: the image around it, the segments outlined, the offending pixels marked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.overlay import PAPER, nearest, resize
from inlay.rules.finding import Box, Finding
from inlay.rules.repair import Repaired

Pixels = NDArray[np.uint8]
Window = tuple[int, int, int, int]  # x0, y0, x1, y1

GAP = 8  # pixels between two pictures
SIDE = 320  # pixels of the longer side of a picture
LEAST = 96  # pixels of the image that are shown at least, so that one sees where one is
OUTLINES = ((255, 214, 10), (64, 200, 255))  # of the first and second segment, over a dark rim
MARK, RIM = (255, 30, 110), (255, 255, 255)


def draw_crop(finding: Finding, sample: Sample, fixed: Repaired | None = None) -> Pixels | None:
    """(H, W, 3) uint8, or `None` when there is neither an image nor a label to draw.

    With `fixed` the same place afterwards: the segments as they are then, those that are gone left out.
    """
    label = sample.segmentation
    try:
        pixels = sample.pixels() if sample.image is not None else None
    except (InlayError, OSError):
        pixels = None
    size = label.size if label is not None else pixels.shape[:2] if pixels is not None else (0, 0)
    if 0 in size or (pixels is None and not finding.rows and finding.region is None):
        return None
    region = None if finding.region is None else Masks.from_strings([finding.region["counts"]], size)
    masks = [] if label is None else [label.masks[row] for row in finding.rows]
    x0, y0, x1, y1 = window = _window(finding, masks, region, (size[0], size[1]))
    scale = SIDE / max(x1 - x0, y1 - y0)
    drawn_size = max(round((y1 - y0) * scale), 1), max(round((x1 - x0) * scale), 1)
    part = np.full((y1 - y0, x1 - x0, 3), PAPER, np.uint8) if pixels is None else pixels[y0:y1, x0:x1]
    canvas = resize(part, drawn_size) if scale < 1 else _enlarged(part, drawn_size)
    if fixed is not None:
        after = {row: fixed.after.masks[place] for place, row in enumerate(fixed.rows)}
        masks, region = [after[row] for row in finding.rows if row in after], None
    for place, mask in enumerate(masks):
        _outline(canvas, _inside(mask, window, drawn_size), OUTLINES[place % 2])
    if region is not None and not _is_all(region, masks):
        _mark(canvas, _any_inside(region, window, drawn_size))
    return canvas


def draw_fix(finding: Finding, sample: Sample, fixed: Repaired) -> Pixels | None:
    """The place before and after a fix, side by side; before alone where it moves no pixel or is refused."""
    before = draw_crop(finding, sample)
    patch = fixed.patches[0]
    after = draw_crop(finding, sample, fixed) if patch.changed_px and not patch.refused else None
    if before is None or after is None:
        return before
    gap = np.full((before.shape[0], GAP, 3), PAPER, np.uint8)
    return np.concatenate([before, gap, after], axis=1)


def _window(finding: Finding, masks: list[Masks], region: Masks | None, size: tuple[int, int]) -> Window:
    """What to show: the segments when the place is a good part of them, else the place and some context."""
    boxes = [np.array(finding.box)] if finding.box is not None else []
    if masks:
        whole = _union(np.concatenate([mask.box() for mask in masks]))
        if not boxes or _longer(finding.box or whole) * 6 > _longer(whole):
            boxes.append(np.array(whole))
    if not boxes:
        return 0, 0, size[1], size[0]
    around = _union(np.array(boxes))
    if not masks and region is not None and _longer(around) > max(size) / 3:
        around = _busiest(region, max(size) / 3)
    return _square(around, size)


def _busiest(region: Masks, side: float) -> Box:
    """A box of about `side` pixels where the region has most of its pixels."""
    rows, columns = np.nonzero(region.decode()[0])
    cell = max(side / 2, 1)
    keys = (rows // cell).astype(np.int64) * (1 << 20) + (columns // cell).astype(np.int64)
    values, counts = np.unique(keys, return_counts=True)
    row, column = divmod(int(values[counts.argmax()]), 1 << 20)
    x, y = (column + 0.5) * cell, (row + 0.5) * cell
    return x - cell / 2, y - cell / 2, x + cell / 2, y + cell / 2


def _square(box: Box, size: tuple[int, int]) -> Window:
    """A square round a box with some air, moved to lie in the image, cut where the image is smaller."""
    side = max(round(1.4 * _longer(box)), LEAST)
    spans = []
    for low, high, limit in ((box[0], box[2], size[1]), (box[1], box[3], size[0])):
        length = min(side, limit)
        start = min(max(round((low + high - length) / 2), 0), limit - length)
        spans.append((start, start + length))
    (x0, x1), (y0, y1) = spans
    return x0, y0, x1, y1


def _union(boxes: NDArray[Any]) -> Box:
    low, high = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    return low[0], low[1], high[0], high[1]


def _longer(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def _is_all(region: Masks, masks: list[Masks]) -> bool:
    """Whether the region is just the segments: their outlines say it already."""
    return bool(masks) and region.equals(Masks.concat(masks).union())


def _inside(mask: Masks, window: Window, size: tuple[int, int]) -> NDArray[np.bool_]:
    return nearest(mask.crop(0, window).astype(np.int32), size) > 0


def _any_inside(mask: Masks, window: Window, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Like `_inside`, but a pixel that shrinks to nothing is still shown."""
    part = mask.crop(0, window)
    if part.shape[0] <= size[0]:
        return nearest(part.astype(np.int32), size) > 0
    drawn = np.zeros(size, np.bool_)
    rows, columns = np.nonzero(part)
    drawn[rows * size[0] // part.shape[0], columns * size[1] // part.shape[1]] = True
    return drawn


def _enlarged(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Pixels as squares: what is judged is single pixels, which smoothing would hide."""
    rows, columns = (np.arange(new) * old // new for new, old in zip(size, pixels.shape))
    large: Pixels = pixels[rows[:, None], columns]
    return large.copy()


def _mark(canvas: Pixels, region: NDArray[np.bool_]) -> None:
    """The region in a colour that no photograph has, with a light rim; a large one lets the image through."""
    inner = ~region
    for _ in range(4):
        inner = _grown(inner)
    canvas[_grown(region) & ~region] = RIM
    canvas[region & inner] = MARK
    canvas[~inner] = (0.6 * canvas[~inner] + 0.4 * np.array(MARK)).astype(np.uint8)


def _outline(canvas: Pixels, mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    """The rim of a mask, two pixels wide inside it, and a dark one outside."""
    inner = ~_grown(_grown(~mask))
    canvas[_grown(mask) & ~mask] = 20
    canvas[mask & ~inner] = colour


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    wider = mask.copy()
    wider[1:] |= mask[:-1]
    wider[:-1] |= mask[1:]
    wider[:, 1:] |= mask[:, :-1]
    wider[:, :-1] |= mask[:, 1:]
    return wider
