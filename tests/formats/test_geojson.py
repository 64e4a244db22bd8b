"""GeoJSON: coordinates of the image's own system, of longitude and latitude, or of pixels; never a guess."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.core.georeference import read_georeference
from inlay.formats import geojson


def tiff(path: Path, epsg: int = 32633, *, raster_type: int = 1) -> Path:
    """A GeoTIFF of 12x8 pixels, whose tags place corners of pixels (1) or their centres (2)."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, kind, values in (
        (33550, 12, (0.5, 0.5, 0.0)),
        (33922, 12, (0.0, 0.0, 0.0, 500_000.25, 5_000_000.75, 0.0)),
        (34735, 3, (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, raster_type, 3072, 0, 1, epsg)),
    ):
        tags.tagtype[tag] = kind
        tags[tag] = values
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 8)).save(path, tiffinfo=tags)
    return path


def ringed() -> Segmentation:
    stack = np.zeros((1, 8, 12), bool)
    stack[0, 1:6, 2:9] = True
    stack[0, 3, 4:6] = False
    stack[0, 7, 11] = True
    return Segmentation(Classes.of("field"), Masks.encode(stack), [0], [1])


def test_labels_lie_on_earth_where_their_image_lies_and_come_back_to_the_pixel(tmp_path):
    image = tiff(tmp_path / "a.tif")
    all_formats.write(Dataset.of([Sample("a", image, ringed())]), tmp_path / "o", to="geojson")
    data = json.loads((tmp_path / "o/labels/a.geojson").read_text())
    assert data["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::32633"
    outer, hole = data["features"][0]["geometry"]["coordinates"][0]
    assert min(outer) == [500_001.25, 4_999_997.75]
    assert outer[0] == outer[-1]

    def area(ring: list) -> float:
        x, y = np.array(ring).T
        return float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2

    assert (area(outer) > 0, area(hole) < 0) == (True, True)
    assert (tmp_path / "o/images/a.tif").read_bytes() == image.read_bytes()
    assert geojson.read(tmp_path / "o")[0].label().equals(ringed())


def test_an_image_that_is_placed_by_the_centre_of_its_pixels_lies_half_a_pixel_off(tmp_path):
    corner, centre = (read_georeference(tiff(tmp_path / f"{kind}.tif", raster_type=kind)) for kind in (1, 2))
    assert (corner.transform[2], corner.transform[5]) == (500_000.25, 5_000_000.75)
    assert (centre.transform[2], centre.transform[5]) == (500_000.0, 5_000_001.0)


def polygons(root: Path, ring: list, **more: object) -> Path:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"class": "field"}, "geometry": geometry}
    (root / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature], **more}))
    return root


def test_longitude_and_latitude_go_to_the_system_of_the_image(tmp_path):
    pyproj = pytest.importorskip("pyproj")
    tiff(tmp_path / "a.tif")
    change = pyproj.Transformer.from_crs(32633, 4326, always_xy=True)
    west, east, north, south = 500_001.25, 500_004.25, 5_000_000.25, 4_999_998.75
    corners = [(west, north), (east, north), (east, south), (west, south)]
    ring = [list(change.transform(*corner)) for corner in corners]
    label = geojson.read(polygons(tmp_path, ring))[0].label()
    assert label.masks.box().tolist() == [[2, 1, 8, 4]]
    assert label.masks.area().tolist() == [18]


def test_without_a_georeference_coordinates_are_pixels(tmp_path):
    Image.new("RGB", (12, 8)).save(tmp_path / "a.png")
    label = geojson.read(polygons(tmp_path, [[2, 1], [6, 1], [6, 4], [2, 4], [2, 1]]))[0].label()
    assert label.masks.area().tolist() == [12]


@pytest.mark.parametrize(
    ("more", "ring", "what"),
    [
        (
            {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}},
            [[1, 2]],
            "the image says not where",
        ),
        ({"crs": {"properties": {"name": "local"}}}, [[1, 2]], "names no EPSG code"),
        ({}, "abc", r"features\[0\].geometry.coordinates: expected"),
        ({}, [[1, 2], ["a", 3]], r"features\[0\].geometry.coordinates: expected"),
    ],
)
def test_a_broken_file_is_named_with_its_place(tmp_path, more, ring, what):
    Image.new("RGB", (12, 8)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match=what):
        list(geojson.read(polygons(tmp_path, ring, **more)))


def test_points_and_lines_are_left_out_and_counted(tmp_path):
    Image.new("RGB", (12, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.geojson").write_text(
        '{"features": [{"geometry": {"type": "Point", "coordinates": [1, 2]}}]}'
    )
    assert geojson.read(tmp_path).left_out == {"Point": 1}
