"""NIfTI: where slices lie, what values mean, whole numbers only, and files that promise too much."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation, SegmentClass
from inlay import formats as all_formats
from inlay.core.errors import MissingExtraError
from inlay.core.lattice import Lattice, lattice_of
from inlay.formats import nifti

nib = pytest.importorskip("nibabel", reason="needs inlay[volumes]")

AFFINE = np.array([[-0.5, 0.1, 0, 40], [0.1, 0.5, 0, -30.25], [0, 0, 2.5, 7], [0, 0, 0, 1]], np.float32)
VALUES = np.zeros((5, 4, 3), np.uint8)  # x, y, slice
VALUES[1:3, 1, 0] = 1
VALUES[0, 2:4, 2] = 2
LIST = {"labels": {"background": 0, "liver": 1, "ignore": 2}}


def volume(path: Path, values: np.ndarray = VALUES, affine=AFFINE, kind=nib.Nifti1Image, **about) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = kind(values, affine)
    for name, value in about.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def nnunet(root: Path) -> Path:
    volume(root / "labelsTr/case.nii.gz")
    volume(root / "imagesTr/case_0000.nii.gz", VALUES.astype(np.int16) * 500)
    volume(root / "imagesTs/other_0000.nii.gz", VALUES.astype(np.int16) * 500)
    (root / "dataset.json").write_text(json.dumps(LIST))
    return root


def test_a_slice_is_a_sample_rows_down_the_second_axis(tmp_path):
    dataset = all_formats.read(volume(tmp_path / "a.nii.gz"))
    assert dataset.names == ("a/000000", "a/000001", "a/000002")
    assert dataset.classes.names == ("label 1", "label 2")
    first = dataset[0]
    assert (first.group, first.frame, first.label().size) == ("a", 0, (4, 5))
    for number, sample in enumerate(dataset):
        label = sample.label()
        values = label.masks.paint(dataset.classes.source_ids[label.class_id])
        assert np.array_equal(values, VALUES[:, :, number].T)
    assert len(dataset[1].label()) == 0


def test_the_folders_of_nnu_net_are_splits_and_its_list_the_classes(tmp_path):
    dataset = all_formats.read(nnunet(tmp_path))
    assert [(item.name, item.kind) for item in dataset.classes] == [("liver", "stuff"), ("ignore", "void")]
    assert dataset.splits == {name: "train" if "case" in name else "test" for name in dataset.names}
    assert dataset["other/000001"].segmentation is None
    assert dataset["case/000002"].pixels().shape == (4, 5, 3)
    assert dataset.left_out == {"image depth": 2}


def test_the_sform_counts_before_the_qform_and_sizes_alone_name_no_patient(tmp_path):
    image = nib.Nifti1Image(VALUES, None)
    image.set_qform(np.diag([3.0, 3, 3, 1]), 1)
    nib.save(image, tmp_path / "q.nii")
    image.set_sform(AFFINE, 2)
    nib.save(image, tmp_path / "s.nii")
    image = nib.Nifti1Image(VALUES, None)
    image.header["pixdim"][1:4] = [0.5, 0.25, 2]
    nib.save(image, tmp_path / "n.nii")
    found = {name: lattice_of(nifti.read(tmp_path / f"{name}.nii")[0].label().image_tags) for name in "qsn"}
    assert np.allclose(found["s"].matrix, AFFINE)
    assert np.allclose(found["q"].matrix, np.diag([3, 3, 3, 1]))
    assert (found["n"].space, found["n"].spacing) == ("own", (0.25, 0.5, 2.0))


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_both_versions_and_byte_orders_are_read_as_nibabel_reads_them(tmp_path, kind, order, end):
    values = (VALUES.astype(np.int32) * 70_000).astype(f"{order}i4")
    header = kind.header_class(endianness=order)
    image = kind(values, AFFINE, header)
    nib.save(image, tmp_path / f"a{end}")
    theirs = np.asarray(nib.load(tmp_path / f"a{end}").dataobj)
    for number, sample in enumerate(nifti.read(tmp_path / f"a{end}")):
        label = sample.label()
        numbers = label.classes.source_ids[label.class_id]
        assert np.array_equal(label.masks.paint(numbers), theirs[:, :, number].T)


def test_time_is_a_volume_each(tmp_path):
    four = np.stack([VALUES, VALUES[::-1]], axis=3)
    dataset = nifti.read(volume(tmp_path / "a.nii.gz", four))
    assert {sample.group for sample in dataset} == {"a/t000000", "a/t000001"}
    label = dataset["a/t000001/000000"].label()
    assert np.array_equal(label.masks.decode()[0], four[:, :, 0, 1].T == 1)


def test_floats_are_labels_where_they_are_whole_and_refused_elsewhere(tmp_path):
    good = nifti.read(volume(tmp_path / "a.nii", VALUES.astype(np.float32)))
    assert good.classes.names == ("label 1", "label 2")
    bad = VALUES.astype(np.float32)
    bad[3, 2, 1] = 1.5
    with pytest.raises(FormatError, match=r"slice 1, pixel \(3, 2\): value 1.5 is no label"):
        nifti.read(volume(tmp_path / "b.nii", bad))
    bad[3, 2, 1] = np.nan
    with pytest.raises(FormatError, match="value nan is no label"):
        nifti.read(volume(tmp_path / "c.nii", bad))


def test_a_slope_that_leaves_whole_numbers_is_applied_and_one_that_does_not_refused(tmp_path):
    def sloped(name: str, slope: float, inter: float) -> Path:
        image = nib.Nifti1Image(VALUES, AFFINE)
        image.header.set_slope_inter(slope, inter)
        nib.save(image, tmp_path / name)
        raw = bytearray((tmp_path / name).read_bytes())
        raw[112:120] = np.array([slope, inter], "<f4").tobytes()
        raw[352:] = VALUES.tobytes("F")
        (tmp_path / name).write_bytes(raw)
        return tmp_path / name

    whole = sloped("a.nii", 3, 0)
    assert nifti.read(whole).classes.source_ids.tolist() == [3, 6]
    assert np.asarray(nib.load(whole).dataobj).max() == 6
    with pytest.raises(FormatError, match=r"stored 1, slope 0.3.*with slope 1"):
        nifti.read(sloped("b.nii", 0.3, 0))


def test_a_value_outside_the_list_is_refused_with_its_place(tmp_path):
    root = nnunet(tmp_path)
    values = VALUES.copy()
    values[4, 3, 1] = 9
    volume(root / "labelsTr/case.nii.gz", values)
    with pytest.raises(FormatError, match=r"slice 1, pixel \(4, 3\): value 9 is not in the class list"):
        nifti.read(root)["case/000001"].label()
    (root / "dataset.json").write_text('{"labels": {"whole": [1, 2]}}')
    with pytest.raises(FormatError, match="regions of several"):
        nifti.read(root)


def test_a_label_that_lies_elsewhere_than_its_image_is_refused(tmp_path):
    root = nnunet(tmp_path)
    volume(root / "imagesTr/case_0000.nii.gz", VALUES, np.diag([-1, -1, 1, 1]) @ AFFINE)
    with pytest.raises(FormatError, match="lies elsewhere than its image"):
        nifti.read(root)
    volume(root / "imagesTr/case_0000.nii.gz", VALUES[:, :, :2])
    with pytest.raises(FormatError, match="that of its image"):
        nifti.read(root)


def test_what_is_written_is_what_nibabel_reads(tmp_path):
    dataset = all_formats.read(nnunet(tmp_path / "in")).split("train")
    all_formats.write(dataset, tmp_path / "out", to="nifti", lossy=False)
    theirs = nib.load(tmp_path / "out/labels/case.nii.gz")
    assert np.array_equal(np.asarray(theirs.dataobj), VALUES)
    assert theirs.get_data_dtype() == np.uint8
    assert np.allclose(theirs.affine, AFFINE)
    assert np.allclose(theirs.get_sform(), AFFINE)
    assert theirs.header.get_xyzt_units()[0] == "mm"
    again = all_formats.read(tmp_path / "out")
    for mine, other in zip(again, dataset):
        assert mine.label().equals(other.label())
        assert np.array_equal(mine.pixels(), other.pixels())
        assert (mine.group, mine.frame, mine.split) == (other.group, other.frame, other.split)


def test_the_places_of_some_slices_stay_theirs(tmp_path):
    dataset = all_formats.read(nnunet(tmp_path / "in"))
    part = dataset.only(["case/000001", "case/000002"])
    all_formats.write(part, tmp_path / "out", to="nifti")
    file = nib.load(tmp_path / "out/labels/case.nii.gz")
    assert np.allclose(file.affine @ [0, 0, 0, 1], AFFINE @ [0, 0, 1, 1])
    again = all_formats.read(tmp_path / "out")
    assert again["case/000002"].frame == 2
    assert again["case/000002"].label().image_tags == dataset["case/000002"].label().image_tags
    gaps = dataset.only(["case/000000", "case/000002"])
    all_formats.write(gaps, tmp_path / "gaps", to="nifti")
    assert nib.load(tmp_path / "gaps/labels/case.nii.gz").header["sform_code"] == 0
    again = all_formats.read(tmp_path / "gaps")["case/000002"]
    assert (again.frame, again.label().image_tags) == (2, dataset[0].label().image_tags)


@pytest.mark.parametrize("to", ["native", "coco"])
def test_the_lattice_survives_a_way_through_other_formats(tmp_path, to):
    dataset = all_formats.read(nnunet(tmp_path / "in")).split("train")
    all_formats.write(dataset, tmp_path / to, to=to, lossy=True)
    all_formats.write(all_formats.read(tmp_path / to), tmp_path / "out", to="nifti")
    file = nib.load(tmp_path / "out/labels/case.nii.gz")
    assert np.allclose(file.affine, AFFINE)
    assert np.array_equal(np.asarray(file.dataobj), VALUES)


def test_instances_are_numbers_in_the_volume_and_named_in_the_extras(tmp_path):
    classes = Classes((SegmentClass("cell"), SegmentClass("gap", "stuff")))
    masks = Masks.encode(np.eye(3)[:, :, None].repeat(2, axis=2) > 0)
    label = Segmentation(classes, masks, [0, 0, 1], [700, 3, 0])
    frames = [Sample(f"v/{i:06d}", None, label, group="v", frame=i) for i in range(2)]
    all_formats.write(Dataset.of(frames), tmp_path / "out", to="nifti")
    assert set(np.unique(np.asarray(nib.load(tmp_path / "out/labels/v.nii.gz").dataobj))) == {1, 3, 700}
    again = all_formats.read(tmp_path / "out")[1].label()
    assert sorted(zip(again.class_names, again.instance_id.tolist())) == [
        ("cell", 3),
        ("cell", 700),
        ("gap", 0),
    ]


def test_many_values_without_a_list_are_instances_only_when_told(tmp_path):
    values = np.arange(400, dtype=np.int16).reshape(20, 20, 1)
    path = volume(tmp_path / "a.nii.gz", values)
    with pytest.raises(FormatError, match="over 256 values and no class list: instances"):
        nifti.read(path)
    (tmp_path / "classes.json").write_text('{"labels": "instance"}')
    assert len(nifti.read(path)[0].label()) == 399


def promising(path: Path, shape: tuple[int, ...], kind=nib.Nifti2Header) -> Path:
    header = kind()
    header.set_data_shape(shape)
    header["vox_offset"] = 544
    data = header.binaryblock.ljust(600, b"\0")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
@pytest.mark.parametrize("shape", [(10_000, 10_000, 10_000), (1, 1, 10**12), (10**6, 10**6), (2, 2, 2, 2, 2)])
def test_a_header_that_promises_too_much_is_refused_before_anything_is_read(tmp_path, end, shape):
    with pytest.raises(FormatError, match="header"):
        nifti.read(promising(tmp_path / f"a{end}", shape))


def test_a_packed_file_of_nothing_cannot_fill_the_memory_with_names(tmp_path):
    header = nib.Nifti2Header()
    header.set_data_shape((1, 1, 2_000_000))
    header["vox_offset"] = 544
    header.set_data_dtype(np.uint8)
    data = header.binaryblock.ljust(544, b"\0") + bytes(2_000_000)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(data))
    with pytest.raises(FormatError, match="2000000 slices are over the limit"):
        nifti.read(tmp_path / "a.nii.gz")


def test_a_packed_file_that_is_cut_off_or_changed_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 3, (60, 60, 9), np.uint8)
    path = volume(tmp_path / "a.nii.gz", noise)
    (tmp_path / "classes.json").write_text('{"a": 1, "b": 2}')
    data = path.read_bytes()
    for bad in (data[: len(data) // 2], data[:-4] + b"\1\2\3\4", data[:-8] + bytes(8)):
        path.write_bytes(bad)
        with pytest.raises(FormatError, match=r"slice \d: "):
            [sample.label() for sample in nifti.read(path)]


def test_pairs_and_colours_are_refused(tmp_path):
    raw = bytearray(volume(tmp_path / "a.nii").read_bytes())
    raw[344:348] = b"ni1\0"
    (tmp_path / "a.nii").write_bytes(raw)
    with pytest.raises(FormatError, match="pair"):
        nifti.read(tmp_path / "a.nii")
    colours = np.zeros((3, 3, 1), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(FormatError, match="colours"):
        nifti.read(volume(tmp_path / "b.nii", colours))


def test_opening_reads_headers_alone(tmp_path, monkeypatch):
    root = nnunet(tmp_path)
    monkeypatch.setattr(nifti.NiftiFile, "read", None)
    dataset = nifti.read(root)
    assert len(dataset) == 6


def test_a_lattice_is_one_word_and_a_flat_one_is_none():
    lattice = Lattice.of(AFFINE, "own", "um")
    assert lattice is not None
    assert lattice_of({lattice.tag(), "night"}) == lattice
    assert Lattice.of(np.diag([1, 1, 0, 1])) is None
    assert lattice_of({"lattice: ras mm " + " ".join(["1"] * 12)}) is None
    assert lattice_of({"lattice: ras mm 1"}) is None
    assert lattice.in_unit("mm").spacing == pytest.approx([side / 1000 for side in lattice.spacing])


@pytest.mark.parametrize(
    ("name", "library"), [("nifti", "nibabel"), ("ome_zarr", "zarr"), ("dicom_seg", "pydicom")]
)
def test_a_missing_library_names_the_extra_and_leaves_nothing(tmp_path, monkeypatch, name, library):
    dataset = Dataset.of(
        [Sample("a", None, Segmentation(Classes.of("a"), Masks.encode(np.eye(3)), [0], [0]))]
    )
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"not installed: pip install 'inlay\[volumes\]'"):
        all_formats.write(dataset, tmp_path / "out", to=name)
    assert list(tmp_path.iterdir()) == []
