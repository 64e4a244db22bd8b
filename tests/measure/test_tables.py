"""Tables of segments in three formats, the page of counts, and what the commands refuse."""

import json

import numpy as np
import polars as pl
import pytest
from PIL import Image, TiffImagePlugin
from pyproj import Geod

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, read, write
from inlay.cli import main
from inlay.measure import counts, geodesic_areas, segment_table, write_table
from inlay.measure.page import density_map, write_page
from inlay.scenes import make

CLASSES = Classes.of("field")


@pytest.fixture
def land(tmp_path):
    """An image with a coordinate system and two fields on it, one of them with a hole."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags[33922] = (10.0, 10.0, 0.0), (0.0, 0.0, 0.0, 500_000.0, 5_500_000.0, 0.0)
    tags.tagtype[33550] = tags.tagtype[33922] = 12
    tags[34735] = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32632)
    tags.tagtype[34735] = 3
    path = tmp_path / "land.tif"
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(path, tiffinfo=tags)
    stack = np.zeros((2, 40, 60), bool)
    stack[0, 2:20, 3:30] = True
    stack[0, 8:12, 8:12] = False
    stack[1, 25:39, 31:59] = True
    label = Segmentation(CLASSES, Masks.encode(stack), [0, 0], [1, 2])
    return Dataset.of([Sample("land", path, label)], CLASSES)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_is_read_back_as_it_was_written(ending, tmp_path):
    table = segment_table(make("cells", 2, size=(60, 80)))
    write_table(table, tmp_path / f"t.{ending}")
    back = pl.read_csv(tmp_path / "t.csv") if ending == "csv" else pl.read_parquet(tmp_path / "t.parquet")
    assert back.columns == table.columns and len(back) == len(table)
    assert np.allclose(back["area"].to_numpy(), table["area"].to_numpy())
    assert back["sample"].to_list() == table["sample"].to_list()


def test_outlines_in_geojson_have_the_area_of_the_table(land, tmp_path):
    table = segment_table(land, geodesic=True)
    write_table(table, tmp_path / "t.geojson", dataset=land)
    content = json.loads((tmp_path / "t.geojson").read_text())
    geod = Geod(ellps="WGS84")
    found = []
    for feature in content["features"]:
        rings = [ring for part in feature["geometry"]["coordinates"] for ring in part]
        assert all(ring[0] == ring[-1] for ring in rings)
        found.append(sum(geod.polygon_area_perimeter(*np.array(ring).T)[0] for ring in rings))
    sample = land[0]
    known = geodesic_areas(sample.label().masks, sample_place(sample))
    assert found == pytest.approx(known.tolist(), rel=1e-3)  # holes turn the other way round
    assert [feature["properties"]["class"] for feature in content["features"]] == ["field", "field"]


def sample_place(sample):
    from inlay.core.geodesy import georeference_of

    return georeference_of(sample)


def test_images_without_a_place_have_no_geojson(tmp_path):
    scenes = make("cells", 1, size=(40, 40))
    with pytest.raises(InlayError, match="no coordinate system"):
        write_table(segment_table(scenes), tmp_path / "t.geojson", dataset=scenes)
    assert not (tmp_path / "t.geojson").exists()


def test_the_page_of_counts_says_what_was_counted_and_where_things_lie(tmp_path):
    scenes = make("cells", 3, size=(60, 80))
    found = counts(scenes)
    write_page(scenes, found, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "Where they lie" in text and str(found.sum()) in text
    one = Masks.encode(np.pad(np.ones((4, 4), bool), ((2, 34), (50, 6))))
    label = Segmentation(CLASSES, one, [0], [1])
    shown = density_map(Dataset.of([Sample("a", None, label)], CLASSES)).sum(axis=2)
    y, x = np.unravel_index(shown.argmax(), shown.shape)
    assert (y / shown.shape[0], x / shown.shape[1]) == pytest.approx((4 / 40, 52 / 60), abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("counts", "predictions"), "error nobody measured"),
        (("areas", "predictions"), "error nobody measured"),
        (("areas", "labels", "--geodesic"), "no coordinate system"),
        (("areas", "labels", "--pixel", "0.1deg"), "no unit of length"),
        (("areas", "labels", "--pixel", "stated"), "states no spacing"),
        (("counts", "predictions", "--truth", "labels"), "measured with both"),
    ],
)
def test_figures_without_what_they_need_are_refused(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scenes = make("cells", 5, size=(40, 40))
    write(scenes, tmp_path / "labels", to="native")
    guessed = scenes.map(
        lambda sample: sample.replace(
            segmentation=sample.label().replace(score=np.full(len(sample.label()), 0.9))
        )
    )
    write(guessed, tmp_path / "predictions", to="native")
    assert main(["measure", *arguments]) != 0
    assert words in capsys.readouterr().err
    assert read(tmp_path / "predictions")[0].label().score is not None


def test_bare_figures_are_given_to_who_asks_for_them_and_corrected_ones_to_who_measured(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    scenes = make("cells", 6, size=(60, 60))
    write(scenes, tmp_path / "labels", to="native")
    write(
        scenes.map(
            lambda sample: sample.replace(
                segmentation=sample.label().replace(score=np.full(len(sample.label()), 0.9))
            )
        ),
        tmp_path / "predictions",
        to="native",
    )
    assert main(["measure", "counts", "labels"]) == 0
    bare = capsys.readouterr().out
    assert "model's error" not in bare
    assert main(["measure", "counts", "predictions", "--as-predicted"]) == 0
    assert (
        capsys.readouterr().out
        == bare
        + "as predicted, with the model's error in it: --truth and --checked "
        + ("correct it and say how sure it is\n")
    )
    assert main(["measure", "counts", "predictions", "--truth", "labels", "--checked", "predictions"]) == 0
    assert "95 %" in capsys.readouterr().out
