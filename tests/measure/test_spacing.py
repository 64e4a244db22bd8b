"""Areas and volumes by the spacing that the files state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, Dataset, InlayError, Sample, Segmentation
from inlay.cli import main
from inlay.core.lattice import Lattice
from inlay.formats import write
from inlay.measure import segment_table, stated_calibration, stated_sizes

CLASSES = Classes.of("liver", "spleen")


def piece(frame, areas, tag="", group="case"):
    """A slice of 10 x 12 pixels with so many of each class."""
    ids = np.full(120, 255)
    ids[: areas[0]] = 0
    ids[areas[0] : sum(areas)] = 1
    label = Segmentation.from_semantic(ids.reshape(10, 12), CLASSES)
    tags = frozenset([tag] if tag else [])
    return Sample(f"{group}/{frame:03}", None, label.replace(image_tags=tags), group=group, frame=frame)


def tag(height, width, thick, unit="mm"):
    lattice = Lattice.of(np.diag([width, height, thick, 1.0]), "ras", unit)
    return lattice.tag()


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(*[st.floats(0.05, 20)] * 3),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=4),
    st.sampled_from(["nm", "um", "mm", "m"]),
)
def test_areas_and_volumes_are_pixels_times_the_stated_sides(sides, counts, unit):
    slices = [piece(frame, areas, tag(*sides, unit)) for frame, areas in enumerate(counts)]
    found = stated_sizes(Dataset.of(slices, CLASSES), names=CLASSES.names)
    assert found.unit == unit
    pixels = np.sum(counts, axis=0)
    assert found.areas[:2] == pytest.approx(pixels * sides[0] * sides[1])
    assert found.volumes[:2] == pytest.approx(pixels * np.prod(sides))


def test_units_of_other_files_become_that_of_the_first():
    slices = [
        piece(0, (10, 0), tag(1, 1, 2)),
        piece(0, (10, 0), tag(1000, 1000, 2000, "um"), group="other"),
    ]
    found = stated_sizes(Dataset.of(slices, CLASSES), names=CLASSES.names)
    assert (found.unit, found.areas[0], found.volumes[0]) == pytest.approx(("mm", 20.0, 40.0))


def test_missing_slices_leave_areas_and_take_the_volume():
    slices = [piece(frame, (10, 0), tag(1, 1, 2)) for frame in (0, 2)]
    found = stated_sizes(Dataset.of(slices, CLASSES), names=CLASSES.names)
    assert found.areas[0] == 20
    assert found.volumes is None


@pytest.mark.parametrize("words", ["", tag(1, 1, 1, "px"), "lattice: ras mm 1 2 3"])
def test_images_that_state_no_length_are_refused(words):
    dataset = Dataset.of([piece(0, (10, 0), tag(1, 1, 2)), piece(1, (10, 0), words)], CLASSES)
    with pytest.raises(InlayError, match=r"001' states (no|a) spacing.*--pixel"):
        stated_sizes(dataset, names=CLASSES.names)
    with pytest.raises(InlayError, match="spacing"):
        segment_table(dataset, calibration="stated")


def test_the_table_has_the_stated_unit_and_the_volume_of_each_slice():
    pytest.importorskip("polars")
    dataset = Dataset.of([piece(0, (10, 3), tag(0.5, 0.5, 2))], CLASSES)
    rows = segment_table(dataset, calibration="stated")
    assert rows["area"].to_list() == [2.5, 0.75]
    assert rows["volume"].to_list() == [5.0, 1.5]
    assert stated_calibration(dataset[0], unit="um").height == 500


def test_the_command_takes_what_the_files_state(tmp_path, capsys):
    slices = [piece(frame, (10, 0), tag(0.5, 0.5, 2)) for frame in range(3)]
    write(Dataset.of(slices, CLASSES), tmp_path / "volume", to="native")
    assert main(["measure", "areas", str(tmp_path / "volume")]) == 0
    assert "--pixel stated" in capsys.readouterr().out
    assert main(["measure", "areas", str(tmp_path / "volume"), "--pixel", "stated"]) == 0
    out = capsys.readouterr().out
    assert "7.5 mm2" in out
    assert "15 mm3" in out
    write(Dataset.of([piece(0, (10, 0))], CLASSES), tmp_path / "plain", to="native")
    assert main(["measure", "areas", str(tmp_path / "plain"), "--pixel", "stated"]) != 0
    assert "states no spacing" in capsys.readouterr().err
