"""CVAT for video 1.1: an XML file of tracks, and the frames of the video in `images/`.

A track is one segment seen on several frames. A shape that is `outside` says that it is gone from there on.
Only frames that the file lists are read: what CVAT interpolates between key frames it writes out itself, and
where another tool did not, the frames between are counted as left out. Number and class of the track are
those of its segments; shapes are as in `cvat`. Several videos are a folder each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES, image_size
from inlay.core.segmentation import Segmentation
from inlay.formats.parts import cvat_xml
from inlay.formats.parts.cvat_xml import AREAS, NO_AREAS, files_of
from inlay.formats.parts.drawing import Drawing, is_bare_box, outlines
from inlay.formats.parts.extras import KEPT, ExtraWriter, read_extras
from inlay.formats.parts.places import place, refuse_nothing, size_of, store_image
from inlay.formats.parts.safe_xml import legal, text_of, write_xml
from inlay.formats.parts.videos import Video, videos_of

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("crowd", "tags", "box"),
}
READERS = cvat_xml.READERS
MOST_FRAMES = 10_000_000


def sniff(path: Path) -> bool:
    """Whether it is an XML file of CVAT with tracks, or a folder with one, or folders with one each."""
    return bool(files_of(path, track=True, deep=True))


def _key(group: str, frame: int) -> str:
    return f"{group}/frame_{frame:06d}" if group else f"frame_{frame:06d}"


@dataclass(frozen=True, eq=False)
class _Film:
    """A file: its group, frames with their sizes, and for each frame the shapes with their tracks."""

    path: Path
    group: str
    frames: Mapping[int, tuple[int, int] | None]
    shapes: Mapping[int, list[tuple[Element, Element]]]


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The frames of a file, or of all files below a folder, whose task names are the groups.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default CVAT's own.
    """
    root = path.parent if path.is_file() else path
    files = files_of(path, track=True, deep=True)
    if not files:
        raise FormatError(path, "", "no CVAT file with <annotations> and <track> in it")
    extras = read_extras(root)
    classes = extras.classes_with(Classes(()))
    frames: dict[str, tuple[_Film, int]] = {}
    left_out: Counter[str] = Counter()
    for file in files:
        top = cvat_xml.read_root(file)
        classes = classes.merge(cvat_xml.classes_of(top, file))
        group = text_of(top.find("meta/task/name")) or file.parent.relative_to(root).as_posix().strip(".")
        film = _film(file, group, top, left_out)
        frames |= {_key(group, frame): (film, frame) for frame in film.frames}
    load = _Frames(frames, classes, reader or READERS[0])
    return extras.dataset(list(frames), classes, load, root, left_out=left_out)


def _film(path: Path, group: str, top: Element, left_out: Counter[str]) -> _Film:
    shapes: dict[int, list[tuple[Element, Element]]] = {}
    seen: set[int] = set()
    step = _whole(text_of(top.find("meta/task/frame_filter")).removeprefix("step=")) or 1
    for i, track in enumerate(top.findall("track")):
        listed = [node for node in track if node.tag in AREAS | NO_AREAS]
        frames = [cvat_xml.whole(node, "frame", path, f"track {i + 1}") for node in listed]
        seen.update(frames)
        for node, frame, after in zip(listed, frames, [*frames[1:], *frames[-1:]]):
            if node.get("outside") == "1":
                continue
            if node.tag in NO_AREAS:
                left_out[node.tag] += 1
                continue
            shapes.setdefault(frame, []).append((track, node))
            gap = (after - frame) // step - 1
            if gap > 0:
                left_out["frames between key frames"] += gap
    return _Film(path, group, _frames(path, top, seen, step), shapes)


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() and len(text) < 10 else None


def _frames(path: Path, top: Element, seen: set[int], step: int) -> dict[int, tuple[int, int] | None]:
    """The frames that a file speaks of, ascending, with their sizes where it says them."""
    sides = [_whole(text_of(top.find(f"meta//original_size/{side}"))) for side in ("height", "width")]
    size = (sides[0], sides[1]) if sides[0] and sides[1] else None
    listed = top.findall("meta/task/inlay/frame")
    sizes: dict[int, tuple[int, int] | None] = {}
    for node in listed:
        number, height, width = (
            cvat_xml.whole(node, key, path, "meta/task/inlay") for key in ("number", "height", "width")
        )
        sizes[number] = (height, width)
    first, stop, count = (
        _whole(text_of(top.find(f"meta/task/{key}"))) for key in ("start_frame", "stop_frame", "size")
    )
    first = first or 0
    last = stop if stop is not None else first + (count or 0) * step - 1
    if last - first > MOST_FRAMES or max(seen, default=0) > MOST_FRAMES:
        raise FormatError(path, "meta/task", f"more than {MOST_FRAMES} frames")
    said = range(0) if listed else range(first, last + 1, step)
    return {frame: sizes.get(frame, size) for frame in sorted({*sizes, *said, *seen})}


