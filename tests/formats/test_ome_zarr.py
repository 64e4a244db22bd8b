"""OME-Zarr: label images by their names and properties, scales, whole numbers, and paths that lead away."""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation, SegmentClass
from inlay import formats as all_formats
from inlay.core.lattice import Lattice, lattice_of
from inlay.formats import ome_zarr
from inlay.formats.parts import zarr_groups

zarr = pytest.importorskip("zarr", reason="needs inlay[volumes]")

CELLS = np.zeros((3, 5, 6), np.uint16)
CELLS[0, 1:3, 1:3], CELLS[2, 2:5, 3:6] = 7, 300
NUCLEI = (CELLS > 0).astype(np.uint8) * 2


def multiscale(axes: str, path: str = "0", **more: Any) -> list[dict[str, Any]]:
    kinds = {"t": "time", "c": "channel"}
    listed = [{"name": name, "type": kinds.get(name, "space")} for name in axes]
    for each in listed:
        if each["type"] == "space":
            each["unit"] = "micrometer"
    scale = [{"type": "scale", "scale": [{"z": 2.0, "y": 0.5, "x": 0.25}.get(name, 1.0) for name in axes]}]
    datasets = [{"path": path, "coordinateTransformations": scale + more.pop("then", [])}]
    return [{"version": "0.4", "axes": listed, "datasets": datasets, **more}]


def write(
    root: Path, labels: dict[str, np.ndarray], axes: str = "zyx", zarr_format: int = 2, **more: Any
) -> Path:
    """An image group with label images, as other tools write it."""

    def say(group: Any, about: dict[str, Any]) -> None:
        group.attrs.update(about if zarr_format == 2 else {"ome": {"version": "0.5"} | about})

    top = zarr.open_group(root, mode="w", zarr_format=zarr_format)
    shape = next(iter(labels.values())).shape
    image = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    top.create_array("0", data=image)
    say(top, {"multiscales": multiscale(axes)})
    group = top.create_group("labels")
    say(group, {"labels": list(labels)})
    for name, values in labels.items():
        inside = group.create_group(name)
        inside.create_array("0", data=values)
        about = {"version": "0.4", **more.get(name, {})}
        say(inside, {"multiscales": multiscale(axes, then=more.get("then", [])), "image-label": about})
    return root


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_label_images_are_classes_and_their_values_instances(tmp_path, zarr_format):
    root = write(tmp_path / "a.zarr", {"cells": CELLS, "nuclei": NUCLEI}, zarr_format=zarr_format)
    dataset = all_formats.read(root)
    assert dataset.names == ("a/000000", "a/000001", "a/000002")
    assert dataset.classes.names == ("cells", "nuclei")
    label = dataset[2].label()
    assert list(zip(label.class_names, label.instance_id.tolist())) == [("cells", 300), ("nuclei", 2)]
    assert np.array_equal(label.masks.decode()[0], CELLS[2] == 300)
    assert len(dataset[1].label()) == 0
    assert (dataset[2].group, dataset[2].frame) == ("a", 2)
    assert dataset[0].pixels().shape == (5, 6, 3)
    assert dataset.left_out == {"image depth": 1}


def test_properties_name_classes_and_colours_are_theirs(tmp_path):
    about = {
        "colors": [{"label-value": 7, "rgba": [10, 20, 30, 255]}],
        "properties": [{"label-value": 7, "class": "neuron", "area (pixels)": 4}, {"label-value": 300}],
        "source": {"image": "../../"},
    }
    dataset = all_formats.read(write(tmp_path / "a.zarr", {"cells": CELLS}, cells=about))
    assert [(item.name, item.colour) for item in dataset.classes] == [
        ("neuron", (10, 20, 30)),
        ("cells", None),
    ]
    assert dataset[0].label().class_names == ("neuron",)
    assert dataset[2].label().class_names == ("cells",)


def test_scale_translation_and_unit_are_the_lattice(tmp_path):
    then = [{"type": "translation", "translation": [1.0, 2.0, 3.0]}]
    dataset = all_formats.read(write(tmp_path / "a.zarr", {"cells": CELLS}, then=then))
    lattice = lattice_of(dataset[0].label().image_tags)
    assert (lattice.unit, lattice.space, lattice.spacing) == ("um", "own", (0.5, 0.25, 2.0))
    assert lattice.matrix[:3, 3].tolist() == [3, 2, 1]


def test_time_is_a_volume_each_and_one_channel_is_none(tmp_path):
    five = np.stack([CELLS, CELLS[::-1]])[:, None]
    dataset = all_formats.read(write(tmp_path / "a.zarr", {"cells": five}, axes="tczyx"))
    assert {sample.group for sample in dataset} == {"a/t000000", "a/t000001"}
    assert dataset["a/t000001/000000"].label().instance_id.tolist() == [300]
    flat = all_formats.read(write(tmp_path / "b.zarr", {"cells": CELLS[0]}, axes="yx"))
    assert (flat.names, flat[0].group) == (("b",), "")


