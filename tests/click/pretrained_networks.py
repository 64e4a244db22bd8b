"""Networks of the SAM family with random weights, as small as they go."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

SIDE = 64


def small(kind: str):
    """A network of transformers."""
    import transformers

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = BUILDERS[kind](transformers).eval()
    for parameter in network.parameters():  # masks of both signs
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=1.5 / parameter[0].numel() ** 0.5)
    return network


def written(network, folder: Path) -> Path:
    """The folder that transformers writes for a network."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.save_pretrained(folder)
    file = folder / "model.safetensors"
    tensors = load_file(file)  # names of SAM 3 as published; transformers 5.23 writes a prefix twice
    save_file(
        {name.replace("tracker_model.tracker_model", "tracker_model"): tensors[name] for name in tensors},
        file,
    )
    return folder


def _sam(t, *, quality: bool = False):
    name = "SamHQ" if quality else "Sam"
    vision = getattr(t, f"{name}VisionConfig")(
        hidden_size=16,
        output_channels=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=16,
        window_size=2,
        global_attn_indexes=[1],
        num_pos_feats=8,
        mlp_dim=32,
    )
    prompts = getattr(t, f"{name}PromptEncoderConfig")(hidden_size=16, image_size=SIDE, patch_size=16)
    decoder = getattr(t, f"{name}MaskDecoderConfig")(
        hidden_size=16,
        mlp_dim=32,
        num_attention_heads=2,
        iou_head_hidden_dim=16,
        **({"vit_dim": 16} if quality else {}),
    )
    return getattr(t, f"{name}Model")(getattr(t, f"{name}Config")(**_parts(vision, prompts, decoder)))


def _sam2(t):
    backbone = t.Sam2HieraDetConfig(
        hidden_size=8,
        num_attention_heads=1,
        image_size=[SIDE, SIDE],
        window_positional_embedding_background_size=[4, 4],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[4, 4, 4, 4],
        global_attention_blocks=[3],
    )
    vision = t.Sam2VisionConfig(
        backbone_config=backbone.to_dict(),
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        fpn_hidden_size=32,
    )
    prompts = t.Sam2PromptEncoderConfig(hidden_size=32, image_size=SIDE, patch_size=16)
    decoder = t.Sam2MaskDecoderConfig(
        hidden_size=32, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=16
    )
    return t.Sam2Model(t.Sam2Config(**_parts(vision, prompts, decoder)))


def _sam3(t):
    """Both halves of SAM 3: what answers clicks, and what reads."""
    vision = {
        "backbone_config": t.Sam3ViTConfig(
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=56,
            patch_size=14,
            window_size=2,
            global_attn_indexes=[1],
            pretrain_image_size=28,
        ).to_dict(),
        "fpn_hidden_size": 32,
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    }
    layers = {"hidden_size": 32, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    words = {
        "vocab_size": 600,
        "hidden_size": 16,
        "intermediate_size": 16,
        "projection_dim": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 32,
        "bos_token_id": 188,
        "eos_token_id": 189,
        "pad_token_id": 189,
    }
    detector = t.Sam3Config(
        vision_config=vision,
        text_config={"model_type": "clip_text_model", **words},
        geometry_encoder_config=layers,
        detr_encoder_config=layers,
        detr_decoder_config={**layers, "num_queries": 6},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    tracker = t.Sam3TrackerVideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": 56},
        mask_decoder_config={
            "hidden_size": 32,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
        image_size=56,
        memory_attention_hidden_size=32,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32,
        memory_encoder_hidden_size=32,
        memory_fuser_embed_dim=32,
        memory_fuser_intermediate_dim=32,
        mask_downsampler_embed_dim=32,
    )
    return t.Sam3VideoModel(
        t.Sam3VideoConfig(detector_config=detector.to_dict(), tracker_config=tracker.to_dict())
    )


def write_words(folder: Path) -> None:
    """A tokenizer of single letters, in the files of CLIP's."""
    letters = [chr(code) for code in range(33, 127)]
    names = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 32, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))


def _parts(vision, prompts, decoder):
    return {
        "vision_config": vision.to_dict(),
        "prompt_encoder_config": prompts.to_dict(),
        "mask_decoder_config": decoder.to_dict(),
    }


BUILDERS = {"sam": _sam, "sam_hq": lambda t: _sam(t, quality=True), "sam2": _sam2, "sam3_video": _sam3}
