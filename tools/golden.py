"""Writes tests/golden/masks.json, which pytest and `node --test` both read: `python tools/golden.py`.

Masks as run lengths and strings, polygons as the pixel-edge rule fills them: both codecs agree forever.
Run it only to add cases: what is there has been exported by somebody.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from inlay import Masks
from inlay.core import polygons

TARGET = Path(__file__).resolve().parents[1] / "tests" / "golden" / "masks.json"


def mask_cases(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Stacks of all kinds: empty, full, noise, blobs, one pixel, runs too long for one character."""
    stacks = [np.zeros((3, 4), bool), np.ones((3, 4), bool), np.eye(5, dtype=bool), np.ones((1, 1), bool)]
    stacks += [rng.random(rng.integers(1, 40, 2)) < share for share in (0.05, 0.5, 0.95) for _ in range(4)]
    y, x = np.mgrid[:300, :200]
    stacks += [(x - cx) ** 2 + (y - cy) ** 2 < r * r for cx, cy, r in rng.integers(5, 190, (6, 3))]
    stacks.append(np.pad(np.ones((1, 1), bool), ((2000, 3), (700, 1))))
    found = []
    for stack in stacks:
        masks = Masks.encode(stack)
        text = masks.to_strings()[0].decode("ascii")
        found.append({"size": list(masks.size), "runs": masks.to_runs()[0], "string": text})
    return found


def ring(rng: np.random.Generator, centre: tuple[float, float], radius: float) -> list[list[float]]:
    """A ring that may cross itself, leave the image or lie on whole and half pixels."""
    count = int(rng.integers(3, 12))
    angles = np.sort(rng.random(count)) * 2 * np.pi if rng.random() < 0.7 else rng.random(count) * 2 * np.pi
    reach = radius * rng.uniform(0.4, 1.3, count)
    points = np.stack([centre[0] + reach * np.cos(angles), centre[1] + reach * np.sin(angles)], 1)
    places = int(rng.choice([0, 1, 2, 6]))
    rounded: list[list[float]] = np.round(points, places).tolist()
    return rounded


def polygon_cases(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Polygons of several parts with holes, filled by the pixel-edge rule."""
    found = []
    for _ in range(150):
        height, width = (int(v) for v in rng.integers(1, 90, 2))
        parts = []
        for _ in range(int(rng.integers(1, 4))):
            centre = (float(rng.uniform(-5, width + 5)), float(rng.uniform(-5, height + 5)))
            radius = float(rng.uniform(1, 40))
            holes = int(rng.integers(0, 3))
            parts.append([ring(rng, centre, radius), *(ring(rng, centre, radius / 3) for _ in range(holes))])
        filled = polygons.fill(polygons.from_rings([parts]), (height, width))
        text = filled.to_strings()[0].decode("ascii")
        found.append({"size": [height, width], "parts": parts, "string": text})
    return found


def main() -> None:
    """Write the file."""
    rng = np.random.default_rng(5)
    cases = {"masks": mask_cases(rng), "polygons": polygon_cases(rng)}
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(cases, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
