"""DICOM-SEG: which frame is which slice, where that lies, what segments mean, and headers that lie."""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation, SegmentClass
from inlay import formats as all_formats
from inlay.core.lattice import Lattice, lattice_of
from inlay.formats import dicom_seg
from inlay.formats.parts import dicom_frames
from inlay.formats.parts.dicom_frames import TO_RAS, source_of
from inlay.formats.parts.dicom_writer import colour_of, lab_of

pydicom = pytest.importorskip("pydicom", reason="needs inlay[volumes]")
highdicom = pytest.importorskip("highdicom", reason="the oracle: in the extra dev")
uid = pydicom.uid.generate_uid

LPS = np.array([[0.5, 0, 0, -10], [0, 0.75, 0, 20], [0, 0, 2, 5], [0, 0, 0, 1]], float)
TURNED = np.array([[0, 0, 3, 1], [0.5, 0, 0, 2], [0, -0.75, 0, 3], [0, 0, 0, 1]], float)
STACK = np.zeros((5, 6, 8, 2), np.uint8)  # slice, row, column, segment
STACK[1, 1:3, 2:5, 0] = 1
STACK[3, 2:5, 4:7, 0] = 1
STACK[3, 4:6, 1:6, 1] = 1


def series(affine: np.ndarray = LPS, count: int = 5) -> list[Any]:
    """CT images of one series."""
    study, name, reference = uid(), uid(), uid()
    found = []
    for k in range(count):
        ds = pydicom.Dataset()
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = pydicom.uid.CTImageStorage, uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, name, reference
        for empty in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate"):
            setattr(ds, empty, "")
        ds.StudyTime = ds.AccessionNumber = ds.ReferringPhysicianName = ds.PositionReferenceIndicator = ""
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 1, k + 1
        ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 6, 8, 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        sides = np.linalg.norm(affine[:3, :3], axis=0)
        ds.PixelSpacing, ds.SliceThickness = [sides[1], sides[0]], sides[2]
        ds.ImageOrientationPatient = (affine[:3, :2] / sides[:2]).T.reshape(-1).tolist()
        ds.ImagePositionPatient = (affine @ [0, 0, k, 1])[:3].tolist()
        ds.RescaleSlope, ds.RescaleIntercept, ds.WindowCenter, ds.WindowWidth = 1, -1000, 0, 100
        ds.PixelData = np.full((6, 8), 1000 + 10 * k, "<i2").tobytes()
        found.append(ds)
    return found


def described(number: int, label: str = "liver") -> Any:
    code = highdicom.sr.CodedConcept("10200004", "SCT", "Liver")
    return highdicom.seg.SegmentDescription(
        number,
        label,
        highdicom.sr.CodedConcept("123037004", "SCT", "Anatomical Structure"),
        code,
        "MANUAL",
    )


def segmentation(images: list[Any], stack: np.ndarray = STACK, kind: str = "BINARY", **about: Any) -> Any:
    """One written by highdicom."""
    segments = [described(i + 1, f"organ {i}") for i in range(2)]
    return highdicom.seg.Segmentation(
        images, stack, kind, segments, uid(), 2, uid(), 1, "maker", "model", "1", "serial", **about
    )


def folder(root: Path, images: list[Any], seg: Any) -> Path:
    root.mkdir(parents=True)
    for i, ds in enumerate(images):
        ds.save_as(root / f"ct{i}.dcm", enforce_file_format=True)
    seg.save_as(root / "seg.dcm")
    return root


def stack_of(dataset: Dataset, count: int) -> np.ndarray:
    """(slice, row, column, class) of a dataset."""
    found = []
    for sample in dataset:
        label = sample.label()
        layers = np.zeros((count, *label.size), np.uint8)
        layers[label.class_id] = label.masks.decode()
        found.append(layers.transpose(1, 2, 0))
    return np.stack(found)


