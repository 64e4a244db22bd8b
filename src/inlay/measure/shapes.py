"""Shape of each segment: size, place, axes, outline and hull, the figures of scikit-image's `regionprops`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.masks import Masks

if TYPE_CHECKING:
    from inlay.core.segmentation import Segmentation

Bitmap = NDArray[np.bool_]
Columns = dict[str, NDArray[np.float64]]

# Length that a border pixel stands for, by 1 + 2 x its neighbours along rows and columns + 10 x its diagonal
# ones on the border: K. Benkrid, D. Crookes, A. Benkrid, "Design and FPGA implementation of a perimeter
# estimator", Irish Machine Vision and Image Processing Conference, 2000.
STRAIGHT, DIAGONAL, MIXED = (5, 7, 15, 17, 25, 27), (21, 33), (13, 23)


def shapes(segmentation: Segmentation, *, spacing: tuple[float, float] = (1.0, 1.0)) -> Columns:
    """(N,) figures of each segment by name, lengths and areas in the unit of `spacing`.

    `area`, `x`, `y` (centroid), `box_x0` .. `box_y1`, `perimeter`, `major_axis`, `minor_axis`,
    `eccentricity`, `orientation` (radians from the y axis to the major axis, counter-clockwise),
    `convex_area`, `solidity`, `extent`, `feret` (largest diameter), `equivalent_diameter`, `circularity`
    (4 pi area / perimeter^2) and `euler` (parts minus holes). An empty mask has area 0 and NaN else.

    Equal to `skimage.measure.regionprops`, except that (x, y) are places, not indices: pixel (0, 0) covers
    [0, 1) x [0, 1), so a centroid lies half a pixel further.

    Parameters
    ----------
    segmentation
        The segments; their modal masks are measured.
    spacing
        Height and width of a pixel. Perimeters, hulls and diameters need square pixels.

    Raises
    ------
    InlayError
        When a side of a pixel is not positive, or the pixels are not square.
    """
    height, width = spacing
    if not (math.isfinite(height) and math.isfinite(width) and height > 0 and width > 0):
        raise InlayError(f"a pixel of {height} x {width} is no pixel: sides are positive numbers")
    if not math.isclose(height, width, rel_tol=1e-6):
        raise InlayError(
            f"pixels of {height} x {width} are not square: resample the image to square ones first"
        )
    masks = segmentation.masks
    columns = _of_pixels(masks)
    for name, values in columns.items():
        values *= height ** _DIMENSION.get(name, 0)
    return columns


_DIMENSION = {
    **dict.fromkeys(("area", "convex_area"), 2),
    **dict.fromkeys(("x", "y", "box_x0", "box_y0", "box_x1", "box_y1", "perimeter"), 1),
    **dict.fromkeys(("major_axis", "minor_axis", "feret", "equivalent_diameter"), 1),
}


def _of_pixels(masks: Masks) -> Columns:
    area = masks.area().astype(np.float64)
    full = area > 0
    box = np.where(full[:, None], masks.box(), np.nan).astype(np.float64)
    columns: Columns = {"area": area.copy()}
    columns |= dict(zip(("box_x0", "box_y0", "box_x1", "box_y1"), box.T.copy()))
    outline = np.full((len(masks), 9), np.nan)
    for row in np.flatnonzero(full):
        outline[row] = _of_bitmap(masks.crop(int(row), masks.box()[row]))
    names = (
        "x",
        "y",
        "major_axis",
        "minor_axis",
        "orientation",
        "perimeter",
        "convex_area",
        "feret",
        "euler",
    )
    columns |= dict(zip(names, outline.T.copy()))
    columns["x"] += columns["box_x0"]
    columns["y"] += columns["box_y0"]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = columns["minor_axis"] / columns["major_axis"]
        columns["eccentricity"] = np.where(columns["major_axis"] == 0, 0.0, np.sqrt(1 - ratio**2))
        columns["solidity"] = area / columns["convex_area"]
        columns["extent"] = area / ((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]))
        columns["equivalent_diameter"] = np.where(full, np.sqrt(4 * area / np.pi), np.nan)
        columns["circularity"] = 4 * np.pi * area / columns["perimeter"] ** 2
    columns["circularity"][columns["perimeter"] == 0] = np.nan  # a single pixel has no outline to speak of
    return columns


def _of_bitmap(pixels: Bitmap) -> tuple[float, ...]:
    from scipy import ndimage

    y, x = np.nonzero(pixels)
    centre_x, centre_y = x.mean(), y.mean()
    dx, dy = x - centre_x, y - centre_y
    moments = float((dx * dx).mean()), float((dy * dy).mean()), float((dx * dy).mean())
    major, minor, orientation = axes(*moments)
    hull, feret = _hull(pixels)
    eight = np.ones((3, 3), np.int8)
    parts = ndimage.label(pixels, eight)[1]
    holes = ndimage.label(np.pad(~pixels, 1, constant_values=True))[1] - 1
    return (
        centre_x + 0.5,
        centre_y + 0.5,
        major,
        minor,
        orientation,
        perimeter(pixels),
        float(hull),
        feret,
        float(parts - holes),
    )


def axes(xx: float, yy: float, xy: float) -> tuple[float, float, float]:
    """Major and minor axis of the ellipse with these second moments, and its orientation in radians.

    The orientation runs from the y axis (down) to the major axis, counter-clockwise, in [-pi/2, pi/2].
    """
    mean, half = (xx + yy) / 2, (xx - yy) / 2
    spread = math.hypot(half, xy)
    major, minor = 4 * math.sqrt(mean + spread), 4 * math.sqrt(max(mean - spread, 0.0))
    if xx == yy:
        return major, minor, (math.pi / 4 if xy > 0 else -math.pi / 4)
    return major, minor, 0.5 * math.atan2(2 * xy, yy - xx)


def perimeter(pixels: Bitmap) -> float:
    """Length of the outline in pixels, holes included; 4-neighbours make the border."""
    from scipy import ndimage

    padded = np.pad(pixels, 1)
    border = padded & ~ndimage.binary_erosion(padded)
    window = np.array([[10, 2, 10], [2, 1, 2], [10, 2, 10]], np.int32)
    code = ndimage.convolve(border.astype(np.int32), window, mode="constant")
    codes = np.bincount(code[border], minlength=50)
    return float(
        codes[list(STRAIGHT)].sum()
        + math.sqrt(2) * codes[list(DIAGONAL)].sum()
        + (1 + math.sqrt(2)) / 2 * codes[list(MIXED)].sum()
    )


def _hull(pixels: Bitmap) -> tuple[int, float]:
    """Pixels of the convex hull of all pixels' edge centres, and the hull's largest diameter.

    Coordinates are doubled so that all is whole numbers: pixel (x, y) has the edge centres (2x +- 1, 2y) and
    (2x, 2y +- 1).
    """
    rows = np.flatnonzero(pixels.any(axis=1))
    first = pixels[rows].argmax(axis=1)
    last = pixels.shape[1] - 1 - pixels[rows][:, ::-1].argmax(axis=1)
    x, y = np.concatenate([first, last]) * 2, np.concatenate([rows, rows]) * 2
    points = np.stack([np.concatenate([x - 1, x + 1, x, x]), np.concatenate([y, y, y - 1, y + 1])], axis=1)
    corners = convex_hull(points)
    inside = _pixels_inside(corners, pixels.shape[0])
    # The outline of the filled hull decides, as in scikit-image: its pixels stick out of the hull.
    row = np.arange(pixels.shape[0]) * 2
    edges = np.concatenate(
        [
            np.stack([end * 2 + across, row + down], axis=1)
            for end, side in zip(inside, (-1, 1))
            for across, down in ((side, 0), (0, -1), (0, 1))
        ]
    )
    apart = convex_hull(edges)
    squared = ((apart[:, None] - apart[None]) ** 2).sum(axis=2)
    return int((inside[1] - inside[0] + 1).sum()), math.sqrt(float(squared.max())) / 2


def convex_hull(points: NDArray[np.int64]) -> NDArray[np.int64]:
    """(C, 2) corners of the convex hull of (P, 2) whole-numbered points, counter-clockwise, none on a side.

    A. M. Andrew, "Another efficient algorithm for convex hulls in two dimensions", 1979; exact.
    """
    ordered = np.unique(points, axis=0).tolist()
    if len(ordered) < 3:
        return np.array(ordered, np.int64)

    def chain(line: list[list[int]]) -> list[list[int]]:
        kept: list[list[int]] = []
        for px, py in line:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-2], kept[-1]
                if (bx - ax) * (py - ay) - (by - ay) * (px - ax) > 0:
                    break
                kept.pop()
            kept.append([px, py])
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]), np.int64)


def _pixels_inside(corners: NDArray[np.int64], height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last pixel of each row whose centre lies in the hull (doubled coordinates) or on it."""
    row = np.arange(height, dtype=np.int64) * 2
    first = np.full(height, np.iinfo(np.int64).max)
    last = np.full(height, np.iinfo(np.int64).min)
    for (ax, ay), (bx, by) in zip(corners.tolist(), np.roll(corners, -1, axis=0).tolist()):
        if ay == by:
            crossed = row == ay
            low, high = min(ax, bx), max(ax, bx)
            first[crossed] = np.minimum(first[crossed], -(-low // 2))
            last[crossed] = np.maximum(last[crossed], high // 2)
            continue
        crossed = (row >= min(ay, by)) & (row <= max(ay, by))
        # x = ax + (bx - ax) (row - ay) / (by - ay), halved and rounded inwards, in whole numbers
        below, above = 2 * (by - ay), (ax * (by - ay) + (bx - ax) * (row[crossed] - ay))
        if below < 0:
            below, above = -below, -above
        first[crossed] = np.minimum(first[crossed], -(-above // below))
        last[crossed] = np.maximum(last[crossed], above // below)
    return first, last
