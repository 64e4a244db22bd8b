"""DICOM-SEG: `.dcm` segmentations, and the DICOM images they were drawn on beside (needs `inlay[volumes]`).

A sample is a slice; frames find theirs by their functional groups, since empty ones are left out. Where the
images of the series lie beside, each is a sample, else the slices that the frames span. BINARY segments may
overlap; LABELMAP is read; FRACTIONAL only where each pixel is wholly inside or outside: what lies between is
refused, as nobody said the threshold. The label of a segment is its class, its number for tracking the
instance, its codes the parent of the class. Image tags keep where slices lie (`inlay.core.lattice`) and which
image a slice was drawn on. We write `labels/NAME.dcm`, binary, for each group, that refers to those images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.dicom_frames import (
    LABEL_MAP,
    SEGMENTATION,
    SegFile,
    Source,
    dicom_header,
    open_seg,
    pixel_array,
    source_of,
)
from inlay.formats.parts.dicom_writer import NOTHING, OWN, SegWriter, colour_of, fits
from inlay.formats.parts.extras import KEPT, Extras, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.libraries import library_errors
from inlay.formats.parts.object_numbers import ObjectNumbers
from inlay.formats.parts.places import place, store_image
from inlay.formats.parts.volumes import (
    SliceLoader,
    Volume,
    as_pixels,
    bare,
    count_slices,
    slice_key,
    volumes_of,
)

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap"),
    "order",
}
LIBRARY = "pydicom"  # of the extra "volumes"
MOST = 65535
_HEAD = 4096  # bytes in which a file names its class
_CLASSES = tuple(uid.encode() for uid in (SEGMENTATION, LABEL_MAP))
_TAGS = ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"]
_TAGS += ["ImagePositionPatient", "ImageOrientationPatient", "Rows", "Columns", "NumberOfFrames"]


def sniff(path: Path) -> bool:
    """Whether it is a DICOM segmentation, or a folder with one."""
    if path.is_file():
        return _is_dicom(path, segmentation=True)
    if not path.is_dir():
        return False
    files = (file for file in path.rglob("*") if file.suffix.lower() in (".dcm", ""))
    return any(_is_dicom(file, segmentation=True) for file in files) or is_written_as(path, "dicom_seg")


def _is_dicom(path: Path, *, segmentation: bool) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    named = any(uid + end in head for uid in _CLASSES for end in (b"\0", b"\2", b" "))
    return head[128:132] == b"DICM" and named == segmentation


@dataclass(frozen=True)
class _Image:
    """One slice of a series that lies beside."""

    path: Path
    source: Source
    position: tuple[float, ...]
    normal: tuple[float, ...]
    size: tuple[int, int]


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the files name their classes
    """The slices of a file, or of all segmentations of a folder."""
    if not sniff(path):
        raise FormatError(path, "", "no DICOM segmentation (.dcm)")
    root = path.parent if path.is_file() else path
    beside = [path] if path.is_file() else [*path.rglob("*")]
    files = sorted(file for file in beside if file.suffix.lower() in (".dcm", ""))
    labels = {_key(file, root): open_seg(file) for file in files if _is_dicom(file, segmentation=True)}
    found = [_image(file) for file in files if _is_dicom(file, segmentation=False)]
    images = {image.source.instance: image for image in found if image is not None}
    extras = Extras() if path.is_file() else read_extras(root)
    labels = {name: _on_series(volume, images) for name, volume in labels.items()}
    count_slices(root, [len(volume.frames) for volume in labels.values()])
    meanings = {name: _meanings(volume, extras.objects.get(name)) for name, volume in labels.items()}
    plain = {name: volume for name, volume in labels.items() if name not in extras.objects}
    classes = extras.classes_with(_classes(root, plain))
    pictures = {
        file.relative_to(root / "images").with_suffix("").as_posix(): file
        for file in sorted((root / "images").rglob("*"))
        if file.suffix.lower() in SUFFIXES and path.is_dir()
    }
    slices, where = {}, {}
    for name, volume in sorted(labels.items()):
        for number in range(len(volume.frames)):
            key = slice_key(name, number, len(volume.frames))
            if key in where:
                raise FormatError(volume.path, f"slice {number}", f"two slices are called {key!r}")
            slices[key] = (name, number, len(volume.frames), volume.lattice)
            where[key] = (name, number)
    for key in pictures:
        slices.setdefault(key, (key, 0, 1, None))
    load = _Slices(labels, images, pictures, where, classes, meanings)
    used = {source.instance for volume in labels.values() for source in volume.sources if source}
    left_out = Counter(
        {"unlabelled images": len(images.keys() - used), "multi-frame images": found.count(None)}
    )
    left_out["image depth"] = len(images.keys() & used)
    told = {word: count for word, count in left_out.items() if count}
    loader = SliceLoader(slices, load.label, load.image, extras)
    return extras.dataset(list(slices), classes, loader, root, left_out=told)


def _key(file: Path, root: Path) -> str:
    name = file.relative_to(root).as_posix().removeprefix("labels/")
    return name[:-4] if name.lower().endswith(".dcm") else name


def _image(path: Path) -> _Image | None:
    """A slice of an image series; `None` where the file has several."""
    ds, _ = dicom_header(path, _TAGS)
    with library_errors(path, "header", "DICOM-SEG"):
        if int(ds.get("NumberOfFrames", 1) or 1) > 1 or "Rows" not in ds:
            return None
        source = Source(*(str(ds.get(name, "") or "") for name in _TAGS[:5]))
        position = tuple(map(float, ds.get("ImagePositionPatient", None) or ()))
        turned = list(map(float, ds.get("ImageOrientationPatient", None) or ()))
        normal = np.cross(turned[:3], turned[3:]).tolist() if len(turned) == 6 else ()
        return _Image(path, source, position, tuple(normal), (int(ds.Rows), int(ds.Columns)))


def _on_series(volume: SegFile, images: Mapping[str, _Image]) -> SegFile:
    """The segmentation with a slice for each image of its series, where all of these lie beside."""
    known = [source for source in volume.sources if source is not None and source.instance in images]
    drawn = sum(bool(frames) for frames in volume.frames)
    series = {images[source.instance].source.series for source in known}
    if len(known) != drawn or len(series) != 1:
        return volume
    several = [image for image in images.values() if image.source.series in series]
    if any(len(image.position) != 3 or not image.normal for image in several):
        return volume
    if any(image.size != volume.size for image in several):
        wrong = next(image for image in several if image.size != volume.size)
        raise FormatError(volume.path, "Rows, Columns", f"{volume.size}, those of {wrong.path} {wrong.size}")
    if volume.lattice is None:
        return volume
    places = np.linalg.inv(volume.lattice.matrix)
    points = np.array([[-image.position[0], -image.position[1], image.position[2], 1] for image in several])
    depth = (places @ points.T)[2]
    number = np.round(depth).astype(int)
    if np.abs(depth - number).max() > 0.1 or len(set(number.tolist())) != len(several):
        return volume  # a series that is not even, or none of one stack
    first, count = int(number.min()), int(np.ptp(number)) + 1
    frames: list[tuple[tuple[int, int], ...]] = [()] * count
    sources: list[Source | None] = [None] * count
    for at, image in zip(number.tolist(), several):
        sources[at - first] = image.source
    for at, own in enumerate(volume.frames):
        if own and not 0 <= at - first < count:
            return volume
        if own:
            frames[at - first] = own
    lattice = volume.lattice.at_slice(first)
    return replace(volume, frames=tuple(frames), sources=tuple(sources), lattice=lattice)


Meanings = Mapping[int, tuple[str, int]]


def _meanings(volume: SegFile, objects: Meanings | None) -> Meanings:
    """Class and instance of each segment: as we wrote it, else by its label and its number for tracking."""
    found: dict[int, tuple[str, int]] = {}
    times: Counter[str] = Counter()
    for number, segment in volume.segments.items():
        if objects is not None and number in objects:
            found[number] = objects[number]
            continue
        times[segment.label] += 1
        plain = segment.tracking.isascii() and segment.tracking.isdecimal() and len(segment.tracking) < 10
        found[number] = segment.label, int(segment.tracking) if plain else times[segment.label]
    return found


def _classes(root: Path, labels: Mapping[str, SegFile]) -> Classes:
    rows: dict[str, SegmentClass] = {}
    for volume in labels.values():
        for segment in volume.segments.values():
            if segment.codes.startswith(f"{NOTHING} ({OWN} "):
                continue
            codes = "" if f"({OWN} " in segment.codes else segment.codes
            colour = colour_of(segment.lab) if segment.lab else None
            rows.setdefault(segment.label, SegmentClass(segment.label, "thing", colour, codes))
    try:
        return Classes(tuple(rows.values()))
    except InlayError as error:
        raise FormatError(root, "SegmentSequence", str(error)) from None


@dataclass(frozen=True, eq=False)
class _Slices:
    """Labels and images of slices by key."""

    labels: Mapping[str, SegFile]
    images: Mapping[str, _Image]
    pictures: Mapping[str, Path]
    where: Mapping[str, tuple[str, int]]
    classes: Classes
    meanings: Mapping[str, Meanings]

    def label(self, key: str) -> Segmentation | None:
        """The segments of a slice; `None` where it is of no segmentation."""
        if key not in self.where:
            return None
        name, number = self.where[key]
        volume, meanings = self.labels[name], self.meanings[name]
        masks, segments = _masks(volume, number)
        seen = masks.area() > 0  # a frame of nothing says that somebody looked
        masks, segments = masks[seen], [each for each, some in zip(segments, seen.tolist()) if some]
        rows = [self.classes.row(meanings[each][0]) for each in segments]
        instances = [meanings[each][1] for each in segments]
        source = volume.sources[number]
        tags = frozenset() if source is None else frozenset({source.tag()})
        ids = (np.array(rows, np.int32), np.array(instances, np.int32))
        return Segmentation(self.classes, masks, *ids, image_tags=tags)

    def image(self, key: str) -> Path | NDArray[np.uint8] | None:
        """The image file of a slice, or the pixels of the DICOM image it was drawn on."""
        if key in self.pictures or key not in self.where:
            return self.pictures.get(key)
        name, number = self.where[key]
        source = self.labels[name].sources[number]
        image = self.images.get(source.instance) if source is not None else None
        return None if image is None else _pixels(image.path)


def _masks(volume: SegFile, number: int) -> tuple[Masks, list[int]]:
    """The masks of a slice in the order of its frames, and the segment of each."""
    frames = volume.frames[number]
    if volume.kind == "LABELMAP":
        values = volume.read(frames[0][1]).astype(np.int64) if frames else np.zeros(volume.size, np.int64)
        present = [each for each in np.unique(values).tolist() if each]
        unknown = next((each for each in present if each not in volume.segments), None)
        if unknown is not None:
            y, x = np.argwhere(values == unknown)[0].tolist()
            what = f"value {unknown} is not in SegmentSequence"
            raise FormatError(volume.path, f"slice {number}, pixel ({x}, {y})", what)
        ids = np.searchsorted(np.array([0, *present]), values) - 1
        return Masks.from_ids(ids, len(present)), present
    found = []
    for _, frame in frames:
        values = volume.read(frame)
        between = (values != 0) & (values != volume.top)
        if between.any():
            y, x = np.unravel_index(int(np.argmax(between)), between.shape)
            what = f"value {values[y, x]} of {volume.top}: a share, no label; threshold it, save it as BINARY"
            raise FormatError(volume.path, f"frame {frame + 1}, pixel ({x}, {y})", what)
        found.append(Masks.encode(values != 0))
    return Masks.concat([Masks.empty(volume.size), *found]), [segment for segment, _ in frames]


def _pixels(path: Path) -> NDArray[np.uint8]:
    """The pixels of a DICOM image through its window, else over their own range."""
    with library_errors(path, "PixelData", "DICOM-SEG"):
        header: Any = dicom_header(path)[0]
        raw = pixel_array(path)
        if raw.ndim == 3:
            return as_pixels(raw[..., :3])
        values = raw.astype(np.float64) * float(header.get("RescaleSlope", 1) or 1)
        values += float(header.get("RescaleIntercept", 0) or 0)
        window = None
        if header.get("WindowCenter") is not None and header.get("WindowWidth") is not None:
            centre, width = (
                float(np.ravel(header[name].value)[0]) for name in ("WindowCenter", "WindowWidth")
            )
            window = (centre - width / 2, centre + width / 2) if width > 0 else None
        plain = raw.dtype == np.uint8 and window is None
        grey = as_pixels(raw if plain else values, window)
        return 255 - grey if header.get("PhotometricInterpretation") == "MONOCHROME1" else grey


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `labels/NAME.dcm` for each group, and `images/`.

    Raises
    ------
    InlayError
        When a volume has more than 65535 objects.
    """
    extras = ExtraWriter(dataset, "dicom_seg", listed=False)
    volumes, _ = volumes_of(dataset)
    (path / "labels").mkdir(parents=True)
    for volume in volumes:
        _write_volume(dataset, volume, path, extras)
    extras.write(path)


