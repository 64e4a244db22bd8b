"""The golden corpus: tiny datasets drawn as text, each of one thing that label files are known to lose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass
from inlay.core.segmentation import instance_numbers

CLASSES = Classes.of("car", "person")
SQUARE = "..... .###. .###. ....."
CORNER = "....... ....... ....... ....... .....## .....##"


def stack_of(*layers: str, size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """(N, H, W) of text pictures, `#` foreground."""
    stack = np.zeros((len(layers), *size), bool)
    for mask, text in zip(stack, layers):
        rows = text.split()
        mask[: len(rows), : len(rows[0])] = [[letter == "#" for letter in row] for row in rows]
    return stack


def label(
    *layers: str, of: tuple[int, ...] | None = None, size: tuple[int, int] = (7, 9), **columns: Any
) -> Segmentation:
    """Segments of text pictures, back to front, of the classes `of`; columns as of a segmentation."""
    last = 1 if len(layers) > 1 else 0
    classes = columns.pop("classes", Classes(CLASSES.rows[: max(of or (last,)) + 1]))
    ids = np.array([row % len(classes) for row in range(len(layers))] if of is None else of, np.int32)
    if "amodal" in columns:
        columns["amodal"] = Masks.encode(stack_of(*columns["amodal"], size=size))
    numbers = columns.pop("instance_id", instance_numbers(classes.is_thing[ids] if len(ids) else []))
    return Segmentation(classes, Masks.encode(stack_of(*layers, size=size)), ids, numbers, **columns)


def pixels(size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Noise as an image."""
    return np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)


def one(segments: Segmentation, name: str = "a", **facts: Any) -> Dataset:
    """A dataset of one image."""
    return Dataset.of([Sample(name, pixels(segments.size), segments, **facts)], segments.classes)


def several(*labels: Segmentation | None, classes: Classes = CLASSES, **facts: tuple[Any, ...]) -> Dataset:
    """A dataset of several images; facts of samples as tuples."""
    samples = []
    for i, each in enumerate(labels):
        about = {"name": f"s{i}", **{key: values[i] for key, values in facts.items()}}
        segments = None if each is None else each.with_classes(classes)
        samples.append(Sample(image=pixels((7, 9)), segmentation=segments, **about))
    return Dataset.of(samples, classes)


def grid(count: int, classes: Classes, of: np.ndarray[Any, Any]) -> Dataset:
    """One pixel for each segment, in a grid."""
    side = 2 * int(np.ceil(np.sqrt(count)))
    ids = np.full((side, side), -1)
    ids[::2, ::2].flat[:count] = np.arange(count)
    ids[::2, ::2][ids[::2, ::2] >= count] = -1
    numbers = instance_numbers(classes.is_thing[of])
    return one(Segmentation(classes, Masks.from_ids(ids, count), of, numbers))