@pytest.mark.parametrize("affine", [LPS, TURNED])
def test_empty_frames_are_left_out_and_each_slice_still_gets_its_own(tmp_path, affine):
    images = series(affine)
    root = folder(tmp_path / "in", images, segmentation(images))
    dataset = all_formats.read(root)
    assert len(dataset) == 5
    order = [sample.label() for sample in dataset]
    sources = [source_of(label.image_tags).instance for label in order]
    assert sorted(sources) == sorted(str(ds.SOPInstanceUID) for ds in images)
    expected = {str(ds.SOPInstanceUID): STACK[k] for k, ds in enumerate(images)}
    for uid_, layers in zip(sources, stack_of(dataset, 2)):
        assert np.array_equal(layers, expected[uid_])
    lattice = lattice_of(order[0].image_tags)
    by_uid = {str(ds.SOPInstanceUID): np.array(ds.ImagePositionPatient, float) for ds in images}
    for frame, uid_ in enumerate(sources):
        place = TO_RAS @ lattice.matrix @ [0, 0, frame, 1]
        assert np.allclose(place[:3], by_uid[uid_])
    corner = TO_RAS @ lattice.matrix @ [7, 5, 0, 1]
    turned = affine.copy()
    turned[:3, 3] = by_uid[sources[0]]
    assert np.allclose(corner, turned @ [7, 5, 0, 1])


def test_the_images_lie_under_their_slices_through_their_window(tmp_path):
    images = series()
    dataset = all_formats.read(folder(tmp_path / "in", images, segmentation(images)))
    assert dataset.left_out == {"image depth": 5}
    for frame, sample in enumerate(dataset):
        assert (sample.group, sample.frame) == ("seg", frame)
        assert set(np.unique(sample.pixels()).tolist()) == {int((10 * frame + 50) / 100 * 255)}


def test_without_the_images_slices_between_frames_are_there_and_empty(tmp_path):
    images = series()
    segmentation(images).save_as(tmp_path / "seg.dcm")
    dataset = all_formats.read(tmp_path / "seg.dcm")
    assert [len(sample.label()) for sample in dataset] == [1, 0, 2]
    assert np.allclose(
        TO_RAS @ lattice_of(dataset[0].label().image_tags).matrix, LPS + 2 * np.eye(4)[:, 2:3] * [0, 0, 0, 1]
    )


def test_labels_are_classes_and_codes_their_parents(tmp_path):
    segmentation(series()).save_as(tmp_path / "seg.dcm")
    classes = all_formats.read(tmp_path / "seg.dcm").classes
    assert classes.names == ("organ 0", "organ 1")
    assert classes[0].parent == "Liver (SCT 10200004), Anatomical Structure (SCT 123037004)"


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_whole_fractions_and_label_maps_are_the_same_masks(tmp_path, kind):
    stack = STACK.copy()
    stack[..., 0] &= ~stack[..., 1] & 1
    fractions = stack.astype(np.float32) if kind == "FRACTIONAL" else stack
    segmentation(series(), fractions, kind).save_as(tmp_path / "seg.dcm")
    dataset = all_formats.read(tmp_path / "seg.dcm")
    assert np.array_equal(stack_of(dataset, 2), stack[1:4] if len(dataset) == 3 else stack)


def test_shares_of_a_pixel_are_refused_with_their_place(tmp_path):
    stack = STACK.astype(np.float32)
    stack[3, 2, 4, 0] = 0.5
    segmentation(series(), stack, "FRACTIONAL").save_as(tmp_path / "seg.dcm")
    with pytest.raises(FormatError, match=r"frame \d, pixel \(4, 2\): value 12\d of 255: a share, no label"):
        [sample.label() for sample in all_formats.read(tmp_path / "seg.dcm")]


def test_packed_frames_are_read(tmp_path):
    stack = STACK.astype(np.float32)
    seg = segmentation(series(), stack, "FRACTIONAL", transfer_syntax_uid=pydicom.uid.RLELossless)
    seg.save_as(tmp_path / "seg.dcm")
    assert np.array_equal(stack_of(all_formats.read(tmp_path / "seg.dcm"), 2), STACK[1:4])


