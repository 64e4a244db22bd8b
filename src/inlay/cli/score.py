"""`inlay score`: predictions against the truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from inlay.cli.console import open_dataset, place, progress_bar, show_page, words
from inlay.core.errors import InlayError
from inlay.core.staging import staged

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.metrics import Comparison, Score


def score(
    truth: Path,
    prediction: Path,
    /,
    *,
    metrics: str | None = None,
    against: Path | None = None,
    like: str | None = None,
    json: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    report: Path | None = None,
    split: str | None = None,
    intervals: bool = True,
    details: bool = True,
    jobs: int = 1,
) -> int:
    """Compare predictions with the truth: IoU, AP, PQ, tracking and more, with 95 % intervals.

    Example: `inlay score labels.json predictions --metrics average_precision,iou --report report.html`

    `inlay score labels.json new-model --against old-model` says which is better, and how sure that is.

    Parameters
    ----------
    truth
        Labelled dataset.
    prediction
        Predictions in any format; COCO result lists take classes and sizes from the truth.
    metrics
        Metrics, with commas between. Default: those that the data allow. Of images: iou, instance_iou,
        boundary_iou, surface_distance, average_precision, boundary_average_precision,
        lvis_average_precision, panoptic_quality, counting. Of videos: tracking, video_panoptic.
    against
        Other predictions for the same truth: prints how far the first lie above these, image by image.
    like
        Reproduce the known faults of another tool: pycocotools, lvis-api, panopticapi, cityscapesscripts.
    json
        Write all figures here, in full; `-` prints them.
    report
        Write a page with charts, the best and worst images and findings in the truth here (.html).
    split
        Only this split of the truth.
    intervals
        Bootstrap 95 % intervals over images.
    details
        Intervals, figures of each image, kinds of error and confusion. `--no-details` leaves them out:
        memory then stays flat however many the images, and the average precision of a COCO file and its
        results takes a fraction of the time.
    jobs
        Processes.
    """
    if not details and (report or against):
        option = "--report" if report else "--against"
        raise InlayError(f"{option} shows figures of each image: leave --no-details away")
    labels = open_dataset(truth, split=split)
    predicted = open_dataset(prediction, like=labels)
    chosen: dict[str, Any] = {
        "metrics": words(metrics) if metrics else None,
        "like": like,
        **place(jobs),
    }
    result, comparison = _judged(labels, predicted, against, intervals=intervals, details=details, **chosen)
    shown = comparison or result
    if json == Path("-"):
        sys.stdout.write(shown.to_json() + "\n")
    else:
        print(shown)
    if json and json != Path("-"):
        with staged(json) as part:
            part.write_text(shown.to_json() + "\n", encoding="utf-8")
    if report:
        _write(report, result, comparison, labels, predicted)
    return 0


def _judged(
    labels: Dataset,
    predicted: Dataset,
    against: Path | None,
    *,
    intervals: bool,
    details: bool,
    **chosen: Any,
) -> tuple[Score, Comparison | None]:
    """The score, and the comparison with other predictions where there are any."""
    from inlay.metrics import compare
    from inlay.metrics import score as run_score

    with progress_bar("scoring") as progress:
        if against is None:
            return run_score(
                labels, predicted, intervals=intervals, details=details, progress=progress, **chosen
            ), None
        others = open_dataset(against, like=labels)
        comparison = compare(labels, others, predicted, progress=progress, **chosen)
        return comparison.second, comparison


def _write(
    report: Path, result: Score, comparison: Comparison | None, labels: Dataset, predicted: Dataset
) -> None:
    from inlay.report import write_report
    from inlay.rules import check

    with progress_bar("checking the truth") as progress:
        findings = check(labels, progress=progress)
    write_report(result, labels, predicted, report, findings=findings, comparison=comparison)
    show_page(report, browser=True)