def image_file(folder: Path, name: str) -> Dataset:
    """One image as a file: a photograph that is stored turned, or 16-bit grey."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        path = folder / "a.jpg"
        Image.fromarray(pixels((9, 7))).save(path, exif=exif)
    else:
        path = folder / "a.png"
        Image.fromarray(np.arange(63, dtype=np.uint16).reshape(7, 9) * 1000).save(path)
    return Dataset.of([Sample("a", path, label(SQUARE, CORNER))], CLASSES)


def kinds(*rows: SegmentClass) -> Dataset:
    """Two segments of classes with something to say."""
    return one(label(SQUARE, CORNER, classes=Classes(rows)))


def video(*places: tuple[int, ...]) -> Dataset:
    """Frames of one video; each lists the numbers of the objects seen in it."""
    shapes = {7: SQUARE, 3: CORNER, 9: "......### ........."}
    frames = [
        label(*(shapes[i] for i in seen), of=tuple(i % 2 for i in seen), instance_id=list(seen))
        for seen in places
    ]
    count = len(frames)
    return several(
        *frames, name=tuple(f"v/{i:06d}" for i in range(count)), group=("v",) * count, frame=range(count)
    )


BLOCK, BESIDE = "####. ####. ####.", "..... ..### ..### ..###"
THINGS = {"night", "rain"}

CORPUS: dict[str, Any] = {
    "plain": lambda _: one(label(SQUARE, CORNER)),
    "donut": lambda _: one(label("..... .###. .#.#. .###.", CORNER)),
    "two parts": lambda _: one(label("##... ##... ..... ##... ##...", CORNER)),
    "island in a hole": lambda _: one(label("##### #...# #.#.# #...# #####")),
    "one pixel": lambda _: one(label("... .#. ...")),
    "line across": lambda _: one(label("....... .#####.")),
    "line down": lambda _: one(label("... .#. .#. .#. .#.")),
    "slanted line": lambda _: one(label("#.... .#... ..#.. ...#.")),
    "corners that touch": lambda _: one(label("##... ##...", "..... ..... ..##. ..##.", of=(0, 0))),
    "hole at a corner": lambda _: one(label("#### #..# #..# ###.")),
    "comb": lambda _: one(label("######### #.#.#.#.# #.#.#.#.#")),
    "chessboard": lambda _: one(label("#.#.# .#.#. #.#.# .#.#.", ".#.#. #.#.# .#.#. #.#.#")),
    "whole image": lambda _: one(label("######### " * 7)),
    "image of one pixel": lambda _: one(label("#", size=(1, 1))),
    "along the sides": lambda _: one(label("#########", "......... " * 5 + "........# " * 2)),
    "neighbours": lambda _: one(label("###...... " * 3, "...###... " * 3, "......### " * 3, of=(0, 1, 0))),
    "nested": lambda _: one(label("##### #...# #...# #####", "..... ..... ..#..")),
    "overlap": lambda _: one(label(BLOCK, BESIDE)),
    "order": lambda _: one(label(BESIDE, BLOCK, of=(0, 0))),
    "twice the same": lambda _: one(label(SQUARE, SQUARE, of=(0, 1))),
    "300 instances": lambda _: grid(300, CLASSES, np.zeros(300, np.int32)),
    "300 classes": lambda _: grid(
        300, Classes.of(*(f"c{i}" for i in range(300))), np.arange(300, dtype=np.int32)
    ),
    "large instance numbers": lambda _: one(label(SQUARE, CORNER, instance_id=[70_000, 2_000_000_000])),
    "class number 0": lambda _: one(label(SQUARE, of=(0,))),
    "gaps in class numbers": lambda _: kinds(
        SegmentClass("car", source_id=7), SegmentClass("cat", source_id=900)
    ),
    "class that is not used": lambda _: one(
        label(SQUARE, of=(1,), classes=Classes.of("car", "person", "tree"))
    ),
    "class names": lambda _: kinds(SegmentClass("Straße, nass"), SegmentClass('the "日本" one')),
    "sample names": lambda _: several(
        label(SQUARE), label(CORNER), name=("žluťoučký kůň ☃", "日本/two words.v2")
    ),
    "one name in two folders": lambda _: several(label(SQUARE), label(CORNER), name=("x/a", "y/a")),
    "stored turned (EXIF 6)": lambda folder: image_file(folder, "turned"),
    "image of 16 bits": lambda folder: image_file(folder, "16 bits"),
    "no image": lambda _: Dataset.of([Sample("a", None, label(SQUARE, CORNER))], CLASSES),
    "no segment": lambda _: several(label(SQUARE), label()),
    "nobody has labelled": lambda _: several(label(SQUARE), None),
    "no sample": lambda _: Dataset.of([], CLASSES),
    "crowd": lambda _: one(label(SQUARE, CORNER, crowd=[True, False])),
    "void": lambda _: kinds(SegmentClass("car"), SegmentClass("unclear", "void")),
    "stuff": lambda _: kinds(SegmentClass("sky", "stuff"), SegmentClass("car")),
    "colours": lambda _: kinds(
        SegmentClass("car", colour=(1, 2, 250)), SegmentClass("cat", colour=(9, 9, 9))
    ),
    "parents": lambda _: kinds(SegmentClass("car", parent="vehicle"), SegmentClass("cat", parent="animal")),
    "tags": lambda _: one(label(SQUARE, CORNER, tags=(frozenset({"occluded", "a,b ☃"}), frozenset()))),
    "tags of the image": lambda _: one(label(SQUARE, CORNER, image_tags=frozenset(THINGS))),
    "scores": lambda _: one(label(SQUARE, CORNER, score=[1 / 3, 1.0])),
    "box without pixels": lambda _: one(label(SQUARE, "....", stated_box=[[1, 1, 4, 3], [4, 3, 8, 6]])),
    "hidden": lambda _: one(label(SQUARE, "....")),
    "numbers, boxes and areas of the file": lambda _: one(
        label(
            SQUARE,
            CORNER,
            source_id=[5, 2**40],
            stated_box=[[1, 1, 4, 3], [5, 4, 7, 5.5]],
            stated_area=[6, 3.5],
        )
    ),
    "amodal": lambda _: one(label(BLOCK, "..... ..... ..... ..###", amodal=[BLOCK, BESIDE])),
    "splits": lambda _: several(label(SQUARE), label(CORNER), split=("train", "val")),
    "groups": lambda _: several(label(SQUARE), label(CORNER), name=("p1/a", "p2/a"), group=("p1", "p2")),
    "track": lambda _: video((7, 3), (7, 3)),
    "track with a gap": lambda _: video((7, 3), (7,), (7, 3, 9)),
}
