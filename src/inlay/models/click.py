"""Click network: a mask for a click, mended by more clicks (after RITM, Sofiiuk et al. 2021).

An image is encoded once; a light head reads its features beside maps of the clicks, of paths from them
through colours (`inlay.models.cues`) and of the mask before, and gives a mask, its predicted IoU and a class.
Training simulates a user: each click falls near the middle of the largest error. To segment an image without
a user it is clicked on a grid, and the best masks stay.
"""

from __future__ import annotations

import json
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import FormatError, InlayError
from inlay.core.segmentation import Segmentation
from inlay.core.staging import staged
from inlay.models.cues import MAPS, STRIDE
from inlay.models.decode.prompted import things_of_prompts
from inlay.models.encoders import make_encoder
from inlay.models.losses.mask import dice
from inlay.models.parts.blocks import ConvNorm, Join, PooledContext, initialise
from inlay.models.parts.pixels import Contrast255, pad_to
from inlay.models.parts.prompts import Clicks, maps_of, no_clicks, scene_of, with_next_click
from inlay.models.parts.pyramid import Pyramid
from inlay.models.parts.settings import EncoderSettings
from inlay.models.parts.targets import Facts, Target, Targets
from inlay.models.parts.user import overlaps
from inlay.models.parts.weights import read_plain

TASK = "instance"
RECIPE: Mapping[str, object] = {
    "learning_rate": 2e-3,
    "augment": {"crop": [256, 256], "focus": [0.12, 1.0], "brightness": 0.4, "contrast": 0.4, "gamma": 0.3},
}
BESIDE = 0.25  # share of the images that are also clicked on beside all things
TOGETHER = 64  # prompts answered at once when nobody clicks


@dataclass(frozen=True)
class Config(EncoderSettings):
    """Settings of a click network.

    Parameters
    ----------
    head
        Channels of the head that reads the clicks.
    things_learnt
        Things of one crop that a training step clicks on, drawn anew in each step.
    clicks
        Most clicks that a training step simulates for a thing.
    grid
        Clicks along the longer side of an image when nobody clicks.
    minimum_score
        Things below it are left out then.
    classical
        Share of the classical engine in each answer to a user, from 0 to below 1; 0 is the network alone.
    """

    head: int = 48
    things_learnt: int = 2
    clicks: int = 4
    grid: int = 24
    minimum_score: float = 0.3
    classical: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.classical < 1:
            raise InlayError(f"classical is a share from 0 to below 1, not {self.classical}")
        if min(self.head, self.things_learnt, self.clicks, self.grid) < 1:
            raise InlayError("head, things_learnt, clicks and grid must be at least 1")


