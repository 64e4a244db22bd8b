"""COCO files opened, read to the last mask and written: 5 000 images, 35 000 instances.

python benchmarks/coco_files.py --images 500
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from pathlib import Path

import bench

TOOLS = {"inlay": "inlay", "pycocotools": "pycocotools", "hotcoco": "hotcoco", "supervision": "supervision"}
SLOW = ("supervision",)


def with_inlay(source: Path, target: Path) -> dict[str, float]:
    from inlay.core.dataset import Dataset
    from inlay.formats import coco

    times = [time.perf_counter()]
    dataset = coco.read(source)
    times.append(time.perf_counter())
    samples = list(dataset)
    times.append(time.perf_counter())
    coco.write(Dataset.of(samples, dataset.classes), target)
    times.append(time.perf_counter())
    return {name: b - a for name, a, b in zip(("open", "masks", "write"), times, times[1:])}


def with_coco_api(tool: str, source: Path) -> dict[str, float]:
    """Opening, and every annotation turned into run lengths."""
    if tool == "hotcoco":
        from hotcoco import COCO
    else:
        from pycocotools.coco import COCO
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        opened = COCO(str(source))
    done = time.perf_counter()
    to_rle = getattr(opened, "annToRLE", None) or opened.ann_to_rle
    annotations = opened.dataset["annotations"]
    again = time.perf_counter()
    for annotation in annotations:
        to_rle(annotation)
    return {"open": done - started, "masks": time.perf_counter() - again}


def with_supervision(source: Path, target: Path) -> dict[str, float]:
    import numpy as np
    import supervision as sv
    from PIL import Image

    folder = target.parent / "images"
    folder.mkdir(exist_ok=True)
    blank = Image.fromarray(np.zeros((480, 640, 3), np.uint8))
    import json

    for image in json.loads(source.read_text())["images"]:
        blank.save(folder / image["file_name"])
    started = time.perf_counter()
    dataset = sv.DetectionDataset.from_coco(str(folder), str(source), force_masks=True)
    opened = time.perf_counter()
    dataset.as_coco(annotations_path=str(target))
    return {"masks": opened - started, "write": time.perf_counter() - opened}


def run_alone(tool: str, source: str, runs: str) -> None:
    found: dict[str, list[float]] = {}
    for _ in range(int(runs)):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "out.json"
            if tool == "inlay":
                times = with_inlay(Path(source), target)
            elif tool == "supervision":
                times = with_supervision(Path(source), target)
            else:
                times = with_coco_api(tool, Path(source))
        for name, value in times.items():
            found.setdefault(name, []).append(value)
    bench.say(**found)


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--images", type=int, default=5000)
    chosen = parser.parse_args()
    if chosen.alone:
        run_alone(*chosen.alone)
        return 0
    source = bench.workload("coco", "--images", str(chosen.images)) / "gt.json"
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows = []
    for tool, module in TOOLS.items():
        if not bench.installed(module):
            continue
        few = bench.workload("coco", "--images", "300") / "gt.json" if tool in SLOW else source
        found = bench.alone(__file__, tool, str(few), str(1 if tool in SLOW else chosen.runs), cores=every)
        name = f"{tool} (300 images)" if tool in SLOW else tool
        cells = [bench.median(found.get(each)) if found else "failed" for each in ("open", "masks", "write")]
        rows.append([name, *cells, f"{found['peak_mb']} MB" if found else ""])
    words = (
        f"Seconds for a file of {chosen.images} images of 640x480 (`gen_coco.py`), median of {chosen.runs}. "
        f"*Open*: until images and classes are known and one image can be asked for. *Masks*: every "
        f"segmentation turned into run lengths, in Inlay a checked segmentation of each image. *Write*: all, "
        f"from memory."
    )
    bench.report(
        "coco_files", "COCO files", words, ["tool", "open", "masks", "write", "memory"], rows,
        ["pycocotools", "hotcoco", "supervision", "msgspec", "numpy"],
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
