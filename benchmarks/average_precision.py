"""COCO average precision from files to the 12 numbers, on one core and on all.

    python benchmarks/average_precision.py                 # 5 000 images, 35 000 truths, 360 000 predictions
    python benchmarks/average_precision.py --images 300    # a taste

Every tool runs in a process of its own; the 12 numbers of all must be equal.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from pathlib import Path
from typing import Any

import bench

TOOLS = {
    "inlay": "inlay",
    "pycocotools": "pycocotools",
    "faster-coco-eval": "faster_coco_eval",
    "hotcoco": "hotcoco",
    "ultrafast-pycocotools": "ultrafast_pycocotools",
    "vernier": "vernier",
}
TASKS = {
    "mask AP, predictions with boxes": ("dets_both.json", "mask"),
    "mask AP, predictions without boxes": ("dets_segm.json", "mask"),
    "box AP": ("dets_bbox.json", "box"),
    "boundary AP, 200 images": ("dets_both.json", "boundary"),
}
BOUNDARY = ("inlay", "vernier")  # tools that know the boundary AP of Cheng et al., 2021
NEEDS_BOXES = ("vernier",)
SLOW = ("pycocotools", "faster-coco-eval")  # run once with all cores: they use one


def with_inlay(folder: Path, results: str, kind: str) -> tuple[float, float, list[float]]:
    import inlay
    from inlay.metrics import average_precision, coco_figures

    started = time.perf_counter()
    truth = inlay.read(folder / "gt.json", "coco")
    prediction = inlay.read(folder / results, "coco_results", like=truth)
    opened = time.perf_counter()
    figures = coco_figures(truth, prediction, (kind,))  # type: ignore[arg-type]
    names = (*average_precision.TABLES.precisions, *average_precision.TABLES.recalls)
    done = time.perf_counter()
    return done - started, done - opened, [figures[f"{kind}_{name}"] for name in names]


def with_vernier(folder: Path, results: str, kind: str) -> tuple[float, float, list[float]]:
    from vernier.instance import Bbox, Boundary, CocoDataset, Evaluator, Segm

    started = time.perf_counter()
    truth = CocoDataset.from_json((folder / "gt.json").read_bytes())
    prediction = (folder / results).read_bytes()
    opened = time.perf_counter()
    judge = {"mask": Segm, "box": Bbox, "boundary": Boundary}[kind]()
    threads = int(os.environ["RAYON_NUM_THREADS"])
    found = Evaluator(iou=judge, parity_mode="strict").evaluate(truth, prediction, num_threads=threads)
    done = time.perf_counter()
    return done - started, done - opened, [float(value) for value in found.stats]


def peer(tool: str) -> tuple[Any, Any]:
    if tool == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    elif tool == "faster-coco-eval":
        from faster_coco_eval import COCO
        from faster_coco_eval import COCOeval_faster as COCOeval
    elif tool == "hotcoco":
        from hotcoco import COCO, COCOeval
    else:
        from ultrafast_pycocotools.coco import COCO
        from ultrafast_pycocotools.cocoeval import COCOeval
    return COCO, COCOeval


def with_peer(tool: str, folder: Path, results: str, kind: str) -> tuple[float, float, list[float]]:
    COCO, COCOeval = peer(tool)
    with contextlib.redirect_stdout(io.StringIO()):
        started = time.perf_counter()
        truth = COCO(str(folder / "gt.json"))
        load = getattr(truth, "load_res", None) or truth.loadRes
        prediction = load(str(folder / results))
        opened = time.perf_counter()
        evaluation = COCOeval(truth, prediction, {"mask": "segm", "box": "bbox"}[kind])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        done = time.perf_counter()
    return done - started, done - opened, [float(value) for value in evaluation.stats]


def run_alone(tool: str, folder: str, results: str, kind: str, runs: str) -> None:
    devnull = os.open(os.devnull, os.O_WRONLY)
    out = os.dup(1)
    os.dup2(devnull, 1)  # what compiled peers print
    found = []
    for _ in range(int(runs)):
        if tool == "inlay":
            found.append(with_inlay(Path(folder), results, kind))
        elif tool == "vernier":
            found.append(with_vernier(Path(folder), results, kind))
        else:
            found.append(with_peer(tool, Path(folder), results, kind))
    sys.stdout.flush()
    os.dup2(out, 1)
    whole, loaded, numbers = zip(*found)
    bench.say(whole=whole, loaded=loaded, numbers=numbers[-1])


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--quick", action="store_true", help="leave the slow references out")
    chosen = parser.parse_args()
    if chosen.alone:
        run_alone(*chosen.alone)
        return 0
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows, differing = [], []
    for task, (results, kind) in TASKS.items():
        images = 200 if kind == "boundary" else chosen.images
        folder = bench.workload("coco", "--images", str(images))
        reference: list[float] | None = None
        for tool, module in TOOLS.items():
            if not bench.installed(module) or (chosen.quick and tool in SLOW):
                continue
            if (kind == "boundary" and tool not in BOUNDARY) or (
                results == "dets_segm.json" and tool in NEEDS_BOXES
            ):
                continue
            runs = str(1 if tool in SLOW else chosen.runs)
            cells = [task, tool]
            found = None
            for cores in (every,) if tool in SLOW else (1, every):
                found = bench.alone(__file__, tool, str(folder), results, kind, runs, cores=cores)
                cells += [bench.ABSENT] if tool in SLOW else []
                cells += [bench.median(found["whole"]) if found else "failed"]
            cells += [
                bench.median(found["loaded"]) if found else "failed",
                f"{found['peak_mb']} MB" if found else "",
            ]
            rows.append(cells)
            if found and not (tool == "pycocotools" and results == "dets_both.json"):
                reference = reference or found["numbers"]
                if any(abs(a - b) > 1e-12 for a, b in zip(reference, found["numbers"])):
                    differing.append(f"{task}: {tool}")
    words = (
        f"Seconds from JSON files to the 12 numbers: {chosen.images} images of 640x480, made by "
        f"`gen_coco.py`; median of {chosen.runs} (1 for pycocotools and faster-coco-eval, on one core). "
        f"*Loaded*: from opened files on, all cores. Inlay reads masks when they are needed: decoding counts "
        f"there and not in opening.\n\n"
    )
    words += (
        f"The 12 numbers differ: {'; '.join(differing)}." if differing else "The 12 numbers of all are equal."
    )
    words += (
        " (With boxes beside masks pycocotools and its like sort masks by the area of the box, which changes "
        "AP of small, medium and large: Inlay goes by the mask.)"
    )
    bench.report(
        "average_precision", "COCO average precision", words,
        ["task", "tool", "1 core", f"{every} cores", "loaded", "memory"], rows,
        ["pycocotools", "faster-coco-eval", "hotcoco", "ultrafast-pycocotools", "vernier", "numpy"],
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
