"""Quotients and means that leave out what has no value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def divide(above: Floats, below: Floats) -> Floats:
    """The quotient; nan where there is nothing to divide by."""
    return np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)


def mean_of_known(values: Floats) -> Floats:
    """Mean of the last axis over what has a value; nan where nothing has."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def summed(weights: NDArray[np.int32], tables: Floats) -> Floats:
    """(B, ...) sum of (N, ...) tables when sample `i` counts `weights[b, i]` times."""
    total: Floats = np.tensordot(weights.astype(np.float64), tables, axes=1)
    return total