def test_plates_and_folders_hold_several_images_and_a_label_image_may_be_named_alone(tmp_path):
    write(tmp_path / "plate.zarr/A/1/0", {"cells": CELLS})
    write(tmp_path / "plate.zarr/A/2/0", {"cells": CELLS})
    dataset = all_formats.read(tmp_path / "plate.zarr")
    assert {sample.group for sample in dataset} == {"A/1/0", "A/2/0"}
    alone = all_formats.read(tmp_path / "plate.zarr/A/1/0/labels/cells")
    assert (len(alone), alone.classes.names, alone[0].image) == (3, ("cells",), None)


def frames(lattice: Lattice | None, *, gap: bool = False) -> Dataset:
    classes = Classes((SegmentClass("cell", colour=(1, 2, 3)), SegmentClass("gap", "stuff")))
    found = []
    for k in range(3):
        ids = np.searchsorted([0, 7, 300], CELLS[k]) - 1
        tags = frozenset() if lattice is None else frozenset({lattice.tag()})
        label = Segmentation(classes, Masks.from_ids(ids, 2), [0, 1], [7, 0], image_tags=tags)
        label = label[label.masks.area() > 0]
        image = np.full((5, 6, 3), 10 * k, np.uint8)
        number = k + (k > 1 and gap)
        found.append(Sample(f"v/{number:06d}", image, label, group="v", frame=number))
    return Dataset.of(found, classes)


def test_what_is_written_is_what_zarr_reads(tmp_path):
    lattice = Lattice.of([[0.25, 0, 0, 3], [0, 0.5, 0, 2], [0, 0, 2, 1]], "own", "um")
    all_formats.write(frames(lattice), tmp_path / "out", to="ome_zarr")
    group = zarr.open_group(tmp_path / "out/v.ome.zarr", mode="r")
    assert group.metadata.zarr_format == 2
    about = group["labels/segments"].attrs.asdict()
    values = {item["class"]: item["label-value"] for item in about["image-label"]["properties"]}
    assert about["image-label"]["source"] == {"image": "../../"}
    assert {tuple(item["rgba"]) for item in about["image-label"]["colors"]} >= {(1, 2, 3, 255)}
    assert group["labels"].attrs["labels"] == ["segments"]
    array = group["labels/segments/0"]
    assert array.dtype == np.uint8
    expected = np.select([CELLS == 7, CELLS == 300], [values["cell"], values["gap"]])
    assert np.array_equal(array[:], expected)
    assert np.array_equal(group["0"][:], np.arange(3)[:, None, None].repeat(5, 1).repeat(6, 2) * 10)
    steps = about["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert [step["type"] for step in steps] == ["scale", "translation"]
    assert steps[0]["scale"] == [2.0, 0.5, 0.25]
    assert steps[1]["translation"] == [1.0, 2.0, 3.0]
    assert {axis["unit"] for axis in about["multiscales"][0]["axes"]} == {"micrometer"}
    again = all_formats.read(tmp_path / "out")
    for mine, other in zip(again, frames(lattice)):
        assert mine.label().equals(other.label())
        assert np.array_equal(mine.pixels(), other.pixels())


def test_smaller_levels_are_of_the_nearest_pixel(tmp_path):
    rng = np.random.default_rng(0)
    ids = rng.integers(-1, 40, (600, 301))
    classes = Classes.of("cell")
    label = Segmentation(classes, Masks.from_ids(ids, 40), np.zeros(40), np.arange(1, 41))
    all_formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "out", to="ome_zarr")
    group = zarr.open_group(tmp_path / "out/a.ome.zarr/labels/segments", mode="r")
    datasets = group.attrs["multiscales"][0]["datasets"]
    assert [each["path"] for each in datasets] == ["0", "1", "2"]
    assert np.array_equal(group["0"][0], ids + 1)
    assert np.array_equal(group["2"][0], (ids + 1)[::4, ::4])
    assert [each["coordinateTransformations"][0]["scale"] for each in datasets][2] == [1.0, 4.0, 4.0]


@pytest.mark.parametrize("gap", [False, True])
def test_a_turned_lattice_and_frames_with_a_gap_come_back(tmp_path, gap):
    lattice = Lattice.of([[0, 0, 2, 3], [0.5, 0, 0, 2], [0, -0.25, 0, 1]])
    dataset = frames(lattice, gap=gap)
    all_formats.write(dataset, tmp_path / "out", to="ome_zarr")
    again = all_formats.read(tmp_path / "out")
    assert [sample.frame for sample in again] == [sample.frame for sample in dataset]
    assert all(sample.label().image_tags == {lattice.tag()} for sample in again)


