"""Mix Transformer (Xie et al. 2021): the encoder of SegFormer."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.attention import Attention, DropPath, initialise_linear, map_of, tokens_of

WIDTHS = {"b0": (32, 64, 160, 256)}  # the others have those of b1
WIDTHS_B1 = (64, 128, 320, 512)
DEPTHS = {
    "b0": (2, 2, 2, 2),
    "b1": (2, 2, 2, 2),
    "b2": (3, 4, 6, 3),
    "b3": (3, 4, 18, 3),
    "b4": (3, 8, 27, 3),
    "b5": (3, 6, 40, 3),
}
HEADS = (1, 2, 5, 8)
REDUCTIONS = (8, 4, 2, 1)


class MixBlock(nn.Module):
    """Attention, then a two-layer network with a depthwise convolution inside, each beside a shortcut."""

    def __init__(self, width: int, heads: int, reduction: int, drop: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, reduction=reduction)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.depthwise = nn.Conv2d(4 * width, 4 * width, 3, 1, 1, groups=4 * width)
        self.drop = DropPath(drop)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, H * W, width) of a map of size (H, W) -> the same shape."""
        x = x + self.drop(self.attention(self.norm1(x), size))
        inner = F.gelu(tokens_of(self.depthwise(map_of(self.widen(self.norm2(x)), size))))
        added: Tensor = self.drop(self.narrow(inner))
        return x + added


class MixStage(nn.Module):
    """Overlapping patches, blocks, a norm."""

    def __init__(self, inputs: int, width: int, heads: int, reduction: int, drops: list[float]) -> None:
        super().__init__()
        first = inputs == 3
        self.patch = nn.Conv2d(inputs, width, 7 if first else 3, 4 if first else 2, 3 if first else 1)
        self.patch_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(MixBlock(width, heads, reduction, drop) for drop in drops)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / s, W / s), s being 4 in the first stage, else 2."""
        x = self.patch(x)
        size = x.shape[2], x.shape[3]
        x = self.patch_norm(tokens_of(x))
        for block in self.blocks:
            x = block(x, size)
        return map_of(self.norm(x), size)


class MiT(nn.Module):
    """Features at strides 4, 8, 16, 32.

    Parameters
    ----------
    widths, depths
        Channels and blocks of the four stages.
    heads
        Heads of their attention; default: one for each 32 channels.
    drop
        Share of the images for which the last block is left out in training; less for those before.
    """

    strides = (4, 8, 16, 32)

    def __init__(
        self,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        heads: tuple[int, ...] = (),
        *,
        drop: float = 0.1,
    ) -> None:
        super().__init__()
        self.widths = widths = widths[-4:]
        heads = heads or tuple(max(1, width // 32) for width in widths)
        drops = [drop * place / max(1, sum(depths) - 1) for place in range(sum(depths))]
        ends = [sum(depths[: k + 1]) for k in range(4)]
        self.stages = nn.ModuleList(
            MixStage(inputs, widths[k], heads[k], REDUCTIONS[k], drops[ends[k] - depths[k] : ends[k]])
            for k, inputs in enumerate((3, *widths[:-1]))
        )
        self.apply(initialise_linear)

    @classmethod
    def named(cls, size: str) -> MiT:
        """One of the paper's, "b0" to "b5"."""
        return cls(WIDTHS.get(size, WIDTHS_B1), DEPTHS[size], HEADS)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i])."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features

    def renamed(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of transformers' SegFormer under our names; others as they are."""
        found: dict[str, Tensor] = {}
        for name, tensor in weights.items():
            for pattern, ours in NAMES:
                name = re.sub(pattern, ours, name)
            found[name] = tensor
        for name in [name for name in found if ".attention.key." in name]:
            value = found.pop(name.replace(".key.", ".value."))
            found[name.replace(".key.", ".key_value.")] = torch.cat([found.pop(name), value])
        return found


# names in files that transformers writes, and in its memory
NAMES = (
    (r"^segformer\.", ""),
    (r"^encoder\.patch_embeddings\.(\d)\.", r"stages.\1.patch_embeddings."),
    (r"^encoder\.block\.(\d)\.(\d+)\.", r"stages.\1.blocks.\2."),
    (r"^encoder\.layer_norm\.(\d)\.", r"stages.\1.norm."),
    (r"^stages\.(\d)\.layer_norm\.", r"stages.\1.norm."),
    (r"patch_embeddings\.proj\.", "patch."),
    (r"patch_embeddings\.layer_norm\.", "patch_norm."),
    (r"(layer_norm_1|layernorm_before)\.", "norm1."),
    (r"(layer_norm_2|layernorm_after)\.", "norm2."),
    (r"attention\.self\.(query|key|value)\.", r"attention.\1."),
    (r"attention\.q_proj\.", "attention.query."),
    (r"attention\.k_proj\.", "attention.key."),
    (r"attention\.v_proj\.", "attention.value."),
    (r"attention\.(output\.dense|o_proj)\.", "attention.out."),
    (r"attention\.(self\.sr|sequence_reduction\.sequence_reduction)\.", "attention.reduce."),
    (r"attention\.(self|sequence_reduction)\.layer_norm\.", "attention.reduced_norm."),
    (r"mlp\.(dense1|fc1)\.", "widen."),
    (r"mlp\.(dense2|fc2)\.", "narrow."),
    (r"mlp\.dwconv\.dwconv\.", "depthwise."),
)
