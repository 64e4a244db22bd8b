"""Train every family on real data from scratch, for the same time, and score it on images it never saw.

python benchmarks/model_runs.py --minutes 60                  # streets and nuclei, scored on val
python benchmarks/model_runs.py --minutes 60 --part test      # once, at the end: scored on test too
python benchmarks/model_runs.py runs --minutes 2 --only unet solov2 --data camvid

One folder for each family and data set, in a process of its own: give the same command again after a kill,
and it goes on. `benchmarks/models.py` puts the scores into its table. Streets are CamVid (mIoU of
11 classes), nuclei those of the Data Science Bowl 2018: AP = TP / (TP + FP + FN) of an image at an IoU, mean
over images, with the least score that is best on val. Panoptic families learn nuclei on a ground of stuff.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

import bench
from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass, plugins, read
from inlay.core.staging import staged
from inlay.metrics import score
from inlay.models.decode.semantic import scores_of

VARIED: dict[str, dict[str, Any]] = {"camvid": {}, "dsb2018": {"turn": True}}  # nuclei have no up
TASKS = {"camvid": ("semantic", "any"), "dsb2018": ("instance", "panoptic", "any")}  # answers that fit
OVERLAPS = (0.5, 0.7, 0.9)
LEAST = np.arange(0.05, 0.96, 0.05)  # scores tried on val
SCORES = "scores.json"
RUNS = bench.WORK / "model_runs"


def families(data: str) -> list[str]:
    """Names of the families that can learn a data set; the click network answers to clicks."""
    return [
        name
        for name in plugins.names("models")
        if name != "click" and plugins.load("models", name).TASK in TASKS[data]
    ]


def folder_of(runs: Path, data: str, family: str) -> Path:
    """Where the run of a family on a data set lies."""
    return runs / f"{data}-{family}"


def prepared(where: Path, family: str) -> Dataset:
    """A data set as a family learns it."""
    data = read(where)
    return on_ground(data) if plugins.load("models", family).TASK == "panoptic" else data


def on_ground(data: Dataset) -> Dataset:
    """The data with all that is not labelled as a stuff of its own."""
    classes = Classes((*data.classes.rows, SegmentClass("ground", "stuff")))

    def grounded(sample: Sample) -> Sample:
        label = sample.label().with_classes(classes)
        rest = ~label.masks.union().decode()[0]
        ground = Segmentation(
            classes, Masks.encode(rest[None]), np.array([len(classes) - 1], np.int32), np.zeros(1, np.int32)
        )
        return sample.replace(segmentation=Segmentation.concat([ground, label]))

    return data.map(grounded, classes)


def scored(data: str, truth: Dataset, found: Dataset, least: float | None) -> dict[str, float]:
    """Figures of predictions; of things with the least score given, or the best of several."""
    if data == "camvid":
        figures: Any = score(truth, found, metrics=["iou"], intervals=False)
        return {name: float(figures[name]) for name in ("mIoU", "pixel_accuracy")}
    overlaps = [
        (true.masks.iou(mine.masks), scores_of(mine))
        for true, mine in (
            (things(sample.label()), things(guess.label()))
            for sample, guess in zip(truth, found, strict=True)
        )
    ]
    if least is None:
        least = float(max(LEAST, key=lambda each: share_right(overlaps, OVERLAPS[0], each)))
    shares = {f"AP{overlap}": share_right(overlaps, overlap, least) for overlap in OVERLAPS}
    return {**shares, "least_score": least}


def things(label: Segmentation) -> Segmentation:
    return label[label.is_thing]


def share_right(overlaps: Sequence[tuple[NDArray[Any], NDArray[Any]]], overlap: float, least: float) -> float:
    """Mean over images of TP / (TP + FP + FN), each thing matched with at most one."""
    shares = []
    for iou, sure in overlaps:
        right = iou[:, sure >= least] >= overlap
        hits = int(right[linear_sum_assignment(~right)].sum())
        shares.append(hits / max(1, sum(right.shape) - hits) if sum(right.shape) else 1.0)
    return float(np.mean(shares))


def scores_in(folder: Path) -> dict[str, Any]:
    """What is written of a run that has been scored; empty where it has not."""
    path = folder / SCORES
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def done(folder: Path, chosen: argparse.Namespace) -> bool:
    """Whether a run of this length and seed has been scored on what is asked for."""
    told = scores_in(folder)
    return chosen.part in told and (told["minutes"], told["seed"]) == (chosen.minutes, chosen.seed)


def run_alone(chosen: argparse.Namespace) -> None:
    """Train and score one family in this process."""
    from inlay.training import predict, train

    data, family = chosen.alone
    out = folder_of(chosen.runs, data, family)
    if done(out, chosen):
        return
    whole = prepared(chosen.shared / data, family)
    config = {"training": {"device": chosen.device, "seed": chosen.seed, "augment": VARIED[data]}}
    run = train(whole, family, out, minutes=chosen.minutes, config=config, say=print)
    last = run.log[-1]
    told: dict[str, Any] = {
        "data": data,
        "family": family,
        "minutes": chosen.minutes,
        "steps": last["step"],
        "seed": chosen.seed,
    }
    least = None
    parts = [chosen.part] if data == "camvid" else ["val", "test"][: 1 + (chosen.part == "test")]
    for part in parts:
        truth = whole.split(part)
        told[part] = scored(data, truth, predict(run, truth, device=chosen.device), least)
        least = told[part].get("least_score")
    with staged(out / SCORES) as path:
        path.write_text(json.dumps(told, indent=1) + "\n")
    print(family, data, json.dumps({part: told[part] for part in parts}), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="?", default=RUNS, help="folder for the runs")
    parser.add_argument("--minutes", type=float, default=60.0, help="of each training")
    parser.add_argument("--part", choices=("val", "test"), default="val", help="test: score it as well")
    parser.add_argument("--data", nargs="+", choices=tuple(TASKS), default=list(TASKS))
    parser.add_argument("--only", nargs="+", help="families")
    parser.add_argument("--shared", type=Path, help="folder with the data sets")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    chosen.shared = chosen.shared or bench.generators().parent / "data"
    if chosen.alone:
        run_alone(chosen)
        return 0
    failed = 0
    for data in chosen.data:
        for family in chosen.only or families(data):
            if family in families(data):
                command = [sys.executable, __file__, *sys.argv[1:], "--alone", data, family]
                code = subprocess.run(command, check=False).returncode
                failed += code != 0
                if code:
                    print(f"{family} on {data} failed (exit {code}): the others go on", file=sys.stderr)
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
