"""What the commands share: reading a dataset as the user named it, progress, and where a page is shown."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inlay.core.dataset import Dataset
from inlay.parallel import Place

Progress = Callable[[int, int, str], None]


def open_dataset(
    path: Path, *, format_name: str | None = None, split: str | None = None, like: Dataset | None = None
) -> Dataset:
    """The dataset at a path, or one split of it."""
    from inlay.formats import read

    dataset = read(path, format_name, like=like)
    return dataset.split(split) if split else dataset


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar on stderr, driven by `step(done, total, words)`; silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(title, total=None, words="")

        def step(done: int, total: int, words: str = "") -> None:
            bar.update(task, completed=done, total=total, words=words)

        yield step


def tell(words: object) -> None:
    """Print at once; where nobody listens any more (`inlay ... | head`), go on with the work in silence."""
    try:
        print(words, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show_page(path: Path, *, browser: bool) -> None:
    """Print where a page lies, and open it when asked and a browser is at hand."""
    print(f"page: {path}")
    if browser and sys.stdout.isatty():
        webbrowser.open(path.resolve().as_uri())


def place(jobs: int, on: Place | None = None) -> dict[str, Any]:
    """`on` and `workers` of a function over samples: as the user says, else processes from two jobs on."""
    return {"on": on or ("processes" if jobs > 1 else "serial"), "workers": jobs if jobs > 1 else None}


def words(text: str) -> list[str]:
    """The parts of a comma-separated list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def open_pool(path: Path) -> Dataset:
    """Images with or without labels: a dataset where a format recognises one, else the images of a folder."""
    from inlay.core.images import list_images

    opened = open_images(path)
    return opened if isinstance(opened, Dataset) else Dataset.of_images(list_images(opened), opened)


def open_images(path: Path, *, split: str | None = None) -> Dataset | Path:
    """Images to segment: a dataset where a format recognises one, else the path of a file or folder."""
    from inlay.formats import sniff

    return open_dataset(path, split=split) if split or (path.exists() and sniff(path)) else path
