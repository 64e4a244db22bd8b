"""Where on Earth an image lies: coordinate reference system and affine transform, read from GeoTIFF tags."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core.errors import FormatError, InlayError

# TIFF tags and GeoKeys of the OGC GeoTIFF Standard 1.1 (OGC 19-008r4), sections 7 and annex B.
_PIXEL_SCALE, _TIE_POINT, _TRANSFORMATION, _KEYS = 33550, 33922, 34264, 34735
_RASTER_TYPE, _GEOGRAPHIC, _PROJECTED, _USER_DEFINED = 1025, 2048, 3072, 32767
_PIXEL_IS_POINT = 2


@dataclass(frozen=True)
class Georeference:
    """Coordinate reference system of an image and the way from its pixels there.

    Parameters
    ----------
    epsg
        Code of the coordinate reference system.
    transform
        (a, b, c, d, e, f): the place (x, y) in pixels, (0, 0) the outer corner of the first pixel, lies at
        (a x + b y + c, d x + e y + f).

    Raises
    ------
    InlayError
        When the transform is not finite or maps the image to a line.
    """

    epsg: int
    transform: tuple[float, float, float, float, float, float]

    def __post_init__(self) -> None:
        a, b, _, d, e, _ = self.transform
        if not all(math.isfinite(value) for value in self.transform) or a * e - b * d == 0:
            raise InlayError(f"the georeference {self.transform} does not map pixels to places")

    def places(self, points: ArrayLike) -> NDArray[np.float64]:
        """(N, 2) coordinates in the reference system, x (or longitude) first, of (N, 2) points in pixels."""
        x, y = np.asarray(points, np.float64).T
        a, b, c, d, e, f = self.transform
        return np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)


def read_georeference(path: Path) -> Georeference | None:
    """What the GeoTIFF tags of an image file say; None where it has none.

    Raises
    ------
    FormatError
        When the tags are there but broken, or name no EPSG code.
    """
    from inlay.core.images import open_image

    with open_image(path) as image:
        tags: dict[int, Any] = dict(getattr(image, "tag_v2", {}))
    if _KEYS not in tags:
        return None
    try:
        return _from_tags(tags)
    except (InlayError, ValueError, TypeError, IndexError) as error:
        raise FormatError(path, "GeoTIFF tags", str(error)) from None


def _from_tags(tags: dict[int, Any]) -> Georeference:
    directory = [int(value) for value in tags[_KEYS]]
    entries = zip(directory[4::4], directory[5::4], directory[7::4])
    keys = {key: value for key, place, value in entries if place == 0}
    epsg = keys.get(_PROJECTED) or keys.get(_GEOGRAPHIC) or _USER_DEFINED
    if epsg == _USER_DEFINED:
        raise InlayError("the coordinate system has no EPSG code; reproject the image to one that has")
    if _TRANSFORMATION in tags:
        m = [float(value) for value in tags[_TRANSFORMATION]]
        a, b, c, d, e, f = m[0], m[1], m[3], m[4], m[5], m[7]
    elif _PIXEL_SCALE in tags and _TIE_POINT in tags:
        a, down = (float(value) for value in tags[_PIXEL_SCALE][:2])
        i, j, _, x, y, _ = (float(value) for value in tags[_TIE_POINT][:6])
        b, d, e = 0.0, 0.0, -down
        c, f = x - a * i, y - e * j
    else:
        raise InlayError("there is a coordinate system and no transform (ModelPixelScale and ModelTiepoint)")
    if keys.get(_RASTER_TYPE) == _PIXEL_IS_POINT:  # the tags place the centre of a pixel, not its corner
        c, f = c - (a + b) / 2, f - (d + e) / 2
    return Georeference(epsg, (a, b, c, d, e, f))
