"""A page of counts: totals with intervals, how many an image has, and where in the image they lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay import page
from inlay.core.partial import is_there

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.measure.estimate import Estimate

MAP = 96  # cells of the longer side of a map
CORRECTED = ("corrected", "95 % from", "to")
SHADES = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))


def write_page(
    dataset: Dataset,
    counts: NDArray[np.int64],
    path: Path,
    *,
    estimates: Mapping[str, Estimate] | None = None,
) -> None:
    """Write the page.

    Parameters
    ----------
    dataset
        What was counted.
    counts
        (S, C) things of each class in each sample.
    path
        The page.
    estimates
        Counts corrected by the measured error, by class.
    """
    names = dataset.classes.names
    total = counts.sum(axis=0)
    seen = [row for row in np.argsort(-total, kind="stable").tolist() if total[row]]
    rows = []
    for row in seen:
        known = (estimates or {}).get(names[row])
        corrected = [known.value, known.low, known.high] if known else [np.nan] * 3 if estimates else []
        per_image = counts[:, row]
        mean, most = float(per_image.mean()), int(per_image.max(initial=0))
        rows.append((names[row], int(total[row]), *corrected, mean, most))
    header = ("class", "counted", *(CORRECTED if estimates else ()), "per image", "most in one")
    density = density_map(dataset)
    body = "".join(
        (
            page.figures({"images": len(dataset), "things": int(total.sum()), "classes": len(seen)}),
            page.section("Counts", page.table(rows, header)),
            page.section("In one image", *(histogram(counts[:, row], names[row]) for row in seen[:12])),
            page.section(
                "Where they lie", page.picture(density, "map of all things' centres, bright is dense")
            ),
        )
    )
    predicted = any(sample.label().score is not None for sample in dataset)
    intro = "As predicted, with the model's error in it." if predicted and not estimates else ""
    page.write_page(path, page.page("Counts", body, intro=intro, style="figure img{max-width:24rem}"))


def histogram(counts: NDArray[np.int64], name: str) -> page.Html:
    """How many images have how many."""
    top = int(counts.max(initial=0))
    width = max(1, -(-(top + 1) // 20))
    images = np.bincount(counts // width, minlength=top // width + 1)
    rows = []
    for place, number in enumerate(images.tolist()):
        span = f"{place * width}" if width == 1 else f"{place * width} to {(place + 1) * width - 1}"
        rows.append((span, number, "█" * round(30 * number / max(images.max(), 1))))
    return page.table(rows, (f"{name} in one image", "images", ""))


def density_map(dataset: Dataset) -> NDArray[np.uint8]:
    """(MAP, MAP, 3) centres of all things over all images, smoothed; each image fills the square."""
    from scipy.ndimage import gaussian_filter

    places = np.zeros((MAP, MAP))
    for sample in dataset:
        things = sample.label().things()
        box = things.boxes()[is_there(things)]
        height, width = things.size
        y = (box[:, 1] + box[:, 3]) / 2 / max(height, 1) * MAP
        x = (box[:, 0] + box[:, 2]) / 2 / max(width, 1) * MAP
        np.add.at(places, (np.minimum(y.astype(int), MAP - 1), np.minimum(x.astype(int), MAP - 1)), 1)
    smooth = gaussian_filter(places, MAP / 24, mode="constant")
    share = smooth / max(smooth.max(), 1e-12) * (len(SHADES) - 1)
    low = np.minimum(share.astype(int), len(SHADES) - 2)
    shades = np.array(SHADES, np.float64)
    mixed = shades[low] + (share - low)[..., None] * (shades[low + 1] - shades[low])
    return np.rint(np.kron(mixed, np.ones((4, 4, 1)))).astype(np.uint8)
