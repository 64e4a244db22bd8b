"""Look at a dataset: a page of overlays, or a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.core.staging import staged
from inlay.view.sheet import Found, pictures, write_sheet

Progress = Callable[[int, int, str], None]


def view(
    dataset: Dataset, out: Path | None = None, *, limit: int = 60, progress: Progress | None = None
) -> Path:
    """Draw segments over images; returns where they lie.

    On a page, a sample that cannot be read says why, and the others are drawn.

    Parameters
    ----------
    out
        A page (.html; default `inlay-view.html` here), or a folder for one full-size PNG a sample.
    limit
        Most samples to draw, evenly spread over the dataset.
    progress
        Called with (done, total, name).

    Raises
    ------
    InlayError
        When the dataset is empty, `limit` is not positive, `out` is a file that is no page, or a sample for a
        folder cannot be read.
    """
    if limit < 1:
        raise InlayError(f"limit is {limit}; at least one sample must be drawn")
    if not len(dataset):
        raise InlayError("the dataset has no samples to draw")
    path = out or Path("inlay-view.html")
    places = np.unique(np.linspace(0, len(dataset) - 1, min(limit, len(dataset))).astype(int))
    samples = _load(dataset, [dataset.names[place] for place in places], progress)
    if path.suffix.lower() in (".html", ".htm"):
        return write_sheet(path, dataset, len(places), samples)
    if path.is_file():
        raise InlayError(f"{path}: is a file; give a page (.html) or a folder")
    return _write_pictures(path, samples)


def _load(dataset: Dataset, names: list[str], progress: Progress | None) -> Iterator[Found]:
    for done, name in enumerate(names, 1):
        try:
            yield name, dataset.load(name)
        except InlayError as error:
            yield name, error
        if progress is not None:
            progress(done, len(names), name)


def _write_pictures(folder: Path, samples: Iterator[Found]) -> Path:
    from PIL import Image

    for name, sample in samples:
        if isinstance(sample, InlayError):
            raise sample
        _, over = pictures(sample, None)
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".", "..")] or ["sample"]
        path = folder.joinpath(*parts[:-1], f"{parts[-1]}.png")
        with staged(path) as part:
            Image.fromarray(over).save(part, "png")
    return folder
