"""Attention between the places of a feature map, and what transformers need beside it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Attention of tokens to one another; with `reduction`, to what squares of places hold together.

    Parameters
    ----------
    width, heads
        Channels of a token; a head has its share of them.
    reduction
        Places on a side of the squares (SegFormer, 3.1); 1 keeps every token.
    """

    def __init__(self, width: int, heads: int, *, reduction: int = 1) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.reduce = nn.Conv2d(width, width, reduction, reduction) if reduction > 1 else None
        self.reduced_norm = nn.LayerNorm(width) if reduction > 1 else None

    def forward(self, x: Tensor, size: tuple[int, int], seen_by: Tensor | None = None) -> Tensor:
        """(B, N, width) tokens, those of a map of `size` (h, w) where they are reduced -> the same shape.

        `seen_by` (B, 1, N, N) bool leaves out what a token, of the rows, may not look at.
        """
        batch, _, width = x.shape
        seen = x
        if self.reduce is not None and self.reduced_norm is not None:
            seen = self.reduced_norm(tokens_of(self.reduce(map_of(x, size))))
        query = self.query(x).reshape(batch, -1, self.heads, width // self.heads).transpose(1, 2)
        both = self.key_value(seen).reshape(batch, -1, 2, self.heads, width // self.heads)
        key, value = both.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen_by)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, -1, width))
        return out


class DropPath(nn.Module):
    """Leaves a branch out for a share of the images of a batch, while training (Huang et al. 2016)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) -> the same shape."""
        if not self.training or self.share == 0.0:
            return x
        kept = torch.rand((len(x), *(1,) * (x.ndim - 1)), device=x.device) >= self.share
        return x * kept / (1.0 - self.share)


def tokens_of(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H * W, C)."""
    return x.flatten(2).transpose(1, 2)


def map_of(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, H * W, C) -> (B, C, H, W)."""
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], *size)


def initialise_linear(module: nn.Module) -> None:
    """Small normal weights in every linear layer; use as `network.apply(initialise_linear)`."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
