"""What some operations of a graph are in ONNX, where torch has no word for them or a slow one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from inlay.models.parts.boxes import unsuppressed_in_rounds
from inlay.models.parts.rois import SAMPLES, pool_by_size

POOL: Any = torch.ops.inlay.pool_own_level.default
SUPPRESS: Any = torch.ops.inlay.unsuppressed.default


def in_onnx() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Translations to ONNX, by operation."""
    return {torch.ops.aten.sort.stable: sorted_stably, POOL: pooled, SUPPRESS: unsuppressed}


def in_torch() -> dict[Any, Callable[..., Any]]:
    """The operations of ours, by what they are in operations of torch alone."""
    return {POOL: pool_by_size, SUPPRESS: unsuppressed_in_rounds}


def sorted_stably(values: Any, *, dim: int = -1, descending: bool = False, **_: object) -> Any:
    """`torch.sort(stable=True)`: the best of all."""
    from onnxscript import opset18

    op: Any = opset18
    count = op.Slice(op.Shape(values), [dim], [dim + 1 or 2**62])
    return op.TopK(values, count, axis=dim, largest=int(descending), sorted=1)


def pooled(features: Sequence[Any], boxes: Any, size: int, strides: Sequence[int], usual: float) -> Any:
    """`pool_own_level`: boxes go to their levels and back in their order."""
    from onnxscript import opset18

    op: Any = opset18
    shape = op.Shape(boxes)
    flat = op.Reshape(boxes, [-1, 4])
    images = op.Unsqueeze(op.Range(0, op.Squeeze(op.Slice(shape, [0], [1])), 1), [1])
    image = op.Reshape(op.Expand(images, op.Slice(shape, [0], [2])), [-1])
    if len(features) == 1:
        parts, order = [_aligned(features[0], flat, image, size, strides[0])], None
    else:
        level = _level_of(flat, len(features), usual)
        parts, places = [], []
        for k, (feature, stride) in enumerate(zip(features, strides)):
            mine = op.Squeeze(op.NonZero(op.Equal(level, float(k))), [0])
            parts.append(_aligned(feature, op.Gather(flat, mine), op.Gather(image, mine), size, stride))
            places.append(mine)
        place = op.Concat(*places, axis=0)
        _, order = op.TopK(place, op.Shape(place), axis=0, largest=0, sorted=1)
    found = parts[0] if order is None else op.Gather(op.Concat(*parts, axis=0), order)
    channels = op.Shape(found, start=1)
    return op.Reshape(found, op.Concat(op.Slice(shape, [0], [2]), channels, axis=0), allowzero=1)


def _aligned(feature: Any, boxes: Any, image: Any, size: int, stride: int) -> Any:
    from onnxscript import opset18

    op: Any = opset18
    return op.RoiAlign(
        feature,
        boxes,
        image,
        coordinate_transformation_mode="half_pixel",
        mode="avg",
        output_height=size,
        output_width=size,
        sampling_ratio=SAMPLES,
        spatial_scale=1.0 / stride,
    )


def _level_of(boxes: Any, levels: int, usual: float) -> Any:
    """`level_of` for (N, 4) boxes."""
    from onnxscript import opset18

    op: Any = opset18
    sides = op.Max(op.Sub(op.Slice(boxes, [2], [4], [1]), op.Slice(boxes, [0], [2], [1])), 1e-3)
    side = op.Sqrt(op.ReduceProd(sides, [1], keepdims=0))
    level = op.Add(op.Div(op.Log(op.Add(op.Div(side, usual), 1e-6)), float(torch.tensor(2.0).log())), 1.0)
    return op.Min(op.Max(op.Floor(level), 0.0), float(levels - 1))


def unsuppressed(boxes: Any, group: Any, limit: float, groups: int) -> Any:
    """`unsuppressed`: a box is judged in its group alone, in the order given."""
    from onnxscript import opset18

    op: Any = opset18
    shape = op.Shape(boxes, end=2)  # images, boxes
    count = op.Slice(shape, [1], [2])
    number = op.Squeeze(count)
    rank = op.Cast(op.Range(number, 0, -1), to=1)  # falling, above 0
    own = op.Equal(op.Unsqueeze(group, [1]), op.Reshape(op.Range(0, groups, 1), [1, -1, 1]))
    score = op.Where(own, rank, -1.0)
    kept = op.NonMaxSuppression(boxes, score, count, [limit], [0.0])
    place = op.Gather(kept, [0, 2], axis=1)
    ones = op.Expand(True, op.Shape(kept, end=1))
    return op.ScatterND(op.Expand(False, shape), place, ones)
