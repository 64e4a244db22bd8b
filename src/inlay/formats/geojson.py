"""GeoJSON: polygons with holes in the coordinates of georeferenced images (GeoTIFF), or in pixels.

The image says where it lies (`inlay.core.georeference`); it is copied byte for byte, and so that survives. We
write coordinates in the system of the image and name it in `crs`; files without `crs` are longitude and
latitude (RFC 7946), and need `pip install inlay[geo]` where the image lies in another system. Without a
georeference coordinates are pixels, as QuPath writes them. Outer rings run counter-clockwise, holes
clockwise. The class is the property `class`, `classification`, `label`, `name`, `category` or `type`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, MissingExtraError
from inlay.core.georeference import Georeference, read_georeference
from inlay.core.images import SUFFIXES, image_size
from inlay.core.polygons import trace
from inlay.core.segmentation import Segmentation, Tags
from inlay.formats.parts.drawing import Drawing, Ring, Row, ring_of
from inlay.formats.parts.extras import KEPT, ExtraWriter, is_written_as, read_extras, said
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.tag_words import tags_of
from inlay.formats.parts.typed_json import decode, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags"),
}
READERS = ("rasterio", "opencv")
_WORDS = ("class", "classification", "label", "name", "category", "type")
_OWN = ("instance", "score", "iscrowd", "tags")
_LONGITUDE_LATITUDE = 4326
_SNAP = 6  # decimals of a pixel that survive the way there and back


class _Geometry(Struct):
    type: str
    coordinates: Any = None


class _Feature(Struct):
    geometry: _Geometry | None = None
    properties: dict[str, Any] | None = None


class _File(Struct):
    features: list[_Feature]
    crs: dict[str, Any] | None = None
    inlay_size: tuple[int, int] | None = None


def sniff(path: Path) -> bool:
    """Whether it is a .geojson file, or a folder with some."""
    if path.is_file():
        return path.suffix.lower() == ".geojson"
    return path.is_dir() and (
        next(path.rglob("*.geojson"), None) is not None or is_written_as(path, "geojson")
    )


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The images of a folder or of one file; those without a label file are unlabelled.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default rasterio, up to pixel edges.
    """
    if not sniff(path):
        raise FormatError(path, "", "no .geojson file")
    root = path.parent if path.is_file() else path
    files = [path] if path.is_file() else sorted(path.rglob("*.geojson"))
    labels = {_key(file, root, "labels"): file for file in files}
    images = {
        _key(file, root, "images"): file
        for file in sorted(root.rglob("*"))
        if file.suffix.lower() in SUFFIXES
    }
    names: dict[str, None] = {}
    left_out: Counter[str] = Counter()
    for file in files:
        for feature in decode(read_bytes(file), file, _File).features:
            kind = feature.geometry.type if feature.geometry else "null"
            if kind in ("Polygon", "MultiPolygon"):
                names[_class_of(feature.properties or {})[0]] = None
            else:
                left_out[kind] += 1
    extras = read_extras(root)
    classes = extras.classes_with(Classes.of(*names))
    keys = sorted({*labels, *(images if path.is_dir() else ())})
    return extras.dataset(
        keys, classes, _Files(labels, images, classes, reader or READERS[0]), root, left_out=left_out
    )


def _key(file: Path, root: Path, folder: str) -> str:
    return file.relative_to(root).with_suffix("").as_posix().removeprefix(f"{folder}/")


def _class_of(properties: Mapping[str, Any]) -> tuple[str, str]:
    """The class of a feature, and the property that says it."""
    for word in _WORDS:
        value = properties.get(word)
        value = value.get("name") if isinstance(value, dict) else value
        if isinstance(value, str | int) and value != "":
            return str(value), word
    return "object", ""


@dataclass(frozen=True, eq=False)
class _Files:
    """Label files and images by key; calling it with one reads that sample."""

    labels: Mapping[str, Path]
    images: Mapping[str, Path]
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        path, image = self.labels.get(key), self.images.get(key)
        if path is None:
            return Sample(key, image, None)
        data = decode(read_bytes(path), path, _File)
        size = data.inlay_size or (image_size(image) if image else None)
        if size is None:
            raise FormatError(path, "", "its image is missing, and so its size: put it beside, or in images/")
        where_on_earth = read_georeference(image) if image else None
        drawing = Drawing(self.classes, size, path, self.reader)
        for i, feature in enumerate(data.features):
            geometry = feature.geometry
            if geometry is None or geometry.type not in ("Polygon", "MultiPolygon"):
                continue
            where = f"features[{i}]"
            row = drawing.row(_row(feature.properties or {}), where)
            several = [geometry.coordinates] if geometry.type == "Polygon" else geometry.coordinates
            for rings in several if isinstance(several, list) else [None]:
                if not isinstance(rings, list) or not rings:
                    raise FormatError(path, f"{where}.geometry.coordinates", "not a list of rings")
                found = [_flat(ring, path, f"{where}.geometry.coordinates") for ring in rings]
                drawing.polygon(row, [self._pixels(ring, data, where_on_earth, path) for ring in found])
        return Sample(key, image, drawing.segmentation())

    def _pixels(self, ring: Ring, data: _File, earth: Georeference | None, path: Path) -> Ring:
        epsg = _epsg(data, path)
        if earth is None:
            if data.crs is not None:
                raise FormatError(path, "crs", "coordinates on Earth, but the image says not where it lies")
            return ring
        points = ring
        if epsg != earth.epsg:
            try:
                from pyproj import Transformer
            except ModuleNotFoundError:
                raise MissingExtraError(
                    f"pyproj, to go from EPSG:{epsg} to EPSG:{earth.epsg},", "geo"
                ) from None
            change = Transformer.from_crs(epsg, earth.epsg, always_xy=True)
            points = np.stack(change.transform(ring[:, 0], ring[:, 1]), axis=1)
        a, b, c, d, e, f = earth.transform
        pixels = np.linalg.solve(np.array([[a, b], [d, e]]), (points - (c, f)).T).T
        return ring_of(np.round(pixels, _SNAP), path, "features")


