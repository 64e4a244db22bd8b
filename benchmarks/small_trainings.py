"""Many small trainings for benchmarks of labelling: a pixel classifier on fixed features of real images.

Colours and edges of small cells and of what surrounds them, computed once, and a network of two hidden layers
on top: a training takes seconds, so that whole studies of labelling fit into minutes. Nothing here reads a
split called "test": a part of the images that teach is set aside to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter
from torch import nn

from bench import WORK, generators
from inlay import Classes, Dataset, Sample, Segmentation, SegmentClass, read
from inlay.metrics import score as run_score
from inlay.models.decode.semantic import segments_of_classes
from inlay.page import curve

Floats = NDArray[np.float32]
STEPS, BATCH, WIDTH, RATE = 400, 2048, 96, 3e-3
AROUND = (1, 3, 9)  # cells along a side of the neighbourhoods whose mean is a feature
TURNS = 4
BLOCK = 12  # frames of a video that are set aside together
PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce")
Weaken = Callable[[NDArray[np.int64], int], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Study:
    """Images to learn from and to judge by, as cells with features and a class each."""

    name: str
    pool: Dataset  # images whole, labels of cells
    judges: Dataset
    tuning: Dataset
    features: dict[str, Floats]  # (H, W, F) of each image
    scale: tuple[Floats, Floats]  # mean and spread of the features in the pool, labels not looked at

    def lot(self, seed: int) -> list[str]:
        """Names of the pool in an order by lot."""
        return [self.pool.names[place] for place in np.random.default_rng(seed).permutation(len(self.pool))]

    def cells(self, name: str) -> Floats:
        """(H, W, F) features of an image, of mean 0 and spread 1."""
        mean, spread = self.scale
        return (self.features[name] - mean) / spread


def studies() -> dict[str, Callable[[], Study]]:
    """How to make each study."""
    data = generators().parent / "data"
    return {"camvid": partial(_camvid, data / "camvid"), "nuclei": partial(_nuclei, data / "dsb2018")}


def _camvid(path: Path) -> Study:
    """Streets in cells of 8 x 8 pixels. Blocks of 12 frames: one in five judges, one in ten is for tuning."""
    teachers = read(path).split("train")
    parts: dict[str, list[Sample]] = {"pool": [], "judges": [], "tuning": []}
    for place, sample in enumerate(teachers):
        parts[{2: "judges", 7: "judges", 4: "tuning"}.get(place // BLOCK % 10, "pool")].append(sample)
    return _study("camvid", parts, teachers.classes, 8)


def _nuclei(path: Path) -> Study:
    """Nuclei and background in cells of 2 x 2 pixels: one image in four judges, with the split "val"."""
    data = read(path)
    teachers = data.split("train")
    order = np.random.default_rng(2018).permutation(len(teachers))
    judges = [teachers[int(place)] for place in order[::4]] + list(data.split("val"))
    pool = [teachers[int(place)] for index, place in enumerate(order) if index % 4]
    classes = Classes((SegmentClass("background", "stuff"), SegmentClass("nucleus", "stuff")))
    return _study("nuclei", {"pool": pool, "judges": judges, "tuning": []}, classes, 2)


def _study(name: str, parts: dict[str, list[Sample]], classes: Classes, cell: int) -> Study:
    kept = WORK / "small" / f"{name}.npz"
    if kept.exists():
        with np.load(kept) as file:
            features = {key: file[key].astype(np.float32) for key in file.files}
    else:
        features = {each.name: _features(each.pixels(), cell) for part in parts.values() for each in part}
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **{key: value.astype(np.float16) for key, value in features.items()})
    seen = np.concatenate([features[each.name].reshape(-1, COUNT) for each in parts["pool"]])
    made = {
        part: Dataset.of(
            [_in_cells(each, classes, features[each.name].shape[:2]) for each in samples], classes
        )
        for part, samples in parts.items()
    }
    scale = seen.mean(axis=0), seen.std(axis=0) + 1e-3
    return Study(name, made["pool"], made["judges"], made["tuning"], features, scale)


def _in_cells(sample: Sample, classes: Classes, size: tuple[int, ...]) -> Sample:
    """The sample with the class in the middle of each cell; the image as small as they are."""
    label = sample.label()
    ids = label.semantic(255) if len(classes) > 2 else label.masks.union().decode()[0]
    small = Image.fromarray(ids.astype(np.uint8)).resize(size[::-1], Image.Resampling.NEAREST)
    image = Image.fromarray(sample.pixels()).resize(size[::-1], Image.Resampling.BOX)
    made = Segmentation.from_semantic(np.asarray(small).astype(np.int32), classes)
    return sample.replace(image=np.asarray(image), segmentation=made, split="", group="")


COUNT = (6 + TURNS) * (len(AROUND) + 2) + 2


def _features(pixels: NDArray[np.uint8], cell: int) -> Floats:
    """(H / cell, W / cell, COUNT) colours and edges of cells, around, above and below, and their place."""
    height, width = (side // cell for side in pixels.shape[:2])
    image = pixels[: height * cell, : width * cell].astype(np.float32) / 255
    down, across = np.gradient(image.mean(axis=2))
    strength, turn = np.hypot(down, across), np.arctan2(down, across) % np.pi
    turns = [strength * (turn * TURNS // np.pi == step) for step in range(TURNS)]
    planes = np.dstack([image, *turns]).reshape(height, cell, width, cell, 3 + TURNS)
    colour, edges = planes[..., :3], planes[..., 3:].mean(axis=(1, 3))
    own = np.concatenate([colour.mean(axis=(1, 3)), colour.std(axis=(1, 3)), np.sqrt(edges)], axis=2)
    parts = [own if side == 1 else uniform_filter(own, (side, side, 0), mode="nearest") for side in AROUND]
    rows = np.arange(1, height + 1, dtype=np.float32)[:, None, None]
    parts += [own.cumsum(axis=0) / rows, own[::-1].cumsum(axis=0)[::-1] / rows[::-1]]
    place = np.stack(np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij"), axis=2)
    return np.concatenate([*parts, place], axis=2).astype(np.float32)


def trained(study: Study, names: Sequence[str], seed: int, weaken: Weaken | None = None) -> nn.Module:
    """A classifier of cells that learnt from these images, their maps of classes changed by `weaken`."""
    torch.manual_seed(seed)
    classes = study.pool.classes
    cells, ids = [], []
    for place, name in enumerate(names):
        label = study.pool[name].label().semantic(255).astype(np.int64)
        label[~np.isin(label, np.flatnonzero(~classes.is_void))] = -1
        ids.append((label if weaken is None else weaken(label, place)).ravel())
        cells.append(study.cells(name).reshape(-1, COUNT))
    known = np.concatenate(ids) >= 0
    x, y = (torch.from_numpy(np.concatenate(each)[known]) for each in (cells, ids))
    often = torch.bincount(y, minlength=int((~classes.is_void).sum())).clamp(min=1).float()
    weight = often.sum().div(often).sqrt()
    weight = weight * often.sum() / (weight * often).sum()
    network = nn.Sequential(
        *(nn.Linear(COUNT, WIDTH), nn.ReLU(), nn.Dropout(0.1)),
        *(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, len(often))),
    )
    descent = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.05)
    fall = torch.optim.lr_scheduler.OneCycleLR(descent, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        some = torch.randint(len(x), (BATCH,))
        loss = nn.functional.cross_entropy(network(x[some]), y[some], weight)
        descent.zero_grad()
        loss.backward()
        descent.step()
        fall.step()
    return network.eval()


def predicted(study: Study, network: nn.Module, images: Dataset) -> Dataset:
    """What the classifier says of images."""

    def look(sample: Sample) -> Sample:
        cells = torch.from_numpy(study.cells(sample.name))
        with torch.no_grad():
            logits = network(cells).permute(2, 0, 1)[None].numpy()
        found = segments_of_classes(logits, [cells.shape[:2]], images.classes)
        return sample.replace(segmentation=found[0])

    return Dataset.of([look(sample) for sample in images], images.classes)


def judged(study: Study, network: nn.Module, judges: Dataset) -> float:
    """mIoU on images that the network never saw."""
    figures: Any = run_score(judges, predicted(study, network, judges), metrics=["iou"], intervals=False)
    return float(figures["mIoU"])


def one_thread() -> None:
    """Trainings share a machine with other work."""
    torch.set_num_threads(1)


def draw_curves(name: str, series: dict[str, list[tuple[float, float]]], x: str, y: str) -> str:
    """Lines as a picture of the docs; its file name."""
    svg = curve(series, x=x, y=y)
    colours = ";".join(f"--line-{number}:{colour}" for number, colour in enumerate(COLOURS))
    style = (
        f"<style>svg{{{colours};background:#fff;font:12px sans-serif}}.axis{{stroke:#ddd}}"
        "polyline{fill:none;stroke-width:2}text{fill:#444}</style>"
    )
    PICTURES.mkdir(parents=True, exist_ok=True)
    start, rest = svg.split(">", 1)
    (PICTURES / f"{name}.svg").write_text(f'{start} xmlns="http://www.w3.org/2000/svg">{style}{rest}\n')
    return f"{name}.svg"
