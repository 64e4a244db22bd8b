"""Confusion of label maps in memory: 500 pairs of 2048x1024 pixels, 19 classes, part of them ignored.

    python benchmarks/confusion.py --pairs 100

The tables of all tools must be equal.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import bench

CLASSES = 19
TOOLS = {
    "inlay": "inlay",
    "(reading the maps alone)": "numpy",
    "hotcoco": "hotcoco",
    "numpy (cityscapesScripts' way)": "numpy",
    "torchmetrics": "torchmetrics",
    "scikit-learn": "sklearn",
}
SLOW = ("torchmetrics", "scikit-learn", "numpy (cityscapesScripts' way)")


def counter(tool: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """(K, K) table of two stacks of maps."""
    if tool == "inlay":
        from inlay.core.coverage import confusion

        return lambda truths, predictions: sum(confusion(a, b, CLASSES) for a, b in zip(truths, predictions))[
            :, :-1
        ]
    if tool == "(reading the maps alone)":  # a floor: each map gone through once
        return read_alone
    if tool == "hotcoco":
        from hotcoco.semantic import SemanticEval

        def hot(truths: np.ndarray, predictions: np.ndarray) -> np.ndarray:
            evaluation = SemanticEval(CLASSES)
            for a, b in zip(truths, predictions):
                evaluation.update(a, b)
            return np.asarray(
                evaluation.confusion() if callable(evaluation.confusion) else evaluation.confusion
            )

        return hot
    if tool == "torchmetrics":
        import torch
        from torchmetrics.functional.classification import multiclass_confusion_matrix

        def torched(truths: np.ndarray, predictions: np.ndarray) -> np.ndarray:
            return sum(
                multiclass_confusion_matrix(
                    torch.from_numpy(b), torch.from_numpy(a), CLASSES, ignore_index=255, validate_args=False
                ).numpy()
                for a, b in zip(truths, predictions)
            )

        return torched
    if tool == "scikit-learn":
        from sklearn.metrics import confusion_matrix

        def sklearned(truths: np.ndarray, predictions: np.ndarray) -> np.ndarray:
            pairs = ((a[a != 255], b[a != 255]) for a, b in zip(truths, predictions))
            return sum(confusion_matrix(a, b, labels=range(CLASSES)) for a, b in pairs)

        return sklearned

    def plain(truths: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        table = np.zeros(256 * CLASSES, np.int64)
        for a, b in zip(truths, predictions):
            table += np.bincount(a.ravel().astype(np.int64) * CLASSES + b.ravel(), minlength=len(table))
        return table.reshape(-1, CLASSES)[:CLASSES]

    return plain


def read_alone(truths: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Each map gone through once, in as many threads as there are cores."""
    maps = [each.reshape(-1).view(np.uint64) for pair in zip(truths, predictions) for each in pair]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(np.max, maps))
    return np.empty(0)


def run_alone(tool: str, folder: str, pairs: str, runs: str) -> None:
    bench.generators()
    import gen_semantic

    truths, predictions = gen_semantic.load(int(pairs), folder)
    count = counter(tool)
    table = count(truths[:2], predictions[:2])
    found = bench.seconds(lambda: count(truths, predictions), int(runs))
    bench.say(seconds=found, table=np.asarray(table).tolist())


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="leave the slow references out")
    chosen = parser.parse_args()
    if chosen.alone:
        run_alone(*chosen.alone)
        return 0
    folder = bench.workload("semantic")
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows, tables = [], {}
    for tool, module in TOOLS.items():
        if not bench.installed(module) or (chosen.quick and tool in SLOW):
            continue
        pairs, runs = (chosen.pairs // 10, 1) if tool in SLOW else (chosen.pairs, chosen.runs)
        cells = [tool]
        for cores in (1, every):
            found = bench.alone(__file__, tool, str(folder), str(pairs), str(runs), cores=cores)
            scaled = [each * chosen.pairs / pairs for each in found["seconds"]] if found else None
            cells.append(bench.median(scaled))
            if found and found["table"]:
                tables[tool] = found["table"]
        rows.append(cells)
    equal = all(table == tables["inlay"] for table in tables.values())
    words = (
        f"Seconds for {chosen.pairs} pairs of 2048x1024 8-bit maps in memory, {CLASSES} classes "
        f"(`gen_semantic.py`); median of {chosen.runs}; slow tools ran once over a tenth of the pairs. "
        f"{'The tables of all are equal.' if equal else 'The tables differ.'}"
    )
    bench.report(
        "confusion", "Confusion of label maps", words, ["tool", "1 core", f"{every} cores"], rows,
        ["hotcoco", "torchmetrics", "scikit-learn", "numpy"],
    )  # fmt: skip
    return 0 if equal else 1


if __name__ == "__main__":
    raise SystemExit(main())
