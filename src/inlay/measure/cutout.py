"""Cut-outs: an alpha edge that follows the image, clean edge colours, a new or a blurred background."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset

Pixels = NDArray[np.uint8]
Alpha = NDArray[np.float64]

EDGE = 3  # pixels on either side of the mask's edge that may be partly transparent
UNSURE = 0.02  # weight of pixels so near the mask's edge that the mask may be wrong there
SMOOTH = 1e-3  # squared contrast (of 1) below which colours say nothing
STEEP = 3.0  # how much steeper than the fit the opacity rises: a filter's mean blurs an edge
PLAIN = 1.0  # pixels on either side that an edge is soft where colours tell nothing
STEADY = 0.7  # how much of the last frame's edge stays where the image did not change
CHANGED = 12.0  # grey levels from which the image counts as changed


def alpha(pixels: Pixels, mask: NDArray[np.bool_], *, edge: int = EDGE) -> Alpha:
    """(H, W) opacity in [0, 1]: 1 and 0 away from the mask's edge, following the image along it.

    Near the edge the mask is fitted by a linear model of the colours around each pixel: the guided filter of
    K. He, J. Sun, X. Tang, "Guided Image Filtering", TPAMI 35, 2013, equations 19 to 21, where pixels right
    at the edge, whose label may be wrong, weigh little. It counts as far as colours tell front from back
    there; for the rest the mask's own edge stands, hardly softened.

    Parameters
    ----------
    pixels
        (H, W, 3) the image.
    mask
        (H, W) the segment.
    edge
        Pixels on either side of the edge that may be partly transparent; 0 gives the mask itself.

    Raises
    ------
    InlayError
        When image and mask differ in size.
    """
    from scipy import ndimage

    if pixels.shape[:2] != mask.shape:
        raise InlayError(f"the mask is of {mask.shape} pixels, the image of {pixels.shape[:2]}")
    if edge <= 0 or not mask.any():
        return mask.astype(np.float64)
    inside, outside = (ndimage.distance_transform_edt(side) for side in (mask, ~mask))
    distance = np.where(mask, inside - 0.5, 0.5 - outside)  # of pixel centres from the edge between pixels
    sure = np.where(np.abs(distance) > edge / 2, 1.0, UNSURE)
    fitted, told = _guided(
        np.asarray(pixels / 255, np.float64), mask.astype(np.float64), sure, radius=2 * edge
    )
    sharp = np.clip(0.5 + STEEP * (fitted - 0.5), 0, 1)
    plain = np.clip(0.5 + distance / (2 * PLAIN), 0, 1)
    return np.where(np.abs(distance) > edge, mask, told * sharp + (1 - told) * plain)


def _guided(guide: NDArray[np.float64], target: Alpha, weight: Alpha, *, radius: int) -> tuple[Alpha, Alpha]:
    """The target as a linear function of the guide's colours, fitted by weight around each pixel, and how
    much of it they tell there, 0 .. 1."""
    from scipy.ndimage import uniform_filter

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sides = (2 * radius + 1, 2 * radius + 1) + (1,) * (values.ndim - 2)
        found: NDArray[np.float64] = uniform_filter(values, sides, mode="nearest")
        return found

    total = mean(weight)
    heavy, share = weight[..., None], total[..., None]
    colour, level = mean(heavy * guide) / share, mean(weight * target) / total
    outer = mean(heavy[..., None] * guide[..., :, None] * guide[..., None, :]) / share[..., None]
    outer += SMOOTH * np.eye(3) - colour[..., :, None] * colour[..., None, :]
    shared = mean(heavy * guide * target[..., None]) / share - colour * level[..., None]
    slope = np.asarray(np.linalg.solve(outer, shared[..., None])[..., 0], np.float64)
    offset = level - (slope * colour).sum(axis=-1)
    told = (slope * shared).sum(axis=-1) / np.maximum(level * (1 - level), 1e-6)
    fitted = (mean(slope) * guide).sum(axis=-1) + mean(offset)
    return np.asarray(fitted), np.asarray(mean(np.clip(told, 0, 1)) ** 2)


def clean(pixels: Pixels, opacity: Alpha) -> Pixels:
    """(H, W, 3) colours without what shone through at the edge: partly transparent pixels take their colour
    from the nearest opaque ones, smoothed, so that no fringe of the old background is left."""
    from scipy import ndimage

    sure = opacity > 0.98
    if not sure.any():
        return pixels.copy()
    nearest = ndimage.distance_transform_edt(~sure, return_distances=False, return_indices=True)
    filled = pixels[tuple(nearest)].astype(np.float64)
    smooth = ndimage.uniform_filter(filled, (5, 5, 1), mode="nearest")
    return np.where(sure[..., None], pixels, np.rint(smooth)).astype(np.uint8)


def cut_out(pixels: Pixels, mask: NDArray[np.bool_], *, edge: int = EDGE, margin: int = 2) -> Pixels:
    """(h, w, 4) the segment alone on nothing: red, green, blue, opacity, cut to its box and a margin.

    Raises
    ------
    InlayError
        When the mask is empty.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise InlayError("an empty mask cuts nothing out")
    reach = margin + 3 * edge  # the filter sees this far
    top, left = max(0, rows[0] - reach), max(0, columns[0] - reach)
    window = np.s_[top : rows[-1] + 1 + reach, left : columns[-1] + 1 + reach]
    opacity = alpha(pixels[window], mask[window], edge=edge)
    cut = np.dstack([clean(pixels[window], opacity), np.rint(opacity * 255).astype(np.uint8)])
    trim = max(0, reach - margin - edge)
    up, aside = min(trim, rows[0] - top), min(trim, columns[0] - left)
    bottom = min(cut.shape[0], rows[-1] + 1 - top + margin + edge)
    right = min(cut.shape[1], columns[-1] + 1 - left + margin + edge)
    return np.ascontiguousarray(cut[up:bottom, aside:right])


