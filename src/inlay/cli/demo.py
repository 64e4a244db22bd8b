"""`inlay demo`: the whole job on sample data, in a few minutes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inlay.cli.console import progress_bar, show_page

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.metrics import Score


@dataclass(frozen=True)
class Job:
    """One sample project: its pictures, its model, the figure that sums it up."""

    kind: str
    model: str
    count: int
    metric: str
    figure: str
    share: float  # of the training minutes


JOBS = (
    Job("street", "unet", 120, "iou", "mIoU", 0.45),
    Job("cells", "solov2", 120, "average_precision", "mask_AP50", 0.55),
)

NEXT = """
Next, with your own images:
  inlay convert YOUR-LABELS labels --to native     any of: inlay formats
  inlay check labels --page findings.html
  inlay train labels --model unet --out runs/first --minutes 30
  inlay predict runs/first YOUR-IMAGES --out predictions --to coco
  inlay score labels predictions --split test --report report.html
"""


def demo(out: Path = Path("demo"), /, *, minutes: float = 3.0, browser: bool = True) -> int:
    """Make sample projects, check labels, train two small models, predict, score, write a report, review.

    It ends in the studio, with the first model's predictions waiting for review; without a terminal it prints
    the command instead.

    Example: `inlay demo demo --minutes 2`

    Parameters
    ----------
    out
        Folder for everything that is made; what an earlier demo left there is replaced.
    minutes
        Time to train both models together.
    browser
        Open the report and the studio.
    """
    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    pages = [_run(job, out, minutes) for job in JOBS]
    index = out / "report.html"
    _write_index(index, pages)
    print(f"\ndone in {(time.monotonic() - started) / 60:.1f} minutes")
    show_page(index, browser=browser)
    print(NEXT)
    return _review(out, browser=browser)


def _review(out: Path, *, browser: bool) -> int:
    """The studio on the first sample: labels on most images, the model's predictions on the others."""
    import shutil
    import sys
    from importlib.util import find_spec

    from inlay.formats import read, write

    kind = JOBS[0].kind
    dataset, predictions = read(out / kind), out / f"{kind}-predictions"
    judged = frozenset(read(predictions).names)
    known = dataset.only(name for name in dataset.names if name not in judged)
    shutil.rmtree(out / "studio", ignore_errors=True)
    write(known, out / f"{kind}-labels", to="native", overwrite=True)
    images = out / kind / "images"
    given = {"import": out / f"{kind}-labels", "predictions": predictions, "project": out / "studio"}
    options = " ".join(f"--{name} {path}" for name, path in given.items())
    print(f"The studio, where {len(judged)} images with predictions wait for your review:")
    print(f"  inlay label {images} {options}\n")
    if not (browser and sys.stdin.isatty() and sys.stdout.isatty()):
        return 0
    if find_spec("fastapi") is None:
        print("it needs: pip install 'inlay[studio]'")
        return 0
    from inlay.cli.label import label

    return label(
        str(images), project=given["project"], import_=given["import"], predictions=given["predictions"]
    )


def _run(job: Job, out: Path, minutes: float) -> tuple[Job, Score, Path]:
    import shutil

    from inlay.formats import read, write
    from inlay.metrics import score
    from inlay.report import write_report
    from inlay.rules import check
    from inlay.training import predict, train

    print(f"\n{job.kind}: {job.count} images with exact truth, {job.model}")
    labels, run_folder = out / job.kind, out / f"{job.kind}-run"
    dataset = _sample(job, labels)
    with progress_bar("checking") as progress:
        findings = check(dataset, progress=progress)
    print(findings)
    shutil.rmtree(run_folder, ignore_errors=True)
    with progress_bar(f"training {job.model}") as progress:
        run = train(dataset, job.model, run_folder, minutes=minutes * job.share, progress=progress)
    truth = dataset.split("test")
    with progress_bar("predicting") as progress:
        write(
            predict(run, truth),
            out / f"{job.kind}-predictions",
            to="native",
            overwrite=True,
            progress=progress,
        )
    predictions = read(out / f"{job.kind}-predictions")
    with progress_bar("scoring") as progress:
        result = score(truth, predictions, metrics=[job.metric], progress=progress)
    print(result)
    page = out / f"{job.kind}-report.html"
    write_report(result, truth, predictions, page, findings=findings)
    return job, result, page


def _sample(job: Job, labels: Path) -> Dataset:
    from inlay import scenes
    from inlay.formats import read, write

    with progress_bar(f"drawing {job.kind}") as progress:
        write(
            scenes.make(job.kind, job.count, size=(192, 256)),
            labels,
            to="native",
            overwrite=True,
            progress=progress,
        )
    return read(labels)


def _write_index(path: Path, pages: list[tuple[Job, Score, Path]]) -> None:
    from inlay.page import page, table, write_page

    rows = [[job.kind, job.model, job.figure, f"{result[job.figure]:.3f}"] for job, result, _ in pages]
    links = "".join(
        f'<li><a href="{report.name}">{job.kind}: the report</a></li>' for job, _, report in pages
    )
    body = table(rows, ("sample", "model", "figure", "value")) + f"<ul>{links}</ul>"
    write_page(path, page("Inlay: the demo", body))
