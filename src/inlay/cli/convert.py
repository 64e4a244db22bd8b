"""`inlay convert`: from any format to any other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from inlay.cli.console import open_dataset, progress_bar


def convert(
    source: Path,
    out: Path,
    /,
    *,
    to: str,
    source_format: Annotated[str | None, Parameter(name="--from")] = None,
    like: Path | None = None,
    split: str | None = None,
    lossy: bool = False,
    reader: str | None = None,
    overwrite: bool = False,
) -> int:
    """Read labels in one format and write them in another; refuse to lose anything unless told so.

    Example: `inlay convert annotations.json labels --to yolo --reader ultralytics`

    Parameters
    ----------
    source
        File or folder that some format recognises.
    out
        File or folder to write; it appears when it is complete.
    to
        Target format: `inlay formats` lists them.
    source_format
        Name of the source's format, where it is not to be guessed.
    like
        Dataset that gives classes and image sizes to files that hold none (COCO results, bare PNG maps).
    split
        Only this split.
    lossy
        Write even where the target cannot hold everything; what was lost is listed.
    reader
        Tool that will read the polygons: the export is read again as that tool would, and the IoU that
        it keeps is shown.
    overwrite
        Replace what lies at OUT.
    """
    from inlay.formats import write

    base = open_dataset(like) if like else None
    dataset = open_dataset(source, format_name=source_format, split=split, like=base)
    with progress_bar(f"writing {to}") as progress:
        receipt = write(
            dataset, out, to=to, lossy=lossy, reader=reader, overwrite=overwrite, progress=progress
        )
    print(receipt)
    return 0
