"""Zones and lines judged by masks: what share of a segment lies in a zone, how long, what crossed a line."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core import polygons
from inlay.core.errors import FormatError, InlayError
from inlay.core.masks import Masks

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset, Sample
    from inlay.core.segmentation import Segmentation

INSIDE = 0.5  # share of a mask in a zone from which the segment is in it
CLEAR = 0.6  # share of a mask on one side of a line from which the segment is on that side
MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class Zone:
    """A named area of the image: rings of (x, y) corners in pixels, united."""

    name: str
    rings: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class Line:
    """A named line from `start` to `end`, (x, y) in pixels; crossing from its left to its right is "in".

    Left and right are those of somebody who walks from start to end and looks at the image.
    """

    name: str
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Stay:
    """The time that one tracked thing spent in one zone."""

    zone: str
    group: str
    instance: int
    class_name: str
    first: int  # frame
    last: int  # frame
    frames: int  # how many frames it was inside


@dataclass(frozen=True)
class Crossing:
    """One tracked thing crossed a line."""

    line: str
    group: str
    instance: int
    class_name: str
    frame: int  # the first frame on the other side
    direction: Literal["in", "out"]


def read_zones(path: Path) -> tuple[list[Zone], list[Line]]:
    """Zones and lines of a JSON file.

    `{"zones": [{"name": "gate", "points": [[x, y], ...]}], "lines": [...]}`; a line has two points.

    Raises
    ------
    FormatError
        Naming the place where the file is not so.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(path, "", f"a file of zones has at most {MAX_BYTES} bytes")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(path, "", f"not JSON ({error})") from None
    if not isinstance(content, dict) or not set(content) <= {"zones", "lines"} or not content:
        raise FormatError(path, "", 'zones are {"zones": [...], "lines": [...]}')
    zones = [Zone(name, (points,)) for name, points in _shapes(path, content, "zones", 3)]
    lines = [
        Line(name, (float(p[0, 0]), float(p[0, 1])), (float(p[1, 0]), float(p[1, 1])))
        for name, p in _shapes(path, content, "lines", 2)
    ]
    return zones, lines


def _shapes(path: Path, content: Any, kind: str, fewest: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    for place, item in enumerate(content.get(kind, [])):
        where = f"{kind}[{place}]"
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise FormatError(path, where, "it has no name")
        try:
            points = np.asarray(item.get("points"), np.float64)
        except (TypeError, ValueError):
            points = np.zeros(0)
        right = points.ndim == 2 and points.shape[1] == 2 and np.isfinite(points).all()
        if not right or len(points) < fewest or (kind == "lines" and len(points) != 2):
            wanted = "two points" if kind == "lines" else "three or more points"
            raise FormatError(path, where, f"`points` are {wanted} [x, y]")
        yield item["name"], points


def zone_masks(zones: Iterable[Zone], size: tuple[int, int]) -> Masks:
    """The zones as masks of an image: a pixel belongs to a zone when its centre does."""
    rings = [list(zone.rings) for zone in zones]
    return polygons.fill(polygons.from_parts(rings), size)


def shares(segmentation: Segmentation, zones: Masks) -> NDArray[np.float64]:
    """(N, Z) share of each segment that lies in each zone; 0 for an empty mask."""
    area = np.maximum(segmentation.masks.area(), 1)
    return np.asarray(segmentation.masks.intersection(zones) / area[:, None])


def occupancy(segmentation: Segmentation, zones: Masks) -> NDArray[np.float64]:
    """(Z,) share of each zone that things cover; 0 for an empty zone."""
    things = segmentation.things().masks.union()
    return np.asarray(zones.intersection(things)[:, 0] / np.maximum(zones.area(), 1))


def stays(dataset: Dataset, zones: Sequence[Zone], *, inside: float = INSIDE) -> list[Stay]:
    """When each tracked thing was in each zone, by the share of its mask that lies inside."""
    seen: dict[tuple[str, str, int, str], list[int]] = defaultdict(list)
    for sample, frame in _frames(dataset):
        things = sample.label().things()
        share = shares(things, zone_masks(zones, things.size))
        for row, zone in zip(*np.nonzero(share >= inside)):
            key = (zones[zone].name, sample.group, int(things.instance_id[row]), things.class_names[row])
            seen[key].append(frame)
    return [
        Stay(zone, group, instance, name, min(frames), max(frames), len(frames))
        for (zone, group, instance, name), frames in seen.items()
    ]


def crossings(dataset: Dataset, lines: Sequence[Line], *, clear: float = CLEAR) -> list[Crossing]:
    """What crossed each line, by which side the mask lies on: a thing that sways on the line is not counted.

    A thing is on a side when at least `clear` of its mask is; it crosses when it was clearly on one side and
    then is clearly on the other, and its way led over the line, not past its ends.
    """
    last: dict[tuple[int, str, int], tuple[bool, NDArray[np.float64]]] = {}
    found = []
    for sample, frame in _frames(dataset):
        things = sample.label().things()
        centres = _centres(things.masks)
        for place, line in enumerate(lines):
            left = shares(things, _left_of(line, things.size))[:, 0]
            for row in np.flatnonzero((things.masks.area() > 0) & ((left >= clear) | (left <= 1 - clear))):
                key = (place, sample.group, int(things.instance_id[row]))
                side = bool(left[row] >= clear)
                before = last.get(key)
                if before and before[0] != side and _meets(before[1], centres[row], line):
                    direction: Literal["in", "out"] = "out" if side else "in"
                    found.append(
                        Crossing(line.name, sample.group, key[2], things.class_names[row], frame, direction)
                    )
                last[key] = side, centres[row]
    return found


def _frames(dataset: Dataset) -> Iterator[tuple[Sample, int]]:
    """Samples with their frame numbers, video by video, in time."""
    samples = [(dataset.load(name)) for name in dataset.names]
    for sample in samples:
        if sample.frame is None:
            raise InlayError(f"sample {sample.name!r} is no frame of a video: zones over time need frames")
    for sample in sorted(samples, key=lambda each: (each.group, each.frame or 0)):
        yield sample, sample.frame or 0


def _left_of(line: Line, size: tuple[int, int]) -> Masks:
    """One mask: pixels whose centre lies left of the endless line."""
    (x0, y0), (x1, y1) = line.start, line.end
    if (x0, y0) == (x1, y1):
        raise InlayError(f"line {line.name!r} starts where it ends")
    y, x = np.mgrid[0.5 : size[0], 0.5 : size[1]]
    return Masks.encode((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) < 0)


def _centres(masks: Masks) -> NDArray[np.float64]:
    """(N, 2) centres of the boxes."""
    box = masks.box().astype(np.float64)
    return np.stack([(box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2], axis=1)


def _meets(before: ArrayLike, after: ArrayLike, line: Line) -> bool:
    """Whether the way between two places passes between the line's ends."""
    p, q, a, b = (np.asarray(point, np.float64) for point in (before, after, line.start, line.end))
    way, wall = q - p, b - a
    across = float(way[0] * wall[1] - way[1] * wall[0])
    if across == 0:  # along the line: it came from elsewhere
        return False
    return 0.0 <= float((a - p)[0] * way[1] - (a - p)[1] * way[0]) / across <= 1.0


def by_direction(found: Iterable[Crossing]) -> Mapping[tuple[str, str], tuple[int, int]]:
    """How often each (line, class) was crossed: (in, out)."""
    counted: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for each in found:
        into, out = counted[each.line, each.class_name]
        inward = each.direction == "in"
        counted[each.line, each.class_name] = (into + inward, out + (not inward))
    return dict(counted)
