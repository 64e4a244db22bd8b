"""`inlay measure`: counts, areas, tables, tracks, zones, poses and cut-outs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App

from inlay.cli.console import open_dataset, progress_bar, show_page
from inlay.cli.following import cameras, repair, track, tracks, zones

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.measure.estimate import Estimate

measure = App(name="measure", help="Count, size, follow and cut out what is segmented.")
for _command in (track, tracks, repair, cameras, zones):
    measure.command(_command)


@measure.command
def counts(
    data: Path,
    /,
    *,
    truth: Path | None = None,
    checked: Path | None = None,
    score: float = 0.5,
    split: str | None = None,
    page: Path | None = None,
    as_predicted: bool = False,
) -> int:
    """Count the things of each class; with measured images, correct the counts and give 95 % intervals.

    Counts of predictions hold the model's error: without measured images they are refused.

    Example: `inlay measure counts predictions --truth val-labels --checked val-predictions`

    Parameters
    ----------
    data
        Predictions (or labels) to count.
    truth
        Labels of images that the model was not trained on: with `checked`, its measured error.
    checked
        Predictions of the same model on the images of `truth`.
    score
        Predictions with a lower score are not counted.
    split
        Only this split of `data`.
    page
        Write a page with the counts, their histogram and a map of where things are here (.html).
    as_predicted
        Print counts of predictions although nobody measured the model's error.
    """
    from inlay.measure.counts import CountError
    from inlay.measure.counts import counts as run_counts

    dataset = open_dataset(data, split=split)
    error = None
    if known := _measured(truth, checked):
        error = CountError.measure(*known, minimum_score=score)
    elif not as_predicted:
        _refuse_predictions(dataset)
    found = run_counts(dataset, minimum_score=score)
    rows = [(name, total) for name, total in zip(dataset.classes.names, found.sum(axis=0).tolist()) if total]
    if error is None:
        print(_lines([(name, f"{total}") for name, total in rows]))
        if as_predicted:
            print(_UNMEASURED)
    else:
        estimates = dict(zip(error.names, error.correct(error.arrange(found, dataset.classes.names))))
        print(_estimated(estimates))
    if page:
        from inlay.measure.page import write_page

        write_page(dataset, found, page, estimates=None if error is None else estimates)
        show_page(page, browser=False)
    return 0


_UNMEASURED = (
    "as predicted, with the model's error in it: --truth and --checked correct it and say how sure it is"
)


@measure.command
def areas(
    data: Path,
    /,
    *,
    pixel: str | None = None,
    geodesic: bool = False,
    truth: Path | None = None,
    checked: Path | None = None,
    split: str | None = None,
    as_predicted: bool = False,
) -> int:
    """Sum the area of each class, in pixels, units or square metres on the ellipsoid.

    Areas of predictions hold the model's error: without measured images they are refused.

    Example: `inlay measure areas predictions --pixel 0.5um --truth val-labels --checked val-predictions`

    Parameters
    ----------
    data
        Predictions (or labels) to measure; where segments overlap, the front one counts.
    pixel
        Size of a pixel with its unit: `0.5um`, or `0.5x0.25mm` for height x width; or `stated`: what the
        files say themselves (NIfTI, DICOM, OME-Zarr), with volumes where samples are slices of one.
    geodesic
        Take the areas from the coordinate systems of the image files (GeoTIFF).
    truth
        Labels of images that the model was not trained on: with `checked`, its measured error.
    checked
        Predictions of the same model on the images of `truth`.
    split
        Only this split of `data`.
    as_predicted
        Print areas of predictions although nobody measured the model's error.
    """
    from inlay.core.errors import InlayError
    from inlay.core.lattice import lattice_of
    from inlay.measure.areas import AreaError, mapped_areas, mapped_square_metres
    from inlay.measure.calibration import Calibration
    from inlay.measure.spacing import stated_sizes

    if pixel and geodesic:
        raise InlayError("give either the size of a pixel or --geodesic, not both")
    dataset = open_dataset(data, split=split)
    known = _measured(truth, checked)
    if known is None and not as_predicted:
        _refuse_predictions(dataset)
    names = known[0].classes.names if known else dataset.classes.names
    volumes = None
    if geodesic:
        mapped, unit = mapped_square_metres(dataset, names=names), "m2"
    elif pixel == STATED:
        sizes = stated_sizes(dataset, names=names)
        mapped, unit, volumes = sizes.areas, f"{sizes.unit}2", sizes.volumes
    else:
        calibration = Calibration.parse(pixel) if pixel else Calibration()
        mapped, unit = mapped_areas(dataset, names=names) * calibration.pixel_area, calibration.area_unit
    if not mapped[: len(names)].any():
        _refuse_boxes(dataset)
    if known is None:
        print(_lines([(name, f"{area:.6g} {unit}") for name, area in zip(names, mapped) if area]))
        if as_predicted:
            print(_UNMEASURED)
    else:
        print(_estimated(dict(zip(names, AreaError.measure(*known).correct(mapped))), unit))
    if pixel == STATED:
        rows = [] if volumes is None else zip(names, volumes.tolist())
        print(_lines([(name, f"{volume:.6g} {unit[:-1]}3") for name, volume in rows if volume], _NO_VOLUME))
    elif unit == "px" and len(dataset) and lattice_of(dataset[0].label().image_tags):
        print("the files state the size of their pixels: --pixel stated takes it")
    return 0


STATED = "stated"
_NO_VOLUME = "no volumes: these are not all the slices of volumes, one after another"


@measure.command
def table(
    data: Path,
    out: Path,
    /,
    *,
    pixel: str | None = None,
    geodesic: bool = False,
    score: float = 0.0,
    split: str | None = None,
    jobs: int = 1,
) -> int:
    """Write a row for each segment: class, place, area, axes, outline, hull and more.

    Example: `inlay measure table predictions cells.csv --pixel 0.5um`

    Parameters
    ----------
    data
        Labels or predictions.
    out
        File to write: .csv, .parquet, or .geojson with outlines (from GeoTIFF images).
    pixel
        Size of a pixel with its unit: `0.5um`, or `stated`: what the files say themselves. Default: pixels.
    geodesic
        Also the area on the ellipsoid, from the coordinate systems of the image files (GeoTIFF).
    score
        Predictions with a lower score are left out.
    split
        Only this split.
    jobs
        Processes.
    """
    from inlay.measure.calibration import Calibration
    from inlay.measure.table import segment_table, write_table

    dataset = open_dataset(data, split=split)
    calibration: Calibration | Literal["stated"] | None = None
    if pixel:
        calibration = "stated" if pixel == STATED else Calibration.parse(pixel)
    with progress_bar("measuring") as progress:
        rows = segment_table(
            dataset,
            calibration=calibration,
            geodesic=geodesic,
            minimum_score=score,
            on="processes" if jobs > 1 else "serial",
            workers=jobs,
            progress=progress,
        )
    if not len(rows):
        _refuse_boxes(dataset)
    write_table(rows, out, dataset=dataset)
    print(f"{len(rows)} segments of {len(dataset)} images, {len(rows.columns)} columns: {out}")
    return 0


@measure.command
def poses(data: Path, /, *, split: str | None = None) -> int:
    """List the things of each image in the order to pick them, as JSON lines.

    Example: `inlay measure poses predictions`

    Parameters
    ----------
    data
        Labels or predictions; amodal masks tell what lies on what.
    split
        Only this split.
    """
    import json
    from dataclasses import asdict

    from inlay.measure.pose import pick_order

    for sample in open_dataset(data, split=split):
        label = sample.label()
        for pose in pick_order(label):
            known = {key: value for key, value in asdict(pose).items() if value == value}
            print(json.dumps({"sample": sample.name, "class": label.class_names[pose.row]} | known))
    return 0


@measure.command
def cutouts(
    data: Path, folder: Path, /, *, names: str | None = None, edge: int = 3, split: str | None = None
) -> int:
    """Write each thing alone as a PNG with a soft edge.

    Example: `inlay measure cutouts predictions cutouts --names shoe,bag`

    Parameters
    ----------
    data
        Labels or predictions with their images.
    folder
        Where to write `SAMPLE-ROW-CLASS.png`; it must not exist.
    names
        Only these classes, with commas between.
    edge
        Pixels on either side of the edge that may be partly transparent; 0 for a hard edge.
    split
        Only this split.
    """
    from inlay.cli.console import words
    from inlay.core.errors import InlayError
    from inlay.core.staging import staged
    from inlay.measure.cutout import write_cutouts

    if folder.exists():
        raise InlayError(f"{folder}: exists already; name a new folder for the cut-outs")
    dataset = open_dataset(data, split=split)
    chosen = frozenset(words(names)) if names else None
    with staged(folder) as part, progress_bar("cutting out") as progress:
        part.mkdir()
        written = write_cutouts(dataset, part, names=chosen, edge=edge, progress=progress)
    print(f"{written} cut-outs: {folder}")
    return 0


def _measured(truth: Path | None, checked: Path | None) -> tuple[Dataset, Dataset] | None:
    from inlay.core.errors import InlayError

    if truth is None and checked is None:
        return None
    if truth is None or checked is None:
        raise InlayError("an error is measured with both: --truth LABELS and --checked PREDICTIONS of them")
    labels = open_dataset(truth)
    return labels, open_dataset(checked, like=labels)


def _refuse_predictions(dataset: Dataset) -> None:
    from inlay.core.errors import InlayError

    first = next((label for label in (sample.label() for sample in dataset) if len(label)), None)
    if first is not None and first.score is not None:
        raise InlayError(
            "these are predictions of a model whose error nobody measured: label some images that it was not "
            "trained on and give --truth LABELS --checked PREDICTIONS of them, or take the bare figures with "
            "--as-predicted"
        )


def _refuse_boxes(dataset: Dataset) -> None:
    from inlay.core.errors import InlayError
    from inlay.core.partial import is_there

    boxes = sum(int(is_there(sample.label()).sum()) for sample in dataset)
    if boxes:
        raise InlayError(
            f"all {boxes} segments are boxes without pixels, which have no area and no shape: "
            "`inlay measure counts` counts them"
        )


def _lines(rows: list[tuple[str, str]], otherwise: str = "nothing was found") -> str:
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows) or otherwise


def _estimated(estimates: dict[str, Estimate], unit: str = "") -> str:
    rows = [
        (
            name,
            f"{each.value:.6g} {unit}".rstrip()
            + f"   95 %: {each.low:.6g} to {each.high:.6g}   as predicted: {each.raw:.6g}",
        )
        for name, each in estimates.items()
        if each.raw or each.value
    ]
    return _lines(rows)
