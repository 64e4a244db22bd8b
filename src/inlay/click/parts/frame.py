"""How an image lies in the square that a SAM looks at: pixels and prompts into it, masks out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.prompt import Part
from inlay.models.cues.windows import Size, Window
from inlay.models.pretrained.resampling import enlarged

Field = NDArray[np.float32]
SURE = 10.0  # logit of a mask to mend
ROWS = 512  # of the image, enlarged at once


@dataclass(frozen=True)
class Frame:
    """An image in a square.

    Parameters
    ----------
    size
        (height, width) of the image.
    side
        Of the square, pixels.
    padded
        Whether the image keeps its proportions, in the upper left of the square, or fills it.
    """

    size: Size
    side: int
    padded: bool

    @property
    def inner(self) -> Size:
        """(height, width) of the part of the square that shows the image."""
        if not self.padded:
            return self.side, self.side
        scale = self.side / max(self.size)
        height, width = (max(1, int(length * scale + 0.5)) for length in self.size)
        return height, width

    def pixels(self, image: NDArray[np.uint8], mean: Sequence[float], deviation: Sequence[float]) -> Field:
        """(1, 3, side, side) of an image: resampled, normalised, zero beyond it."""
        from PIL import Image

        height, width = self.inner
        resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
        values = np.asarray(resized, np.float32) / np.float32(255)
        square = np.zeros((1, 3, self.side, self.side), np.float32)
        normal = (values - np.asarray(mean, np.float32)) / np.asarray(deviation, np.float32)
        square[0, :, :height, :width] = normal.transpose(2, 0, 1)
        return square

    def points(self, places: Sequence[Sequence[float]]) -> Field:
        """(N, 2) x, y in the square."""
        (height, width), (tall, wide) = self.size, self.inner
        return np.asarray(places, np.float32).reshape(-1, 2) * np.array(
            [wide / width, tall / height], np.float32
        )

    def mask(self, part: Part, cells: int) -> Field:
        """(1, 1, cells, cells) logits of a mask to mend, over the square."""
        from PIL import Image

        whole = np.zeros(self.size, np.uint8)
        x, y = part.corner
        height, width = part.inside.shape
        whole[y : y + height, x : x + width] = part.inside * np.uint8(255)
        tall, wide = (max(1, round(length * cells / self.side)) for length in self.inner)
        small = Image.fromarray(whole).resize((wide, tall), Image.Resampling.BOX)
        logits = np.full((1, 1, cells, cells), -SURE, np.float32)
        logits[0, 0, :tall, :wide] = np.asarray(small, np.float32) * (2 * SURE / 255) - SURE
        return logits

    def inside(self, values: Field, *others: Window | None) -> tuple[Window, NDArray[np.bool_]]:
        """Where values (h, w) over the square are positive, in the image: a window, and (H, W) bool of it.

        The window holds all that is positive, and the `others`; it may be empty. Enlarged bilinearly, as the
        networks were trained: for padded images first to the pixels of the square.
        """
        if self.padded:
            rows = enlarged(values, self.side, 0, self.side)
            square = enlarged(rows.T, self.side, 0, self.side).T
            values = square[: self.inner[0], : self.inner[1]]
        window = _around(values > 0, self.size, others)
        x0, y0, x1, y1 = window
        inside = np.zeros((y1 - y0, x1 - x0), np.bool_)
        wide = np.ascontiguousarray(enlarged(values.T, self.size[1], x0, x1).T)
        for start in range(y0, y1, ROWS):
            stop = min(start + ROWS, y1)
            inside[start - y0 : stop - y0] = enlarged(wide, self.size[0], start, stop) > 0
        return window, inside


def _around(positive: NDArray[np.bool_], size: Size, others: Sequence[Window | None]) -> Window:
    """The pixels that the positive cells can reach, and other windows."""
    boxes = [each for each in others if each is not None]
    rows, columns = np.flatnonzero(positive.any(1)), np.flatnonzero(positive.any(0))
    if len(rows):
        down, across = size[0] / positive.shape[0], size[1] / positive.shape[1]
        x0, x1 = int((columns[0] - 0.5) * across) - 1, int((columns[-1] + 1.5) * across) + 2
        y0, y1 = int((rows[0] - 0.5) * down) - 1, int((rows[-1] + 1.5) * down) + 2
        boxes.append((max(0, x0), max(0, y0), min(size[1], x1), min(size[0], y1)))
    if not boxes:
        return 0, 0, 0, 0
    corners = np.array(boxes)
    (x0, y0), (x1, y1) = corners[:, :2].min(0).tolist(), corners[:, 2:].max(0).tolist()
    return x0, y0, x1, y1
