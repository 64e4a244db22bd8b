"""Tunes the coefficients of the classical click engine, on training images alone.

    python benchmarks/tune_click.py --data ../shared/data --out src/inlay/click/parts/classical.npz

Clicks are simulated with the coefficients so far; small networks then learn from the cells and shapes seen on
the way, and the next round clicks with them.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from click_objects import Thing, camvid, coco, davis, drawn, next_click, noisy, nuclei, take
from inlay.click.classical import Classical
from inlay.click.parts.features import Look
from inlay.click.parts.layers import Layers, read_layers, write_layers
from inlay.click.parts.pyramid import resampled
from inlay.click.parts.shape import Shape

KINDS = ("first", "next", "box")
CELLS = 250  # learnt from in each window
CLICKS = 7


class Teacher:
    """Collects what the engine looks at, with the truth beside it."""

    def __init__(self, seed: int) -> None:
        self.lot = np.random.default_rng(seed)
        self.inputs: dict[str, list[NDArray]] = defaultdict(list)
        self.truths: dict[str, list[NDArray]] = defaultdict(list)
        self.ious: list[float] = []

    def cells(self, kind: str, seen: Look) -> None:
        x0, y0, x1, y1 = seen.window
        truth, ignored = (
            resampled(mask[y0:y1, x0:x1].astype(np.uint8) * 255, seen.size)
            for mask in (self.thing.truth, self.thing.ignored)
        )
        places = np.flatnonzero(ignored < 64)
        places = self.lot.choice(places, CELLS) if len(places) else places
        if (
            self.thing.truth[y0:y1, x0:x1].sum() < 0.3 * self.thing.truth.sum()
            or not truth.flat[places].any()
        ):
            return  # a window of a hopeless scale teaches nothing
        self.inputs[kind].append(seen.columns.reshape(-1, seen.columns.shape[-1])[places])
        self.truths[kind].append(truth.flat[places] / np.float32(255))

    def shapes(self, kind: str, shapes: Sequence[Shape], rows: NDArray) -> None:
        self.ious = [self.thing.iou(_whole(shape, self.thing.truth.shape)) for shape in shapes]
        self.inputs[f"{kind}_score"].append(rows)
        self.truths[f"{kind}_score"].append(np.array(self.ious, np.float32))


def _whole(shape: Shape, size: tuple[int, ...]) -> NDArray:
    x0, y0, x1, y1 = shape.window
    whole = np.zeros(size, bool)
    whole[y0:y1, x0:x1] = shape.mask()
    return whole


def play(thing: Thing, engine: Classical, teacher: Teacher, clicks: int, *, noisy: bool) -> list[float]:
    """IoU after each click; the last entry is the best of the first click's candidates."""
    teacher.thing = thing
    state = engine.embed(thing.image)
    mask, points, row, best = np.zeros_like(thing.truth), [], [], 0.0
    for number in range(clicks):
        click = next_click(thing, mask, teacher.lot if noisy else None)
        if click is not None:
            points.append(click)
            mask = state.mask(points)[0].mask
        if number == 0:
            best = max(teacher.ious)
        row.append(thing.iou(mask))
    return [*row, best]


