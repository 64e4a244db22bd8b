"""DICOM-SEG files written: one binary segment for each object of a volume, with new numbers of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Colour, SegmentClass
from inlay.core.lattice import Lattice
from inlay.formats.parts.dicom_frames import SEGMENTATION, TO_RAS, Source
from inlay.formats.parts.libraries import imported

_CODES = re.compile(r"(.{1,64}) \((\S{1,16}) (\S{1,16})\), (.{1,64}) \((\S{1,16}) (\S{1,16})\)")
_OBJECT = ("Physical object", "SCT", "260787004")
NOTHING = "nothing"  # the segment of a file without one, since the list may not be empty
OWN = "99INLAY"  # coding scheme of classes that name no code
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65, as sRGB
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def fits(text: str) -> bool:
    """Whether a text can be the label of a segment."""
    return 0 < len(text) <= 64 and text == text.strip() and text.isprintable() and "\\" not in text


def lab_of(colour: Colour) -> list[int]:
    """The three 16-bit CIELab numbers of an sRGB colour (DICOM PS3.3 C.10.7.1.1)."""
    light = np.array(colour) / 255
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    ratio = _TO_XYZ @ linear / _WHITE
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (ratio * 24389 / 27 + 16) / 116)
    values = [(116 * y - 16) / 100, (500 * (x - y) + 128) / 255, (200 * (y - z) + 128) / 255]
    return [round(float(np.clip(value, 0, 1)) * 65535) for value in values]


def colour_of(lab: Sequence[int]) -> Colour:
    """The nearest sRGB colour of three 16-bit CIELab numbers."""
    light, a, b = lab[0] / 655.35, lab[1] / 257 - 128, lab[2] / 257 - 128
    y = (light + 16) / 116
    parts = np.array([y + a / 500, y, y - b / 200])
    ratio = np.where(parts**3 > 216 / 24389, parts**3, (116 * parts - 16) * 27 / 24389)
    linear = np.clip(np.linalg.inv(_TO_XYZ) @ (ratio * _WHITE), 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.round(srgb * 255).astype(int).tolist()
    return red, green, blue


class Bits:
    """Frames of single bits, packed one after another without a gap."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._rest: NDArray[np.uint8] = np.empty(0, np.uint8)

    def add(self, mask: NDArray[np.bool_]) -> None:
        """Add the rows of a mask."""
        bits = np.concatenate([self._rest, mask.reshape(-1).astype(np.uint8)])
        whole = len(bits) // 8 * 8
        self._packed.append(np.packbits(bits[:whole], bitorder="little").tobytes())
        self._rest = bits[whole:]

    def value(self) -> bytes:
        """All of them, of an even length."""
        data = b"".join([*self._packed, np.packbits(self._rest, bitorder="little").tobytes()])
        return data + b"\0" * (len(data) % 2)


@dataclass
class SegWriter:
    """Gathers the frames of one volume.

    Parameters
    ----------
    size
        (height, width) of each.
    lattice
        Where they lie.
    """

    size: tuple[int, int]
    lattice: Lattice | None
    bits: Bits = field(default_factory=Bits)
    frames: list[tuple[int, int, Source | None]] = field(default_factory=list)

    def add(self, segment: int, number: int, mask: NDArray[np.bool_], source: Source | None) -> None:
        """Add what a segment covers of a slice."""
        self.bits.add(mask)
        self.frames.append((segment, number, source))

    def write(
        self, path: Path, segments: Mapping[int, tuple[SegmentClass, int]], numbers: Mapping[int, int]
    ) -> None:
        """Write the file.

        Parameters
        ----------
        segments
            Class and instance of each segment, by its number in the file.
        numbers
            That number of each segment that was added.
        """
        library = imported("pydicom", "DICOM")
        self.frames = [(numbers[segment], number, source) for segment, number, source in self.frames]
        ds = _header(self.frames, library)
        ds.Rows, ds.Columns = self.size
        ds.NumberOfFrames = len(self.frames)
        ds.SegmentSequence = [_segment(number, *about, library) for number, about in sorted(segments.items())]
        ras = self.lattice is not None and self.lattice.space == "ras"
        ds.SharedFunctionalGroupsSequence = [_shared(self.lattice, library)]
        if ras:
            ds.PositionReferenceIndicator = ""
        else:
            del ds.FrameOfReferenceUID
        pointers = [(0x0062000A, 0x0062000B)]  # segment number, in its sequence
        pointers.append((0x00209113, 0x00200032) if ras else (0x00209111, 0x00209057))
        organisation = library.uid.generate_uid(prefix=None)
        ds.DimensionOrganizationSequence = [_item(library, DimensionOrganizationUID=organisation)]
        ds.DimensionIndexSequence = [
            _item(
                library,
                DimensionOrganizationUID=organisation,
                DimensionIndexPointer=pointer,
                FunctionalGroupPointer=group,
            )
            for group, pointer in pointers
        ]
        lattice = self.lattice if ras else None
        ds.PerFrameFunctionalGroupsSequence = [_frame(*frame, lattice, library) for frame in self.frames]
        ds.PixelData = self.bits.value()
        ds["PixelData"].VR = "OB"
        path.parent.mkdir(parents=True, exist_ok=True)
        ds.save_as(path, enforce_file_format=True)


