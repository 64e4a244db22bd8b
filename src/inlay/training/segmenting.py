"""A network applied to images: at once, mirrored as well, or in tiles that are put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inlay.core import placing
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.models.decode.blend import Blend
from inlay.models.decode.semantic import scores_of
from inlay.models.decode.tiles import Tile, Tiling, merge_tiles
from inlay.models.decode.views import agreed
from inlay.models.parts.crf import CRF, refined
from inlay.models.parts.pixels import contrast_of
from inlay.training.hardware import autocast, is_out_of_memory

Image = NDArray[np.uint8]
WHOLE = 4_000_000  # pixels of an image that is looked at in one piece when nobody says otherwise
TILE, OVERLAP = 1024, 192


@dataclass(frozen=True)
class Looking:
    """How a network looks at images.

    Parameters
    ----------
    tile
        Largest side of what it sees at once, pixels; `None`: images over 4 megapixels in tiles of 1024.
    overlap
        Pixels that neighbouring tiles share: the size of a usual thing; `None`: 192, or a fifth of a tile.
    flips
        Look at each image mirrored as well, and take the mean.
    batch
        Images or tiles of one size looked at together.
    minimum_score
        Leave out segments below it; `None`: the model's own threshold.
    refine
        Rounds in which a dense CRF draws class logits to the edges in the image; 0: none.
    """

    tile: int | None = None
    overlap: int | None = None
    flips: bool = False
    batch: int = 1
    minimum_score: float | None = None
    refine: int = 0

    def __post_init__(self) -> None:
        if self.refine < 0:
            raise InlayError(f"{self.refine} rounds of refinement: give 0 for none, or about 5")
        if self.batch < 1:
            raise InlayError(f"a batch of {self.batch} images is empty; give 1 or more")
        Tiling((1, 1), self.tile or TILE, self._overlap(self.tile or TILE))

    def tiling(self, size: tuple[int, int]) -> Tiling | None:
        """The tiles of an image of this size, or `None` where it is seen whole."""
        tile = self.tile or (TILE if size[0] * size[1] > WHOLE else max(size))
        return Tiling(size, tile, self._overlap(tile)) if tile < max(size) else None

    def _overlap(self, tile: int) -> int:
        return min(OVERLAP, tile // 5) if self.overlap is None else self.overlap


class Segmenter:
    """A network ready to look.

    Parameters
    ----------
    network
        Has `classes` and `decode`.
    forward
        From images of one size to the raw output that `decode` takes; default: the network on `device`.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device,
        precision: str,
        *,
        forward: Callable[[Sequence[Image]], Any] | None = None,
    ) -> None:
        self._network, self._device, self._precision = network, device, precision
        self._forward = forward or self._run

    def _run(self, images: Sequence[Image]) -> Any:
        pixels = torch.from_numpy(np.stack(images)).to(self._device).permute(0, 3, 1, 2).float()
        with autocast(self._device, self._precision):
            return self._network(pixels)

    def images(self, images: Sequence[Image], looking: Looking) -> list[Segmentation]:
        """Predictions for images of one size.

        Raises
        ------
        InlayError
            When they do not fit into memory.
        """
        size = images[0].shape[0], images[0].shape[1]
        tiling = looking.tiling(size)
        with torch.inference_mode():
            try:
                if tiling is not None:
                    return [self._in_tiles(image, tiling, looking) for image in images]
                found: list[Segmentation] = []
                for start in range(0, len(images), looking.batch):
                    part = images[start : start + looking.batch]
                    found += self._decoded(self._raw(part, looking), [size] * len(part), looking)
                return found
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                raise InlayError(_too_large(len(images), size, tiling, looking)) from None

    def _raw(self, images: Sequence[Image], looking: Looking) -> list[Any]:
        """Raw output for images of one size; with flips that for mirrored ones too, or the mean of logits."""
        views = [self._forward(images)]
        logits = self._is_logits(views[0], images[0])
        if looking.flips:
            mirrored = self._forward([np.ascontiguousarray(image[:, ::-1]) for image in images])
            views = [(views[0] + mirrored.flip(3)) / 2] if logits else [*views, mirrored]
        return [_refined(views[0], images, looking.refine)] if looking.refine and logits else views

    def _decoded(
        self, raw: list[Any], sizes: Sequence[tuple[int, int]], looking: Looking
    ) -> list[Segmentation]:
        decode: Any = self._network.decode
        views = [decode(each, sizes, minimum_score=looking.minimum_score) for each in raw]
        if len(views) == 1:
            return list(views[0])
        both = [
            agreed(one, other.replace(masks=placing.flip(other.masks)))
            for one, other in zip(views[0], views[1])
        ]
        return [each[scores_of(each) >= (looking.minimum_score or 0.0)] for each in both]

    def _is_logits(self, raw: Any, image: Image) -> bool:
        """Whether raw output is logits of classes (and perhaps of none of them) for each pixel."""
        if not isinstance(raw, Tensor) or raw.ndim != 4:
            return False
        count = len(self._network.classes)  # type: ignore[arg-type]
        return raw.shape[1] in (count, count + 1) and tuple(raw.shape[2:]) == image.shape[:2]

    def _in_tiles(self, image: Image, tiling: Tiling, looking: Looking) -> Segmentation:
        classes: Any = self._network.classes
        blend: Blend | None = None
        parts: list[tuple[Tile, Segmentation]] = []
        tiles = list(tiling)
        with contrast_of(self._network, *brightness(image)):
            for start in range(0, len(tiles), looking.batch):
                some = tiles[start : start + looking.batch]
                pixels = [np.ascontiguousarray(tile.of(image)) for tile in some]
                raw = self._raw(pixels, looking)
                if self._is_logits(raw[0], pixels[0]):
                    blend = blend or Blend(tiling, raw[0].shape[1])
                    for tile, logits in zip(some, raw[0].float().cpu().numpy()):
                        blend.add(tile, logits)
                else:
                    sizes = [(tile.height, tile.width) for tile in some]
                    parts += zip(some, self._decoded(raw, sizes, looking))
        if blend is None:
            return merge_tiles(parts, tiling.size, classes)
        whole = blend.segmentation(classes)
        return whole[scores_of(whole) >= (looking.minimum_score or 0.0)]


def _refined(logits: Tensor, images: Sequence[Image], rounds: int) -> Tensor:
    crf = CRF(iterations=rounds)
    each = zip(logits.float().cpu().numpy(), images)
    return torch.from_numpy(np.stack([refined(values, image, crf) for values, image in each]))


def brightness(image: Image) -> tuple[float, float]:
    """Mean and spread of all values of an image, without a copy of it."""
    mean, deviation = cv2.meanStdDev(image)
    middle = float(mean.mean())
    return middle, float(np.sqrt((deviation**2 + mean**2).mean() - middle**2))


def _too_large(count: int, size: tuple[int, int], tiling: Tiling | None, looking: Looking) -> str:
    height, width = size
    side = max(size) if tiling is None else tiling.tile
    lower = f"a smaller batch (now {looking.batch}), or " if looking.batch > 1 else ""
    what = f"{min(count, looking.batch)} x " if looking.batch > 1 else ""
    return (
        f"{what}{width}x{height} pixels, {side} at once, do not fit into memory: give {lower}"
        f"smaller tiles, `--tile {max(64, side // 2)}` (tile={max(64, side // 2)})"
    )
