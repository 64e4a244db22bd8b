"""Masks grown, shrunk, or cut down to the band along their boundary; on run lengths, all masks at once."""

from __future__ import annotations

import math
from typing import Literal

from inlay.core import kernels
from inlay.core.errors import InlayError
from inlay.core.masks import Masks

Element = Literal["square", "disk"]


def erode(masks: Masks, radius: float, *, element: Element = "square", threads: int = 0) -> Masks:
    """The pixels whose whole neighbourhood lies in the mask; outside the image nothing does.

    Parameters
    ----------
    radius
        In pixels. A square of radius `r` is (2r + 1) x (2r + 1): what `r` rounds of a 3x3 kernel reach. A
        disk holds the pixels whose centres are at most `radius` away.
    threads
        At most so many; 0 for as many as the machine has. Little work is done in one.

    Raises
    ------
    InlayError
        When the radius is negative, or no whole number for a square.
    """
    reach, disk = _radius(radius, element), _is_round(radius, element)
    runs = kernels.erode(masks.counts, masks.offsets, *masks.size, reach, disk, threads)
    return Masks._made(runs, masks.size)


def dilate(masks: Masks, radius: float, *, element: Element = "square", threads: int = 0) -> Masks:
    """The pixels that have a pixel of the mask in their neighbourhood; parameters as for `erode`."""
    reach, disk = _radius(radius, element), _is_round(radius, element)
    runs = kernels.dilate(masks.counts, masks.offsets, *masks.size, reach, disk, threads)
    return Masks._made(runs, masks.size)


def boundary_band(masks: Masks, width: int, *, threads: int = 0) -> Masks:
    """The pixels of each mask at most `width` from its boundary: the mask without its erosion by a square.

    The sides of the image are boundary too. It is the region that boundary IoU compares (Cheng et al., 2021).
    """
    reach = int(_radius(width, "square"))
    return Masks(*kernels.band(masks.counts, masks.offsets, *masks.size, reach, threads), masks.size)


def band_width(size: tuple[int, int], share: float = 0.02) -> int:
    """Pixels of a band that is `share` of the image's diagonal wide, at least 1; 0.02 is boundary IoU's."""
    return max(1, round(share * math.sqrt(size[0] ** 2 + size[1] ** 2)))


def _is_round(radius: float, element: Element) -> bool:
    """Whether the element is not a square: a disk of less than 2 pixels that holds its corners is one."""
    return element == "disk" and not math.sqrt(2) <= radius < 2


def _radius(radius: float, element: Element) -> float:
    if element not in ("square", "disk"):
        raise InlayError(f"an element is 'square' or 'disk', not {element!r}")
    if not radius >= 0 or (element == "square" and radius != int(radius)):
        raise InlayError(f"a radius of {radius} is not possible: 0 or more pixels, whole ones for a square")
    return float(min(radius, 2**30))
