"""Mask R-CNN: proposals on a feature pyramid, then a class, a box and a mask for each (He et al. 2017).

Without masks it is Faster R-CNN (Ren et al. 2015), a detector that counts: `masks = false`. Boxes are moved
alike for all classes, and anchors are fitted to the sizes in the data: one recipe serves cells and cars.
"""

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
    """A Mask R-CNN with fresh weights."""
    return Regions(config, classes, path_up=False)
