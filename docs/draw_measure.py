"""Draw the pictures of the recipes: python docs/draw_measure.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from inlay import Segmentation
from inlay.core.overlay import draw
from inlay.core.partial import only_boxes, separated
from inlay.measure import alpha, blur_background, cut_out, pick_order, replace_background, steady, track
from inlay.scenes import make

PICTURES = Path(__file__).parent / "pictures"
SIZE = (240, 320)
LARGE = (360, 480)


def cutouts() -> Image.Image:
    """A part, its cut-out on a chequered ground, a new background, and the background out of focus."""
    sample = make("parts", 3, size=LARGE, seed=2)[1]
    label, pixels = sample.label(), sample.pixels()
    row = int(np.argmax(np.where(label.is_thing, label.masks.area(), 0)))
    mask = label.masks[row].decode()[0]
    opacity = alpha(pixels, mask)
    y, x = np.indices(LARGE)
    chequered = (
        np.where(((y // 12 + x // 12) % 2 == 0)[..., None], 225, 255).astype(np.uint8).repeat(3, axis=2)
    )
    alone = chequered.copy()
    cut = cut_out(pixels, mask)
    height, width = min(cut.shape[0], LARGE[0]), min(cut.shape[1], LARGE[1])
    share = cut[:height, :width, 3:] / 255
    top, left = (LARGE[0] - height) // 2, (LARGE[1] - width) // 2
    window = np.s_[top : top + height, left : left + width]
    alone[window] = cut[:height, :width, :3] * share + alone[window] * (1 - share)
    shade = np.linspace(120, 235, LARGE[0]).astype(np.uint8)[:, None, None]
    plain = np.broadcast_to(shade, (*LARGE, 3)).astype(np.uint8)
    return Image.fromarray(
        np.hstack(
            [pixels, alone, replace_background(pixels, opacity, plain), blur_background(pixels, opacity)]
        )
    )


def blur() -> Image.Image:
    """Frames of a street, and the same with all but the things out of focus, steady from frame to frame."""
    rows: list[list[np.ndarray]] = [[], []]
    last = None
    for sample in make("street", 6, size=SIZE, frames=6, seed=4):
        pixels = sample.pixels()
        opacity = alpha(pixels, sample.label().things().masks.union().decode()[0])
        if last is not None:
            opacity = steady(opacity, pixels, before=last[0], pixels_before=last[1])
        last = opacity, pixels
        rows[0].append(pixels)
        rows[1].append(blur_background(pixels, opacity, sigma=6))
    return Image.fromarray(np.vstack([np.hstack([row[0], row[2], row[4]]) for row in rows]))


def poses() -> Image.Image:
    """Parts in a bin, numbered in the order to pick them, with their long axes."""
    sample = make("parts", 3, size=SIZE, seed=2)[2]
    picture = Image.fromarray(draw(sample.pixels(), sample.label(), names=False)).resize(
        (2 * SIZE[1], 2 * SIZE[0])
    )
    pen = ImageDraw.Draw(picture)
    for place, pose in reversed(list(enumerate(pick_order(sample.label()), 1))):
        x, y = 2 * pose.x, 2 * pose.y
        dx, dy = pose.length * np.cos(pose.angle), pose.length * np.sin(pose.angle)
        pen.line([(x - dx, y - dy), (x + dx, y + dy)], fill=(255, 255, 255), width=2)
        pen.ellipse([x - 11, y - 11, x + 11, y + 11], fill=(20, 20, 24))
        pen.text((x, y), str(place), fill=(255, 255, 255), anchor="mm")
    return picture


def tracks() -> Image.Image:
    """Frames of a street, each thing in the colour of its track."""
    video = track(make("street", 12, size=(180, 240), frames=12, seed=4))
    frames = [
        draw(sample.pixels(), sample.label().things(), names=False, instance_colours=True)
        for sample in (video[0], video[4], video[8], video[11])
    ]
    return Image.fromarray(np.hstack(frames))


def boxes_and_map() -> Image.Image:
    """Cells with boxes, a map of classes, and the things that the two give, open pixels left dark."""
    sample = make("cells", 3, size=SIZE, seed=5)[1]
    label, pixels = sample.label(), sample.pixels()
    regions = Segmentation.from_semantic(label.semantic(), label.classes)
    found = separated(only_boxes(label.things()), regions)
    boxed = Image.fromarray(pixels.copy())
    pen = ImageDraw.Draw(boxed)
    for x0, y0, x1, y1 in label.things().boxes():
        pen.rectangle([x0, y0, x1 - 1, y1 - 1], outline=(255, 200, 60))
    things = found.things()
    shown = things[~things.crowd & (things.masks.area() > 0)]
    return Image.fromarray(
        np.hstack(
            [
                np.asarray(boxed),
                draw(pixels, regions, names=False),
                draw(pixels, shown, names=False, instance_colours=True),
            ]
        )
    )


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name, picture in (
        ("cutouts", cutouts()),
        ("blur", blur()),
        ("poses", poses()),
        ("tracks", tracks()),
        ("boxes_and_map", boxes_and_map()),
    ):
        picture.save(PICTURES / f"{name}.jpg", quality=85)