def test_labels_are_whole_numbers_of_one_channel_and_of_the_size_of_the_image(tmp_path):
    with pytest.raises(FormatError, match="labels are whole numbers"):
        all_formats.read(write(tmp_path / "a.zarr", {"cells": CELLS.astype(np.float32)}))
    with pytest.raises(FormatError, match="2 channels: label images have one"):
        all_formats.read(write(tmp_path / "b.zarr", {"cells": np.stack([CELLS] * 2)}, axes="czyx"))
    root = write(tmp_path / "c.zarr", {"cells": CELLS, "nuclei": NUCLEI[:, :4]})
    with pytest.raises(FormatError, match=r"is \(1, 3, 4, 6\), that of its image \(1, 3, 5, 6\)"):
        all_formats.read(root)
    negative = all_formats.read(write(tmp_path / "d.zarr", {"cells": CELLS.astype(np.int16) * -1}))
    with pytest.raises(FormatError, match=r"slice 0, pixel \(1, 1\): value -7"):
        negative[0].label()


def changed(path: Path, change: Any) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize("name", ["../../b.zarr/labels/cells", "/etc", "..", "a\\b", ""])
def test_paths_that_lead_out_of_the_group_are_refused(tmp_path, name):
    write(tmp_path / "b.zarr", {"cells": CELLS})
    root = write(tmp_path / "a.zarr", {"cells": CELLS})
    changed(root / "labels/.zattrs", lambda data: data.update(labels=[name]))
    with pytest.raises(FormatError, match="leads out of the group"):
        all_formats.read(root)
    root = write(tmp_path / "a.zarr", {"cells": CELLS})
    changed(
        root / "labels/cells/.zattrs", lambda data: data["multiscales"][0]["datasets"][0].update(path=name)
    )
    with pytest.raises(FormatError, match="leads out of the group"):
        all_formats.read(root)


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({"shape": [10**6, 10**6, 10**6]}, "over 500000000 pixels"),
        ({"shape": [10**12, 5, 6]}, "slices are over the limit"),
        ({"chunks": [10**6, 10**4, 10]}, "save it in smaller ones"),
        ({"shape": [3, 5], "chunks": [3, 5]}, "for an array of 2 axes"),
        ({"shape": [3, 5, 0]}, "slices of none"),
        ({"dtype": "<f4"}, "whole numbers"),
        ({"dtype": "|O"}, "Zarr array"),
        ({"compressor": {"id": "no such"}}, "Zarr array"),
        ({"zarr_format": 9}, "Zarr array"),
    ],
)
def test_arrays_that_promise_too_much_are_refused_before_anything_is_read(tmp_path, about, what):
    root = write(tmp_path / "a.zarr", {"cells": CELLS})
    (root / ".zattrs").unlink()
    changed(root / "labels/cells/0/.zarray", lambda data: data.update(about))
    with pytest.raises(FormatError, match=what) as error:
        list(all_formats.read(root))
    assert "\n" not in str(error.value)


def test_broken_chunks_are_refused_and_missing_ones_are_nobody(tmp_path):
    root = write(tmp_path / "a.zarr", {"cells": CELLS})
    chunk = next(file for file in (root / "labels/cells/0").iterdir() if not file.name.startswith("."))
    chunk.write_bytes(chunk.read_bytes()[:-9])
    with pytest.raises(FormatError, match=r"0\.0\.0: chunk: \d+ bytes of \d+"):
        all_formats.read(root)[0].label()
    chunk.write_bytes(b"\2\1\x31\2" + b"\xff" * 4 + bytes(4) + (16).to_bytes(4, "little"))
    with pytest.raises(FormatError, match="for 4294967295"):
        all_formats.read(root)[0].label()
    chunk.unlink()
    assert len(all_formats.read(root)[0].label()) == 0


def test_a_file_that_is_still_being_written_when_another_fails_does_not_come_back(tmp_path, monkeypatch):
    put = zarr.storage._local._put

    def slow_or_full(path: Path, *arguments: Any, **more: Any) -> int:
        if path.name == ".zattrs" and path.parent.name == "a.ome.zarr":
            raise OSError(errno.ENOSPC, "No space left on device")
        time.sleep(0.2)
        return put(path, *arguments, **more)

    monkeypatch.setattr(zarr.storage._local, "_put", slow_or_full)
    label = Segmentation(Classes([SegmentClass("cell")]), Masks.encode(CELLS[:1] > 0), [0], [1])
    dataset = Dataset.of([Sample("a", np.zeros((5, 6, 3), np.uint8), label)])
    with pytest.raises(InlayError, match="the disk is full"):
        all_formats.write(dataset, tmp_path / "out", to="ome_zarr", lossy=True)
    time.sleep(0.5)
    assert list(tmp_path.iterdir()) == []


def test_opening_reads_no_pixels(tmp_path, monkeypatch):
    root = write(tmp_path / "a.zarr", {"cells": CELLS})
    monkeypatch.setattr(zarr_groups.ZarrImage, "read", None)
    assert len(ome_zarr.read(root)) == 3
