"""Plain vision transformer (Dosovitskiy et al. 2021), with a simple pyramid (Li et al. 2022)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.attention import Attention, initialise_linear, map_of, tokens_of

SIZES = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16)}
PATCH = 16
LEARNT = 14  # patches a side of the images that published weights learnt from


class Block(nn.Module):
    """Attention, then a two-layer network, each beside a shortcut."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, seen_by: Tensor | None = None) -> Tensor:
        """(B, N, width) -> the same shape; `seen_by` as in `Attention`."""
        x = x + self.attention(self.norm1(x), (0, 0), seen_by)
        inner: Tensor = self.narrow(F.gelu(self.widen(self.norm2(x))))
        return x + inner


class ViT(nn.Module):
    """Features at strides 4, 8, 16, 32: the last map of a transformer of stride 16, resampled.

    Parameters
    ----------
    width, depth, heads
        Channels, blocks, heads of each.
    registers
        Tokens that stand for no place, beside that of the whole image (Darcet et al. 2024).
    """

    strides = (4, 8, 16, 32)
    fresh = ("finer.", "fine.", "coarse.")  # parts that no file of weights has

    def __init__(self, width: int, depth: int, heads: int, *, registers: int = 0) -> None:
        super().__init__()
        self.widths = (width // 4, width // 2, width, width)
        self.patch = nn.Conv2d(3, width, PATCH, PATCH)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, width, LEARNT, LEARNT))
        self.token_position = nn.Parameter(torch.zeros(1, 1, width))
        self.registers = nn.Parameter(torch.zeros(1, registers, width)) if registers else None
        nn.init.trunc_normal_(self.position, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.fine = nn.ConvTranspose2d(width, width // 2, 2, 2)
        self.finer = nn.Sequential(nn.GELU(), nn.ConvTranspose2d(width // 2, width // 4, 2, 2))
        self.coarse = nn.MaxPool2d(2, 2)
        self.apply(initialise_linear)

    @classmethod
    def named(cls, size: str, *, registers: int = 0) -> ViT:
        """Of the usual sizes: "tiny", "small", "base" or "large"."""
        return cls(*SIZES[size], registers=registers)

    @property
    def placeless(self) -> int:
        """Tokens before those of places."""
        return 1 if self.registers is None else 1 + self.registers.shape[1]

    def embedded(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """(B, 3, H, W) -> what the first block takes, (B, placeless + h * w, width); and (h, w)."""
        x = self.patch(x)
        size = x.shape[2], x.shape[3]
        x = x + F.interpolate(self.position, size=size, mode="bicubic", align_corners=False)
        first = (self.token + self.token_position).expand(x.shape[0], -1, -1)
        if self.registers is None:
            return torch.cat([first, tokens_of(x)], 1), size
        return torch.cat([first, self.registers.expand(x.shape[0], -1, -1), tokens_of(x)], 1), size

    def tokens(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """(B, 3, H, W) -> (B, placeless + h * w, width), the token of the whole image first; and (h, w)."""
        tokens, size = self.embedded(x)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens), size

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i])."""
        tokens, size = self.tokens(x)
        middle = map_of(tokens[:, self.placeless :], size)
        fine = self.fine(middle)
        return [self.finer(fine), fine, middle, self.coarse(middle)]

    def renamed(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of timm, torchvision or transformers under our names; positions resampled."""
        found: dict[str, Tensor] = {}
        for name, tensor in weights.items():
            for pattern, ours in NAMES:
                name = re.sub(pattern, ours, name)
            found[name] = tensor
        for name in [name for name in found if ".attention.qkv." in name]:
            query, key_value = found.pop(name).tensor_split([self.widths[-1]])
            found[name.replace(".qkv.", ".query.")] = query
            found[name.replace(".qkv.", ".key_value.")] = key_value
        for name in [name for name in found if ".attention.key." in name]:
            value = found.pop(name.replace(".key.", ".value."))
            found[name.replace(".key.", ".key_value.")] = torch.cat([found.pop(name), value])
        places = found.pop("positions", None)
        if places is not None:
            side = round((places.shape[1] - 1) ** 0.5)
            grid = map_of(places[:, 1:], (side, side))
            found["token_position"] = places[:, :1]
            found["position"] = (
                F.interpolate(grid, size=(LEARNT, LEARNT), mode="bicubic") if side != LEARNT else grid
            )
        return found


NAMES = (
    (r"^vit\.", ""),
    (r"^(cls_token|class_token|embeddings\.cls_token)$", "token"),
    (r"^(pos_embed|encoder\.pos_embedding|embeddings\.position_embeddings)$", "positions"),
    (r"^(patch_embed\.proj|conv_proj|embeddings\.patch_embeddings\.projection)\.", "patch."),
    (r"^(encoder\.ln|layernorm)\.", "norm."),
    (r"^(encoder\.layers\.encoder_layer_|encoder\.layer\.|layers\.)(\d+)\.", r"blocks.\2."),
    (r"\.(ln_1|layernorm_before)\.", ".norm1."),
    (r"\.(ln_2|layernorm_after)\.", ".norm2."),
    (r"\.(attn\.qkv\.|self_attention\.in_proj_)", ".attention.qkv."),
    (
        r"\.(attn\.proj|self_attention\.out_proj|attention\.output\.dense|attention\.o_proj)\.",
        ".attention.out.",
    ),
    (r"\.attention\.attention\.(query|key|value)\.", r".attention.\1."),
    (r"\.attention\.q_proj\.", ".attention.query."),
    (r"\.attention\.k_proj\.", ".attention.key."),
    (r"\.attention\.v_proj\.", ".attention.value."),
    (r"\.(mlp\.fc1|mlp\.0|mlp\.linear_1|intermediate\.dense)\.", ".widen."),
    (r"\.(mlp\.fc2|mlp\.3|mlp\.linear_2|output\.dense)\.", ".narrow."),
)
