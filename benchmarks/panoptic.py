"""Panoptic quality from files: 500 pairs of 640x480 PNG with their JSON, 133 classes.

python benchmarks/panoptic.py --images 100
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bench

TOOLS = {"inlay": "inlay", "hotcoco": "hotcoco", "(unpacking the PNGs alone, zlib)": "zlib"}


def with_inlay(folder: Path) -> float:
    import inlay
    from inlay.metrics import score

    truth = inlay.read(folder / "gt.json", "coco_panoptic")
    prediction = inlay.read(folder / "pred.json", "coco_panoptic", like=truth)
    return float(score(truth, prediction, ["panoptic_quality"], details=False)["PQ"])


def with_hotcoco(folder: Path) -> float:
    from hotcoco.panoptic import PanopticEval

    evaluation = PanopticEval(str(folder / "gt.json"), str(folder / "pred.json"))
    evaluation.run()
    return float(evaluation.results()["All"]["pq"])


def unpacked(file: Path) -> int:
    """Bytes that the data of a PNG unpack to, its rows still filtered."""
    data, at, packed = file.read_bytes(), 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    return len(zlib.decompress(b"".join(packed)))


def with_zlib(folder: Path) -> float:
    """What readers that unpack by zlib need at least."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return float(sum(pool.map(unpacked, folder.rglob("*.png"))))


def run_alone(tool: str, folder: str, runs: str) -> None:
    once = {"inlay": with_inlay, "hotcoco": with_hotcoco}.get(tool, with_zlib)
    found, quality = [], 0.0
    for _ in range(int(runs)):
        started = time.perf_counter()
        quality = once(Path(folder))
        found.append(time.perf_counter() - started)
    bench.say(seconds=found, PQ=quality)


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--images", type=int, default=500)
    chosen = parser.parse_args()
    if chosen.alone:
        run_alone(*chosen.alone)
        return 0
    folder = bench.workload("panoptic", "--images", str(chosen.images))
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows = []
    for tool, module in TOOLS.items():
        if not bench.installed(module):
            continue
        cells = [tool]
        for cores in (1, every):
            found = bench.alone(__file__, tool, str(folder), str(chosen.runs), cores=cores)
            cells.append(bench.median(found["seconds"]) if found else "failed")
        rows.append([*cells, f"{found['PQ']:.6f}" if found and not tool.startswith("(") else ""])
    words = (
        f"Seconds from PNG and JSON files to PQ of {chosen.images} images of 640x480, 133 classes "
        f"(`gen_panoptic.py`); median of {chosen.runs}, without details."
    )
    bench.report(
        "panoptic",
        "Panoptic quality",
        words,
        ["tool", "1 core", f"{every} cores", "PQ"],
        rows,
        ["hotcoco", "numpy"],
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
