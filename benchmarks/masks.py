"""Operations on masks: microseconds each, Inlay beside pycocotools, hotcoco, rlemasklib and OpenCV.

    python benchmarks/masks.py              # 1 000 masks of 640x480

One thread. Batches where a tool has them; decoding is into memory that is there, for
page faults would otherwise be most of it.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import bench

H, W, BATCH = 480, 640, 50
Operation = tuple[Callable[[], Any], int]  # what is run, and how many masks (or pairs) it does


def of_inlay(masks: Any, stack: np.ndarray, rings: list[np.ndarray]) -> dict[str, Operation]:
    from inlay.core import kernels
    from inlay.core.morphology import boundary_band
    from inlay.core.polygons import fill, from_parts

    n = len(masks)
    a, b = masks[:200], masks[200:400]
    rows = np.ascontiguousarray(stack[:BATCH])
    columns = masks[:BATCH].decode()
    out = np.empty((BATCH, W, H), np.uint8)
    tens = np.arange(n) // 10
    first, strings = masks[:BATCH], masks.to_strings()
    polygons = from_parts([[ring.ravel().tolist()] for ring in rings])
    kind = type(masks)
    a.box(), b.box()
    return {
        "encode, column-major": (lambda: kind.encode(columns), BATCH),
        "encode, row-major": (lambda: kind.encode(rows), BATCH),
        "decode": (lambda: first.decode(out=out), BATCH),
        "union of 10, per mask": (lambda: masks.merge(tens, n // 10), n),
        "IoU per pair, 200 x 200": (lambda: a.iou(b), 40_000),
        "area": (lambda: kernels.area(masks.counts, masks.offsets), n),
        "box": (lambda: kernels.box(masks.counts, masks.offsets, H), n),
        "polygon to mask": (lambda: fill(polygons, (H, W)), len(rings)),
        "components": (lambda: masks.parts(), n),
        "boundary band, 16 px": (lambda: boundary_band(masks, 16, threads=1), n),
        "string to mask": (lambda: kind.from_strings(strings, (H, W)), n),
    }


def of_pycocotools(
    module: Any, strings: list[bytes], stack: np.ndarray, rings: list[np.ndarray]
) -> dict[str, Operation]:
    rles = [{"size": [H, W], "counts": text} for text in strings]
    n = len(rles)
    columns = np.asfortranarray(stack[:BATCH].transpose(1, 2, 0)).astype(np.uint8)
    rows = [np.ascontiguousarray(mask).astype(np.uint8) for mask in stack[:BATCH]]
    flat = [[ring.ravel().tolist()] for ring in rings]
    to_box = getattr(module, "toBbox", None)

    def polygons() -> None:
        for each in flat:
            module.frPyObjects(each, H, W)

    return {
        "encode, column-major": (lambda: module.encode(columns), BATCH),
        "encode, row-major": (lambda: [module.encode(np.asfortranarray(row)) for row in rows], BATCH),
        "decode": (lambda: module.decode(rles[:BATCH]), BATCH),
        "union of 10, per mask": (lambda: [module.merge(rles[i : i + 10]) for i in range(0, n, 10)], n),
        "IoU per pair, 200 x 200": (lambda: module.iou(rles[:200], rles[200:400], [0] * 200), 40_000),
        "area": (lambda: [module.area(rles[i : i + 200]) for i in range(0, n, 200)], n),
        "box": (lambda: [to_box(rles[i : i + 200]) for i in range(0, n, 200)], n),
        "polygon to mask": (polygons, len(rings)),
    }


def of_rlemasklib(masks: Any, stack: np.ndarray, rings: list[np.ndarray]) -> dict[str, Operation]:
    from rlemasklib import RLEMask

    runs = [RLEMask.from_counts(counts, (H, W)) for counts in masks.to_runs()]
    n = len(runs)
    columns = [np.asfortranarray(mask).astype(np.uint8) for mask in stack[:BATCH]]
    rows = [np.ascontiguousarray(mask).astype(np.uint8) for mask in stack[:BATCH]]
    out = np.empty((H, W), np.uint8, order="F")
    return {
        "encode, column-major": (lambda: [RLEMask.from_array(each) for each in columns], BATCH),
        "encode, row-major": (lambda: [RLEMask.from_array(each) for each in rows], BATCH),
        "decode": (lambda: [each.decode_into(out, 1, 0) for each in runs[:BATCH]], BATCH),
        "union of 10, per mask": (lambda: [RLEMask.union(runs[i : i + 10]) for i in range(0, n, 10)], n),
        "IoU per pair, 200 x 200": (lambda: RLEMask.iou_matrix(runs[:200], runs[200:400]), 40_000),
        "area": (lambda: [each.area() for each in runs], n),
        "box": (lambda: [each.bbox() for each in runs], n),
        "polygon to mask": (lambda: [RLEMask.from_polygon(ring, (H, W)) for ring in rings], len(rings)),
        "components": (lambda: [each.connected_components() for each in runs], n),
        "boundary band, 16 px": (
            lambda: [each - each.erode(kernel_shape="square", kernel_size=33) for each in runs],
            n,
        ),
    }


def of_opencv(stack: np.ndarray) -> dict[str, Operation]:
    import cv2

    cv2.setNumThreads(1)
    few = [np.ascontiguousarray(mask).astype(np.uint8) for mask in stack[:BATCH]]
    kernel = np.ones((3, 3), np.uint8)

    def band() -> None:
        for mask in few:
            framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
            mask - cv2.erode(framed, kernel, iterations=16)[1:-1, 1:-1]

    return {
        "components": (lambda: [cv2.connectedComponents(mask) for mask in few], BATCH),
        "boundary band, 16 px": (band, BATCH),
    }


def microseconds(operations: dict[str, Operation], runs: int) -> dict[str, float]:
    """Median of each tool. The tools take turns, so that other work on the machine slows all of them."""
    repeats: dict[str, int] = {}
    for tool, (function, _) in operations.items():
        try:
            function()
        except Exception as error:  # a peer that has no such operation in this version
            print(f"  {tool}: {type(error).__name__}: {error}")
            continue
        repeats[tool] = max(1, int(0.03 / max(bench.seconds(function, 1)[0], 1e-7)))
    found: dict[str, list[float]] = {tool: [] for tool in repeats}
    for _ in range(runs):
        for tool, repeat in repeats.items():
            function, count = operations[tool]
            started = time.perf_counter()
            for _ in range(repeat):
                function()
            found[tool].append((time.perf_counter() - started) / repeat / count * 1e6)
    return {tool: statistics.median(each) for tool, each in found.items()}


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--masks", type=int, default=1000)
    parser.set_defaults(runs=9)
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    bench.generators()
    import gen_masks

    from inlay import Masks

    counts, offsets, _ = gen_masks.rles(chosen.masks, H, W, 1)
    masks = Masks(np.asarray(counts, np.uint32), np.asarray(offsets, np.int64), (H, W))
    stack = np.ascontiguousarray(masks[:BATCH].decode())
    rings = gen_masks.polygons(chosen.masks, H, W, 1)
    tools = {"Inlay": of_inlay(masks, stack, rings)}
    if bench.installed("pycocotools"):
        import pycocotools.mask

        tools["pycocotools"] = of_pycocotools(pycocotools.mask, masks.to_strings(), stack, rings)
    if bench.installed("hotcoco"):
        import hotcoco.mask

        tools["hotcoco"] = of_pycocotools(hotcoco.mask, masks.to_strings(), stack, rings)
    if bench.installed("rlemasklib"):
        tools["rlemasklib"] = of_rlemasklib(masks, stack, rings)
    if bench.installed("cv2"):
        tools["OpenCV on bitmaps"] = of_opencv(stack)
    rows = []
    for name in tools["Inlay"]:
        found = microseconds({tool: each[name] for tool, each in tools.items() if name in each}, chosen.runs)
        cells = [
            f"{found[tool]:.{3 if found[tool] < 10 else 0}f}" if tool in found else bench.ABSENT
            for tool in tools
        ]
        row = [name, *cells]
        rows.append(row)
        print("  ".join(row))
    words = (
        f"Microseconds for one mask, one thread, median of {chosen.runs}: {chosen.masks} smooth masks of "
        f"{W}x{H} pixels (`gen_masks.py`), {masks.counts.size // len(masks)} runs and "
        f"{int(masks.area().mean())} pixels each in the mean."
    )
    peers = ["pycocotools", "hotcoco", "RLEMaskLib", "opencv-python-headless", "numpy"]
    bench.report("masks", "Operations on masks", words, ["operation", *tools], rows, peers)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