def box_of(thing: Thing, lot: np.random.Generator) -> tuple[float, float, float, float]:
    """The box of a segment, drawn by an unsteady hand."""
    rows, columns = np.flatnonzero(thing.truth.any(1)), np.flatnonzero(thing.truth.any(0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    side = np.array([box[2] - box[0], box[3] - box[1]])
    jitter = lot.normal(0, 0.04, 4) * np.tile(side, 2)
    x0, y0, x1, y1 = box + np.clip(jitter, -0.1 * np.tile(side, 2), 0.1 * np.tile(side, 2))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def start(features: int, qualities: int) -> dict[str, Layers]:
    """Coefficients by hand, to begin with: paths, colours, the mask before."""
    weight = np.zeros((features, 1), np.float32)
    weight[[2, 6], 0] = 1.0, 0.5
    later = weight.copy()
    later[[16, 1], 0] = 0.8, 0.5
    bias = [np.array([-0.2], np.float32)]
    found = {"first": Layers([weight], bias), "box": Layers([weight], bias), "next": Layers([later], bias)}
    for kind, more in (("first", 4), ("next", 0), ("box", 0)):
        score = np.zeros((qualities + more, 1), np.float32)
        score[[2, 3], 0] = -2.0, 0.2
        if more:
            score[qualities : qualities + 2, 0] = 1.0
        found[f"{kind}_score"] = Layers([score], [np.zeros(1, np.float32)])
    return found


def learn_cells(teachers: Sequence[Teacher], kind: str) -> Layers:
    """Layers whose masks overlap the truth: Dice of the cells of each window, and a little cross entropy."""
    inputs, truths = (
        torch.from_numpy(np.stack(gathered(teachers, name, kind))) for name in ("inputs", "truths")
    )

    def loss(raw: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        share = raw.sigmoid()
        dice = 1 - (2 * (share * truth).sum(1) + 1) / (share.sum(1) + truth.sum(1) + 1)
        return dice.mean() + 0.3 * functional.binary_cross_entropy_with_logits(raw, truth)

    return learn(inputs.float(), truths, (32, 16), loss, batch=32, epochs=40)


def learn_scores(teachers: Sequence[Teacher], kind: str) -> Layers:
    """Layers that predict the IoU of a shape from its qualities."""
    inputs, truths = (
        torch.from_numpy(np.concatenate(gathered(teachers, name, f"{kind}_score")))
        for name in ("inputs", "truths")
    )
    return learn(
        inputs.float(), truths, (24,), functional.binary_cross_entropy_with_logits, batch=256, epochs=40
    )


def gathered(teachers: Sequence[Teacher], name: str, kind: str) -> list[NDArray]:
    return [each for teacher in teachers for each in getattr(teacher, name)[kind]]


def learn(
    inputs: torch.Tensor,
    truths: torch.Tensor,
    hidden: Sequence[int],
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    batch: int,
    epochs: int,
) -> Layers:
    """Layers fitted to inputs (N, ..., F) and truths (N, ...)."""
    columns = inputs.flatten(0, -2)
    mean, spread = columns.mean(0), columns.std(0)
    spread = torch.where(spread < 1e-4, torch.ones(()), spread)
    linear = [torch.nn.Linear(a, b) for a, b in itertools.pairwise([inputs.shape[-1], *hidden, 1])]
    network = torch.nn.Sequential(*[m for each in linear for m in (each, torch.nn.ReLU())][:-1])
    optimiser = torch.optim.AdamW(network.parameters(), 4e-3, weight_decay=0.02)
    steps = epochs * -(-len(inputs) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for places in torch.randperm(len(inputs)).split(batch):
            optimiser.zero_grad()
            loss(network((inputs[places] - mean) / spread)[..., 0], truths[places]).backward()
            optimiser.step()
            schedule.step()
    matrices = [each.weight.detach().T.numpy().copy() for each in linear]
    biases = [each.bias.detach().numpy().copy() for each in linear]
    biases[0] = biases[0] - (mean / spread).numpy() @ matrices[0]
    matrices[0] = matrices[0] / spread.numpy()[:, None]
    return Layers(matrices, biases)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--share", type=float, default=1.0, help="of the objects, for a quick look")
    parser.add_argument("--go-on", action="store_true", help="start from the coefficients at OUT")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    kept: list[Teacher] = []
    coefficients = read_layers(options.out) if options.go_on else None
    for number in range(options.rounds):
        begun, teacher = time.perf_counter(), Teacher(number)
        coefficients = coefficients or start(25, 15)
        engine = Classical(coefficients, teacher)
        table: dict[str, list[list[float]]] = defaultdict(list)
        for name, things, many, single in (
            ("camvid", camvid(options.data, "train", number), 50, 110),
            ("nuclei", nuclei(options.data, "train", number), 35, 70),
            ("davis", davis(options.data, "train", number), 50, 70),
            ("coco", coco(options.data, number), 70, 80),
            ("drawn", drawn(number), 30, 90),
        ):
            things = take(things, round(options.share * (many + single)))
            for place, thing in enumerate(things):
                if place % 5 == 0:
                    pixels = noisy(thing.image, teacher.lot, teacher.lot.uniform(2, 12))
                    thing = replace(thing, image=pixels)
                clicks = CLICKS if place < options.share * many else 1
                table[name].append(play(thing, engine, teacher, clicks, noisy=place % 2 == 1))
                teacher.thing = thing
                engine.embed(thing.image).mask(box=box_of(thing, teacher.lot))
                table[f"{name} box"].append(teacher.ious)
        print(f"round {number}: {time.perf_counter() - begun:.0f} s")
        for name, rows in table.items():
            long = np.array([row for row in rows if len(row) > 2] or rows)
            first = np.array([[row[0], row[-1]] for row in rows]).mean(0)
            print(
                f"  {name:12}",
                *np.round(first, 3),
                "|",
                *np.round(long.mean(0)[[0, 2, 4]], 3) if "box" not in name else "",
            )
        kept = [*kept[-1:], teacher]
        coefficients = {kind: learn_cells(kept, kind) for kind in KINDS}
        coefficients |= {f"{kind}_score": learn_scores(kept, kind) for kind in KINDS}
        write_layers(options.out, coefficients)
        print(f"  learnt: {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
