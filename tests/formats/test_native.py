from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from tests.often import many

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation
from inlay.formats import native
from inlay.formats.parts import native_tables
from inlay.formats.parts.facts import FACTS

from .random_datasets import assert_same, random_dataset


def tiny(count: int = 3) -> Dataset:
    """Samples a, b, ... whose segments are told apart by their areas."""
    classes = Classes.of("car", "cat")
    samples = []
    for number in range(count):
        masks = Masks.encode(np.tri(3, 4, dtype=bool)[None].repeat(number + 1, 0))
        label = Segmentation(classes, masks, np.arange(number + 1) % 2, np.arange(1, number + 2))
        samples.append(Sample(chr(97 + number), None, label, "train"))
    return Dataset.of(samples, classes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    native.write(tiny(), tmp_path / "o")
    return tmp_path / "o"


def test_it_keeps_every_fact():
    assert native.KEEPS == FACTS


@settings(max_examples=many(60), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_was_written_is_read_back_in_every_column(tmp_path_factory, seed):
    dataset = random_dataset(seed, FACTS)
    root = tmp_path_factory.mktemp("out") / "o"
    native.write(dataset, root)
    assert native.sniff(root)
    assert_same(native.read(root), dataset)


def test_numbers_of_images_and_empty_predictions_are_kept(tmp_path):
    classes = Classes.of("car")
    none = Segmentation.empty(classes, (2, 3)).replace(score=np.empty(0, np.float32))
    samples = {"a": Sample("a", None, none), "b": Sample("b", None, None)}
    dataset = Dataset(classes, ("b", "a"), samples.__getitem__, source_ids={"b": 2**40})
    native.write(dataset, tmp_path / "o")
    again = native.read(tmp_path / "o")
    assert dict(again.source_ids) == {"b": 2**40}
    assert again["a"].label().is_prediction
    assert again["b"].segmentation is None
    assert_same(again, dataset)


@pytest.mark.parametrize("classes", [Classes(()), Classes.of("car")])
def test_no_samples_and_no_classes_are_a_dataset_too(tmp_path, classes):
    for turn, samples in enumerate([[], [Sample("a", np.zeros((2, 3, 3), np.uint8), None)]]):
        dataset = Dataset.of(samples, classes)
        native.write(dataset, tmp_path / f"o{turn}")
        assert_same(native.read(tmp_path / f"o{turn}"), dataset)


def test_memory_stays_flat_because_parts_are_written_and_joined_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(native_tables, "_PART_ROWS", 4)
    dataset = tiny(9)
    native.write(dataset, tmp_path / "o")
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        *("classes.parquet", "inlay.json", "samples.parquet", "segments.parquet")
    ]
    assert_same(native.read(tmp_path / "o"), dataset)


def test_one_sample_is_read_without_the_rows_of_the_others(root):
    folder = native.read(root).load.args[0]
    assert folder.places == {"a": (0, 1), "b": (1, 2), "c": (3, 3)}
    assert "SLICE" in folder.segments.slice(1, 2).explain()
    assert len(folder.rows("b")) == 2


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # inside pycocotools
def test_other_tools_read_masks_classes_and_boxes(root):
    segments = pl.read_parquet(root / "segments.parquet")
    samples = pl.read_parquet(root / "samples.parquet")
    row = segments.join(samples, on="sample").row(0, named=True)
    pixels = coco_mask.decode({"size": [row["height"], row["width"]], "counts": row["mask"]})
    assert np.array_equal(pixels, np.tri(3, 4))
    assert row["area"] == pixels.sum()
    assert [row[side] for side in ("x0", "y0", "x1", "y1")] == [0, 0, 3, 3]
    assert segments["class"].to_list() == ["car", "car", "cat", "car", "cat", "car"]
    assert segments.group_by("class").len().sort("class")["len"].to_list() == [4, 2]


def edit(path: Path, change) -> None:
    change(pl.read_parquet(path)).write_parquet(path)


def test_tables_that_another_tool_sorted_or_filtered_are_read_by_name_and_row(root):
    edit(
        root / "segments.parquet",
        lambda table: table.filter(pl.col("class") == "car").sort("row", descending=True),
    )
    dataset = native.read(root)
    assert [len(sample.label()) for sample in dataset] == [1, 1, 2]
    assert dataset["c"].label().instance_id.tolist() == [1, 3]


def test_tables_with_the_needed_columns_alone_are_enough(root):
    edit(root / "segments.parquet", lambda table: table.select("sample", "class", "mask"))
    edit(root / "samples.parquet", lambda table: table.select("sample", "height", "width"))
    edit(root / "classes.parquet", lambda table: table.select("name"))
    (root / "inlay.json").unlink()
    label = native.read(root)["c"].label()
    assert label.class_names == ("car", "cat", "car")
    assert label.score is None
    assert label.tags == (frozenset(),) * 3


@pytest.mark.parametrize(
    ("file", "change", "what"),
    [
        ("segments", lambda table: table.drop("mask"), "column 'mask': missing"),
        ("samples", lambda table: table.drop("sample"), "column 'sample': missing"),
        ("samples", lambda table: pl.concat([table, table]), "sample 'a' stands twice"),
        ("samples", lambda table: table.head(2), "row 3: sample 'c' is not in samples.parquet"),
        ("samples", lambda table: table.with_columns(height=pl.lit(None, pl.Int32)), "height and width"),
        ("samples", lambda table: table.with_columns(height=7), "cover 12 pixels"),
        (
            "samples",
            lambda table: table.with_columns(image=pl.lit("../../secret")),
            "is not below the folder",
        ),
        ("segments", lambda table: table.with_columns(mask=pl.lit(b"\x01")), "mask 0 is broken"),
        (
            "segments",
            lambda table: table.with_columns(mask=pl.lit(None, pl.Binary)),
            "column 'mask' is empty",
        ),
        ("segments", lambda table: table.with_columns(instance_id=pl.lit("x")), "not a Parquet table"),
        ("segments", lambda table: table.with_columns(**{"class": pl.lit("dog")}), "no class 'dog'"),
        ("classes", lambda table: table.with_columns(colour=pl.lit("red")), "expected #rrggbb"),
        ("classes", lambda table: table.with_columns(kind=pl.lit("tree")), "has kind 'tree'"),
        ("classes", lambda table: pl.concat([table, table]), "stands twice"),
    ],
)
def test_a_table_that_does_not_fit_is_named_with_the_place(root, file, change, what):
    edit(root / f"{file}.parquet", change)
    with pytest.raises(FormatError) as caught:
        list(native.read(root))
    assert what in str(caught.value)
    assert ".parquet" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_score_for_some_segments_of_an_image_is_refused(root):
    score = pl.when(pl.col("row") == 0).then(0.5).cast(pl.Float32)
    edit(root / "segments.parquet", lambda table: table.with_columns(score=score))
    with pytest.raises(FormatError, match=r"sample 'b': column 'score' is filled for 1 of 2 segments"):
        native.read(root)["b"]


@pytest.mark.parametrize("name", ["segments.parquet", "samples.parquet", "classes.parquet"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"a,b\n1,2\n"])
def test_files_that_are_no_parquet_are_named(root, name, content):
    (root / name).write_bytes(content)
    with pytest.raises(FormatError, match=name):
        list(native.read(root))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_tables_are_named(root, share):
    file = root / "segments.parquet"
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with pytest.raises(FormatError, match=r"segments\.parquet"):
        list(native.read(root))


def test_missing_tables_and_directories_in_their_place_are_named(root, tmp_path):
    (root / "classes.parquet").unlink()
    with pytest.raises(FormatError, match=r"classes\.parquet: there is no such table"):
        native.read(root)
    (root / "classes.parquet").mkdir()
    with pytest.raises(FormatError, match=r"classes\.parquet: there is no such table"):
        native.read(root)
    with pytest.raises(FormatError):
        native.read(tmp_path / "missing")
    assert not native.sniff(tmp_path / "missing")
    assert not native.sniff(tmp_path)


def test_random_damage_never_ends_in_anything_but_data_or_one_line(tmp_path):
    native.write(tiny(6), tmp_path / "o")
    whole = (tmp_path / "o" / "segments.parquet").read_bytes()
    rng = np.random.default_rng(0)
    for turn in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[place] ^= int(rng.integers(1, 256))
        root = tmp_path / f"t{turn}"
        shutil.copytree(tmp_path / "o", root)
        (root / "segments.parquet").write_bytes(data)
        try:
            for sample in native.read(root):
                assert sample.label().size == (3, 4)
        except InlayError as error:
            assert "\n" not in str(error)


def test_a_newer_version_is_refused(root):
    (root / "inlay.json").write_text(json.dumps({"format": "inlay native", "version": native.VERSION + 1}))
    with pytest.raises(FormatError, match="install a newer Inlay"):
        native.read(root)
    (root / "inlay.json").write_text('{"format": "other"}')
    with pytest.raises(FormatError, match="expected"):
        native.read(root)


def test_a_dataset_goes_to_another_process(root):
    dataset = native.read(root)
    dataset["a"]
    again = pickle.loads(pickle.dumps(dataset))
    assert_same(again, tiny())


def test_a_forked_process_is_told_instead_of_waiting_for_ever(root, monkeypatch):
    dataset = native.read(root)
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(InlayError, match="forkserver or spawn"):
        dataset["a"]
    assert len(pickle.loads(pickle.dumps(dataset))["a"].label()) == 1


def test_10_000_segments_of_one_image_come_back(tmp_path):
    masks = Masks.from_ids(np.arange(10_000).reshape(100, 100), 10_000)
    label = Segmentation(Classes.of("dust"), masks, np.zeros(10_000), np.arange(1, 10_001))
    dataset = Dataset.of([Sample("a", None, label)])
    native.write(dataset, tmp_path / "o")
    assert_same(native.read(tmp_path / "o"), dataset)
