"""Count parts with a detector that learnt from boxes, as the recipe says, and draw its picture.

    python docs/draw_counting.py FOLDER

Runs the code and the commands of the recipe in FOLDER (some five minutes of one core; a killed training goes
on) and writes docs/pictures/counting.jpg: what was counted, corrected, and true.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import inlay
from inlay import Dataset
from inlay.cli import main as command
from inlay.measure import CountError, counts
from inlay.measure.estimate import Estimate

DOCS = Path(__file__).resolve().parent
ENLARGED, SHOWN, SURE, DAY = 4, 3, 0.5, 20
GROUND, INK, SOFT, BOX = (250, 250, 248), (28, 30, 34), (104, 108, 116), (255, 200, 60)
LINE, COLUMNS = 40, (40, 420, 640, 880, 1240)


@dataclass(frozen=True)
class Row:
    """So many images of the belt."""

    name: str
    found: Estimate
    true: int  # which only a generator knows

    def cells(self) -> tuple[str, ...]:
        """Its line of the table."""
        low, high = f"{self.found.low:.0f}", f"{self.found.high:.0f}"
        outside = "" if self.found.low <= self.true <= self.found.high else "  outside"
        return (
            self.name,
            f"{self.found.raw:.0f}",
            f"{self.found.value:.0f}",
            f"{low} to {high}",
            f"{self.true}{outside}",
        )


def run(folder: Path) -> None:
    """The code and the commands of the recipe, in a folder; what is done already is left out."""
    section = (DOCS / "counting.md").read_text("utf-8")
    code, lines = (section.partition(f"```{kind}\n")[2].partition("```")[0] for kind in ("python", "console"))
    os.chdir(folder)
    if not Path("belt").exists():
        exec(compile(code, "<recipe>", "exec"), {"inlay": inlay})
    for line in lines.splitlines():
        words = line.split()[1:]
        if words[0] == "predict" and Path(words[-1]).exists():
            continue
        if command(words):
            raise SystemExit(f"failed: {line}")


def rows(folder: Path) -> list[Row]:
    """What was counted on each day and in all, corrected by the error on the images that were checked."""
    found, truth = inlay.read(folder / "belt-found"), inlay.read(folder / "belt")
    error = CountError.measure(inlay.read(folder / "checked"), inlay.read(folder / "checked-found"))
    days = [truth.names[start : start + DAY] for start in range(0, len(truth), DAY)]
    parts = [(f"day {number}, {len(names)} pictures", names) for number, names in enumerate(days, 1)]
    return [_row(name, found.only(names), truth.only(names), error) for name, names in parts] + [
        _row(f"all {len(truth)} pictures", found, truth, error)
    ]


def _row(name: str, found: Dataset, truth: Dataset, error: CountError) -> Row:
    counted = error.arrange(counts(found, minimum_score=SURE), found.classes.names)
    return Row(name, error.correct(counted)[0], int(counts(truth).sum()))


def picture(folder: Path, lines: list[Row]) -> Image.Image:
    """Some images with what was found, and the table below."""
    found, truth = inlay.read(folder / "belt-found"), inlay.read(folder / "belt")
    shown = [_boxed(found[name], truth[name]) for name in truth.names[:SHOWN]]
    width, height = sum(each.width for each in shown), shown[0].height
    whole = Image.new("RGB", (width, height + LINE * (len(lines) + 2)), GROUND)
    for place, each in enumerate(shown):
        whole.paste(each, (place * each.width, 0))
    pen = ImageDraw.Draw(whole)
    head = ("parts", "counted", "corrected", "95 % interval", "true")
    for number, cells in enumerate([head, *(line.cells() for line in lines)]):
        for x, words in zip(COLUMNS, cells):
            place = (x, height + LINE // 2 + LINE * number)
            pen.text(place, words, fill=INK if number else SOFT, font=_font(26))
    return whole


def _boxed(prediction: inlay.Sample, truth: inlay.Sample) -> Image.Image:
    """An image with the boxes that count, and how many they are beside the truth."""
    pixels = Image.fromarray(truth.pixels())
    large = pixels.resize((ENLARGED * pixels.width, ENLARGED * pixels.height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(large)
    label = prediction.label()
    sure = label if label.score is None else label[label.score >= SURE]
    for x0, y0, x1, y1 in (sure.boxes() * ENLARGED).tolist():
        pen.rectangle([x0, y0, x1 - 1, y1 - 1], outline=BOX, width=3)
    words = f"{len(sure)} found, {len(truth.label())} there"
    pen.rectangle([0, 0, 16 + pen.textlength(words, font=_font(22)), 34], fill=(20, 20, 24))
    pen.text((8, 4), words, fill=(255, 255, 255), font=_font(22))
    return large


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


if __name__ == "__main__":
    place = Path(sys.argv[1]).resolve()
    place.mkdir(parents=True, exist_ok=True)
    run(place)
    picture(place, rows(place)).save(DOCS / "pictures" / "counting.jpg", quality=88)
