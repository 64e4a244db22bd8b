"""Square metres of segments, of images that know where they lie."""

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from inlay import Classes, Dataset, Masks, Sample, Segmentation, check
from inlay.rules.columns.on_earth import area_m2
from inlay.rules.tables import SegmentTable, UnknownError

UTM, WEB_MERCATOR = 32632, 3857
SIDES = [[5, 5], [2, 4]]


def field(path, epsg=None, metres=10.0):
    """An image with two fields of 25 and 8 pixels."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if epsg:
        tags[33550], tags[33922] = (metres, metres, 0.0), (0.0, 0.0, 0.0, 500_000.0, 5_500_000.0, 0.0)
        tags[34735] = (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, epsg)
        tags.tagtype[33550] = tags.tagtype[33922] = 12
        tags.tagtype[34735] = 3
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(path, tiffinfo=tags)
    stack = np.zeros((2, 20, 20), np.bool_)
    for row, (height, width) in enumerate(SIDES):
        stack[row, 10 * row : 10 * row + height, 3 : 3 + width] = True
    return Sample("a", path, Segmentation(Classes.of("field"), Masks.encode(stack), [0, 0], [1, 2]))


def test_a_least_mapping_unit_may_be_in_square_metres(tmp_path):
    pytest.importorskip("pyproj")
    sample = field(tmp_path / "a.tif", UTM)
    found = area_m2(SegmentTable(sample.label(), sample))
    assert found == pytest.approx([2500, 800], rel=1e-3)
    rules = tmp_path / "rules.toml"
    rules.write_text(
        "[[rule]]\nid = 'small'\nscope = 'segment'\nseverity = 'error'\n"
        "forbid = 'area_m2 < 1000'\nmessage = '{segment} has {area_m2:.0f} m2'"
    )
    assert [each.message for each in check(Dataset.of([sample]), packs=(), rules=rules)] == [
        "field 2 has 801 m2"
    ]


@pytest.mark.parametrize("epsg", [None, WEB_MERCATOR])
def test_without_an_honest_size_square_metres_are_unknown(tmp_path, epsg):
    sample = field(tmp_path / "a.tif", epsg)
    with pytest.raises(UnknownError):
        area_m2(SegmentTable(sample.label(), sample))