@dataclass(frozen=True, eq=False)
class _Frames:
    """Frames by key; calling it with one makes its segments."""

    frames: Mapping[str, tuple[_Film, int]]
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        film, frame = self.frames[key]
        image = _image(film.path.parent / "images", frame)
        size = film.frames[frame]
        if size is None and image is not None:
            size = image_size(image)
        if size is None:
            what = "neither <original_size> nor an image gives its size"
            raise FormatError(film.path, f"frame {frame}", what)
        drawing = Drawing(self.classes, size, film.path, self.reader)
        pairs = film.shapes.get(frame, [])
        for i in sorted(range(len(pairs)), key=lambda i: cvat_xml.float_of(pairs[i][1], "z_order")):
            track, node = pairs[i]
            where = f"track {track.get('id')} frame {frame}"
            number = cvat_xml.whole(track, "id", film.path, where) + 1
            about = cvat_xml.row_of(node, track.get("label", ""), number, film.path, where)
            cvat_xml.draw(drawing, drawing.row(about, where), node, where)
        return Sample(key, image, drawing.segmentation(), group=film.group, frame=frame)


def _image(folder: Path, frame: int) -> Path | None:
    """The image of a frame, which CVAT writes with an upper-case suffix."""
    names = (f"frame_{frame:06d}{end}" for suffix in SUFFIXES for end in (suffix, suffix.upper()))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write `annotations.xml` and `images/` for each group, in a folder of its name."""
    extras = ExtraWriter(dataset, "cvat_video")
    for video in videos_of(dataset) or [Video("", {})]:
        folder = place(path, video.group, "") if video.group else path
        tracks = _Tracks(reader or READERS[0])
        for frame, name in video.frames.items():
            sample = dataset.load(name)
            refuse_nothing(sample)
            store_image(sample, folder / "images", f"frame_{frame:06d}")
            label = sample.segmentation or Segmentation.empty(dataset.classes, size_of(sample))
            tracks.add(frame, label)
            seen = label.replace(image_tags=frozenset())
            extras.add(sample, Sample(_key(video.group, frame), None, seen, group=video.group, frame=frame))
        write_xml(tracks.document(dataset, video.group), folder / "annotations.xml")
    extras.write(path)


class _Tracks:
    """Gathers the shapes of the frames of one video by their tracks."""

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self._tracks: dict[tuple[str, int, int], Element] = {}
        self._last: dict[tuple[str, int, int], tuple[int, Element]] = {}
        self._words: set[str] = set()
        self._sizes: dict[int, tuple[int, int]] = {}

    def add(self, frame: int, label: Segmentation) -> None:
        """Add the shapes of a frame, and end the tracks that it does not show any more."""
        self._sizes[frame] = label.size
        rings = outlines(label.masks, self._reader)
        times: Counter[tuple[str, int]] = Counter()
        for row in cvat_xml.shown(label, is_bare_box(label)):
            pair = (label.class_names[row], int(label.instance_id[row]))
            key = (*pair, times[pair])
            times[pair] += 1
            if key not in self._tracks:
                about = {"id": str(pair[1] - 1), "label": legal(pair[0]), "source": "manual"}
                self._tracks[key] = Element("track", about)
            more = {"frame": str(frame), "keyframe": "1", "outside": "0"}
            node = cvat_xml.add_shape(self._tracks[key], label, row, rings[row], more)
            self._last[key] = frame, node
            self._words |= set(cvat_xml.words_on(label.tags[row], crowd=bool(label.crowd[row])))
        for key in [key for key, (last, _) in self._last.items() if last < frame]:
            _, node = self._last.pop(key)  # CVAT would go on showing it
            more = {**node.attrib, "frame": str(frame), "outside": "1"}
            SubElement(self._tracks[key], node.tag, more)

    def document(self, dataset: Dataset, group: str) -> Element:
        """The whole file; frames are listed one by one where there are gaps or sizes differ."""
        root = Element("annotations")
        SubElement(root, "version").text = "1.1"
        first, last = min(self._sizes, default=0), max(self._sizes, default=-1)
        about = {"name": group, "size": str(len(self._sizes))}
        about |= {"start_frame": str(first), "stop_frame": str(last)}
        task = cvat_xml.write_meta(root, dataset, "interpolation", sorted(self._words), **about)
        sizes = set(self._sizes.values())
        for height, width in sizes if len(sizes) == 1 else ():
            original = SubElement(task, "original_size")
            SubElement(original, "width").text, SubElement(original, "height").text = str(width), str(height)
        if len(sizes) > 1 or len(self._sizes) <= last - first:
            listed = SubElement(task, "inlay")
            for frame, (height, width) in self._sizes.items():
                about = {"number": str(frame), "height": str(height), "width": str(width)}
                SubElement(listed, "frame", about)
        root.extend(self._tracks.values())
        return root