def adapt(config: Config, facts: Facts) -> Config:
    """The config as it is.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    if facts.sides.size == 0:
        raise InlayError(
            "the training part has no single thing to click on: label some, or train a semantic model"
        )
    return config


def build(config: Config, classes: Classes) -> ClickNet:
    """A click network with fresh weights."""
    return ClickNet(config, classes)


Features = tuple[
    Tensor, Tensor, Tensor, Tensor
]  # (B, head, h, w) at strides 4, 8 and 16, (B, 3, h, w) pixels


class ClickNet(nn.Module):
    """Features of an image, and masks for clicks on it."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        self.first = self.encoder.strides.index(STRIDE)
        widths = self.encoder.widths[self.first :]
        self.pyramid = Pyramid(widths, norm=config.norm)
        self.narrow = nn.ModuleList(nn.Conv2d(width, config.head, 1) for width in widths[:3])
        self.head = ClickHead(config.head, len(classes))
        self.apply(initialise)
        nn.init.zeros_(self.head.last.weight)

    def forward(self, images: Tensor) -> Features:
        """(B, 3, H, W) pixels 0 .. 255 -> features at strides 4, 8 and 16 and colours at 4, all padded."""
        padded = pad_to(self.contrast(images), self.encoder.strides[-1])
        levels = self.pyramid(self.encoder(padded)[self.first :])
        fine, middle, coarse = (narrow(level) for narrow, level in zip(self.narrow, levels))
        return fine, middle, coarse, F.avg_pool2d(pad_to(images, self.encoder.strides[-1]), STRIDE)

    def loss(self, raw: Features, targets: Targets) -> dict[str, Tensor]:
        """Named losses of simulated clicks on some things of each image, and of clicks beside all things."""
        rows = [_drawn(target, self.config.things_learnt) for target in targets]
        size = raw[0].shape[2:]
        things = [_at_stride(target, chosen, size) for target, chosen in zip(targets, rows)]
        truth = torch.cat([each for each, _ in things])  # (N, h, w) share of each cell
        known = torch.cat([known for _, known in things])
        image = torch.repeat_interleave(torch.tensor([len(each) for each, _ in things])).to(truth.device)
        if not len(truth):
            nothing = torch.stack([feature.sum() for feature in raw]).sum() * 0.0
            return {"mask": nothing, "score": nothing, "class": nothing}
        features = [feature.float()[image] for feature in raw[:3]]
        scenes = [scene_of(cells, _real(target, size)) for cells, target in zip(raw[3], targets)]
        seen = [scenes[place] for place in image.tolist()]
        clicks, logits, before = no_clicks(len(truth)), torch.full_like(truth, -6.0), None
        rounds = int(torch.randint(1, self.config.clicks + 1, (1,)))
        for number in range(rounds):
            clicks = with_next_click(clicks, logits.detach() > 0, truth > 0.5, known)
            with torch.set_grad_enabled(number == rounds - 1):
                maps = maps_of(clicks, before, seen, size).to(truth.device)
                logits, score, class_logits = self.head(features, maps)
            before = logits.detach()
        real = truth.flatten(1).amax(1) > 0
        found, right = (logits > 0) & known, (truth > 0.5) & known
        iou = (found & right).sum((1, 2)) / ((found | right).sum((1, 2)) + 1e-6)
        losses = {
            "mask": _mask_loss(logits[real], truth[real], known[real]),
            "score": F.binary_cross_entropy_with_logits(score, torch.where(real, iou, 0.0)),
        }
        named = torch.cat([_classes(target, chosen) for target, chosen in zip(targets, rows)])
        fallback = class_logits.sum() * 0.0
        losses["class"] = F.cross_entropy(class_logits[real], named[real]) if real.any() else fallback
        return losses

    def judged(self, image: Tensor, target: Target) -> list[dict[str, float]]:
        """How well a simulated user gets along with it: what training judges it by (`parts/user.py`)."""
        return overlaps(self, self.head, image, target)

    def decode(
        self, raw: Features, sizes: Sequence[tuple[int, int]], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """The best masks for clicks on a grid over each image, of at least the least score."""
        least = self.config.minimum_score if minimum_score is None else minimum_score
        return [self._everything(raw, place, size, least) for place, size in enumerate(sizes)]

    def _everything(self, raw: Features, place: int, size: tuple[int, int], least: float) -> Segmentation:
        steps = [max(1, round(self.config.grid * side / max(size))) for side in size]
        rows, columns = ((np.arange(n) + 0.5) * side / n for n, side in zip(steps, size))
        points = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
        points = np.unique(points // STRIDE * STRIDE + STRIDE / 2, axis=0)
        shown = [-(-side // STRIDE) for side in size]
        scene, found = scene_of(raw[3][place, :, : shown[0], : shown[1]]), []
        for start in range(0, len(points), TOGETHER):
            part = torch.from_numpy(points[start : start + TOGETHER]).float()
            clicks = Clicks(part[:, None], torch.ones(len(part), 1))
            features = [each[place : place + 1].float().expand(len(part), -1, -1, -1) for each in raw[:3]]
            maps = maps_of(clicks, None, [scene] * len(part), features[0].shape[2:]).to(features[0].device)
            with torch.no_grad():
                answer = self.head(features, maps)
            found.append([each.detach().float().cpu().numpy() for each in answer])
        logits, score, class_logits = (np.concatenate(each) for each in zip(*found))
        return things_of_prompts(
            logits, score, class_logits, points, size, self.classes, stride=STRIDE, minimum_score=least
        )


class ClickHead(nn.Module):
    """Reads clicks and the mask before beside the features of the image."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(MAPS + 2, width, 3, padding=1)
        self.fine = ConvNorm(width, width, norm="group")
        self.to_middle = ConvNorm(width, width, norm="group", stride=2)
        self.to_coarse = ConvNorm(width, width, norm="group", stride=2)
        self.context = PooledContext(width, norm="group")
        self.up_middle = Join(width, width, width, norm="group")
        self.up_fine = Join(width, width, width, norm="group")
        self.mask = nn.Conv2d(width, 1, 3, padding=1)
        # a norm over the window hides how large a measure is; here each cell is weighed as it is
        self.told = nn.Sequential(nn.Conv2d(MAPS + 2, 32, 1), nn.ReLU(), nn.Conv2d(32, 16, 1), nn.ReLU())
        self.last = nn.Conv2d(16, 1, 1)
        self.score = nn.Linear(2 * width, 1)
        self.class_logits = nn.Linear(2 * width, classes)

    def forward(self, features: Sequence[Tensor], maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of masks (N, h, w), of scores (N,) and of classes (N, K).

        Parameters
        ----------
        features
            (N, head, h, w) at strides 4, 8 and 16.
        maps
            (N, MAPS, h, w), of `maps_of`.
        """
        fine, middle, coarse = features
        told = torch.cat([maps, *(_alike(fine, maps[:, side : side + 1]) for side in (0, 1))], 1)
        x = F.relu(self.enter(told) + fine)
        x = self.fine(x) + x
        half = self.to_middle(x) + middle
        quarter = self.context(self.to_coarse(half) + coarse)
        x = self.up_fine(self.up_middle(quarter, half), x)
        logits = self.mask(x) + self.last(self.told(told))
        inside = logits.sigmoid()
        shown = (x * inside).sum((2, 3)) / (inside.sum((2, 3)) + 1.0)
        summary = torch.cat([shown, x.mean((2, 3))], 1)
        return logits[:, 0], self.score(summary)[:, 0], self.class_logits(summary)


def _alike(features: Tensor, clicked: Tensor) -> Tensor:
    """(N, 1, h, w) how much the features of each cell are like those of the clicked cells, -1 .. 1."""
    wanted = (features * clicked).sum((2, 3), keepdim=True)
    length = (features.square().sum(1, keepdim=True) + 1e-4).sqrt()
    long = (wanted.square().sum(1, keepdim=True) + 1e-4).sqrt()
    return (features * wanted).sum(1, keepdim=True) / (length * long)


def _real(target: Target, size: Sequence[int]) -> NDArray[np.bool_]:
    """(h, w) bool cells of the image: neither padding nor ignored."""
    real = np.zeros(tuple(size), np.bool_)
    middles = ~target.ignored[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].cpu().numpy()
    real[: middles.shape[0], : middles.shape[1]] = middles
    return real


def _drawn(target: Target, most: int) -> Tensor:
    """Rows of some things by lot, and in some images -1 for a click beside all of them."""
    beside = ~target.ignored & ~(target.layers > 0).any(0)
    rows = torch.randperm(len(target))[:most]
    wanted = bool(beside.any()) and float(torch.rand(())) < BESIDE
    return torch.cat([rows, rows.new_full((int(wanted),), -1)])


def _at_stride(target: Target, rows: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(n, h, w) share of each cell that a thing covers, and (n, h, w) bool cells that count.

    A thing smaller than a cell has its share enlarged; row -1 covers nothing, and counts beside all things.
    """
    real = rows[rows >= 0].to(target.layers.device)
    masks = target.masks(real).float()
    blank = masks.new_zeros((len(rows) - len(real), *masks.shape[1:]))
    taken = (target.layers > 0).any(0) | target.ignored
    maps = torch.cat([masks, blank, target.ignored[None].float(), taken[None].float()])
    height, width = (n * STRIDE for n in size)
    padded = F.pad(maps, (0, width - maps.shape[2], 0, height - maps.shape[1]))
    outside = F.pad(
        torch.zeros_like(maps[:1]), (0, width - maps.shape[2], 0, height - maps.shape[1]), value=1.0
    )
    shares = F.avg_pool2d(padded[None], STRIDE)[0]
    known = F.avg_pool2d(outside[None], STRIDE)[0] + shares[-2] <= 0.5
    free = known & (shares[-1] == 0)
    covered = shares[: len(rows)] / shares[: len(rows)].amax((1, 2), keepdim=True).clamp(1e-6, 1.0)
    return covered, torch.cat([known.expand(len(real), -1, -1), free.expand(len(blank), -1, -1)])


def _classes(target: Target, rows: Tensor) -> Tensor:
    named = target.class_id.new_zeros(len(rows))
    named[rows >= 0] = target.class_id[rows[rows >= 0].to(target.class_id.device)]
    return named


def _mask_loss(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Dice, and cross entropy that counts sure cells less (the share of a focal loss)."""
    if not len(logits):
        return logits.sum() * 0.0
    wrong = (logits.detach().sigmoid() - truth).abs()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * wrong * known
    focused = entropy.sum((1, 2)) / ((wrong * known).sum((1, 2)) + 1.0)
    return (dice(logits, truth, known) + focused).mean()


class Step(nn.Module):
    """One click from pixels to a mask: what the engine runs, and what is exported."""

    def __init__(self, network: ClickNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) pixels and (B, MAPS, h, w) maps -> logits of masks (B, h, w) and of scores (B,)."""
        logits, score, _ = self.network.head(self.network(images)[:3], maps)
        return logits, score


def write_onnx(network: ClickNet, path: Path, *, side: int = 256) -> None:
    """Write an ONNX file for `inlay.click.load`: squares of `side` pixels, any number at once."""
    examples = torch.zeros(2, 3, side, side), torch.zeros(2, MAPS, side // STRIDE, side // STRIDE)
    with staged(path) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch uses what it deprecates
        program = torch.onnx.export(
            Step(network).eval(),
            examples,
            input_names=["images", "maps"],
            output_names=["logits", "scores"],
            dynamic_shapes=({0: torch.export.Dim("count")},) * 2,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.model.metadata_props["classical"] = str(network.config.classical)
        program.save(part)


def read_run(folder: Path) -> ClickNet:
    """The network of a run folder, with its weights.

    Raises
    ------
    FormatError
        When the folder holds no run of a click network, or its weights are broken or of other settings.
    """
    try:
        settings: dict[str, Any] = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8")).get(
            "click", {}
        )
        names = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
        known = {item.name for item in fields(Config)} & set(settings)
        several: dict[str, Any] = {
            name: tuple(v) if isinstance(v := settings[name], list) else v for name in known
        }
        classes = Classes(tuple(SegmentClass(row["name"], row["kind"]) for row in names))
        network = ClickNet(Config(**several), classes)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FormatError(folder, "", f"not a run of a click network ({error})") from None
    weights = read_plain(folder / "model.safetensors")
    try:
        network.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError) as error:
        first = " ".join(str(error).split())[:200]
        raise FormatError(folder / "model.safetensors", "", f"weights of another model ({first})") from None
    return network.eval()
