"""Name tags on overlays: where they fit, nothing is covered twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

    from inlay.core.segmentation import Segmentation

Box = tuple[int, int, int, int]
MOST = 60  # tags on one image
LONGEST = 24  # characters of a name


def write_names(
    drawn: NDArray[np.uint8], ids: NDArray[np.int32], segmentation: Segmentation, colours: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The drawing with a tag on each segment that has room for one; large segments choose first."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(drawn)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=font_size(ids.shape))
    taken: list[Box] = []
    for row, x, y, room, area in anchors(ids):
        box = _tag_box(pen, font, _words(segmentation, row), x, y, image.size)
        if box is None or box[2] - box[0] > 1.6 * room or any(_overlap(box, other) for other in taken):
            continue
        if (box[2] - box[0]) * (box[3] - box[1]) > 0.5 * area:  # it would hide what it names
            continue
        _write(pen, font, box, _words(segmentation, row), colours[row])
        taken.append(box)
        if len(taken) == MOST:
            break
    return np.asarray(image).copy()


def font_size(size: tuple[int, ...]) -> int:
    """Height of the letters, pixels."""
    return int(np.clip(min(size[:2]) / 26, 9, 40))


def anchors(ids: NDArray[np.int32]) -> list[tuple[int, int, int, int, int]]:
    """(row, x, y, room, area) of each visible segment, largest first: the middle of a long run of its pixels.

    Of the runs that are nearly as long as the longest one, the one in the middle is taken: text lies inside
    even where the centre of mass does not.
    """
    width = ids.shape[1]
    flat = ids.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[0] - 1) | (np.arange(flat.size) % width == 0))
    lengths = np.diff(starts, append=flat.size)
    owner = flat[starts]
    seen = owner > 0
    starts, lengths, owner = starts[seen], lengths[seen], owner[seen]
    count = int(owner.max(initial=0)) + 1
    area = np.bincount(owner, lengths, count)
    longest = np.zeros(count, np.int64)
    np.maximum.at(longest, owner, lengths)
    good = np.flatnonzero(lengths >= 0.8 * longest[owner])
    good = good[np.argsort(owner[good], kind="stable")]
    ends = np.searchsorted(owner[good], np.arange(count + 1))
    found = []
    for name in np.argsort(-area, kind="stable"):
        if ends[name] < ends[name + 1]:
            run = good[(ends[name] + ends[name + 1]) // 2]
            y, x = divmod(int(starts[run] + lengths[run] // 2), width)
            found.append((int(name) - 1, x, y, int(lengths[run]), int(area[name])))
    return found


def _words(segmentation: Segmentation, row: int) -> str:
    name = "".join(letter if letter.isprintable() else " " for letter in segmentation.class_names[row])
    name = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
    return name if segmentation.score is None else f"{name} {segmentation.score[row]:.2f}"


def _tag_box(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    words: str,
    x: int,
    y: int,
    size: tuple[int, int],
) -> Box | None:
    """Box of a tag around a point, moved into the image; `None` where the image is too small for it."""
    x0, y0, x1, y1 = pen.textbbox((0, 0), words, font=font, anchor="ls")
    pad = max(2, font_size(size) // 5)
    rise = round(font_size(size) * 0.85)
    width, height = int(x1 - x0) + 2 * pad, rise + pad + max(pad, int(y1))
    if width > size[0] or height > size[1] or y1 - y0 == 0:
        return None
    left = min(max(0, x - width // 2), size[0] - width)
    top = min(max(0, y - height // 2), size[1] - height)
    return left, top, left + width, top + height


def _overlap(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _write(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    box: Box,
    words: str,
    colour: NDArray[np.uint8],
) -> None:
    """A rounded plate in the segment's colour, and letters that stand out from it."""
    red, green, blue = (int(value) for value in colour)
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
    pad = max(2, font_size(pen.im.size) // 5)
    pen.rounded_rectangle((box[0], box[1], box[2] - 1, box[3] - 1), radius=pad, fill=(red, green, blue))
    x0 = pen.textbbox((0, 0), words, font=font, anchor="ls")[0]
    baseline = box[1] + pad + round(font_size(pen.im.size) * 0.8)
    ink = (255, 255, 255) if dark else (16, 16, 16)
    pen.text((box[0] + pad - x0, baseline), words, font=font, anchor="ls", fill=ink)
