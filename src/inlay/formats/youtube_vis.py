"""YouTube-VIS: one JSON of videos, whose annotations are tracks with run lengths for each frame or null.

A track is one object through its video, its id the number. Run lengths are lists or COCO's compressed
strings; where `segmentations` is null for a frame, the object is not seen there. UVO and OVIS are laid out
alike. The order of the tracks is that of the file: it says nothing of who hides whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw, Struct

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import MAX_PIXELS
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.coco_classes import categories_of, category_ids, classes_of
from inlay.formats.parts.coco_json import CocoCategory, Id, number
from inlay.formats.parts.coco_layout import ImageFinder, safe_parts
from inlay.formats.parts.coco_masks import Place, read_masks
from inlay.formats.parts.coco_writer import xywh
from inlay.formats.parts.extras import FILE, KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.places import refuse_nothing, size_of, store_image
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes
from inlay.formats.parts.videos import videos_of

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "crowd"),
}
_FILE = "instances.json"
_ALONE = "video"  # folder of samples without a group


class _Video(Struct):
    id: Id
    height: int
    width: int
    file_names: list[str]


class _Track(Struct):
    video_id: Id
    category_id: Id
    segmentations: list[Raw]
    id: Id = 0
    instance_id: int | None = None  # as we write it: ids are those of the file, not of the video
    iscrowd: int | bool | None = 0


class _File(Struct):
    videos: list[_Video]
    categories: list[CocoCategory]
    annotations: list[_Track] | None = None


def sniff(path: Path) -> bool:
    """Whether it is a JSON of videos with file names, or a folder with one."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.glob("*.json")) if path.is_dir() else []
    return [file for file in files if file.name != FILE and _fits(file)]


def _fits(file: Path) -> bool:
    if looks_like(file, "videos", "file_names", "categories"):
        return True
    return file.name == _FILE and is_written_as(file.parent, "youtube_vis")  # without a video


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the file holds everything
    """The frames of all videos of a file, or of the one file of a folder."""
    files = _files(path)
    if len(files) != 1:
        several = ", ".join(file.name for file in files)
        what = f"several: {several}" if files else "no JSON with videos and their file_names"
        raise FormatError(path, "", f"{what}; name the file to read")
    file = files[0]
    data = decode(read_bytes(file), file, _File)
    ids = [number(item.id, file, f"categories[{i}].id") for i, item in enumerate(data.categories)]
    classes, rows = classes_of(data.categories, ids, ids, file)
    videos = {number(item.id, file, f"videos[{i}].id"): item for i, item in enumerate(data.videos)}
    tracks = _tracks(file, data, videos, ids)
    frames = _keys(file, videos)
    root = file.parent
    folders = [folder for folder in (root / "JPEGImages", root / "images", root) if folder.is_dir()]
    row_of = {identity: int(row) for identity, row in zip(ids, rows.tolist())}
    extras = read_extras(root)
    whole = extras.classes_with(classes)
    labelled = data.annotations is not None
    load = _Frames(file, videos, tracks, frames, ImageFinder(folders), whole, classes, row_of, labelled)
    return extras.dataset(list(frames), whole, load, root)


def _tracks(
    file: Path, data: _File, videos: Mapping[int, _Video], ids: Sequence[int]
) -> dict[int, list[tuple[int, _Track]]]:
    """The tracks of each video, with their places in the file."""
    tracks: dict[int, list[tuple[int, _Track]]] = {video: [] for video in videos}
    for i, track in enumerate(data.annotations or ()):
        where = f"annotations[{i}]"
        video = number(track.video_id, file, f"{where}.video_id")
        if video not in videos:
            raise FormatError(file, f"{where}.video_id", f"{video} is no video here")
        if len(track.segmentations) != len(videos[video].file_names):
            what = f"{len(track.segmentations)} frames; the video has {len(videos[video].file_names)}"
            raise FormatError(file, f"{where}.segmentations", what)
        if number(track.category_id, file, f"{where}.category_id") not in ids:
            raise FormatError(file, f"{where}.category_id", f"{track.category_id!r} is no category here")
        tracks[video].append((i, track))
    return tracks


def _keys(file: Path, videos: Mapping[int, _Video]) -> dict[str, tuple[int, int]]:
    """Video and place of each frame."""
    frames: dict[str, tuple[int, int]] = {}
    for video, item in videos.items():
        for place, name in enumerate(item.file_names):
            parts = safe_parts(name)
            key = "/".join(parts).removesuffix(Path(parts[-1]).suffix) if parts else ""
            if not key or key in frames:
                where = f"videos {video}.file_names[{place}]"
                raise FormatError(file, where, f"{name!r} is no file, or stands twice")
            frames[key] = video, place
    return frames