def replace_background(pixels: Pixels, opacity: Alpha, background: Pixels) -> Pixels:
    """(H, W, 3) the opaque part of the image over another image of the same size.

    Raises
    ------
    InlayError
        When the images differ in size.
    """
    if background.shape != pixels.shape:
        raise InlayError(f"the background is {background.shape}, the image {pixels.shape}: resize it first")
    share = opacity[..., None]
    return np.rint(clean(pixels, opacity) * share + background * (1 - share)).astype(np.uint8)


def blur_background(pixels: Pixels, opacity: Alpha, *, sigma: float = 12.0) -> Pixels:
    """(H, W, 3) the image with all but the opaque part out of focus, no front bleeding into it."""
    from scipy.ndimage import gaussian_filter

    behind = np.clip(1 - opacity, 1e-4, 1)[..., None]
    colours = gaussian_filter(pixels * behind, (sigma, sigma, 0), mode="nearest")
    weight = gaussian_filter(behind, (sigma, sigma, 0), mode="nearest")
    share = opacity[..., None]
    mixed = clean(pixels, opacity) * share + colours / weight * (1 - share)
    return np.asarray(np.rint(mixed).clip(0, 255), np.uint8)


def steady(opacity: Alpha, pixels: Pixels, *, before: Alpha, pixels_before: Pixels) -> Alpha:
    """(H, W) this frame's opacity without flicker: where the image did not change, the last edge stays.

    Parameters
    ----------
    opacity, pixels
        This frame.
    before, pixels_before
        What this function gave for the last frame, and its image.
    """
    from scipy.ndimage import uniform_filter

    change = np.abs(pixels.astype(np.float64) - pixels_before).mean(axis=2)
    still = np.clip(1 - uniform_filter(change, 5) / CHANGED, 0, 1)
    return np.asarray(opacity + STEADY * still * (before - opacity))


def write_cutouts(
    dataset: Dataset,
    folder: Path,
    *,
    names: Collection[str] | None = None,
    edge: int = EDGE,
    progress: Callable[[int, int, str], None] | None = None,
) -> int:
    """Write each thing as `SAMPLE-ROW-CLASS.png` into an existing folder; says how many.

    Raises
    ------
    InlayError
        When a sample has no image, or `names` has a class that the dataset lacks.
    """
    from PIL import Image

    for name in names or ():
        dataset.classes.row(name)
    written = 0
    for done, sample in enumerate(dataset, 1):
        label = sample.label()
        rows = [
            int(row)
            for row in np.flatnonzero(label.is_thing & (label.masks.area() > 0))
            if names is None or label.class_names[row] in names
        ]
        pixels = sample.pixels() if rows else None
        for row in rows:
            if pixels is not None:
                cut = cut_out(pixels, label.masks[row].decode()[0], edge=edge)
                words = "-".join(
                    re.sub(r"[^\w.]+", "_", each) for each in (sample.name, str(row), label.class_names[row])
                )
                Image.fromarray(cut, "RGBA").save(folder / f"{words}.png")
                written += 1
        if progress:
            progress(done, len(dataset), sample.name)
    return written
