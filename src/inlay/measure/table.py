"""One row for each segment of a dataset: what it is, where, how large; written as CSV, Parquet or GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from inlay import parallel
from inlay.core.errors import InlayError
from inlay.core.geodesy import areas_on_earth, georeference_of
from inlay.core.polygons import trace
from inlay.core.staging import staged
from inlay.measure.calibration import Calibration
from inlay.measure.shapes import shapes
from inlay.measure.spacing import stated_calibration, stated_lattice

if TYPE_CHECKING:
    import polars as pl

    from inlay.core.dataset import Dataset, Sample

SUFFIXES = (".csv", ".parquet", ".geojson")


def segment_table(
    dataset: Dataset,
    *,
    calibration: Calibration | Literal["stated"] | None = None,
    geodesic: bool = False,
    minimum_score: float = 0.0,
    on: parallel.Place = "serial",
    workers: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """A row for each segment with pixels: sample, class, instance, score and the figures of `shapes`.

    Lengths and areas are in the unit of `calibration`, or "stated": by the spacing that each image states, in
    the unit of the first one (with `volume`, the share of a segment's slice). `area_px` always is the number
    of pixels. With `geodesic`, `area_m2` is the area on the ellipsoid, from the coordinate system of each
    image file.

    Raises
    ------
    InlayError
        When an image lacks a coordinate system or a spacing that was asked for, or pixels are not square.
    """
    import polars as pl

    size = stated_lattice(dataset[0]).unit if calibration == "stated" and len(dataset) else calibration
    work = partial(_rows, dataset, size or Calibration(), minimum_score, geodesic=geodesic)
    tables = []
    for done, rows in enumerate(parallel.map_samples(work, dataset.names, on=on, workers=workers), 1):
        tables.append(pl.DataFrame(rows, schema_overrides={"sample": pl.String, "class": pl.String}))
        if progress:
            progress(done, len(dataset), dataset.names[done - 1])
    filled = [table for table in tables if len(table)]
    return pl.concat(filled, how="diagonal") if filled else pl.DataFrame(schema={"sample": pl.String})


def _rows(
    dataset: Dataset, size: Calibration | str, minimum_score: float, name: str, *, geodesic: bool
) -> dict[str, Any]:
    """Columns of one sample; a size that is the name of a unit is the one that the image states."""
    sample = dataset[name]
    calibration = stated_calibration(sample, unit=size) if isinstance(size, str) else size
    label = sample.label()
    keep = label.masks.area() > 0
    if label.score is not None:
        keep &= label.score >= minimum_score
    rows = np.flatnonzero(keep)
    label = label[rows]
    columns: dict[str, Any] = {
        "sample": [name] * len(label),
        "group": [sample.group] * len(label),
        "frame": np.full(len(label), -1 if sample.frame is None else sample.frame),
        "row": rows,
        "class": list(label.class_names),
        "instance": label.instance_id,
        "score": np.full(len(label), np.nan) if label.score is None else label.score,
        "crowd": label.crowd,
        "area_px": label.masks.area(),
    }
    columns |= shapes(label, spacing=calibration.spacing)
    if label.amodal is not None:
        columns["visible"] = (label.amodal & label.masks).area() / np.maximum(label.amodal.area(), 1)
    if isinstance(size, str):
        columns["volume"] = columns["area"] * stated_lattice(sample, unit=size).spacing[2]
    if geodesic:
        columns["area_m2"] = areas_on_earth(label.masks, sample)
    return columns


def write_table(table: pl.DataFrame, path: Path, *, dataset: Dataset | None = None) -> None:
    """Write a table of segments; the suffix says how: .csv, .parquet, or .geojson with outlines.

    GeoJSON (RFC 7946) is in longitude and latitude of WGS 84, so each image of `dataset` must have a
    coordinate system.

    Raises
    ------
    InlayError
        When the suffix is none of these, or GeoJSON lacks the dataset or a coordinate system.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InlayError(
            f"{path}: a table is written as {', '.join(SUFFIXES)}, not {path.suffix or 'no suffix'}"
        )
    if path.suffix.lower() == ".geojson" and dataset is None:
        raise InlayError(f"{path}: GeoJSON has outlines, so it needs the dataset beside the table")
    with staged(path) as part:
        if path.suffix.lower() == ".csv":
            table.write_csv(part)
        elif path.suffix.lower() == ".parquet":
            table.write_parquet(part)
        elif dataset is not None:
            features = [
                feature
                for (name,), rows in table.group_by("sample", maintain_order=True)
                for feature in _features(dataset[str(name)], rows)
            ]
            content = {"type": "FeatureCollection", "features": features}
            part.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


def _features(sample: Sample, rows: pl.DataFrame) -> list[dict[str, Any]]:
    from pyproj import Transformer

    georeference = georeference_of(sample)
    if georeference is None:
        raise InlayError(f"sample {sample.name!r} has no coordinate system, so it has no place in GeoJSON")
    degrees = Transformer.from_crs(georeference.epsg, 4326, always_xy=True)
    outlines = trace(sample.label().masks[rows["row"].to_numpy()])
    found = []
    for properties, parts in zip(rows.to_dicts(), outlines):
        known = {name: value for name, value in properties.items() if value is not None and value == value}
        polygons = []
        for rings in parts:
            placed = []
            for place, ring in enumerate(rings):
                corners = np.stack(degrees.transform(*georeference.places(ring).T), axis=1)
                placed.append(_closed(corners, anticlockwise=place == 0))
            polygons.append(placed)
        geometry = {"type": "MultiPolygon", "coordinates": polygons}
        found.append({"type": "Feature", "geometry": geometry, "properties": known})
    return found


def _closed(corners: np.ndarray[Any, Any], *, anticlockwise: bool) -> list[list[float]]:
    """The ring with its first corner once more at the end, turned as RFC 7946 wants it."""
    x, y = corners.T
    turns = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    turned = corners if (turns > 0) == anticlockwise else corners[::-1]
    return np.concatenate([turned, turned[:1]]).tolist()  # type: ignore[no-any-return]
