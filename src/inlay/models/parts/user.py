"""A simulated user of a click network: how well things are found after some clicks, in windows round them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from inlay.models.cues import STRIDE
from inlay.models.cues.windows import LARGEST, SIDE, clipped, grid_of, rim_of
from inlay.models.parts.prompts import maps_of, no_clicks, scene_of, with_next_click
from inlay.models.parts.targets import Target

AFTER = (3, 1, 5)  # clicks after which a mask is compared; the first decides which weights are best
THINGS = 3  # of an image, at most: the clicks on each take a pass of the encoder
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


def _window(image: Tensor, target: Target, row: int) -> tuple[Tensor, Tensor, Tensor, NDArray[np.bool_]]:
    """(1, 3, h, w) pixels, (1, h, w) masks of a thing and of what counts, and the cells of the rim."""
    left, top, right, bottom = target.boxes[row].tolist()
    room = 8 + ROOM * max(right - left, bottom - top)
    size = image.shape[1], image.shape[2]
    x0, y0, x1, y1 = window = clipped((left - room, top - room, right + room, bottom + room), size)
    shape = grid_of(window, SIDE, enlarged=LARGEST)
    mask = target.masks(torch.tensor([row], device=target.layers.device))
    maps = torch.stack([mask[0], ~target.ignored])[None, :, y0:y1, x0:x1].float()
    pixels = F.interpolate(
        image[None, :, y0:y1, x0:x1], size=shape, mode="bilinear", antialias=True, align_corners=False
    )
    thing, counts = F.interpolate(maps, size=shape, mode="area")[0]
    height, width = (-(-side // STRIDE) for side in shape)
    return pixels, thing[None], counts[None], rim_of(window, (height, width), size)


def _followed(
    encode: Encode, head: Head, pixels: Tensor, thing: Tensor, counts: Tensor, rim: NDArray[np.bool_]
) -> dict[str, float]:
    """IoU of the cells of a thing after clicks that follow one another."""
    raw = encode(pixels)
    features, size = [each.float() for each in raw[:3]], raw[0].shape[2:]
    height, width = rim.shape
    truth, known = (
        F.pad(
            F.adaptive_avg_pool2d(each[None], (height, width))[0],
            (0, size[1] - width, 0, size[0] - height),
        )
        > 0.5
        for each in (thing, counts)
    )
    scene = replace(scene_of(F.adaptive_avg_pool2d(pixels, (height, width))[0]), rim=rim)
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
