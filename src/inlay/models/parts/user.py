"""A simulated user of a click network: how well things are found after some clicks, in windows round them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from inlay.models.cues import STRIDE, guide_of
from inlay.models.parts.prompts import Scene, maps_of, no_clicks, with_next_click
from inlay.models.parts.targets import Target

AFTER = (3, 1, 5)  # clicks after which a mask is compared; the first decides which weights are best
THINGS = 3  # of an image, at most: the clicks on each take a pass of the encoder
SIDE = 256  # pixels of the longer side of a window
LARGEST = 8.0  # enlargement of a small one
ROOM = 0.35  # of the longer side of a thing, on each side of it

Head = Callable[[Sequence[Tensor], Tensor], tuple[Tensor, Tensor, Tensor]]
Encode = Callable[[Tensor], tuple[Tensor, ...]]


def overlaps(encode: Encode, head: Head, image: Tensor, target: Target) -> list[dict[str, float]]:
    """IoU after some clicks on things of an image: `IoU@3` after three, for each thing.

    Parameters
    ----------
    encode, head
        Features of (1, 3, h, w) pixels, and masks by them and maps of clicks, as `ClickNet` has them.
    image
        (3, H, W) pixels 0 .. 255.
    target
        What is to be seen in it.
    """
    count = min(len(target), THINGS)
    rows = np.linspace(0, len(target) - 1, count).round().astype(int).tolist()
    with torch.random.fork_rng(devices=[]), torch.no_grad():  # a run goes on with the numbers it has drawn
        torch.default_generator.manual_seed(0)
        return [_followed(encode, head, *_window(image, target, row)) for row in rows]


def _window(image: Tensor, target: Target, row: int) -> tuple[Tensor, Tensor, Tensor, list[bool]]:
    """(1, 3, h, w) pixels, (1, h, w) masks of a thing and of what counts, and which sides cut the image."""
    size = torch.tensor([image.shape[2], image.shape[1]])
    box = target.boxes[row].cpu().reshape(2, 2)
    room = 8 + ROOM * float((box[1] - box[0]).max())
    low = (box[0] - room).floor().clamp(min=0).long()
    high = torch.minimum((box[1] + room).ceil().long(), size)
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    share = min(LARGEST, SIDE / max(x1 - x0, y1 - y0))
    shape = [max(8, round((y1 - y0) * share)), max(8, round((x1 - x0) * share))]
    mask = target.masks(torch.tensor([row], device=target.layers.device))
    maps = torch.stack([mask[0], ~target.ignored])[None, :, y0:y1, x0:x1].float()
    pixels = F.interpolate(
        image[None, :, y0:y1, x0:x1], size=shape, mode="bilinear", antialias=True, align_corners=False
    )
    thing, counts = F.interpolate(maps, size=shape, mode="area")[0]
    cuts = [y0 > 0, y1 < size[1], x0 > 0, x1 < size[0]]
    return pixels, thing[None], counts[None], [bool(each) for each in cuts]


def _followed(
    encode: Encode, head: Head, pixels: Tensor, thing: Tensor, counts: Tensor, cuts: Sequence[bool]
) -> dict[str, float]:
    """IoU of the cells of a thing after clicks that follow one another."""
    raw = encode(pixels)
    features, size = [each.float() for each in raw[:3]], raw[0].shape[2:]
    height, width = (-(-side // STRIDE) for side in pixels.shape[2:])
    truth, known = (
        F.pad(
            F.adaptive_avg_pool2d(each[None], (height, width))[0],
            (0, size[1] - width, 0, size[0] - height),
        )
        > 0.5
        for each in (thing, counts)
    )
    rim = np.zeros((height, width), np.bool_)
    rim[0], rim[-1] = cuts[:2]
    rim[:, 0] |= cuts[2]
    rim[:, -1] |= cuts[3]
    cells = F.adaptive_avg_pool2d(pixels, (height, width))[0].cpu().permute(1, 2, 0).round().clamp(0, 255)
    scene = Scene(guide_of(np.ascontiguousarray(cells.numpy().astype(np.uint8))), (0, 0), rim)
    clicks, before, found = no_clicks(1), None, torch.zeros_like(truth)
    figures: dict[str, float] = {}
    for number in range(1, max(AFTER) + 1):
        clicks = with_next_click(clicks, found, truth, known)
        before = head(features, maps_of(clicks, before, [scene], size).to(features[0].device))[0]
        found = before > 0
        if number in AFTER:
            both, either = (found & truth & known).sum(), ((found | truth) & known).sum()
            figures[f"IoU@{number}"] = float(both / either.clamp(min=1))
    return {f"IoU@{number}": figures[f"IoU@{number}"] for number in AFTER}
