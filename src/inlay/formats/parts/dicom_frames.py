"""Frames of DICOM-SEG files: which segment and which slice each is, read one at a time."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError, InlayError
from inlay.core.images import MAX_PIXELS
from inlay.core.lattice import Lattice
from inlay.formats.parts.libraries import imported, library_errors
from inlay.formats.parts.volumes import MAX_SLICES

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # and from there to LPS, DICOM's axes
_NATIVE = {"1.2.840.10008.1.2": 8, "1.2.840.10008.1.2.1": 12}  # bytes before the pixels: tag, type, length
_DEFLATED = "1.2.840.10008.1.2.1.99"
_MOST = 1 << 30  # bytes that a deflated file may become
_SLACK = 0.05  # of a slice: how far a position may lie from its place


@dataclass(frozen=True)
class Source:
    """The image that a slice was drawn on: its class and number, and those of what it belongs to."""

    sop_class: str
    instance: str
    series: str
    study: str
    frame_of_reference: str

    def tag(self) -> str:
        """The word that says it."""
        parts = (self.sop_class, self.instance, self.series, self.study, self.frame_of_reference)
        return "dicom: " + " ".join(part or "-" for part in parts)


def source_of(image_tags: Sequence[str] | frozenset[str]) -> Source | None:
    """The source image that stands in image tags, where one does."""
    for tag in sorted(image_tags):
        if re.fullmatch(r"dicom:( ([0-9.]{1,64}|-)){5}", tag):
            parts = ["" if part == "-" else part for part in tag.split(" ")[1:]]
            return Source(*parts) if parts[0] and parts[1] else None
    return None


@dataclass(frozen=True)
class Segment:
    """One item of the list of segments.

    Parameters
    ----------
    label
        Its name.
    tracking
        What tells it apart through several files, as text; empty where nothing does.
    codes
        "Liver (SCT 10200004), Anatomical Structure (SCT 123037004)": its type and the category of that.
    lab
        Recommended colour, three numbers of 16 bits; empty where there is none.
    """

    label: str
    tracking: str
    codes: str
    lab: tuple[int, ...] = ()


@dataclass(frozen=True)
class SegFile:
    """What a file says without its pixels.

    Parameters
    ----------
    kind
        "BINARY", "FRACTIONAL" or "LABELMAP".
    top
        The value of a pixel that is wholly inside.
    bits
        Of a pixel.
    offset
        Byte of the first pixel; -1 where frames are compressed.
    frames
        (segment, frame) pairs of each slice; the segment is 0 in label maps, which hold all.
    sources
        Image of each slice; `None` where nobody says.
    """

    path: Path
    size: tuple[int, int]
    kind: str
    top: int
    bits: int
    offset: int
    segments: Mapping[int, Segment]
    frames: tuple[tuple[tuple[int, int], ...], ...]
    sources: tuple[Source | None, ...]
    lattice: Lattice | None

    def read(self, frame: int) -> NDArray[Any]:
        """(H, W) values of a frame.

        Raises
        ------
        FormatError
            When the file is cut off there, or its compression is unknown.
        """
        height, width = self.size
        if self.offset < 0:
            with library_errors(self.path, f"frame {frame + 1}", "DICOM-SEG"):
                values = np.asarray(pixel_array(self.path, frame))
                if values.shape != self.size:
                    raise InlayError(f"{values.shape} pixels, not {self.size}")
                return values
        first = frame * height * width * self.bits
        last = first + height * width * self.bits
        start, end = first // 8, -(-last // 8)
        with self.path.open("rb") as file:
            file.seek(self.offset + start)
            data = file.read(end - start)
        if len(data) != end - start:
            what = f"cut off: {len(data)} of {end - start} bytes"
            raise FormatError(self.path, f"frame {frame + 1}", what)
        if self.bits == 1:
            each = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
            return each[first % 8 :][: height * width].reshape(self.size)
        return np.frombuffer(data, "<u1" if self.bits == 8 else "<u2").reshape(self.size)


def pixel_array(path: Path, frame: int | None = None) -> NDArray[Any]:
    """The pixels of a file, or of one frame of it, unpacked by pydicom."""
    from pydicom import pixels

    library: Any = pixels
    return np.asarray(library.pixel_array(path, index=frame))


def dicom_header(path: Path, tags: list[str] | None = None) -> tuple[Any, int]:
    """The dataset without pixels, and the byte where those begin.

    Raises
    ------
    FormatError
        When it is no DICOM file, or a deflated one of a size that no memory holds.
    """
    library = imported("pydicom", "DICOM")
    with library_errors(path, "header", "DICOM-SEG"), path.open("rb") as file:
        meta = library.filereader.read_file_meta_info(path)
        if str(meta.get("TransferSyntaxUID", "")) == _DEFLATED:
            _refuse_bomb(path, 144 + int(meta.FileMetaInformationGroupLength))
        return library.dcmread(file, stop_before_pixels=True, specific_tags=tags), file.tell()


def _refuse_bomb(path: Path, start: int) -> None:
    unpacked, inflate = 0, zlib.decompressobj(-zlib.MAX_WBITS)
    with path.open("rb") as file:
        file.seek(start)
        rest = file.read(1 << 16)
        while rest and not inflate.eof:
            unpacked += len(inflate.decompress(rest, 1 << 20))
            rest = inflate.unconsumed_tail or file.read(1 << 16)
            if unpacked > _MOST:
                raise FormatError(path, "header", f"deflated to over {_MOST} bytes: save it uncompressed")


def open_seg(path: Path) -> SegFile:
    """What a file says of its frames, after it has been held against its length.

    Raises
    ------
    FormatError
        Naming the attribute that is missing, or says what cannot be.
    """
    ds, at = dicom_header(path)
    with library_errors(path, "header", "DICOM-SEG"):
        if str(ds.SOPClassUID) not in (SEGMENTATION, LABEL_MAP):
            raise FormatError(path, "SOPClassUID", f"{ds.SOPClassUID.name} is no segmentation")
        return _seg(path, ds, at)


def _seg(path: Path, ds: Any, at: int) -> SegFile:
    kind = str(ds.SegmentationType)
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise FormatError(path, "SegmentationType", f"{kind!r} is none of BINARY, FRACTIONAL, LABELMAP")
    size, bits = (int(ds.Rows), int(ds.Columns)), int(ds.BitsAllocated)
    if not 0 < size[0] * size[1] <= MAX_PIXELS:
        raise FormatError(path, "Rows, Columns", f"{size[1]}x{size[0]} pixels: no image has that size")
    if bits not in (1, 8, 16) or int(ds.get("SamplesPerPixel", 1)) != 1:
        raise FormatError(path, "BitsAllocated", f"{bits}: pixels of segments have 1, 8 or 16 bits")
    groups = list(ds.PerFrameFunctionalGroupsSequence)
    if len(groups) != int(ds.NumberOfFrames) or not 0 < len(groups) <= MAX_SLICES:
        what = f"{len(groups)} items; there are {ds.NumberOfFrames} frames"
        raise FormatError(path, "PerFrameFunctionalGroupsSequence", what)
    syntax = str(ds.file_meta.TransferSyntaxUID)
    offset = at + _NATIVE[syntax] if syntax in _NATIVE else -1
    needed = -(-len(groups) * size[0] * size[1] * bits // 8)
    if offset >= 0 and offset + needed > path.stat().st_size:
        what = f"{needed} bytes are needed for {len(groups)} frames; the file is cut off"
        raise FormatError(path, "PixelData", what)
    several = {int(item.SegmentNumber): _segment(item) for item in ds.SegmentSequence}
    segments = {number: segment for number, segment in several.items() if number}  # 0 is the background
    shared = ds.get("SharedFunctionalGroupsSequence") or [{}]
    placed = [_Placed.of(group, shared[0], label_map=kind == "LABELMAP") for group in groups]
    unknown = next((each.segment for each in placed if each.segment not in (0, *segments)), None)
    if unknown is not None:
        raise FormatError(path, "ReferencedSegmentNumber", f"{unknown} is not in SegmentSequence")
    numbers, lattice = _slices(path, placed)
    frames: list[list[tuple[int, int]]] = [[] for _ in range(max(numbers) + 1)]
    sources: list[Source | None] = [None] * len(frames)
    series = {
        str(item.ReferencedSOPInstanceUID): str(each.SeriesInstanceUID)
        for each in ds.get("ReferencedSeriesSequence", ())
        for item in each.get("ReferencedInstanceSequence", ())
    }
    study, reference = str(ds.get("StudyInstanceUID", "")), str(ds.get("FrameOfReferenceUID", ""))
    for index, (number, each) in enumerate(zip(numbers, placed)):
        if any(segment == each.segment for segment, _ in frames[number]):
            what = f"segment {each.segment} has two frames on slice {number}, as frame {index + 1}"
            raise FormatError(path, "PerFrameFunctionalGroupsSequence", what)
        frames[number].append((each.segment, index))
        if each.source is not None:
            sop, uid = each.source
            sources[number] = Source(sop, uid, series.get(uid, ""), study, reference)
    top = int(ds.get("MaximumFractionalValue", 1)) if kind == "FRACTIONAL" else 1
    return SegFile(
        *(path, size, kind, top, bits, offset, segments),
        frames=tuple(map(tuple, frames)),
        sources=tuple(sources),
        lattice=lattice,
    )


def _segment(item: Any) -> Segment:
    codes = []
    for name in ("SegmentedPropertyTypeCodeSequence", "SegmentedPropertyCategoryCodeSequence"):
        code = (item.get(name) or [None])[0]
        value = None if code is None else code.get("CodeValue")
        if code is not None and value:
            codes.append(f"{code.get('CodeMeaning', '')} ({code.get('CodingSchemeDesignator', '')} {value})")
    lab = tuple(int(value) for value in item.get("RecommendedDisplayCIELabValue", None) or ())
    label = str(item.get("SegmentLabel", "") or f"segment {item.SegmentNumber}")
    return Segment(label, str(item.get("TrackingID", "")), ", ".join(codes), lab if len(lab) == 3 else ())


@dataclass(frozen=True)
class _Placed:
    """What the functional groups say of a frame."""

    segment: int
    stack: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]  # of rows, columns and slices; the last is 0 where nobody says
    source: tuple[str, str] | None

    @classmethod
    def of(cls, own: Any, shared: Any, *, label_map: bool) -> _Placed:
        """That of a frame, its own groups before those of all."""

        def group(name: str) -> Any:
            found = own.get(name) or shared.get(name)
            return found[0] if found else {}

        measures = group("PixelMeasuresSequence")
        between = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 0
        spacing = tuple(map(float, measures.get("PixelSpacing", ()) or ()))
        derived = group("DerivationImageSequence")
        images = derived.get("SourceImageSequence", ()) if derived else ()
        source = None
        if images:
            source = str(images[0].ReferencedSOPClassUID), str(images[0].ReferencedSOPInstanceUID)
        identified = {} if label_map else group("SegmentIdentificationSequence")
        segment = 0 if label_map else int(identified["ReferencedSegmentNumber"].value)
        return cls(
            segment,
            int(group("FrameContentSequence").get("InStackPositionNumber", 0) or 0),
            tuple(map(float, group("PlanePositionSequence").get("ImagePositionPatient", ()) or ())),
            tuple(map(float, group("PlaneOrientationSequence").get("ImageOrientationPatient", ()) or ())),
            (*spacing, float(between)) if len(spacing) == 2 else (),
            source,
        )


def _slices(path: Path, placed: Sequence[_Placed]) -> tuple[list[int], Lattice | None]:
    """The slice of each frame, from 0, and where the slices lie.

    Frames without a position stand in a stack, or lie on images, each on another slice; where nothing says
    the slice, there is one.
    """
    first = placed[0]
    where = "PerFrameFunctionalGroupsSequence"
    stacked = all(each.stack > 0 for each in placed)
    if any((each.orientation, each.spacing) != (first.orientation, first.spacing) for each in placed):
        raise FormatError(path, where, "frames of several orientations or spacings: save a file for each")
    if not (
        len(first.orientation) == 6 and first.spacing and all(len(each.position) == 3 for each in placed)
    ):
        keys: list[Any] = [each.stack - 1 if stacked else each.source for each in placed]
        order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        numbers = keys if stacked else [order[key] for key in keys]
        _refuse_many(path, max(numbers))
        flat = [first.spacing[1], first.spacing[0], first.spacing[2] or 1.0] if first.spacing else []
        lattice = Lattice.of(np.diag([*flat, 1.0]), "own") if flat and flat != [1.0, 1.0, 1.0] else None
        return numbers, lattice
    points = np.array([each.position for each in placed], np.float64)
    rows, columns = np.reshape(first.orientation, (2, 3))
    normal = np.cross(rows, columns)
    if not np.isfinite(points).all() or not np.isfinite(normal).all() or not 0.9 < normal @ normal < 1.1:
        raise FormatError(path, where, "positions or orientations that are no places in space")
    depth = points @ normal
    if stacked:
        numbers = [each.stack - 1 for each in placed]
    else:
        numbers = _ranks(path, depth - depth.min(), first.spacing[2])
    _refuse_many(path, max(numbers))
    low, high = int(np.argmin(numbers)), int(np.argmax(numbers))
    apart = numbers[high] - numbers[low]
    step = (points[high] - points[low]) / apart if apart else normal * (first.spacing[2] or 1.0)
    origin = points[low] - numbers[low] * step
    off = np.abs(points - (origin + np.outer(numbers, step))).max()
    if off > _SLACK * max(float(np.linalg.norm(step)), 1e-6):
        if stacked:
            what = "positions that do not rise with InStackPositionNumber, or not evenly"
        else:
            what = "slices that do not lie evenly: resample them, or save a file for each part"
        raise FormatError(path, "ImagePositionPatient", what)
    down, right, _ = first.spacing
    matrix = np.eye(4)
    matrix[:3] = np.stack([rows * right, columns * down, step, origin], axis=1)
    return numbers, Lattice.of(TO_RAS @ matrix)


def _refuse_many(path: Path, last: int) -> None:
    if last >= MAX_SLICES:
        what = f"a frame on slice {last + 1}; the limit is {MAX_SLICES}"
        raise FormatError(path, "PerFrameFunctionalGroupsSequence", what)


def _ranks(path: Path, depth: NDArray[np.float64], stated: float) -> list[int]:
    """The number of each frame on the grid of slices; slices without a frame leave theirs out."""
    several = np.unique(np.round(depth, 4))
    if len(several) == 1:
        return [0] * len(depth)
    smallest = float(np.diff(several).min())
    if smallest < 1e-3:
        raise FormatError(path, "ImagePositionPatient", f"slices only {smallest:g} mm apart")
    times = smallest / stated if stated > 0 else 0.5
    step = stated if round(times) >= 1 and abs(times - round(times)) < _SLACK else smallest
    return [int(number) for number in np.round(depth / step)]
