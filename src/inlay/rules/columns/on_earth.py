"""Columns of images that know where on Earth they lie."""

from __future__ import annotations

from inlay.core.errors import InlayError
from inlay.core.geodesy import areas_on_earth
from inlay.rules.tables import Floats, SegmentTable, UnknownError


def area_m2(table: SegmentTable) -> Floats:
    """Square metres of the mask on the ellipsoid of the image's coordinate system; 0 or more.

    Unknown for images that are no GeoTIFF or lie in Web Mercator, and without `pip install inlay[geo]`.
    """
    if table.sample is None:
        raise UnknownError
    try:
        return areas_on_earth(table.masks, table.sample)
    except (InlayError, OSError):
        raise UnknownError from None
