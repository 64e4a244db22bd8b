"""Overlays: the segments of an image drawn over its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, distinct_colour
from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.core.segmentation import Segmentation

Pixels = NDArray[np.uint8]  # (H, W, 3)
Ids = NDArray[np.int32]  # (H, W), row + 1 of the front segment, 0 for nobody

PAPER = 236  # grey that stands for an image that is not at hand
VOID = 128  # grey of void classes that have no colour of their own
LIGHTNESS = (0.0, -0.32, 0.34, -0.16, 0.17)  # things of one class, by instance: towards black or white


def draw(
    pixels: Pixels | None,
    segmentation: Segmentation,
    *,
    size: tuple[int, int] | None = None,
    opacity: float = 0.45,
    outline: bool = True,
    names: bool = True,
    instance_colours: bool = False,
) -> Pixels:
    """(H, W, 3) uint8: the image with its segments in their colours.

    Void and crowds are hatched; the hidden part of a thing has a dashed outline; names carry the score of a
    prediction. Pixels of no segment stay as they are, but where tags and dashed outlines reach them.

    Parameters
    ----------
    pixels
        (H, W, 3) uint8 of the size of the segmentation, or `None` for plain paper.
    size
        (height, width) of the drawing where it is not that of the image: a thumbnail, or an enlargement.
    opacity
        Share of the colour in the fill, 0 .. 1.
    outline
        Draw the edge of each visible part, inside it.
    names
        Write the class on each segment that has room for it.
    instance_colours
        One hue for each thing, instead of one for each class in several lightnesses.

    Raises
    ------
    InlayError
        When image and segmentation differ in size, or `opacity` is out of its range.
    """
    if not 0 <= opacity <= 1:
        raise InlayError(f"opacity is {opacity}; it goes from 0 to 1")
    if pixels is not None and pixels.shape != (*segmentation.size, 3):
        raise InlayError(
            f"the image has shape {pixels.shape}, its segmentation is of {segmentation.size} pixels"
        )
    size = size or segmentation.size
    canvas = np.full((*size, 3), PAPER, np.uint8) if pixels is None else resize(pixels, size)
    if not len(segmentation) or 0 in size:
        return canvas
    ids = nearest(segmentation.panoptic(), size)
    colours = row_colours(segmentation, instance_colours=instance_colours)
    drawn = _fill(canvas, ids, colours, _hatched(segmentation), opacity)
    if outline:
        _draw_outlines(drawn, ids, colours)
        _draw_hidden_outlines(drawn, ids, segmentation, colours)
    if names:
        from inlay.core.name_tags import write_names

        drawn = write_names(drawn, ids, segmentation, colours)
    return drawn


def row_colours(segmentation: Segmentation, *, instance_colours: bool = False) -> Pixels:
    """(N, 3) uint8 colour of each row: its class's, things varied in lightness, or one hue for each thing."""
    colours = class_colours(segmentation.classes)[segmentation.class_id]
    thing = np.flatnonzero(segmentation.is_thing)
    number = segmentation.instance_id[thing]
    number = np.where(number > 0, number, thing + 1)
    if instance_colours:
        hues = [distinct_colour(int(i)) for i in number]
        colours[thing] = np.array(hues, np.uint8).reshape(-1, 3)
    else:
        colours[thing] = _lighten(colours[thing], np.array(LIGHTNESS)[(number - 1) % len(LIGHTNESS)])
    return colours


def class_colours(classes: Classes) -> Pixels:
    """(K, 3) uint8 colour of each class, as drawn: void that has none of its own is grey."""
    colours = classes.colours.copy()
    colours[[item.kind == "void" and item.colour is None for item in classes]] = VOID
    return colours


