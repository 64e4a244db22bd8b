"""The sizes of the things in the data, to which a family fits its anchors, cells or windows."""

from __future__ import annotations

import numpy as np

from inlay.core.errors import InlayError
from inlay.models.parts.targets import Facts


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
