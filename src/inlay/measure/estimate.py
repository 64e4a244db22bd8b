"""A figure with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """What was counted or mapped, what it truly is by the measured error, and the 95 % interval of that."""

    raw: float
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.6g} ({self.low:.6g} to {self.high:.6g})"


def interval(draws: NDArray[np.float64], *, share: float = 0.95) -> tuple[float, float]:
    """The middle `share` of bootstrap draws."""
    tail = (1 - share) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
