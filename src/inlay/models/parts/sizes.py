"""The sizes of the things in the data, to which a family fits its anchors, cells or windows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from inlay.core.errors import InlayError
from inlay.models.parts.targets import Facts

LEVELS = 4  # of a pyramid that anchors lie on


class AnchorSettings(Protocol):
    """What the `Config` of a family with anchors has."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the encoder, one for each of its levels."""

    @property
    def anchors(self) -> tuple[float, ...]:
        """Sides of the anchors, one for each level, pixels; empty: by the data."""


Settings = TypeVar("Settings", bound=AnchorSettings)


def quantiles(facts: Facts, *shares: float) -> tuple[float, ...]:
    """Sides of things, pixels, that these shares of the things do not exceed.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    if facts.sides.size == 0:
        raise InlayError(
            "the training part has no single thing to learn: label some, or train a semantic model"
        )
    return tuple(float(side) for side in np.quantile(facts.sides, shares))


def anchored(config: Settings, facts: Facts) -> Settings:
    """The config with anchors from the small to the large things of the data, one for each level.

    Raises
    ------
    InlayError
        When anchors are asked of the data, and there is no thing in it.
    """
    if config.anchors:
        return config
    small, large = quantiles(facts, 0.1, 0.9)
    sides = np.geomspace(max(small, 4.0), max(large, 1.5 * small, 8.0), min(LEVELS, len(config.widths)))
    settings: Any = config
    found: Settings = replace(settings, anchors=tuple(float(round(side, 1)) for side in sides))
    return found
