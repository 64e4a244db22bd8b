"""Scenes: rendered pictures with exact truth, one module for each kind."""

from __future__ import annotations

from functools import partial
from types import ModuleType

from inlay import plugins
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError

SPLITS = ("train", "train", "test", "train", "val", "train", "train", "test", "train", "train")
SMALLEST = 32  # pixels


def make(
    kind: str, count: int, *, size: tuple[int, int] = (240, 320), seed: int = 0, frames: int = 1
) -> Dataset:
    """A dataset of `count` rendered pictures and their truth; nothing is drawn until it is asked for.

    A sample depends on `kind`, `size`, `seed` and its own place alone: the fifty-thousandth costs what the
    first does, and a longer dataset begins with the shorter one. Seven in ten samples are train, one val, two
    test; the frames of a video stay together.

    Parameters
    ----------
    kind
        "street", "parts" or "cells", or a plugin of that name.
    count
        Number of pictures, over all videos.
    size
        (height, width), pixels.
    frames
        Pictures of each video; 1 makes single images.

    Raises
    ------
    InlayError
        When there is no such kind, it makes no video, or a number is out of its range.
    """
    module = plugins.load("scenes", kind)
    if count < 0 or frames < 1:
        raise InlayError(
            f"{count} pictures in videos of {frames} frames cannot be made: give 0 or more, and 1 or more"
        )
    if min(size) < SMALLEST:
        raise InlayError(f"size is {size[0]}x{size[1]}; a scene needs at least {SMALLEST}x{SMALLEST} pixels")
    if frames > 1 and not module.VIDEO:
        able = [name for name in plugins.names("scenes") if plugins.load("scenes", name).VIDEO]
        raise InlayError(f"{kind} makes no video: leave out frames, or take {', '.join(able)}")
    places = [divmod(number, frames) for number in range(count)]
    splits = {_name(kind, video, frame, frames): SPLITS[video % len(SPLITS)] for video, frame in places}
    load = partial(_sample, kind, size, seed, frames)
    return Dataset(module.CLASSES, tuple(splits), load, splits)


def _name(kind: str, video: int, frame: int, frames: int) -> str:
    return f"{kind}-{video:06d}" if frames == 1 else f"{kind}-{video:06d}/{frame:04d}"


def _sample(kind: str, size: tuple[int, int], seed: int, frames: int, name: str) -> Sample:
    group, _, place = name.partition("/")
    number, frame = int(group.rsplit("-", 1)[1]), int(place or 0)
    module: ModuleType = plugins.load("scenes", kind)
    pixels, truth = module.draw((seed, number), size, frame=frame)
    split = SPLITS[number % len(SPLITS)]
    if frames == 1:
        return Sample(name, pixels, truth, split)
    return Sample(name, pixels, truth, split, group=group, frame=frame)