def _epsg(data: _File, path: Path) -> int:
    """The coordinate system that a file names; longitude and latitude where it names none."""
    if data.crs is None:
        return _LONGITUDE_LATITUDE
    name = str((data.crs.get("properties") or {}).get("name", "")) if isinstance(data.crs, dict) else ""
    if name.upper().endswith("CRS84"):
        return _LONGITUDE_LATITUDE
    found = re.search(r"EPSG:{1,2}(\d{4,6})$", name)
    if found is None:
        raise FormatError(path, "crs", f"{name!r} names no EPSG code")
    return int(found[1])


def _flat(ring: Any, path: Path, where: str) -> Ring:
    """A closed ring of positions, of which some have a height, as (K, 2) without the last point."""
    listed = [each[:2] for each in ring if isinstance(each, list)] if isinstance(ring, list) else None
    points = ring_of(listed, path, where)
    return points[:-1] if len(points) > 1 and (points[0] == points[-1]).all() else points


def _row(properties: Mapping[str, Any]) -> Row:
    name, key = _class_of(properties)
    words = properties.get("tags")
    tags: Tags = frozenset(map(str, words)) if isinstance(words, list) else frozenset()
    plain = {word: value for word, value in properties.items() if word not in (key, *_OWN)}
    number, score = properties.get("instance"), properties.get("score")
    return Row(
        name,
        tags | tags_of(plain),
        number if isinstance(number, int) and not isinstance(number, bool) else None,
        properties.get("iscrowd") is True,
        float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
    )


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - exact in both
    """Write `images/` and `labels/NAME.geojson`, in the coordinate system of each image."""
    extras = ExtraWriter(dataset, "geojson", listed=False)
    path.mkdir(parents=True, exist_ok=True)
    for sample in dataset:
        refuse_nothing(sample)
        image = store_image(sample, path / "images")
        label = sample.segmentation
        if label is not None:
            earth = read_georeference(image) if image else None
            data: dict[str, Any] = {"type": "FeatureCollection", "inlay_size": list(label.size)}
            if earth is not None and earth.epsg != _LONGITUDE_LATITUDE:
                name = f"urn:ogc:def:crs:EPSG::{earth.epsg}"
                data["crs"] = {"type": "name", "properties": {"name": name}}
            data["features"] = _features(label, earth)
            place(path / "labels", sample.name, ".geojson").write_bytes(msgspec.json.encode(data))
        extras.add(sample, said(sample, sample.name))
    extras.write(path)


def _features(label: Segmentation, earth: Georeference | None) -> list[dict[str, Any]]:
    found = []
    polygons = trace(label.masks, rule="pixel_edge")
    for i in np.flatnonzero(label.masks.area() > 0).tolist():
        parts = [
            [
                _closed(ring if earth is None else earth.places(ring), outer=not k)
                for k, ring in enumerate(part)
            ]
            for part in polygons[i]
        ]
        kind = "Polygon" if len(parts) == 1 else "MultiPolygon"
        about: dict[str, Any] = {"class": label.class_names[i], "instance": int(label.instance_id[i])}
        about |= {"tags": sorted(label.tags[i])} if label.tags[i] else {}
        about |= {"iscrowd": True} if label.crowd[i] else {}
        about |= {} if label.score is None else {"score": float(label.score[i])}
        geometry = {"type": kind, "coordinates": parts[0] if len(parts) == 1 else parts}
        found.append({"type": "Feature", "properties": about, "geometry": geometry})
    return found


def _closed(ring: Ring, *, outer: bool) -> list[list[float]]:
    """A ring with its first point again at the end, counter-clockwise where it is an outer one."""
    x, y = ring.T
    area = float(np.dot(x - x[0], np.roll(y - y[0], -1)) - np.dot(np.roll(x - x[0], -1), y - y[0]))
    turned = ring if (area > 0) == outer else ring[::-1]
    points: list[list[float]] = np.concatenate([turned, turned[:1]]).tolist()
    return points
