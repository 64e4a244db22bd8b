"""Click to segment by the protocol of RITM: clicks until a mask is good, and how good it is after few.

    python benchmarks/click.py --data ../shared/data

A simulated user clicks into the middle of the largest error, up to 20 times; an ignore band does not count.
NoC@85 is the mean number of clicks to an IoU of 0.85 (20 where it is never reached: a failure). Nothing was
tuned on GrabCut or on the validation parts. Times are milliseconds from a call to its answer, on a machine
that does nothing else.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from click_objects import Thing, camvid, davis, grabcut, next_click, nuclei, take
from inlay.click import Engine, load

CLICKS = 20


def play(engine: Engine, thing: Thing, lot: np.random.Generator | None) -> tuple[list[float], list[float]]:
    """IoU after each click, and the seconds each took."""
    state = engine.embed(thing.image)
    mask, points, ious, seconds = np.zeros_like(thing.truth), [], [], []
    for _ in range(CLICKS):
        click = next_click(thing, mask, lot)
        if click is not None:
            points.append(click)
            begun = time.perf_counter()
            mask = state.mask(points)[0].mask
            seconds.append(time.perf_counter() - begun)
        ious.append(thing.iou(mask))
        if len(ious) >= 5 and ious[-1] >= 0.9:
            break
    return ious + ious[-1:] * (CLICKS - len(ious)), seconds


def row(name: str, engine: Engine, things: Sequence[Thing], *, noisy: bool) -> str:
    """A line of the table."""
    lot = np.random.default_rng(0) if noisy else None
    played = [play(engine, thing, lot) for thing in things]
    ious = np.array([each for each, _ in played])
    milliseconds = 1e3 * np.concatenate([seconds for _, seconds in played])
    cells = [f"{ious[:, k - 1].mean():.2f}" for k in (1, 3, 5)]
    for least in (0.85, 0.9):
        hit = ious >= least
        cells.append(f"{np.where(hit.any(1), hit.argmax(1) + 1, CLICKS).mean():.2f}")
    cells.append(f"{int((ious.max(1) < 0.85).sum())} of {len(things)}")
    cells += [f"{np.quantile(milliseconds, q):.0f}" for q in (0.5, 0.95)]
    return f"| {name} | {'noisy' if noisy else 'oracle'} | " + " | ".join(cells) + " |"


def large(engine: Engine, megapixels: int) -> str:
    """Times on an image of many pixels, with things of several sizes."""
    side = round((megapixels * 1e6 / 0.75) ** 0.5)
    height, width = round(side * 0.75), side
    lot = np.random.default_rng(0)
    small = lot.integers(0, 255, (height // 64 + 1, width // 64 + 1, 3), np.uint8)
    image = small.repeat(64, 0).repeat(64, 1)[:height, :width].copy()
    y, x = np.ogrid[:height, :width]
    prompts = []
    for share in (0.004, 0.02, 0.1, 0.3):
        radius = int(share * width)
        cx, cy = (int(v) for v in lot.integers(radius, [width - radius, max(height - radius, radius + 1)]))
        image[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = (230, 140, 40)
        points = [(cx, cy, True), (cx + 0.8 * radius, cy, True), (cx, min(cy + 1.2 * radius, height), False)]
        prompts += [points[:count] for count in (1, 2, 3)]
    begun = time.perf_counter()
    state = engine.embed(image)
    embedded = time.perf_counter() - begun
    seconds = []
    for points in prompts:
        begun = time.perf_counter()
        _ = state.mask(points)[0].mask
        seconds.append(1e3 * (time.perf_counter() - begun))
    return (
        f"{width}x{height} pixels ({megapixels} MP): embedded in {embedded:.2f} s; click to mask "
        f"{np.median(seconds):.0f} ms at the median, {max(seconds):.0f} ms at most (of {len(seconds)})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--engine", default="classical", help="name, or file of weights")
    parser.add_argument("--count", type=int, default=60, help="objects of each set but GrabCut, which has 50")
    parser.add_argument("--megapixels", type=int, default=50)
    options = parser.parse_args()
    engine = load(options.engine)
    sets = {
        "GrabCut": take(grabcut(options.data), 50),
        "CamVid val, cars and pedestrians": take(camvid(options.data, "val"), options.count),
        "nuclei val": take(nuclei(options.data, "val"), options.count),
        "DAVIS, held-out sequences": take(davis(options.data, "val"), options.count),
    }
    print("| objects | clicker | IoU@1 | IoU@3 | IoU@5 | NoC@85 | NoC@90 | failures | p50 | p95 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for (name, things), noisy in itertools.product(sets.items(), (False, True)):
        print(row(name, engine, things, noisy=noisy), flush=True)
    print(f"\n{large(engine, options.megapixels)}")


if __name__ == "__main__":
    main()
