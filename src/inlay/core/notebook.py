"""What segmentations, samples and datasets look like in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from inlay.core.errors import InlayError
from inlay.core.images import data_uri
from inlay.core.overlay import Pixels, draw, resize, within

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset, Sample
    from inlay.core.segmentation import Segmentation

LARGE, SMALL = 640, 240  # longest side of a picture, pixels
FIRST = 8  # samples of a dataset


def segmentation_html(segmentation: Segmentation) -> str:
    """The segments on plain paper, and what they are."""
    picture = draw(None, segmentation, size=within(segmentation.size, LARGE))
    return _figure(picture, repr(segmentation))


def sample_html(sample: Sample) -> str:
    """The image with its segments."""
    return _figure(_picture(sample, LARGE), _words(sample))


def dataset_html(dataset: Dataset) -> str:
    """What the dataset is, and its first samples."""
    figures = []
    for name in dataset.names[:FIRST]:
        try:
            sample = dataset.load(name)
            figures.append(_figure(_picture(sample, SMALL), name))
        except InlayError as error:  # a broken sample must not hide the others
            figures.append(f"<p>{escape(str(error))}</p>")
    flow = "display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start"
    return f'<div><p>{escape(repr(dataset))}</p><div style="{flow}">{"".join(figures)}</div></div>'


def _picture(sample: Sample, longest: int) -> Pixels:
    pixels = None if sample.image is None else sample.pixels()
    if sample.segmentation is None:
        pixels = sample.pixels() if pixels is None else pixels
        return resize(pixels, within(pixels.shape[:2], longest))
    return draw(pixels, sample.segmentation, size=within(sample.segmentation.size, longest))


def _words(sample: Sample) -> str:
    what = "no label" if sample.segmentation is None else f"{len(sample.segmentation)} segments"
    return " · ".join(part for part in (sample.name, sample.split, what) if part)


def _figure(pixels: Pixels, words: str) -> str:
    caption = escape(words)
    return (
        f'<figure style="margin:0"><img src="{data_uri(pixels)}" alt="{caption}" style="max-width:100%">'
        f'<figcaption style="font-size:smaller;opacity:.75">{caption}</figcaption></figure>'
    )
