"""Memory of a score over very many images: it must not grow with masks and pixels.

python benchmarks/memory.py                    # 1 000, 10 000 and 100 000 images
python benchmarks/memory.py --images 1000 5000
"""

from __future__ import annotations

import time

import numpy as np

import bench

SIZE, SEGMENTS, CLASSES = (480, 640), 6, 19


def run_alone(metric: str, images: str) -> None:
    """Score samples that are made when they are loaded and forgotten after."""
    from inlay import Classes, Dataset, Masks, Sample, Segmentation
    from inlay.metrics import score

    classes = Classes.of(*(f"class {k}" for k in range(CLASSES)))
    rng = np.random.default_rng(0)
    stacks = []
    for _ in range(40):
        ids = np.kron(rng.integers(0, SEGMENTS, (12, 16)), np.ones((40, 40), int))
        stacks.append(Masks.from_ids(ids, SEGMENTS))

    def dataset(shift: int, *, scored: bool) -> Dataset:
        def load(name: str) -> Sample:
            number = int(name)
            masks = stacks[(number + shift * (number % 3 == 0)) % len(stacks)]
            class_id = (np.arange(SEGMENTS) * 7 + number) % CLASSES
            values = (np.arange(SEGMENTS) + number % 11 + 1) / 20 if scored else None
            return Sample(
                name, None, Segmentation(classes, masks, class_id, np.arange(1, SEGMENTS + 1), score=values)
            )

        return Dataset(classes, tuple(map(str, range(int(images)))), load)

    started = time.perf_counter()
    score(dataset(0, scored=False), dataset(1, scored=True), [metric], details=False)
    bench.say(seconds=time.perf_counter() - started)


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--metrics", nargs="+", default=["iou", "panoptic_quality", "average_precision"])
    chosen = parser.parse_args()
    if chosen.alone:
        run_alone(*chosen.alone)
        return 0
    rows = []
    for metric in chosen.metrics:
        for images in chosen.images:
            found = bench.alone(__file__, metric, str(images), cores=1)
            cells = [f"{found['seconds']:.1f}", f"{found['peak_mb']} MB"] if found else ["failed", ""]
            rows.append([metric, str(images), *cells])
            print("  ".join(rows[-1]))
    dense = 100_000 * SEGMENTS * SIZE[0] * SIZE[1] / 1e9
    words = (
        f"Most memory a process ever held while `score` went over images of {SIZE[1]}x{SIZE[0]} pixels with "
        f"{SEGMENTS} segments each, loaded one by one, without details. Pixel and panoptic counts are "
        f"merged as they come; names stay, and of average precision the verdict on each prediction, "
        f"which has to be ranked among all: some 50 bytes. All dense masks of 100 000 images would be "
        f"{dense:.0f} GB."
    )
    bench.report(
        "memory", "Memory of a score", words, ["metric", "images", "seconds", "peak memory"], rows, ["numpy"]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
