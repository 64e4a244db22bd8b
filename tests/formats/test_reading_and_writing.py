"""`read`, `write`, losses and receipts, whatever the format."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from inlay import Classes, Dataset, FormatError, InlayError, LossError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.core.staging import staged
from inlay.formats.parts import facts
from inlay.formats.parts.places import place
from inlay.formats.parts.readers import compare


def dataset(count: int = 2, **columns: object) -> Dataset:
    label = Segmentation(Classes.of("car", "cat"), Masks.encode(np.eye(2)[:, None]), [0, 1], [1, 2]).replace(
        **columns
    )
    return Dataset.of([Sample(f"v/{k}", None, label) for k in range(count)])


def test_what_nobody_recognises_is_described(tmp_path):
    (tmp_path / "stuff").mkdir()
    (tmp_path / "a.docx").write_text("x")
    (tmp_path / "b.docx").write_text("x")
    with pytest.raises(
        FormatError, match=r"no format recognises it \(it holds stuff/, 2 .docx\); formats are .*coco"
    ):
        all_formats.read(tmp_path)
    with pytest.raises(FormatError, match=r"a .docx file of 1 bytes"):
        all_formats.read(tmp_path / "a.docx")
    with pytest.raises(FormatError, match="the folder is empty"):
        all_formats.read(tmp_path / "stuff")
    with pytest.raises(FormatError, match="there is no such file or folder"):
        all_formats.read(tmp_path / "gone")


def test_a_format_that_is_named_wrongly_is_corrected(tmp_path):
    with pytest.raises(InlayError, match="did you mean 'coco'"):
        all_formats.write(dataset(), tmp_path / "o", to="cocoo")
    with pytest.raises(InlayError, match="did you mean 'yolo'"):
        all_formats.read(tmp_path, "yolov")


def test_a_machine_that_only_trains_reads_label_maps_without_the_libraries_of_other_formats(tmp_path):
    labels = dataset().map(lambda sample: sample.replace(image=np.zeros((1, 2, 3), np.uint8)))
    all_formats.write(labels, tmp_path / "o", to="label_png")
    code = (
        "import sys\nfor name in ('msgspec', 'polars', 'yaml'): sys.modules[name] = None\n"
        f"from inlay import formats; print(len(formats.read({str(tmp_path / 'o')!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "2", done.stderr


def test_a_reader_that_a_format_does_not_have_is_refused(tmp_path):
    with pytest.raises(InlayError, match="coco has no reader 'photoshop': known are pycocotools"):
        all_formats.write(dataset(), tmp_path / "o", to="coco", reader="photoshop")
    with pytest.raises(InlayError, match="native has no reader 'opencv': it holds no polygons"):
        all_formats.write(dataset(), tmp_path / "o", to="native", reader="opencv")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_counts_and_names_what_would_be_lost_and_where_it_would_not(tmp_path):
    tagged = dataset(3, tags=(frozenset({"x"}), frozenset()), crowd=[True, True])
    with pytest.raises(LossError) as error:
        all_formats.write(tagged, tmp_path / "o", to="yolo")
    message = str(error.value)
    assert "crowd (6 segments: v/0 row 0 (car), v/0 row 1 (cat), v/1 row 0 (car), ...)" in message
    assert "tags (3 segments: v/0 row 0 (car), v/1 row 0 (car), v/2 row 0 (car))" in message
    assert "; coco or darwin or datumaro or " in message
    assert message.endswith("nothing was written: lossy=True (--lossy) writes the rest")
    assert {loss.fact for loss in all_formats.losses(tagged, "yolo")} == {"crowd", "tags"}


def test_bookkeeping_is_told_but_not_refused(tmp_path):
    receipt = all_formats.write(dataset(source_id=[7, 8]), tmp_path / "o", to="yolo")
    assert (
        str(receipt)
        == f"{tmp_path / 'o'}: 2 samples with 4 segments as yolo (3 files)\nleft behind: source_id (4)"
    )


def test_a_receipt_lists_the_files(tmp_path):
    receipt = all_formats.write(dataset(), tmp_path / "o", to="yolo")
    assert [file.relative_to(tmp_path).as_posix() for file in receipt.files] == [
        "o/data.yaml",
        "o/labels/v/0.txt",
        "o/labels/v/1.txt",
    ]
    assert all_formats.write(dataset(), tmp_path / "o.json", to="coco").files == (tmp_path / "o.json",)


def test_losses_load_no_sample_when_everything_is_kept():
    def load(name: str) -> Sample:
        raise AssertionError(name)

    assert facts.losses(Dataset(Classes.of("a"), ("x",), load), facts.FACTS) == ()


def test_holes_and_parts_hang_together_by_corners():
    corner = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]])
    both = Dataset.of(
        [Sample("a", None, Segmentation(Classes.of("x"), Masks.encode([corner, ring]), [0, 0], [1, 2]))]
    )
    found = {loss.fact: loss.examples for loss in facts.losses(both, facts.FACTS - {"holes", "parts"})}
    assert found == {"holes": ("a row 1 (x)",)}


def test_an_interrupted_write_leaves_nothing_and_what_lay_there_stays(tmp_path):
    all_formats.write(dataset(), tmp_path / "o", to="yolo")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    def load(name: str) -> Sample:
        raise KeyboardInterrupt

    broken = Dataset(Classes.of("a"), ("x",), load)
    with pytest.raises(KeyboardInterrupt):
        all_formats.write(broken, tmp_path / "o", to="coco", overwrite=True)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_dataset_can_be_written_over_itself(tmp_path):
    rng = np.random.default_rng(0)
    first = dataset().map(lambda sample: sample.replace(image=rng.integers(0, 255, (1, 2, 3), np.uint8)))
    all_formats.write(first, tmp_path / "o", to="coco")
    opened = all_formats.read(tmp_path / "o")
    pixels = opened[0].pixels()
    all_formats.write(opened, tmp_path / "o", to="yolo", overwrite=True)
    assert all_formats.sniff(tmp_path / "o") == ["yolo"]
    assert np.array_equal(all_formats.read(tmp_path / "o")[0].pixels(), pixels)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    if os.geteuid() == 0:
        (tmp_path / "file").write_text("no folder")
        with pytest.raises(InlayError, match="nothing was written"):
            all_formats.write(dataset(), tmp_path / "file" / "o", to="coco")
        return
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(InlayError, match="nothing was written"):
        all_formats.write(dataset(), tmp_path / "locked" / "o", to="coco")


def test_two_writers_of_one_place_do_not_mix_their_files(tmp_path):
    several = [threading.Thread(target=write_quietly, args=(tmp_path / "o", count)) for count in (1, 2, 3, 4)]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join()
    assert [path.name for path in tmp_path.iterdir()] == ["o"]
    names = all_formats.read(tmp_path / "o").names
    assert names == tuple(f"v/{k}" for k in range(len(names)))


def write_quietly(path: Path, count: int) -> None:
    with contextlib.suppress(InlayError):
        all_formats.write(dataset(count), path, to="yolo")


def test_a_file_can_take_the_place_of_a_folder_and_the_reverse(tmp_path):
    for path, to in (
        (tmp_path / "o.json", "coco"),
        (tmp_path / "o.json", "native"),
        (tmp_path / "o.json", "coco"),
    ):
        all_formats.write(dataset(), path, to=to, overwrite=True)
        assert all_formats.sniff(path) == [to]


def test_an_empty_folder_may_be_written_to(tmp_path):
    (tmp_path / "o").mkdir()
    all_formats.write(dataset(), tmp_path / "o", to="coco")
    assert len(all_formats.read(tmp_path / "o")) == 2


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../../b", "a\\b", "a\0b", "C:a"])
def test_a_name_that_is_no_path_below_a_folder_is_refused(tmp_path, name):
    with pytest.raises(InlayError, match="rename the sample"):
        place(tmp_path, name, ".png")


def test_time_of_day_may_be_a_name(tmp_path):
    assert place(tmp_path, "camera/12:30:05", ".png") == tmp_path / "camera" / "12:30:05.png"


def test_staging_gives_the_place_its_own_name(tmp_path):
    with staged(tmp_path / "deep" / "labels.json") as hidden:
        assert hidden.name == "labels.json"
        hidden.write_text("{}")
        assert not (tmp_path / "deep" / "labels.json").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["labels.json"]


def test_comparison_counts_what_is_gone_as_nothing():
    whole = dataset(2)
    half = Dataset.of([Sample("v/0", None, whole[0].label()[:1])])
    kept = compare("opencv", whole, half)
    assert (kept.mean, kept.least, kept.worst) == (0.25, 0, "v/0 row 1 (cat)")
    assert str(kept) == "read again as opencv does: IoU mean 0.2500, least 0.0000 at v/0 row 1 (cat)"


def test_a_json_file_of_labels_alone_names_images_that_stay_where_they_are(tmp_path):
    (tmp_path / "images" / "v").mkdir(parents=True)
    labels = dataset(1).map(lambda sample: sample.replace(image=tmp_path / "images" / "v" / "0.jpg"))
    (tmp_path / "images" / "v" / "0.jpg").write_bytes(b"some jpeg")
    all_formats.write(labels, tmp_path / "labels.json", to="coco")
    assert json.loads((tmp_path / "labels.json").read_text())["images"][0]["file_name"] == "v/0.jpg"
    assert all_formats.read(tmp_path / "labels.json")[0].image == tmp_path / "images" / "v" / "0.jpg"
