"""An answer: one segmentation written in the format that was asked for, as one file."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.server.refusals import Refused

KINDS = {".json": "application/json", ".png": "image/png", ".zip": "application/zip"}


@dataclass(frozen=True)
class Answer:
    """Bytes of a file, its name and media type."""

    content: bytes
    name: str
    kind: str


def written(image: NDArray[np.uint8], found: Segmentation, to: str, *, lossy: bool, most: int) -> Answer:
    """The segmentation in a format: its file, or a zip archive of its folder.

    Raises
    ------
    Refused
        With 422 when there is no such format, or it cannot hold the prediction; 413 when it is too large.
    """
    from inlay.formats import write

    data = Dataset.of([Sample("image", image, found)], found.classes)
    with tempfile.TemporaryDirectory(prefix="inlay-serve-") as folder:
        target = Path(folder) / ("image.json" if to.startswith("coco") and to != "coco_panoptic" else "image")
        try:
            write(data, target, to=to, lossy=lossy)
        except InlayError as error:
            raise Refused(422, str(error).replace(f"{target}: ", "").replace(folder, "")) from None
        file = target if target.is_file() else _packed(target, Path(folder) / "image.zip")
        if file.stat().st_size > most:
            raise Refused(413, f"the answer has more than {most} bytes: ask for another format")
        kind = KINDS.get(file.suffix, "application/octet-stream")
        return Answer(file.read_bytes(), file.name, kind)


def _packed(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, file.relative_to(folder).as_posix())
    return archive
