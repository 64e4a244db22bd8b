"""Networks of transformers behind the contract of a model: images in, segmentations out.

SegFormer, Mask2Former, EoMT and RF-DETR. Their answers are decoded here; the differences from what
transformers itself makes of them are those that `docs/predict.md` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.classes import Classes
from inlay.core.errors import FormatError
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.grids import masks_of_patches
from inlay.models.decode.queries import segments_of_queries, things_of_queries
from inlay.models.decode.semantic import scores_of, segments_of_classes
from inlay.models.pretrained.folder import load_network
from inlay.models.pretrained.look import Look, Size, read_look
from inlay.models.pretrained.resampling import enlarged, on_grid

Floats = NDArray[np.float32]

NETWORKS = {
    "segformer": "SegformerForSemanticSegmentation",
    "mask2former": "Mask2FormerForUniversalSegmentation",
    "eomt": "EomtForUniversalSegmentation",
    "eomt_dinov3": "EomtDinov3ForUniversalSegmentation",
    "rf_detr": "RfDetrForInstanceSegmentation",
}
MASK2FORMER = (384, 384)  # the size at which transformers sums the shares of its queries
SURE = 0.5  # least score of a segment
LEFT_OVER = 0.8  # least share of its mask that a query of a partition must keep


class Pretrained(nn.Module):
    """A network and its look at images.

    Parameters
    ----------
    network
        Of transformers.
    kind
        Its `model_type`, of `NETWORKS`.
    classes
        One for each number of its `id2label`.
    task
        "semantic", "instance" or "panoptic".
    """

    def __init__(self, network: Any, kind: str, look: Look, classes: Classes, task: str) -> None:
        super().__init__()
        self.network, self.kind, self.look = network, kind, look
        self.classes, self.task = classes, task

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """(B, 3, H, W) pixels 0 .. 255 -> logits (B, K, H, W); or of queries (B, Q, C) and (B, Q, h, w)."""
        size = images.shape[2], images.shape[3]
        raw = self.network(pixel_values=self.look.pixels(images))
        if self.kind == "segformer":
            return F.interpolate(raw.logits.float(), size, mode="bilinear")
        if self.kind == "rf_detr":
            return raw.logits, raw.pred_masks
        category, masks = raw.class_queries_logits, raw.masks_queries_logits
        return self._by_class(category, masks, size) if self.task == "semantic" else (category, masks)

    def _by_class(self, category: Tensor, masks: Tensor, size: Size) -> Tensor:
        """(B, K, H, W) logarithm of the sum, over queries, of the shares of a class and of a pixel."""
        between = MASK2FORMER if self.kind == "mask2former" else self.look.square
        shares = F.interpolate(masks.float(), between, mode="bilinear").sigmoid()
        whole = torch.einsum("bqc,bqhw->bchw", category.float().softmax(-1)[..., :-1], shares)
        if self.look.split:
            whole = self._put_together(whole, self.look.inner(size))
        return F.interpolate(whole, size, mode="bilinear").clamp(min=1e-6).log()

    def _put_together(self, squares: Tensor, size: Size) -> Tensor:
        """(B * N, K, s, s) of the squares of each image -> (B, K, h, w), the mean where they overlap."""
        starts = self.look.starts(size)
        squares = squares.reshape(-1, len(starts), *squares.shape[1:])
        whole = squares.new_zeros(len(squares), squares.shape[2], *size)
        count = squares.new_zeros(1, 1, *size)
        axis = 2 if size[0] > size[1] else 3
        for place, start in enumerate(starts):
            length = min(squares.shape[axis + 1], size[axis - 2] - start)
            whole.narrow(axis, start, length).add_(squares[:, place].narrow(axis, 0, length))
            count.narrow(axis, start, length).add_(1)
        return whole / count.clamp(min=1)

    def decode(
        self, raw: Any, sizes: Sequence[Size], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """Segments of each image: of classes, of things the surest in front, or a partition."""
        if isinstance(raw, Tensor):
            found = segments_of_classes(raw.detach().float().cpu().numpy(), sizes, self.classes)
            return [each[scores_of(each) >= (minimum_score or 0.0)] for each in found]
        category, masks = (part.detach().float().cpu().numpy() for part in raw)
        least = SURE if minimum_score is None else minimum_score
        return [self._decoded(category[k], masks[k], size, least) for k, size in enumerate(sizes)]

    def _decoded(self, category: Floats, masks: Floats, size: Size, least: float) -> Segmentation:
        if self.kind == "rf_detr":
            return things_of_sigmoids(category, masks, size, self.classes, minimum_score=least)
        kept = np.flatnonzero(category.argmax(1) < category.shape[1] - 1)
        stride = max(step for step in (1, 2, 4) if step == 1 or size[0] >= step * masks.shape[1])
        shown = np.zeros((len(kept), -(-size[0] // stride), -(-size[1] // stride)), np.float32)
        for place, query in enumerate(kept):
            shown[place] = on_grid(masks[query], size, self._span(size), stride)
        settings: dict[str, Any] = {"stride": stride, "minimum_score": least}
        if self.task == "instance":
            return things_of_queries(category[kept], shown, size, self.classes, **settings)
        return segments_of_queries(category[kept], shown, size, self.classes, left_over=LEFT_OVER, **settings)

    def _span(self, size: Size) -> tuple[float, float]:
        """Shares of the height and width of what the network saw that show the image: the rest is padding."""
        if not self.look.padded:
            return 1.0, 1.0
        inner, square = self.look.inner(size), self.look.square
        return inner[0] / max(inner[0], square[0]), inner[1] / max(inner[1], square[1])


def things_of_sigmoids(
    category: Floats, masks: Floats, size: Size, classes: Classes, *, minimum_score: float
) -> Segmentation:
    """The best pairs of a query and a class, at most one for each query on average; the surest in front.

    Parameters
    ----------
    category, masks
        (Q, K) and (Q, h, w) logits.
    """
    shares = 1 / (1 + np.exp(-category.astype(np.float64)))
    best = np.argsort(-shares.ravel(), kind="stable")[: len(category)]
    best = best[shares.ravel()[best] >= minimum_score][::-1]  # back to front
    patches = (_patch(masks[pair // len(classes)], size) for pair in best)
    found = Segmentation(
        classes,
        masks_of_patches(patches, size),
        (best % len(classes)).astype(np.int32),
        np.zeros(len(best), np.int32),
        shares.ravel()[best],
    )
    found = found[found.masks.area() > 0]
    return found.replace(instance_id=instance_numbers(found.is_thing))


def _patch(logits: Floats, size: Size) -> tuple[NDArray[np.bool_], int, int]:
    """(pixels, top, left) of the part of an image where a mask is positive."""
    inside = enlarged(enlarged(logits.T, size[1], 0, size[1]).T, size[0], 0, size[0]) > 0
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return inside[:0, :0], 0, 0
    top, left = int(rows[0]), int(columns[0])
    return inside[top : rows[-1] + 1, left : columns[-1] + 1].copy(), top, left


def open_pretrained(folder: Path, kind: str, classes: Classes, task: str) -> Pretrained:
    """The network in a folder, ready to predict.

    Raises
    ------
    FormatError
        When it is broken, or has another number of classes.
    """
    network = load_network(folder, NETWORKS[kind])
    if network.config.num_labels != len(classes):
        raise FormatError(
            folder / "classes.json",
            "",
            f"{len(classes)} classes; the network has {network.config.num_labels}",
        )
    return Pretrained(network, kind, read_look(folder, kind), classes, task).eval()