@dataclass(frozen=True, eq=False)
class _Frames:
    """Frames by key; calling it with one makes its segments."""

    path: Path
    videos: Mapping[int, _Video]
    tracks: Mapping[int, list[tuple[int, _Track]]]
    frames: Mapping[str, tuple[int, int]]
    find: ImageFinder
    classes: Classes
    own: Classes
    row_of: Mapping[int, int]
    labelled: bool

    def __call__(self, key: str) -> Sample:
        video, frame = self.frames[key]
        item = self.videos[video]
        group = key.rpartition("/")[0]
        image = self.find(item.file_names[frame])
        label = self._segmentation(video, frame) if self.labelled else None
        return Sample(key, image, label, group=group, frame=frame)

    def _segmentation(self, video: int, frame: int) -> Segmentation:
        item = self.videos[video]
        if min(item.height, item.width) < 1 or item.height * item.width > MAX_PIXELS:
            what = f"height {item.height}, width {item.width}: no image has that size"
            raise FormatError(self.path, f"videos {video}", what)
        seen = [(i, track) for i, track in self.tracks[video] if bytes(track.segmentations[frame]) != b"null"]
        names = [f"annotations[{i}].segmentations[{frame}]" for i, _ in seen]
        texts = [track.segmentations[frame] for _, track in seen]
        size = (item.height, item.width)
        masks = read_masks(texts, size, "pixel_edge", Place(self.path, names.__getitem__))
        ids = [number(track.category_id, self.path, "category_id") for _, track in seen]
        class_id = np.array([self.classes.row(self.own.names[self.row_of[each]]) for each in ids], np.int32)
        numbers = [
            number(track.id, self.path, f"annotations[{i}].id")
            if track.instance_id is None
            else track.instance_id
            for i, track in seen
        ]
        if any(not 0 <= each < 2**31 for each in numbers):
            raise FormatError(self.path, "annotations", "an id is over 31 bits")
        things = self.classes.is_thing[class_id] if len(seen) else np.zeros(0, np.bool_)
        return Segmentation(
            self.classes,
            masks,
            class_id,
            np.where(things, np.array(numbers, np.int64), 0),
            crowd=np.array([bool(track.iscrowd) for _, track in seen], np.bool_),
        )


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - run lengths
    """Write `instances.json` and `JPEGImages/VIDEO/`, each group being a video (one for each size)."""
    extras = ExtraWriter(dataset, "youtube_vis")
    films: dict[str, _Film] = {}
    for video in videos_of(dataset):
        sizes: dict[tuple[int, int], str] = {}
        for frame, name in video.frames.items():
            sample = dataset.load(name)
            refuse_nothing(sample)
            size = size_of(sample)
            more = f"-{size[1]}x{size[0]}" if sizes and size not in sizes else ""
            folder = sizes.setdefault(size, f"{video.group or _ALONE}{more}")
            film = films.setdefault(folder, _Film(size, categories=category_ids(dataset.classes)))
            stem = f"{folder}/{frame:05d}"
            image = store_image(sample, path / "JPEGImages", stem)
            label = sample.segmentation or Segmentation.empty(dataset.classes, size)
            seen = label.replace(image_tags=frozenset())
            extras.add(sample, Sample(stem, None, seen, group=folder, frame=len(film.files)))
            film.add(f"{stem}{image.suffix if image else '.jpg'}", label)
    videos, annotations = [], []
    for place, film in enumerate(films.values(), 1):
        videos.append({"id": place, **film.about(), "file_names": film.files})
        annotations += [{"video_id": place, **track} for track in film.tracks()]
    for place, track in enumerate(annotations, 1):
        track["id"] = place
    data: dict[str, Any] = {"info": {"description": "Written by Inlay"}, "videos": videos}
    data |= {"categories": categories_of(dataset.classes, kinds=False), "annotations": annotations}
    path.mkdir(parents=True, exist_ok=True)
    (path / _FILE).write_bytes(msgspec.json.encode(data))
    extras.write(path)


@dataclass
class _Film:
    """One video to write: its frames, and for each track what is seen of it on which."""

    size: tuple[int, int]
    categories: list[int]
    files: list[str] = field(default_factory=list)
    seen: dict[tuple[int, int, bool, int], dict[int, tuple[str, list[int], int]]] = field(
        default_factory=dict
    )

    def about(self) -> dict[str, int]:
        """Size and length."""
        return {"height": self.size[0], "width": self.size[1], "length": len(self.files)}

    def add(self, file: str, label: Segmentation) -> None:
        """Add a frame."""
        times: Counter[tuple[int, int, bool]] = Counter()
        boxes, areas = xywh(label.masks.box()).tolist(), label.masks.area().tolist()
        for i, runs in enumerate(label.masks.to_strings()):
            key = int(label.class_id[i]), int(label.instance_id[i]), bool(label.crowd[i])
            if areas[i]:
                track = self.seen.setdefault((*key, times[key]), {})
                track[len(self.files)] = runs.decode("ascii"), boxes[i], areas[i]
                times[key] += 1
        self.files.append(file)

    def tracks(self) -> Iterator[dict[str, Any]]:
        """The annotations, their ids to come."""
        size = list(self.size)
        for (row, instance, crowd, _), frames in self.seen.items():
            found = [frames.get(frame) for frame in range(len(self.files))]
            yield {
                "id": 0,
                "instance_id": instance,
                "category_id": self.categories[row],
                "iscrowd": int(crowd),
                "height": size[0],
                "width": size[1],
                "segmentations": [each and {"size": size, "counts": each[0]} for each in found],
                "bboxes": [each and each[1] for each in found],
                "areas": [each and each[2] for each in found],
            }
