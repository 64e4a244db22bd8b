"""Areas on the ellipsoid of the coordinate system that an image's file names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.georeference import read_georeference
from inlay.core.masks import Masks
from inlay.core.polygons import trace

if TYPE_CHECKING:
    from inlay.core.dataset import Sample
    from inlay.core.georeference import Georeference

WEB_MERCATOR = frozenset({3857, 3785, 900913, 102100, 102113})
LONGEST = 32.0  # pixels between two corners of an outline that is carried to the ellipsoid


def geodesic_areas(masks: Masks, georeference: Georeference | None) -> NDArray[np.float64]:
    """(N,) square metres of each mask on the ellipsoid of its coordinate system.

    The outline around the pixels is carried to longitude and latitude corner by corner, and its area taken on
    the ellipsoid (C. F. F. Karney, "Algorithms for geodesics", Journal of Geodesy 87, 2013, through PROJ): no
    projection distorts it. Needs `pip install inlay[geo]`.

    Raises
    ------
    InlayError
        Without a georeference, in Web Mercator (whose pixels are up to many times too large, so its files are
        usually resampled for looks), for an unknown EPSG code, or without pyproj.
    """
    if georeference is None:
        raise InlayError(
            "the image has no coordinate system, so its pixels have no size on Earth: give a GeoTIFF with "
            "one, or the size of a pixel"
        )
    if georeference.epsg in WEB_MERCATOR:
        raise InlayError(
            f"EPSG:{georeference.epsg} is Web Mercator, a projection for looking at maps: reproject it "
            "to UTM or an equal-area system, from its source rather than from tiles"
        )
    to_degrees, ellipsoid = _projection(georeference.epsg)
    outlines = trace(masks)
    found = np.zeros(len(masks))
    for row in range(len(masks)):
        for rings in outlines[row]:
            inside = [abs(_ring_area(ring, georeference, to_degrees, ellipsoid)) for ring in rings]
            found[row] += inside[0] - sum(inside[1:])
    return found


def _projection(epsg: int) -> tuple[Any, Any]:
    try:
        from pyproj import CRS, Transformer
        from pyproj.exceptions import CRSError
    except ImportError:
        raise InlayError("geodesic areas need PROJ: pip install 'inlay[geo]'") from None
    try:
        system = CRS.from_epsg(epsg)
    except CRSError:
        raise InlayError(f"EPSG:{epsg} is no coordinate system that PROJ knows") from None
    geodetic, ellipsoid = system.geodetic_crs, system.get_geod()
    if geodetic is None or ellipsoid is None:
        raise InlayError(f"EPSG:{epsg} does not lie on the Earth, so it has no geodesic areas")
    return Transformer.from_crs(system, geodetic, always_xy=True), ellipsoid


def _ring_area(
    ring: NDArray[np.float64], georeference: Georeference, to_degrees: Any, ellipsoid: Any
) -> float:
    longitude, latitude = to_degrees.transform(*georeference.places(_denser(ring)).T)
    if not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
        raise InlayError(f"parts of the image lie outside what EPSG:{georeference.epsg} describes")
    return float(ellipsoid.polygon_area_perimeter(longitude, latitude)[0])


def _denser(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ring with corners at most `LONGEST` pixels apart: a straight line in the image is none on Earth."""
    step = np.roll(ring, -1, axis=0) - ring
    pieces = np.maximum(1, np.ceil(np.abs(step).max(axis=1) / LONGEST)).astype(int)
    start = np.repeat(np.arange(len(ring)), pieces)
    along = (np.arange(len(start)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[start]
    return np.asarray(ring[start] + along[:, None] * step[start])


def areas_on_earth(masks: Masks, sample: Sample) -> NDArray[np.float64]:
    """`geodesic_areas` by the coordinate system of a sample's image file; errors name the sample."""
    georeference = georeference_of(sample)
    try:
        return geodesic_areas(masks, georeference)
    except InlayError as error:
        raise InlayError(f"sample {sample.name!r}: {error}") from None


def georeference_of(sample: Sample) -> Georeference | None:
    """What the image file of a sample says about its place on Earth."""
    return read_georeference(sample.image) if isinstance(sample.image, Path) else None
