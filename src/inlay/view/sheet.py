"""The page of a dataset: a card for each sample, switches for labels and classes."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import IO

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.images import data_uri
from inlay.core.overlay import Pixels, class_colours, draw, resize, within
from inlay.page import Html, page, swatch, text, write_page

Found = tuple[str, Sample | InlayError]  # a name, and what was there
THUMBNAIL = 480  # longest side on the page, pixels


def pictures(sample: Sample, longest: int | None) -> tuple[Pixels | None, Pixels]:
    """The image, where there is one, and the image with its segments."""
    pixels = None if sample.image is None else sample.pixels()
    if sample.segmentation is None:
        bare = sample.pixels() if pixels is None else pixels
        bare = resize(bare, within(bare.shape, longest or max(bare.shape)))
        return None, bare
    size = within(sample.segmentation.size, longest or max(sample.segmentation.size))
    return (None if pixels is None else resize(pixels, size)), draw(pixels, sample.segmentation, size=size)


def write_sheet(path: Path, dataset: Dataset, count: int, samples: Iterator[Found]) -> Path:
    """A page of cards.

    The cards wait in a file of their own until the legend, which stands before them, knows its counts.
    """
    counts: Counter[int] = Counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as cards:
        for name, sample in samples:
            cards.write(_card(name, sample, counts))
        cards.seek(0)
        whole = page(
            "Inlay view",
            "\0",
            intro=f"{count} of {len(dataset)} samples" if count < len(dataset) else f"{count} samples",
            style=_beside("sheet.css"),
            script=_beside("sheet.js"),
        )
        head, tail = whole.split("\0")
        grid = '<div class="grid" style="--cell:20rem">'
        return write_page(path, chain([head, _bar(dataset, counts), grid], _chunks(cards), ["</div>", tail]))


def _chunks(file: IO[str]) -> Iterator[str]:
    while chunk := file.read(1 << 16):
        yield chunk


def _bar(dataset: Dataset, counts: Counter[int]) -> Html:
    """The switch for the labels, and one for each class that occurs."""
    colours = class_colours(dataset.classes)
    chips = "".join(
        f'<button class="chip" aria-pressed="false" data-class="{row}">{swatch(colours[row])}'
        f"{text(dataset.classes.names[row])} <small>{text(count)}</small></button>"
        for row, count in sorted(counts.items())
    )
    labels = '<button class="chip" id="labels" aria-pressed="true" title="or press L">labels</button>'
    return Html(
        f'<div class="bar" role="toolbar" aria-label="Filter">{labels}{chips}<small id="shown"></small></div>'
    )


def _card(name: str, sample: Sample | InlayError, counts: Counter[int]) -> Html:
    if isinstance(sample, InlayError):
        return _broken(name, sample)
    try:
        bare, over = pictures(sample, THUMBNAIL)
    except InlayError as error:
        return _broken(name, error)
    rows = Counter() if sample.segmentation is None else Counter(sample.segmentation.class_id.tolist())
    counts.update(rows)
    what = _what(sample, rows) or ("no label" if sample.segmentation is None else "no segments")
    alt = f"{name}: {what}"
    under = _image(bare, "") if bare is not None else ""
    caption = f"<b>{text(name)}</b> {text(sample.split)}<br>{text(what)}"
    return Html(
        f'<div class="card" tabindex="0" data-classes="{" ".join(map(str, rows))}"><figure><div class="pair">'
        f"{under}{_image(over, alt, kind='over')}</div><figcaption>{caption}</figcaption></figure></div>"
    )


def _what(sample: Sample, rows: Counter[int]) -> str:
    """How many there are of each thing, and which stuff."""
    classes = sample.label().classes if rows else ()
    counted = sorted((classes[row].kind != "thing", row) for row in rows)
    return ", ".join(
        classes[row].name if stuff else f"{rows[row]} {classes[row].name}" for stuff, row in counted
    )


def _image(pixels: Pixels, alt: str, *, kind: str = "under") -> str:
    size = f'width="{pixels.shape[1]}" height="{pixels.shape[0]}"'
    return f'<img class="{kind}" src="{data_uri(pixels)}" alt="{text(alt)}" loading="lazy" {size}>'


def _broken(name: str, error: InlayError) -> Html:
    words = f"<b>{text(name)}</b><br>{text(error)}"
    return Html(f'<div class="card" data-classes=""><p class="broken">{words}</p></div>')


def _beside(name: str) -> str:
    return resources.files("inlay").joinpath("view", name).read_text("utf-8")