@pytest.mark.parametrize("affine", [LPS, TURNED, LPS * [[1], [1], [-1], [1]]])
def test_what_is_written_is_what_highdicom_reads(tmp_path, affine):
    lattice = Lattice.of(TO_RAS @ affine)
    classes = Classes((SegmentClass("cell", colour=(200, 30, 60)), SegmentClass("Straße", "stuff")))
    frames = []
    for k in range(5):
        seen = [i for i in range(2) if STACK[k, :, :, i].any()]
        masks = Masks.encode(STACK[k].transpose(2, 0, 1)[seen] if seen else np.zeros((0, 6, 8)))
        label = Segmentation(classes, masks, seen, [4 - 4 * i for i in seen])
        label = label.replace(image_tags=frozenset({lattice.tag()}))
        frames.append(Sample(f"v/{k:06d}", None, label, group="v", frame=k))
    all_formats.write(Dataset.of(frames), tmp_path / "out", to="dicom_seg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = highdicom.seg.segread(tmp_path / "out/labels/v.dcm")
    assert [item.SegmentLabel for item in theirs.SegmentSequence] == ["cell", "Straße"]
    volume = theirs.get_volume(rescale_fractional=False)
    planes = {tuple(np.round(volume.get_plane_position(i)[0].ImagePositionPatient, 4)): i for i in range(5)}
    for k in range(5):
        at = planes[tuple(np.round((affine @ [0, 0, k, 1])[:3], 4))]
        assert np.array_equal(np.asarray(volume.array[at]) != 0, STACK[k] != 0)
    again = all_formats.read(tmp_path / "out")
    for mine, other in zip(again, frames):
        label, expected = mine.label(), other.label()
        assert (mine.name, mine.frame) == (other.name, other.frame)
        assert label.masks.equals(expected.masks)
        assert sorted(label.instance_id) == sorted(expected.instance_id)
        assert lattice_of(label.image_tags).is_near(lattice)
    alone = dicom_seg.read(tmp_path / "out/labels/v.dcm").classes[0].colour
    assert np.abs(np.subtract(alone, (200, 30, 60))).max() <= 1


def test_the_images_that_it_was_drawn_on_are_referred_to_again(tmp_path):
    images = series()
    dataset = all_formats.read(folder(tmp_path / "in", images, segmentation(images)))
    all_formats.write(dataset, tmp_path / "native", to="native")
    all_formats.write(all_formats.read(tmp_path / "native"), tmp_path / "out", to="dicom_seg")
    ds = pydicom.dcmread(tmp_path / "out/labels/seg.dcm")
    assert ds.StudyInstanceUID == images[0].StudyInstanceUID
    assert ds.FrameOfReferenceUID == images[0].FrameOfReferenceUID
    assert ds.SeriesInstanceUID != images[0].SeriesInstanceUID
    listed = ds.ReferencedSeriesSequence[0]
    assert listed.SeriesInstanceUID == images[0].SeriesInstanceUID
    uids = {str(item.ReferencedSOPInstanceUID) for item in listed.ReferencedInstanceSequence}
    assert uids == {str(image.SOPInstanceUID) for image in images}
    assert ds.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    for item in ds.PerFrameFunctionalGroupsSequence:
        source = item.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        image = next(each for each in images if each.SOPInstanceUID == source)
        assert item.PlanePositionSequence[0].ImagePositionPatient == image.ImagePositionPatient


def test_the_affine_goes_over_to_nifti_with_its_signs_turned(tmp_path):
    nib = pytest.importorskip("nibabel", reason="needs inlay[volumes]")
    images = series()
    seg = segmentation(images, STACK * np.array([1, 0], np.uint8))
    dataset = all_formats.read(folder(tmp_path / "in", images, seg))
    all_formats.write(dataset, tmp_path / "out", to="nifti", lossy=True)
    file = nib.load(tmp_path / "out/labels/seg.nii.gz")
    assert np.allclose(file.affine, np.diag([-1, -1, 1, 1]) @ LPS)
    assert np.array_equal(np.asarray(file.dataobj) != 0, STACK[..., 0].transpose(2, 1, 0) != 0)


def changed(path: Path, change: Any) -> Path:
    ds = pydicom.dcmread(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change(ds)
        ds.save_as(path)
    return path


def frame(ds: Any, number: int = 0) -> Any:
    return ds.PerFrameFunctionalGroupsSequence[number]


def unknown_segment(ds: Any) -> None:
    frame(ds).SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9


def far_away(ds: Any) -> None:
    for item in ds.PerFrameFunctionalGroupsSequence:
        item.FrameContentSequence[0].InStackPositionNumber = 2**32 - 1


def uneven(ds: Any) -> None:
    position = frame(ds, 1).PlanePositionSequence[0]
    position.ImagePositionPatient = [*position.ImagePositionPatient[:2], 9.7]
    frame(ds, 0).PlanePositionSequence[0].ImagePositionPatient = [-10, 20, 8.7]


def not_a_number(ds: Any) -> None:
    frame(ds).PlanePositionSequence[0].ImagePositionPatient = ["nan", 0, 0]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (unknown_segment, "ReferencedSegmentNumber: 9 is not in SegmentSequence"),
        (far_away, "a frame on slice 4294967295; the limit"),
        (uneven, "ImagePositionPatient"),
        (not_a_number, "no places in space|header"),
        (lambda ds: setattr(ds, "NumberOfFrames", 10**9), "3 items; there are 1000000000 frames"),
        (lambda ds: setattr(ds, "Rows", 60_000), "the file is cut off"),
        (lambda ds: setattr(ds, "SegmentationType", "SHARP"), "none of BINARY"),
        (lambda ds: setattr(ds, "BitsAllocated", 12), "1, 8 or 16 bits"),
        (lambda ds: delattr(ds, "SegmentSequence"), "SegmentSequence"),
    ],
)
def test_headers_that_cannot_be_are_refused_in_one_line(tmp_path, change, what):
    segmentation(series()).save_as(tmp_path / "seg.dcm")
    with pytest.raises(FormatError, match=what) as error:
        all_formats.read(changed(tmp_path / "seg.dcm", change))
    assert "\n" not in str(error.value)


