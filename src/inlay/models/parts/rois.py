"""Regions of a feature pyramid, each resampled to a small square: RoIAlign (He et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

SAMPLES = 2  # along each side of a bin


def roi_align(feature: Tensor, boxes: Tensor, size: int, *, stride: int) -> Tensor:
    """(B, R, C, size, size) means of bilinear samples in the bins of each box.

    Sampling points lie at pixel centres, unrounded (the "aligned" form). Boxes that lie inside the image give
    what torchvision's `roi_align(..., sampling_ratio=2, aligned=True)` gives.

    Parameters
    ----------
    feature
        (B, C, H, W).
    boxes
        (B, R, 4) x0, y0, x1, y1 in pixels of the image.
    stride
        Pixels of the image for one of the feature.
    """
    if torch.compiler.is_compiling():
        alone: Tensor = pooled_whole([feature], boxes, size, [stride], 1.0)
        return alone
    return torch.stack([_aligned(one, some, size, stride) for one, some in zip(feature, boxes)])


def taps(boxes: Tensor, size: int, shape: tuple[int, int], stride: float) -> tuple[Tensor, Tensor]:
    """Where the bins of boxes (R, 4) look: (R, size, size, 16) places on a map of `shape`, and their shares.

    Places count row by row. Each bin is the mean of four samples, each sample lies between four places.
    """
    count = size * SAMPLES
    steps = (torch.arange(count, device=boxes.device, dtype=boxes.dtype) + 0.5) / count
    places, shares = [], []
    for axis, side in ((1, shape[0]), (0, shape[1])):
        low, high = boxes[:, axis, None], boxes[:, axis + 2, None]
        points = ((low + (high - low) * steps) / stride - 0.5).clamp(0, side - 1)
        before = points.floor().clamp(max=max(side - 2, 0))
        beyond = points - before
        first = before.long()
        both = torch.stack([first, (first + 1).clamp(max=side - 1)], -1)
        places.append(both.reshape(-1, size, 2 * SAMPLES))
        shares.append(torch.stack([1 - beyond, beyond], -1).reshape(-1, size, 2 * SAMPLES) / SAMPLES)
    place = places[0][:, :, None, :, None] * shape[1] + places[1][:, None, :, None, :]
    share = shares[0][:, :, None, :, None] * shares[1][:, None, :, None, :]
    return place.flatten(3), share.flatten(3)


def _aligned(feature: Tensor, boxes: Tensor, size: int, stride: float) -> Tensor:
    """(R, C, size, size) of one image: weighted sums of whole rows of channels, which lie together."""
    channels, height, width = feature.shape
    place, share = taps(boxes.float(), size, (height, width), stride)
    table = feature.float().permute(1, 2, 0).reshape(height * width, channels)
    found = F.embedding_bag(place.flatten(0, 2), table, mode="sum", per_sample_weights=share.flatten(0, 2))
    return found.reshape(-1, size, size, channels).permute(0, 3, 1, 2)


def _aligned_by_grid(feature: Tensor, boxes: Tensor, size: int, stride: float) -> Tensor:
    """(B, R, C, size, size), slower, in operations that other programs know."""
    images, count = boxes.shape[:2]
    channels, height, width = feature.shape[1:]
    steps = (torch.arange(size * SAMPLES, device=boxes.device, dtype=boxes.dtype) + 0.5) / (size * SAMPLES)
    corner, side = boxes[..., :2], boxes[..., 2:] - boxes[..., :2]
    points = (corner[..., None] + side[..., None] * steps) / stride  # (B, R, 2, size * SAMPLES)
    x = points[..., 0, :] * 2 / width - 1  # grid_sample: -1 and 1 are the outer edges
    y = points[..., 1, :] * 2 / height - 1
    across = size * SAMPLES
    grid = torch.stack(
        [
            x[:, :, None, :].expand(-1, -1, across, -1),
            y[:, :, :, None].expand(-1, -1, -1, across),
        ],
        -1,
    ).reshape(images, count * across, across, 2)
    seen = F.grid_sample(feature, grid, mode="bilinear", padding_mode="border", align_corners=False)
    bins = F.avg_pool2d(seen, SAMPLES)  # (B, C, R * size, size)
    return bins.reshape(images, channels, count, size, size).transpose(1, 2)


def level_of(boxes: Tensor, levels: int, *, usual: float) -> Tensor:
    """(B, R) pyramid level of each box by its size (Lin et al. 2017, equation 1).

    `usual` is the side, in pixels, of boxes for the finest level but one.
    """
    side = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3).prod(-1).sqrt()
    return (1 + torch.log2(side / usual + 1e-6)).floor().clamp(0, levels - 1)


def pool_own_level(
    features: Sequence[Tensor], boxes: Tensor, size: int, *, strides: Sequence[int], usual: float
) -> Tensor:
    """(B, R, C, size, size) each box from the level that suits its size."""
    if torch.compiler.is_compiling():
        whole: Tensor = pooled_whole(list(features), boxes, size, list(strides), usual)
        return whole
    level = level_of(boxes, len(features), usual=usual)
    found = features[0].new_zeros(*boxes.shape[:2], features[0].shape[1], size, size, dtype=torch.float32)
    for k, (feature, stride) in enumerate(zip(features, strides)):
        for image in range(boxes.shape[0]):
            mine = torch.nonzero(level[image] == k).squeeze(1)
            if len(mine):
                pooled = _aligned(feature[image], boxes[image, mine], size, stride)
                found = found.index_put((mine.new_tensor(image), mine), pooled)
    return found


@torch.library.custom_op(
    "inlay::pool_own_level",
    mutates_args=(),
    schema="(Tensor[] features, Tensor boxes, int size, int[] strides, float usual) -> Tensor",
)
def pooled_whole(
    features: list[Tensor], boxes: Tensor, size: int, strides: list[int], usual: float
) -> Tensor:
    """`pool_own_level` as one operation of a graph, for which who writes the graph has a word."""
    return pool_own_level(features, boxes, size, strides=strides, usual=usual)


@pooled_whole.register_fake
def _(features: list[Tensor], boxes: Tensor, size: int, *_: object) -> Tensor:
    return boxes.new_empty(*boxes.shape[:2], features[0].shape[1], size, size)


def pool_by_size(
    features: Sequence[Tensor], boxes: Tensor, size: int, strides: Sequence[int], usual: float
) -> Tensor:
    """What `pool_own_level` gives, slower: each box from every level, in operations that programs know."""
    level = level_of(boxes, len(features), usual=usual)
    found = torch.zeros(())
    for k, (feature, stride) in enumerate(zip(features, strides)):
        pooled = _aligned_by_grid(feature, boxes, size, stride)
        mine = (level == k).to(pooled.dtype)[..., None, None, None]
        found = pooled * mine if k == 0 else found + pooled * mine
    return found


def pool_each_level(
    features: Sequence[Tensor], boxes: Tensor, size: int, *, strides: Sequence[int]
) -> list[Tensor]:
    """[(B, R, C, size, size)] from every level: what adaptive feature pooling joins (PANet, 3.2)."""
    return [roi_align(feature, boxes, size, stride=stride) for feature, stride in zip(features, strides)]
