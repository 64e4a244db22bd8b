"""Memory and time of prediction: thousands of things in one image, and images of a hundred megapixels.

python benchmarks/large_images.py                    # decoding 5 000 things at 12 MP; 100 MP in tiles
python benchmarks/large_images.py --megapixels 25
"""

from __future__ import annotations

import time

import numpy as np

import bench

DECODED = ("decode", "5 000 things at 12 MP, decoding alone")


def decode_alone() -> None:
    """Decode raw output that claims 5 000 discs in an image of 4000x3000 pixels."""
    from inlay.core.classes import Classes
    from inlay.models.decode.grids import Grid, things_of_grids

    height, width, stride, cell = 3000, 4000, 2, 8
    rng = np.random.default_rng(0)
    painted = rng.random((24, height // stride, width // stride), np.float32)
    logits = np.full((1, height // cell, width // cell), -9, np.float32)
    kernels = np.zeros((28, *logits.shape[1:]), np.float32)
    places = [(y, x) for y in range(2, logits.shape[1] - 2, 5) for x in range(2, logits.shape[2] - 2, 5)]
    for y, x in rng.permutation(places)[:5000]:
        logits[0, y, x] = rng.uniform(1, 4)
        kernels[24, y, x], kernels[27, y, x] = 1.0, 6.0  # a disc: bias less distance squared
    grid = Grid(logits, kernels, cell, 40.0)
    before = time.perf_counter()
    found = things_of_grids(
        painted,
        [grid],
        (height, width),
        Classes.of("disc"),
        stride=stride,
        minimum_score=0.05,
        candidates=6000,
        partition=False,
    )
    raw = sum(each.nbytes for each in (painted, logits, kernels)) / 1e6
    bench.say(seconds=time.perf_counter() - before, found=len(found), raw_mb=round(raw))


def predict_alone(model: str, megapixels: str, tile: str) -> None:
    """Segment one image of so many megapixels with fresh weights: they cost what trained ones cost."""
    import torch

    from inlay.core.classes import Classes, SegmentClass
    from inlay.training.config import default_config
    from inlay.training.segmenting import Looking, Segmenter

    classes = Classes(tuple(SegmentClass(f"class {k}", "thing") for k in range(11)))
    side = int((float(megapixels) * 1e6) ** 0.5)
    coarse = np.random.default_rng(0).integers(0, 255, (side // 16 + 1, side // 16 + 1, 3), np.uint8)
    image = coarse.repeat(16, 0).repeat(16, 1)[:side, :side]
    config = default_config(model)
    module = __import__(f"inlay.models.{model}", fromlist=["build"])
    family = module.Config(**({"mask_stride": 4, "cells": (8, 16, 32)} if model == "solov2" else {}))
    network = module.build(family, classes).eval().to(memory_format=torch.channels_last)
    before = time.perf_counter()
    found = Segmenter(network, torch.device("cpu"), "float32").images([image], Looking(tile=int(tile)))
    bench.say(seconds=time.perf_counter() - before, found=len(found[0]), model=config.model)


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--megapixels", type=float, default=100)
    parser.add_argument("--tile", type=int, default=1024)
    parser.add_argument("--models", nargs="+", default=["unet", "solov2"])
    chosen = parser.parse_args()
    if chosen.alone:
        kind, *rest = chosen.alone
        decode_alone() if kind == "decode" else predict_alone(*rest)
        return 0
    rows = []
    work = [DECODED] + [
        (f"{model}, {chosen.megapixels:g} MP in tiles of {chosen.tile}", model) for model in chosen.models
    ]
    for place, (first, second) in enumerate(work):
        arguments = (
            ("decode",) if place == 0 else ("predict", second, str(chosen.megapixels), str(chosen.tile))
        )
        found = bench.alone(__file__, *arguments, cores=2)
        cells = (
            [f"{found['seconds']:.1f}", f"{found['peak_mb']} MB", str(found["found"])]
            if found
            else ["failed"]
        )
        rows.append([second if place == 0 else first, *cells, *[""] * (3 - len(cells))])
        print("  ".join(rows[-1]))
    words = (
        "Most memory a process ever held, imports and the image included. Predictions are run lengths, "
        "tiles are looked at one after another, so memory follows the tile, not the image or its segments."
    )
    bench.report(
        "large_images", "Large images", words, ["work", "seconds", "peak memory", "segments"], rows, ["torch"]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
