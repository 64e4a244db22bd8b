"""`inlay score`: predictions against the truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from inlay.cli.console import open_dataset, progress_bar, show_page, words
from inlay.core.staging import staged


def score(
    truth: Path,
    prediction: Path,
    /,
    *,
    metric: str | None = None,
    json: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    report: Path | None = None,
    split: str | None = None,
    intervals: bool = True,
    jobs: int = 1,
) -> int:
    """Compare predictions with the truth: IoU, COCO AP and AR, PQ, with 95 % intervals.

    Example: `inlay score labels.json predictions --metric average_precision,iou --report report.html`

    Parameters
    ----------
    truth
        Labelled dataset.
    prediction
        Predictions in any format; COCO result lists take classes and sizes from the truth.
    metric
        Metrics, with commas between: iou, average_precision, panoptic_quality. Default: those that the
        data allow.
    json
        Write all figures here, in full; `-` prints them.
    report
        Write a page with charts, the best and worst images and findings in the truth here (.html).
    split
        Only this split of the truth.
    intervals
        Bootstrap 95 % intervals over images.
    jobs
        Processes.
    """
    from inlay.metrics import score as run_score

    labels = open_dataset(truth, split=split)
    predicted = open_dataset(prediction, like=labels)
    with progress_bar("scoring") as progress:
        result = run_score(
            labels,
            predicted,
            metrics=words(metric) if metric else None,
            intervals=intervals,
            on="processes" if jobs > 1 else "serial",
            workers=jobs,
            progress=progress,
        )
    if json == Path("-"):
        sys.stdout.write(result.to_json() + "\n")
    else:
        print(result)
    if json and json != Path("-"):
        with staged(json) as part:
            part.write_text(result.to_json() + "\n", encoding="utf-8")
    if report:
        from inlay.report import write_report
        from inlay.rules import check

        with progress_bar("checking the truth") as progress:
            findings = check(labels, progress=progress)
        write_report(result, labels, predicted, report, findings=findings)
        show_page(report, browser=True)
    return 0
