"""PANet: Mask R-CNN with a path back up, pooling from all levels, and a fused mask head (Liu et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inlay.core.classes import Classes
from inlay.models.mask_rcnn import fitted_anchors
from inlay.models.parts.regions import RegionConfig as Config
from inlay.models.parts.regions import Regions
from inlay.models.parts.targets import Facts

TASK = "instance"
PARTIAL = True
RECIPE: Mapping[str, object] = {
    "learning_rate": 1e-3,
    "augment": {"crop": [256, 256], "scale": [0.6, 1.7], "brightness": 0.4, "contrast": 0.4, "gamma": 0.4},
}


def adapt(config: Config, facts: Facts) -> Config:
    """The config with anchors fitted to the sizes of the things in the data.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    return replace(config, anchors=config.anchors or fitted_anchors(facts, len(config.widths)))


def build(config: Config, classes: Classes) -> Regions:
    """A PANet with fresh weights."""
    return Regions(config, classes, path_up=True)