def nearest(ids: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.int32]:
    """An id map of another (height, width): each pixel takes the value under its centre."""
    if ids.shape == size:
        return ids
    rows, columns = (_sampled(new, old) for new, old in zip(size, ids.shape, strict=True))
    picked: NDArray[np.int32] = ids[rows[:, None], columns]
    return picked


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A copy of an image, resampled to (height, width) where it has not that size already."""
    if pixels.shape[:2] == size:
        return pixels.copy()
    from PIL import Image

    return np.array(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BOX, reducing_gap=2.0))


def within(size: tuple[int, ...], longest: int) -> tuple[int, int]:
    """(height, width) of the same shape whose longer side is at most `longest`."""
    share = min(1.0, longest / max(*size[:2], 1))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _lighten(colours: Pixels, amount: NDArray[np.float64]) -> Pixels:
    """Colours moved towards white (amount > 0) or black (< 0), by up to 1."""
    share = np.abs(amount)[:, None]
    target = np.where(amount > 0, 255, 0)[:, None]
    return np.asarray(colours * (1 - share) + target * share + 0.5, np.uint8)


def _hatched(segmentation: Segmentation) -> NDArray[np.bool_]:
    """(N,) rows that are no clean segment: void and crowds."""
    return segmentation.classes.is_void[segmentation.class_id] | segmentation.crowd


def _fill(canvas: Pixels, ids: Ids, colours: Pixels, hatched: NDArray[np.bool_], opacity: float) -> Pixels:
    """Blend by two small tables: the tint of each id, and what is left of the image under it."""
    height, width = ids.shape
    share = np.zeros(len(colours) + 1)
    share[1:] = np.where(hatched, 0.3 * opacity, opacity)
    blended = _blend(canvas, ids, colours, share)
    if hatched.any():
        pitch = max(4, min(height, width) // 48)
        stripe = (np.add.outer(np.arange(height), np.arange(width)) // (pitch // 2)) % 2 == 0
        stripe &= np.concatenate([[False], hatched])[ids]
        share[1:] = min(1.0, 1.5 * opacity)
        blended[stripe] = _blend(canvas[stripe], ids[stripe], colours, share)
    return blended


def _blend(pixels: Pixels, ids: Ids, colours: Pixels, share: NDArray[np.float64]) -> Pixels:
    parts = np.rint(share * 256).astype(np.uint16)
    tint = np.zeros((len(colours) + 1, 3), np.uint16)
    tint[1:] = colours * parts[1:, None]
    mixed = pixels * (256 - parts)[ids][..., None]
    mixed += tint[ids]
    mixed >>= 8
    return mixed.astype(np.uint8)


def _draw_outlines(drawn: Pixels, ids: Ids, colours: Pixels) -> None:
    """The rim of each visible part, inside it, in its own full colour: shared edges show both neighbours."""
    rim = _rim(ids, line_width(ids.shape)) & (ids > 0)
    drawn[rim] = colours[ids[rim] - 1]


def _rim(ids: NDArray[np.int32] | NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """(H, W) pixels with another value within `width` steps along row or column; the image border is none."""
    rim = np.zeros(ids.shape, np.bool_)
    for step in range(1, width + 1):
        down, right = ids[step:] != ids[:-step], ids[:, step:] != ids[:, :-step]
        rim[step:] |= down
        rim[:-step] |= down
        rim[:, step:] |= right
        rim[:, :-step] |= right
    return rim


def line_width(size: tuple[int, ...]) -> int:
    """Pixels that a line should be wide in an image of this size."""
    return max(1, round(min(size[:2]) / 500))


def _draw_hidden_outlines(drawn: Pixels, ids: Ids, segmentation: Segmentation, colours: Pixels) -> None:
    """Dashes along the part of a thing that something hides."""
    if segmentation.amodal is None:
        return
    hidden = np.flatnonzero(segmentation.is_thing & (segmentation.amodal.area() > segmentation.masks.area()))
    bright = _lighten(colours, np.full(len(colours), 0.35))
    width = line_width(ids.shape)
    pitch = 3 * width
    places = [_sampled(new, old) for new, old in zip(ids.shape, segmentation.size, strict=True)]
    for row in hidden:
        x0, y0, x1, y1 = segmentation.amodal.box()[row]
        window = _around(places[0], y0, y1, width), _around(places[1], x0, x1, width)
        down, across = places[0][window[0]], places[1][window[1]]
        whole = segmentation.amodal[int(row)].decode()[0][down[:, None], across]
        y, x = np.ogrid[window]
        rim = _rim(whole, width) & whole & (ids[window] != row + 1) & ((2 * y + x) // pitch % 2 == 0)
        drawn[window][rim] = bright[row]


def _around(places: NDArray[np.intp], low: int, high: int, margin: int) -> slice:
    """Where in sorted `places` low .. high lie, and a margin, so that the rim is seen to be one."""
    first, last = np.searchsorted(places, (low, high))
    return slice(max(0, int(first) - margin), min(len(places), int(last) + margin))


def _sampled(new: int, old: int) -> NDArray[np.intp]:
    """(new,) place of each pixel's centre among `old` pixels."""
    return ((np.arange(new) + 0.5) * old / new).astype(np.intp)
