"""PANet: Mask R-CNN with a path back up, pooling from all levels, and a fused mask head (Liu et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping

from inlay.core.classes import Classes
from inlay.models.parts.regions import RegionConfig as Config
from inlay.models.parts.regions import Regions, fitted

TASK = "instance"
PARTIAL = True
RECIPE: Mapping[str, object] = {
    "learning_rate": 1e-3,
    "augment": {"crop": [256, 256], "scale": [0.6, 1.7], "brightness": 0.4, "contrast": 0.4, "gamma": 0.4},
}


adapt = fitted  # anchors that fit the sizes of the things in the data, and room for as many as an image has


def build(config: Config, classes: Classes) -> Regions:
    """A PANet with fresh weights."""
    return Regions(config, classes, path_up=True)
