"""Mask R-CNN: proposals on a feature pyramid, then a class, a box and a mask for each (He et al. 2017).

Without masks it is Faster R-CNN (Ren et al. 2015), a detector that counts: `masks = false`. Boxes are moved
alike for all classes, and anchors are fitted to the sizes in the data: one recipe serves cells and cars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from inlay.core.classes import Classes
from inlay.models.parts.regions import RegionConfig as Config
from inlay.models.parts.regions import Regions
from inlay.models.parts.sizes import quantiles
from inlay.models.parts.targets import Facts

TASK = "instance"
PARTIAL = True
RECIPE: Mapping[str, object] = {
    "learning_rate": 1e-3,
    "augment": {"crop": [256, 256], "scale": [0.6, 1.7], "brightness": 0.4, "contrast": 0.4, "gamma": 0.4},
}
LEVELS = 4


def adapt(config: Config, facts: Facts) -> Config:
    """The config with anchors fitted to the sizes of the things in the data.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    return replace(config, anchors=config.anchors or fitted_anchors(facts, len(config.widths)))


def fitted_anchors(facts: Facts, widths: int) -> tuple[float, ...]:
    """Sides from the small to the large things of the data, one for each level."""
    small, large = quantiles(facts, 0.1, 0.9)
    levels = min(LEVELS, widths)
    sides = np.geomspace(max(small, 4.0), max(large, 1.5 * small, 8.0), levels)
    return tuple(float(round(side, 1)) for side in sides)


def build(config: Config, classes: Classes) -> Regions:
    """A Mask R-CNN with fresh weights."""
    return Regions(config, classes, path_up=False)
