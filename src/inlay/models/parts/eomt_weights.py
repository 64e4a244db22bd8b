"""Weights of transformers' EoMT under the names of our mask transformer."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from inlay.models.encoders.vit import LEARNT
from inlay.models.parts.attention import map_of

NAMES = (
    (r"^query\.weight$", "query"),
    (r"^class_predictor\.", "category."),
    (r"^mask_head\.fc1\.", "mask.0."),
    (r"^mask_head\.fc2\.", "mask.2."),
    (r"^mask_head\.fc3\.", "mask.4."),
    (r"^upscale_block\.block\.(\d+)\.conv1\.", r"enlarge.\1.up."),
    (r"^upscale_block\.block\.(\d+)\.conv2\.", r"enlarge.\1.depthwise."),
    (r"^upscale_block\.block\.(\d+)\.layernorm2d\.", r"enlarge.\1.norm."),
    (r"^embeddings\.cls_token$", "encoder.token"),
    (r"^embeddings\.register_tokens$", "encoder.registers"),
    (r"^embeddings\.position_embeddings\.weight$", "encoder.position"),
    (r"^embeddings\.patch_embeddings\.projection\.", "encoder.patch."),
    (r"^layernorm\.", "encoder.norm."),
    (r"^layers\.", "encoder.blocks."),
    (r"\.q_proj\.", ".query."),
    (r"\.out_proj\.", ".out."),
    (r"\.mlp\.fc1\.", ".widen."),
    (r"\.mlp\.fc2\.", ".narrow."),
)
SCALES = {".layer_scale1.lambda1": ".attention.out", ".layer_scale2.lambda1": ".narrow"}
LEFT_OUT = ("criterion.", "attn_mask_probs")  # of training alone


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that a mask transformer with a plain ViT has.

    Layer scales are multiplied into the layers before them; positions are resampled to as many as ours.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if not name.startswith(LEFT_OUT):
            for pattern, ours in NAMES:
                name = re.sub(pattern, ours, name)
            found[name] = tensor
    for name in [name for name in found if ".k_proj." in name]:
        both = [found.pop(name), found.pop(name.replace(".k_proj.", ".v_proj."))]
        found[name.replace(".k_proj.", ".key_value.")] = torch.cat(both)
    for ending, layer in SCALES.items():
        for name in [name for name in found if name.endswith(ending)]:
            scale, scaled = found.pop(name), name.removesuffix(ending) + layer
            found[f"{scaled}.weight"] = found[f"{scaled}.weight"] * scale[:, None]
            found[f"{scaled}.bias"] = found[f"{scaled}.bias"] * scale
    places = found["encoder.position"]
    side = round(len(places) ** 0.5)
    grid = map_of(places[None], (side, side))
    found["encoder.position"] = (
        grid if side == LEARNT else F.interpolate(grid, size=(LEARNT, LEARNT), mode="bicubic")
    )
    found["encoder.token_position"] = torch.zeros_like(found["encoder.token"])
    return found