def _item(library: Any, **values: Any) -> Any:
    item = library.Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return item


def _code(library: Any, meaning: str, scheme: str, value: str) -> list[Any]:
    return [_item(library, CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def _header(frames: Sequence[tuple[int, int, Source | None]], library: Any) -> Any:
    """Patient, study, series, equipment and image: the study is that of the source images, where known."""
    from inlay import __version__

    sources = list(dict.fromkeys(source for _, _, source in frames if source is not None))
    first = sources[0] if sources else None
    new = library.uid.generate_uid
    ds = library.Dataset()
    ds.file_meta = library.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = library.uid.ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = SEGMENTATION, new(prefix=None)
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"):
        setattr(ds, name, "")
    ds.StudyID = ds.AccessionNumber = ds.ReferringPhysicianName = ""
    ds.StudyInstanceUID = first.study if first and first.study else new(prefix=None)
    ds.SeriesInstanceUID = new(prefix=None)
    ds.FrameOfReferenceUID = (first and first.frame_of_reference) or new(prefix=None)
    now = datetime.now(UTC)
    ds.ContentDate, ds.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "SEG", 1, 1
    ds.Manufacturer = ds.ManufacturerModelName = "Inlay"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", __version__
    ds.ImageType, ds.SegmentationType = ["DERIVED", "PRIMARY"], "BINARY"
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "SEGMENTATION", "", ""
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.LossyImageCompression = 1, 1, 0, "00"
    series: dict[str, list[Any]] = {}
    for source in sources:
        if source.series:
            series.setdefault(source.series, []).append(_reference(source, library))
    if series:
        ds.ReferencedSeriesSequence = [
            _item(library, SeriesInstanceUID=uid, ReferencedInstanceSequence=items)
            for uid, items in series.items()
        ]
    return ds


def _reference(source: Source, library: Any, **more: Any) -> Any:
    uids = {"ReferencedSOPClassUID": source.sop_class, "ReferencedSOPInstanceUID": source.instance}
    return _item(library, **uids, **more)


def _segment(number: int, item: SegmentClass, instance: int, library: Any) -> Any:
    name = item.name if fits(item.name) else f"class {number}"
    found = _CODES.fullmatch(item.parent)
    kind, category = (
        (found.groups()[:3], found.groups()[3:]) if found else ((name, OWN, str(number)), _OBJECT)
    )
    ds = _item(library, SegmentNumber=number, SegmentLabel=name, SegmentAlgorithmType="MANUAL")
    ds.TrackingID, ds.TrackingUID = str(instance), library.uid.generate_uid(prefix=None)
    ds.SegmentedPropertyTypeCodeSequence = _code(library, *kind)
    ds.SegmentedPropertyCategoryCodeSequence = _code(library, *category)
    if item.colour is not None:
        ds.RecommendedDisplayCIELabValue = lab_of(item.colour)
    return ds


def _shared(lattice: Lattice | None, library: Any) -> Any:
    shared = library.Dataset()
    if lattice is None or lattice.unit == "px":
        return shared
    lattice = lattice.in_unit("mm")
    down, right, depth = map(_decimal, lattice.spacing)
    measures = {"PixelSpacing": [down, right], "SliceThickness": depth, "SpacingBetweenSlices": depth}
    shared.PixelMeasuresSequence = [_item(library, **measures)]
    if lattice.space == "ras":
        sides = (TO_RAS @ lattice.matrix)[:3, :2] / np.array([lattice.spacing[1], lattice.spacing[0]])
        cosines = [_decimal(value) for value in sides.T.reshape(-1).tolist()]
        shared.PlaneOrientationSequence = [_item(library, ImageOrientationPatient=cosines)]
    return shared


def _decimal(value: float) -> str:
    """A number in the sixteen letters of a decimal string."""
    for digits in range(16, 5, -1):
        text = f"{value + 0.0:.{digits}g}"
        if len(text) <= 16:
            return text
    return text


def _frame(segment: int, number: int, source: Source | None, lattice: Lattice | None, library: Any) -> Any:
    ds = library.Dataset()
    content = {"DimensionIndexValues": [segment, number + 1], "StackID": "1"}
    ds.FrameContentSequence = [_item(library, **content, InStackPositionNumber=number + 1)]
    ds.SegmentIdentificationSequence = [_item(library, ReferencedSegmentNumber=segment)]
    if lattice is not None:
        x, y, z, _ = (TO_RAS @ lattice.in_unit("mm").matrix @ [0, 0, number, 1]).tolist()
        place = [_decimal(value) for value in (x, y, z)]
        ds.PlanePositionSequence = [_item(library, ImagePositionPatient=place)]
    if source is not None:
        purpose = _code(library, "Source image for image processing operation", "DCM", "121322")
        image = _reference(source, library, PurposeOfReferenceCodeSequence=purpose)
        derived = _code(library, "Segmentation", "DCM", "113076")
        ds.DerivationImageSequence = [
            _item(library, SourceImageSequence=[image], DerivationCodeSequence=derived)
        ]
    return ds
