"""`inlay sample`: datasets with exact truth, made on the spot."""

from __future__ import annotations

from pathlib import Path

from inlay.cli.console import progress_bar


def sample(
    kind: str,
    out: Path,
    /,
    *,
    count: int = 120,
    size: tuple[int, int] = (240, 320),
    frames: int = 1,
    seed: int = 0,
    to: str = "native",
    lossy: bool = False,
    overwrite: bool = False,
) -> int:
    """Make a sample dataset: rendered pictures and their exact truth, split into train, val and test.

    Example: `inlay sample street demo-data --count 200`

    Parameters
    ----------
    kind
        street (stuff and things, video), parts (overlapping parts with holes and hidden sides) or cells
        (touching cells with their nuclei).
    out
        Folder to write.
    count
        Number of images.
    size
        Height and width in pixels.
    frames
        Frames of each video; 1 makes single images.
    seed
        The same seed gives the same pictures.
    to
        Format to write: `inlay formats` lists them.
    lossy
        Write even where the format cannot hold everything.
    overwrite
        Replace what lies at OUT.
    """
    from inlay import scenes
    from inlay.formats import write

    dataset = scenes.make(kind, count, size=size, frames=frames, seed=seed)
    with progress_bar(f"drawing {kind}") as progress:
        receipt = write(dataset, out, to=to, lossy=lossy, overwrite=overwrite, progress=progress)
    print(receipt)
    return 0