def test_files_that_are_cut_off_or_deflated_bombs_are_refused(tmp_path, monkeypatch):
    seg = segmentation(series())
    seg.save_as(tmp_path / "seg.dcm")
    data = (tmp_path / "seg.dcm").read_bytes()
    (tmp_path / "seg.dcm").write_bytes(data[:-4])
    with pytest.raises(FormatError, match=r"seg\.dcm"):
        list(all_formats.read(tmp_path / "seg.dcm"))
    seg.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    seg.save_as(tmp_path / "seg.dcm")
    assert len(all_formats.read(tmp_path / "seg.dcm")) == 3
    start = 144 + pydicom.dcmread(tmp_path / "seg.dcm").file_meta.FileMetaInformationGroupLength
    monkeypatch.setattr(dicom_frames, "_MOST", 1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = packer.compress(bytes(1 << 22)) + packer.flush()
    (tmp_path / "seg.dcm").write_bytes((tmp_path / "seg.dcm").read_bytes()[:start] + zeros)
    with pytest.raises(FormatError, match="deflated to over"):
        all_formats.read(tmp_path / "seg.dcm")


def test_colours_come_back_through_cielab():
    for colour in ((0, 0, 0), (255, 255, 255), (200, 30, 60), (1, 128, 254)):
        assert np.abs(np.subtract(colour_of(lab_of(colour)), colour)).max() <= 1
    theirs = highdicom.color.CIELabColor.from_rgb(200, 30, 60).value
    assert np.abs(np.subtract(lab_of((200, 30, 60)), theirs)).max() < 200
