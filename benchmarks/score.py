"""COCO AP of masks and boxes: Inlay beside pycocotools, from JSON files to the 24 numbers, in one run.

    python benchmarks/score.py                  # 300 made-up images
    python benchmarks/score.py --images 5000    # the size of COCO's validation set (needs 3 GB and minutes)
    python benchmarks/score.py --data DIR       # gt.json and dets_segm.json of your own

Prints medians of the runs, and fails where a number differs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import inlay
from inlay import Masks
from inlay.metrics import average_precision, score

HEIGHT, WIDTH, CLASSES = 480, 640, 80
NAMES = (*average_precision.PRECISIONS, *average_precision.RECALL_OF)
Blob = tuple[float, float, float, float]  # centre and radii


def make(folder: Path, images: int, detections: int, seed: int = 0) -> None:
    """Ellipses of COCO's sizes as polygons; jittered, doubled and invented ones as run lengths."""
    rng = np.random.default_rng(seed)
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image in range(1, images + 1):
        classes = rng.integers(1, CLASSES + 1, 3)
        truths = [(random_blob(rng), int(rng.choice(classes))) for _ in range(min(60, rng.geometric(0.12)))]
        annotations += [
            annotation(blob, class_id, image, len(annotations) + i)
            for i, (blob, class_id) in enumerate(truths, 1)
        ]
        found = [
            (jittered(rng, truths[rng.integers(len(truths))][0]), int(rng.choice(classes)))
            if rng.random() < 0.6
            else (random_blob(rng), int(rng.integers(1, CLASSES + 1)))
            for _ in range(min(100, rng.poisson(detections)))
        ]
        strings = Masks.from_runs([runs(blob) for blob, _ in found], (HEIGHT, WIDTH)).to_strings()
        results += [
            {
                "image_id": image,
                "category_id": class_id,
                "segmentation": {"size": [HEIGHT, WIDTH], "counts": text.decode()},
                "score": round(float(rng.beta(1, 2)), 5),
            }
            for (_, class_id), text in zip(found, strings)
        ]
    truth = {
        "images": [
            {"id": i, "height": HEIGHT, "width": WIDTH, "file_name": f"{i:012d}.jpg"}
            for i in range(1, images + 1)
        ],
        "categories": [{"id": i, "name": f"class {i}"} for i in range(1, CLASSES + 1)],
        "annotations": annotations,
    }
    (folder / "gt.json").write_text(json.dumps(truth))
    (folder / "dets_segm.json").write_text(json.dumps(results))


def random_blob(rng: np.random.Generator) -> Blob:
    area = np.exp(rng.uniform(np.log(60), np.log(60_000)))
    ratio = np.exp(rng.normal(0, 0.4))
    radius = float(np.sqrt(area / np.pi))
    return (
        float(rng.uniform(10, WIDTH - 10)),
        float(rng.uniform(10, HEIGHT - 10)),
        radius * ratio,
        radius / ratio,
    )


def jittered(rng: np.random.Generator, blob: Blob) -> Blob:
    x, y, a, b = blob
    dx, dy, da, db = rng.normal(0, 0.12, 4)
    return x + a * dx, y + b * dy, a * np.exp(da), b * np.exp(db)


def annotation(blob: Blob, class_id: int, image: int, number: int) -> dict[str, Any]:
    x, y, a, b = blob
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack(
        [(x + a * np.cos(turn)).clip(0, WIDTH), (y + b * np.sin(turn)).clip(0, HEIGHT)], axis=1
    ).round(2)
    low, high = ring.min(axis=0), ring.max(axis=0)
    side = (high - low).round(2)
    return {
        "id": number,
        "image_id": image,
        "category_id": class_id,
        "iscrowd": 0,
        "segmentation": [ring.ravel().tolist()],
        "area": round(float(np.pi * a * b), 2),
        "bbox": [*low.tolist(), *side.tolist()],
    }


def runs(blob: Blob) -> np.ndarray:
    """Run lengths of an ellipse, column by column; of one pixel where it lies outside the image."""
    x, y, a, b = blob
    column = np.arange(max(0, int(x - a)), min(WIDTH, int(x + a) + 1))
    half = b * np.sqrt(np.clip(1 - ((column + 0.5 - x) / a) ** 2, 0, None))
    start = np.clip(np.rint(y - half), 0, HEIGHT).astype(int)
    stop = np.clip(np.rint(y + half), 0, HEIGHT).astype(int)
    ends = np.stack([column * HEIGHT + start, column * HEIGHT + stop], axis=1)[stop > start].ravel()
    ends = ends if ends.size else np.array([0, 1])
    return np.diff(np.concatenate([[0], ends, [HEIGHT * WIDTH]]))


def with_inlay(folder: Path, times: dict[str, list[float]]) -> dict[str, float]:
    started = time.perf_counter()
    truth = inlay.read(folder / "gt.json", "coco")
    prediction = inlay.read(folder / "dets_segm.json", "coco_results", like=truth)
    opened = time.perf_counter()
    result = score(truth, prediction, ["average_precision"], intervals=False)
    times["Inlay: open both files"].append(opened - started)
    times["Inlay: decode, match, 24 numbers"].append(time.perf_counter() - opened)
    times["Inlay: masks and boxes"].append(time.perf_counter() - started)
    return {name: result[name] for kind in ("mask", "box") for name in (f"{kind}_{each}" for each in NAMES)}


def with_pycocotools(folder: Path, times: dict[str, list[float]]) -> dict[str, float]:
    figures = {}
    both = time.perf_counter()
    for kind, prefix in (("segm", "mask"), ("bbox", "box")):
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(str(folder / "gt.json"))
            evaluation = COCOeval(truth, truth.loadRes(str(folder / "dets_segm.json")), kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        times[f"pycocotools: {prefix} alone"].append(time.perf_counter() - started)
        figures |= {f"{prefix}_{name}": float(value) for name, value in zip(NAMES, evaluation.stats)}
    times["pycocotools: masks and boxes"].append(time.perf_counter() - both)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--detections", type=int, default=72, help="mean number in an image")
    parser.add_argument("--data", type=Path, help="folder with gt.json and dets_segm.json")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    tools: tuple[Callable[[Path, dict[str, list[float]]], dict[str, float]], ...] = (
        with_inlay,
        with_pycocotools,
    )
    times: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as made:
        folder = options.data or Path(made)
        if options.data is None:
            make(folder, options.images, options.detections)
        for _ in range(options.runs):
            ours, theirs = (tool(folder, times) for tool in tools)
    for name, seconds in times.items():
        print(f"{name:34s} {statistics.median(seconds):8.3f} s   ({min(seconds):.3f} .. {max(seconds):.3f})")
    pairs = zip(times["pycocotools: masks and boxes"], times["Inlay: masks and boxes"])
    print(f"{'ratio, masks and boxes':34s} {statistics.median(a / b for a, b in pairs):8.1f} x")
    pairs = zip(times["pycocotools: mask alone"], times["Inlay: masks and boxes"])
    print(f"{'ratio to its masks alone':34s} {statistics.median(a / b for a, b in pairs):8.1f} x")
    differing = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
    print("all 24 numbers are equal" if not differing else f"numbers that differ: {differing}")
    return bool(differing)


if __name__ == "__main__":
    raise SystemExit(main())