def _write_volume(dataset: Dataset, volume: Volume, path: Path, extras: ExtraWriter) -> None:
    """One file; a slice without a segment has a frame of nothing, so that it stays a slice."""
    objects = ObjectNumbers(volume.name, MOST)
    out = SegWriter(volume.size, volume.stated)
    seen, some = [], 0
    empty = np.zeros(volume.size, np.bool_)
    waiting: list[tuple[int, Source | None]] = []
    for number, name in enumerate(volume.names):
        sample = dataset.load(name)
        store_image(sample, path / "images", volume.key(number))
        label = sample.segmentation
        source = None if label is None else source_of(label.image_tags)
        if label is None or not len(label):
            waiting.append((number, source))
        else:
            numbers = objects(label).tolist()
            some = numbers[0]
            for row, segment in enumerate(numbers):
                out.add(segment, number, label.masks[row].decode()[0], source)
        seen.append(bare(sample))
    found = objects.meanings().items()
    order = sorted((dataset.classes.row(name), pair[1], number) for (name, number), pair in found)
    dense = {number: place_ for place_, (_, _, number) in enumerate(order, 1)}  # DICOM leaves none out
    meanings = {dense[number]: pair for (_, number), pair in found}
    file = place(path / "labels", volume.name, ".dcm")
    if volume.is_labelled:
        for number, source in waiting:
            out.add(some, number, empty, source)
        about = {n: (dataset.classes[dataset.classes.row(name)], i) for n, (name, i) in meanings.items()}
        out.write(file, about or {1: (SegmentClass(NOTHING), 0)}, dense or {0: 1})
        if not all(fits(name) and 0 <= i < 10**9 for name, i in meanings.values()):
            extras.add_objects(volume.name, meanings)
    held = open_seg(file).lattice if volume.is_labelled else None
    nothing = Segmentation.empty(dataset.classes, volume.size) if volume.is_labelled else None
    for number, sample in enumerate(seen):
        said = volume.said(number, sample, held)
        label = said.segmentation
        if label is not None and sample.segmentation is not None:
            source = source_of(sample.segmentation.image_tags)
            own = (
                frozenset() if source is None else frozenset({source.tag()}) & sample.segmentation.image_tags
            )
            label = label.replace(image_tags=label.image_tags | own)
        extras.add(sample, said.replace(segmentation=nothing if label is None else label))
