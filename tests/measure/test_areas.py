"""Areas: on the ellipsoid, in units, and without a model's bias."""

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from pyproj import CRS, Geod, Transformer

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation
from inlay.core import polygons
from inlay.core.georeference import Georeference, read_georeference
from inlay.measure import AreaError, Calibration, geodesic_areas, mapped_areas


def geotiff(
    path, epsg, *, scale=(10.0, 10.0), corner=(500_000.0, 5_500_000.0), point=False, geographic=False
):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags[33922] = (*scale, 0.0), (0.0, 0.0, 0.0, *corner, 0.0)
    tags.tagtype[33550] = tags.tagtype[33922] = 12
    keys = [
        1024,
        0,
        1,
        2 if geographic else 1,
        1025,
        0,
        1,
        2 if point else 1,
        2048 if geographic else 3072,
        0,
        1,
        epsg,
    ]
    tags[34735] = (1, 1, 0, 3, *keys)
    tags.tagtype[34735] = 3
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, tiffinfo=tags)
    return path


@pytest.mark.parametrize("epsg", [32632, 3035, 4326])
def test_a_polygon_has_its_geodesic_area(epsg):
    corner = (
        (9.0, 50.0) if epsg == 4326 else Transformer.from_crs(4326, epsg, always_xy=True).transform(9.0, 50.0)
    )
    step = 1e-4 if epsg == 4326 else 10.0
    georeference = Georeference(epsg, (step, 0, corner[0], 0, -step, corner[1]))
    ring = np.array([[40.0, 60.0], [900.0, 120.0], [820.0, 870.0], [500.0, 500.0], [90.0, 940.0]])
    masks = polygons.fill(polygons.from_parts([[ring]]), (1000, 1000))
    dense = np.concatenate(
        [
            a + (b - a) * np.linspace(0, 1, 400, endpoint=False)[:, None]
            for a, b in zip(ring, np.roll(ring, -1, 0))
        ]
    )
    degrees = Transformer.from_crs(epsg, CRS.from_epsg(epsg).geodetic_crs, always_xy=True)
    known = abs(
        Geod(ellps="GRS80").polygon_area_perimeter(*degrees.transform(*georeference.places(dense).T))[0]
    )
    assert geodesic_areas(masks, georeference)[0] == pytest.approx(known, rel=1e-3)


def test_holes_are_not_area():
    georeference = Georeference(32632, (1, 0, 500_000, 0, -1, 5_500_000))
    full = np.ones((30, 30), bool)
    ring = full.copy()
    ring[10:20, 10:20] = False
    areas = geodesic_areas(Masks.encode(np.stack([full, ring, ~ring])), georeference)
    assert areas[0] == pytest.approx(areas[1] + areas[2], rel=1e-9)
    assert areas[0] == pytest.approx(900, rel=1e-3)


@pytest.mark.parametrize(
    ("georeference", "words"),
    [
        (None, "no coordinate system"),
        (Georeference(3857, (1, 0, 0, 0, -1, 0)), "Web Mercator"),
        (Georeference(1, (1, 0, 0, 0, -1, 0)), "EPSG:1 "),
    ],
)
def test_places_that_have_no_honest_area_are_refused(georeference, words):
    with pytest.raises(InlayError, match=words):
        geodesic_areas(Masks.encode(np.ones((2, 2), bool)), georeference)


def test_a_geotiff_says_where_it_lies(tmp_path):
    area = read_georeference(geotiff(tmp_path / "area.tif", 32632))
    assert area == Georeference(32632, (10, 0, 500_000, 0, -10, 5_500_000))
    point = read_georeference(geotiff(tmp_path / "point.tif", 32632, point=True))
    assert point is not None
    assert point.places([[0.5, 0.5]])[0] == pytest.approx((500_000, 5_500_000))
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert read_georeference(tmp_path / "plain.png") is None


def test_a_coordinate_system_without_code_is_refused(tmp_path):
    with pytest.raises(FormatError, match="EPSG"):
        read_georeference(geotiff(tmp_path / "own.tif", 32767))


@pytest.mark.parametrize(("text", "sides"), [("0.5um", (0.5, 0.5, "um")), ("0.5x0.25 mm", (0.5, 0.25, "mm"))])
def test_a_pixel_size_is_read(text, sides):
    found = Calibration.parse(text)
    assert (found.height, found.width, found.unit) == sides


@pytest.mark.parametrize("text", ["", "um", "0um", "1deg", "1e999mm", "-1m", "1 x um", "nan m"])
def test_a_pixel_size_that_is_none_is_refused(text):
    with pytest.raises(InlayError, match="pixel"):
        Calibration.parse(text)


CLASSES = Classes.of("field", "wood", kind="stuff")


def maps(seed, count, share):
    """Truth and a biased map: some of the field is taken for wood."""
    random = np.random.default_rng(seed)
    truth, guess = [], []
    for place in range(count):
        ids = (random.random((30, 30)) < share).astype(np.int32)
        wrong = (ids == 0) & (random.random(ids.shape) < random.uniform(0.1, 0.3))
        truth.append(Sample(f"{place}", None, Segmentation.from_semantic(ids, CLASSES)))
        guess.append(Sample(f"{place}", None, Segmentation.from_semantic(ids | wrong, CLASSES)))
    return Dataset.of(truth, CLASSES), Dataset.of(guess, CLASSES)


def test_corrected_areas_hold_the_truth_that_the_map_misses():
    inside = 0
    for seed in range(20):
        error = AreaError.measure(*maps(seed, 20, 0.4))
        truth, guess = maps(seed + 100, 20, 0.4)
        real = mapped_areas(truth, names=CLASSES.names)[0]
        mapped = mapped_areas(guess, names=CLASSES.names)
        found = error.correct(mapped)[0]
        assert found.raw < 0.9 * real
        inside += found.low <= real <= found.high
    assert inside >= 16


def test_four_images_measure_no_error():
    with pytest.raises(InlayError, match="at least 5"):
        AreaError.measure(*maps(0, 4, 0.5))
