"""Networks of the SAM family, as transformers has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inlay.core.errors import FormatError, InlayError
from inlay.models.pretrained.folder import load_network, transformers

Field = NDArray[np.float32]

CLICKED = {
    "sam": "SamModel",
    "sam_hq": "SamHQModel",
    "sam2": "Sam2Model",
    "sam2_video": "Sam2Model",
    "sam3_tracker": "Sam3TrackerModel",
    "sam3_tracker_video": "Sam3TrackerModel",
    "sam3_video": "Sam3TrackerModel",
}
NAMED = {"sam3": "Sam3Model", "sam3_video": "Sam3Model"}  # networks that find what a text names
TOKENS = 32  # of a text, as SAM 3 was trained


def device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Clicked:
    """A network that answers clicks, boxes and masks.

    Parameters
    ----------
    folder
        Of the checkpoint.
    kind
        Its `model_type`, of `CLICKED`.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self._place = device()
        self._network = load_network(folder, CLICKED[kind]).to(self._place)
        config = self._network.config
        self.padded = kind in ("sam", "sam_hq")
        prompts = config.prompt_encoder_config
        self.side = int(prompts.image_size)
        self.cells = 4 * (
            self.side // int(prompts.patch_size if not self.padded else config.vision_config.patch_size)
        )

    def embed(self, pixels: Field) -> dict[str, Field]:
        """What the encoder sees in (1, 3, side, side) pixels."""
        with torch.inference_mode():
            found = self._network.get_image_embeddings(torch.from_numpy(pixels).to(self._place))
        if isinstance(found, torch.Tensor):
            found = [found]
        elif self.padded:  # SAM-HQ: the last features, and those of the first layer that sees all
            found = [found[0], found[1][0]]
        return {str(place): each.float().cpu().numpy() for place, each in enumerate(found)}

    def answer(
        self,
        embedding: Mapping[str, Field],
        points: Field,
        labels: NDArray[np.int64],
        box: Field | None,
        mask: Field | None,
    ) -> tuple[Field, Field]:
        """Logits (M, cells, cells) and predicted IoU (M,): three masks for a single click, else one."""
        features = [
            torch.from_numpy(embedding[str(place)]).to(self._place) for place in range(len(embedding))
        ]
        given: dict[str, Any] = {"image_embeddings": features if not self.padded else features[0]}
        if self.padded and len(features) > 1:
            given["intermediate_embeddings"] = features[1:]
        if len(points):
            given["input_points"] = torch.from_numpy(points)[None, None].to(self._place)
            given["input_labels"] = torch.from_numpy(labels)[None, None].to(self._place)
        if box is not None:
            given["input_boxes"] = torch.from_numpy(box.reshape(1, 1, 4)).to(self._place)
        if mask is not None:
            given["input_masks"] = torch.from_numpy(mask).to(self._place)
        several = len(points) == 1 and box is None and mask is None
        with torch.inference_mode():
            found = self._network(**given, multimask_output=several)
        return found.pred_masks[0, 0].float().cpu().numpy(), found.iou_scores[0, 0].float().cpu().numpy()


class Named:
    """A network that finds what a text names (SAM 3).

    Parameters
    ----------
    folder
        Of the checkpoint, with its tokenizer.
    kind
        Its `model_type`, of `NAMED`.
    """

    padded = False

    def __init__(self, folder: Path, kind: str) -> None:
        self._place, self._folder = device(), folder
        self._network = load_network(folder, NAMED[kind]).to(self._place)
        self.side = int(self._network.config.vision_config.image_size)
        try:
            self._words = transformers().AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # a dozen kinds
            first = str(error).split("\n")[0][:200]
            raise FormatError(folder, "tokenizer", f"cannot be read ({first})") from None

    def embed(self, pixels: Field) -> dict[str, Field]:
        """What the encoder sees in (1, 3, side, side) pixels."""
        with torch.inference_mode():
            found = self._network.vision_encoder(torch.from_numpy(pixels).to(self._place))
        return {str(place): each.float().cpu().numpy() for place, each in enumerate(found.fpn_hidden_states)}

    def answer(self, embedding: Mapping[str, Field], text: str) -> tuple[Field, Field]:
        """Shares (Q, h, w) that a pixel belongs to each thing found, and scores (Q,)."""
        words = self._words(text, return_tensors="pt", padding="max_length", max_length=TOKENS)
        if words["input_ids"].shape[1] > TOKENS:
            raise InlayError(f"the text has {words['input_ids'].shape[1]} tokens; name a thing in {TOKENS}")
        features = [
            torch.from_numpy(embedding[str(place)]).to(self._place) for place in range(len(embedding))
        ]
        places = self._network.vision_encoder.neck.position_encoding
        with torch.inference_mode():
            seen = Seen(features, [places(each.shape, each.device, each.dtype) for each in features])
            found = self._network(
                vision_embeds=seen,
                input_ids=words["input_ids"].to(self._place),
                attention_mask=words["attention_mask"].to(self._place),
            )
        scores = (found.pred_logits.sigmoid() * found.presence_logits.sigmoid())[0]
        return found.pred_masks[0].sigmoid().float().cpu().numpy(), scores.float().cpu().numpy()


@dataclass(frozen=True, eq=False)
class Seen:
    """What the encoder of SAM 3 saw, in the form that the rest of it takes."""

    fpn_hidden_states: list[torch.Tensor]
    fpn_position_encoding: list[torch.Tensor]
    hidden_states: None = None
    attentions: None = None
