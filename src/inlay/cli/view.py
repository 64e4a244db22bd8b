"""`inlay view`: overlays as a page or as pictures."""

from __future__ import annotations

from pathlib import Path

from inlay.cli.console import open_dataset, progress_bar, show_page


def view(
    data: Path,
    /,
    *,
    out: Path | None = None,
    split: str | None = None,
    limit: int = 60,
    browser: bool = True,
) -> int:
    """Draw the segments over the images: a page to look through, or one PNG an image.

    Example: `inlay view labels.json --out overview.html --limit 100`

    Parameters
    ----------
    data
        File or folder that some format recognises.
    out
        A .html page (default: inlay-view.html here), or a folder for PNG files.
    split
        Only this split.
    limit
        Most images to draw, evenly spread over the dataset.
    browser
        Open the page.
    """
    from inlay.view import view as draw_view

    dataset = open_dataset(data, split=split)
    with progress_bar("drawing") as progress:
        path = draw_view(dataset, out or Path("inlay-view.html"), limit=limit, progress=progress)
    show_page(path, browser=browser)
    return 0
