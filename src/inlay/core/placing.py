"""Masks moved to an image of another size: cut out, pasted, shifted, mirrored, turned, scaled."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.checks import check_size
from inlay.core.errors import InlayError
from inlay.core.masks import Masks

Box = tuple[int, int, int, int] | NDArray[Any]


def cut(masks: Masks, box: Box) -> Masks:
    """The masks inside `box` (x0, y0, x1, y1), as masks of an image of the box's size.

    The box may reach beyond the image; there is nothing there.
    """
    x0, y0, x1, y1 = (int(edge) for edge in box)
    if x1 < x0 or y1 < y0:
        raise InlayError(f"box {(x0, y0, x1, y1)} ends before it begins: give (x0, y0, x1, y1)")
    return _window(masks, x0, y0, (y1 - y0, x1 - x0))


def paste(masks: Masks, size: tuple[int, int], *, x: int = 0, y: int = 0) -> Masks:
    """The masks in an image of `size` (height, width), upper left corner at (x, y): the inverse of `cut`.

    What lies outside the new image is lost.
    """
    return _window(masks, -x, -y, size)


def shift(masks: Masks, x: int, y: int) -> Masks:
    """The masks moved `x` pixels right and `y` down in their image; what leaves it is lost."""
    return _window(masks, -x, -y, masks.size)


def _window(masks: Masks, x0: int, y0: int, size: tuple[int, int]) -> Masks:
    height, width = check_size(size)
    if max(abs(x0), abs(y0)) >= 2**40:
        raise InlayError(f"an offset of ({x0}, {y0}) pixels is not possible")
    runs = kernels.window(masks.counts, masks.offsets, masks.size[0], x0, y0, height, width)
    return Masks(*runs, (height, width))


def flip(masks: Masks, axis: Literal["x", "y", "both"] = "x") -> Masks:
    """The masks mirrored left to right ("x"), top to bottom ("y"), or both: turned by half a turn."""
    if axis not in ("x", "y", "both"):
        raise InlayError(f"masks are mirrored along 'x', 'y' or 'both', not {axis!r}")
    runs = kernels.flip(masks.counts, masks.offsets, *masks.size, axis != "y", axis != "x")
    return Masks(*runs, masks.size)


def transpose(masks: Masks) -> Masks:
    """The masks with rows and columns changed over."""
    height, width = masks.size
    return Masks(*kernels.transposed(masks.counts, masks.offsets, height, width), (width, height))


def turn(masks: Masks, quarters: int = 1) -> Masks:
    """The masks turned anticlockwise by quarters of a turn, as `numpy.rot90` does."""
    quarters %= 4
    if quarters % 2 == 0:
        return flip(masks, "both") if quarters else masks
    return flip(transpose(masks), "y" if quarters == 1 else "x")


def resize(masks: Masks, size: tuple[int, int], *, rule: Literal["nearest", "area"] = "nearest") -> Masks:
    """The masks scaled to an image of `size` (height, width).

    Parameters
    ----------
    rule
        "nearest": a new pixel is what lies under its centre, as in Pillow but never rounded. "area": it is
        foreground where the mask covers more than half of it, counted in whole numbers; masks that did not
        overlap still do not.
    """
    if rule not in ("nearest", "area"):
        raise InlayError(f"masks are scaled by the rule 'nearest' or 'area', not {rule!r}")
    scaled = kernels.resize_nearest if rule == "nearest" else kernels.resize_area
    height, width = check_size(size)
    return Masks(*scaled(masks.counts, masks.offsets, *masks.size, height, width), (height, width))
