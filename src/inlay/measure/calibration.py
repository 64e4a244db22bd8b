"""Units: what a pixel is in the world."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from inlay.core.errors import InlayError

LENGTHS = ("nm", "um", "µm", "mm", "cm", "m", "km", "in", "ft")


@dataclass(frozen=True)
class Calibration:
    """Size of a pixel in a unit of length.

    Parameters
    ----------
    height, width
        Sides of a pixel.
    unit
        Name of the unit, as it appears in tables ("um", "mm", "px").

    Raises
    ------
    InlayError
        When a side is not a positive number.
    """

    height: float = 1.0
    width: float = 1.0
    unit: str = "px"

    def __post_init__(self) -> None:
        for side in (self.height, self.width):
            if not (math.isfinite(side) and side > 0):
                raise InlayError(
                    f"a pixel of {self.height} x {self.width} {self.unit} is none: give positive sides"
                )

    @property
    def spacing(self) -> tuple[float, float]:
        """Height and width."""
        return self.height, self.width

    @property
    def pixel_area(self) -> float:
        """Area of a pixel in square units."""
        return self.height * self.width

    @property
    def area_unit(self) -> str:
        """Name of the unit of areas: "px" for pixels, else with a 2."""
        return "px" if self.unit == "px" else f"{self.unit}2"

    @classmethod
    def parse(cls, text: str) -> Calibration:
        """The calibration of "0.5um" (square pixels) or "0.5x0.25mm" (height x width).

        Raises
        ------
        InlayError
            When the text is not a number or two and a unit of length; degrees are none.
        """
        match = re.fullmatch(r"([0-9.eE+-]+?)(?:\s*x\s*([0-9.eE+-]+?))?\s*([a-zµ]+)", text.strip())
        if match is None:
            raise InlayError(
                f"pixel size {text!r} is not read: write 0.5um, 12mm or 0.5x0.25um (height x width)"
            )
        height, width, unit = match.groups()
        if unit not in LENGTHS:
            known = " ".join(LENGTHS)
            raise InlayError(
                f"pixel size {text!r} has the unit {unit!r}, no unit of length; there are {known}"
            )
        try:
            return cls(float(height), float(width or height), unit)
        except ValueError:
            raise InlayError(f"pixel size {text!r} is not read: {height!r} is not a number") from None
