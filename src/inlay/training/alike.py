"""Whether two ways to compute a model predict the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation

CLOSE = 1e-3  # largest difference of raw outputs, as a share of the largest value
SAME_PIXELS = 0.999  # share of the pixels that must be predicted alike where raw outputs differ by more
Images = Sequence[NDArray[np.uint8]]
Forward = Callable[[Tensor], Any]  # images (B, 3, H, W) -> the raw output that `decode` takes


def trial_images(crop: tuple[int, int], *, fixed: bool) -> list[NDArray[np.uint8]]:
    """Two images of coarse coloured blocks, the second not larger if `fixed`, and an empty one."""
    rng = np.random.default_rng(0)
    made = []
    for height, width in (crop, (crop[0] + (-3 if fixed else 17), max(9, crop[1] // 2))):
        coarse = rng.integers(0, 256, (height // 12 + 1, width // 12 + 1, 3), np.uint8)
        made.append(np.ascontiguousarray(coarse.repeat(12, 0).repeat(12, 1)[:height, :width]))
    return [*made, np.zeros((*crop, 3), np.uint8)]


def compared(network: nn.Module, decoder: nn.Module, forward: Forward, images: Images) -> tuple[float, float]:
    """(largest relative difference of raw outputs, least share of pixels predicted alike).

    Parameters
    ----------
    decoder
        What decodes the outputs of `forward`.

    Raises
    ------
    InlayError
        When both are too large.
    """
    decode, decode_found = (cast(Any, each).decode for each in (network, decoder))
    difference, alike = 0.0, 1.0
    for place, image in enumerate(images):
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float().contiguous()
        with torch.inference_mode():
            wanted, found = network(pixels), forward(pixels)
            here = _difference(wanted, found)
            sizes = [(image.shape[0], image.shape[1])]
            same = _alike(decode(wanted, sizes)[0], decode_found(found, sizes)[0])
        difference, alike = max(difference, here), min(alike, same)
        if here > CLOSE and same < SAME_PIXELS:
            raise InlayError(
                f"the exported model differs from the run on image {place + 1} of the check: raw outputs by "
                f"{here:.2g} of the largest value, {1 - same:.2%} of the pixels. Nothing was written: "
                "export to another kind, or with another version of torch"
            )
    return difference, alike


def _difference(wanted: Any, found: Any) -> float:
    pairs = zip(*((each,) if isinstance(each, Tensor) else each for each in (wanted, found)), strict=True)
    return max(
        float((one.float() - two.float()).abs().max() / max(1e-6, float(one.float().abs().max())))
        if one.shape == two.shape and one.numel()
        else float(one.shape != two.shape)
        for one, two in pairs
    )


def _alike(one: Segmentation, two: Segmentation) -> float:
    """Share of the pixels at whose front both have the same class, and both or neither end a segment."""
    same = one.semantic(-1) == two.semantic(-1)
    x, y = one.panoptic(), two.panoptic()
    same[1:] &= (x[1:] != x[:-1]) == (y[1:] != y[:-1])
    same[:, 1:] &= (x[:, 1:] != x[:, :-1]) == (y[:, 1:] != y[:, :-1])
    return float(same.mean())
