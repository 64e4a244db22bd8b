"""Write the page of what survives in which format: python docs/draw_matrix.py."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inlay import Dataset, InlayError, LossError, plugins
from inlay import formats as all_formats
from inlay.formats.parts.extras import FILE

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from tests.formats.comparing import ALWAYS, differences, used, wrong_pixels  # noqa: E402
from tests.formats.corpus import CORPUS  # noqa: E402

TARGET = HERE / "matrix.md"
ALL, BESIDE, NOTED, LOSSY, NONE = "●", "◉", "◐", "○", "–"
HEAD = f"""# What survives

The golden corpus is {len(CORPUS)} tiny datasets, each of one thing that label files are known to lose. Here each is
written in every format, read again and compared: pixels, classes, numbers, tags, names, images, all of it. This page
is what `python docs/draw_matrix.py` writes, and a test holds that it is fresh.

- {ALL} all comes back, exactly
- {BESIDE} all comes back, some of it from `inlay.extra.json`, which other tools pass over
- {NOTED} all but bookkeeping (colours, parents and numbers of classes; ids, boxes and areas that the source states),
  which the receipt lists
- {LOSSY} refused, unless `--lossy`: the lists below say what is lost then
- {NONE} cannot be written: more classes or segments than there are numbers, or others than those of a fixed list
"""  # noqa: E501 - lines of the page


@dataclass(frozen=True)
class Cell:
    """What became of one dataset in one format."""

    symbol: str
    what: str = ""


def cell(dataset: Dataset, name: str, folder: Path) -> Cell:
    """Write it, read it again, compare."""
    try:
        receipt = all_formats.write(dataset, folder / "out", to=name)
    except LossError:
        return lossy(dataset, name, folder)
    except InlayError as error:
        return Cell(NONE, str(error).removeprefix(f"{folder / 'out'}: ").partition(";")[0])
    told = {loss.fact for loss in receipt.losses}
    kept = used(dataset) - told | ALWAYS
    lost = differences(all_formats.read(folder / "out", like=dataset), dataset) & kept
    if lost:
        raise AssertionError(f"{name} lost {sorted(lost)} and did not say so")
    if told:
        return Cell(NOTED)
    return Cell(BESIDE if needs_extras(dataset, name, folder / "out", kept) else ALL)


def needs_extras(dataset: Dataset, name: str, path: Path, kept: frozenset[str]) -> bool:
    """Whether something comes back only because of the file beside the others."""
    if not (path / FILE).is_file():
        return False
    (path / FILE).unlink()
    try:
        return bool(differences(all_formats.read(path, name, like=dataset), dataset) & kept)
    except InlayError:
        return True


def lossy(dataset: Dataset, name: str, folder: Path) -> Cell:
    """What is lost when that is allowed: the facts, and how many pixels change their class."""
    try:
        receipt = all_formats.write(dataset, folder / "out", to=name, lossy=True)
        again = all_formats.read(folder / "out", name, like=dataset)
        wrong = wrong_pixels(again, dataset)
    except InlayError as error:
        return Cell(NONE, str(error).replace(str(folder / "out"), "DST").partition(";")[0])
    what = ", ".join(loss.fact for loss in receipt.losses)
    return Cell(LOSSY, f"{what}{f' ({wrong} pixels change)' if wrong else ''}")


def page() -> str:
    """The whole page."""
    names = plugins.names("formats")
    cells: dict[str, dict[str, Cell]] = {}
    with tempfile.TemporaryDirectory() as place:
        for number, (title, make) in enumerate(CORPUS.items()):
            cells[title] = {}
            for name in names:
                folder = Path(place) / str(number) / name
                folder.mkdir(parents=True)
                cells[title][name] = cell(make(folder / "images"), name, folder)
    return "\n".join([HEAD, *table(names, cells), "\n## What is lost where\n", *losses(names, cells)]) + "\n"


def table(names: list[str], cells: dict[str, dict[str, Cell]]) -> Iterator[str]:
    """One row for each dataset, one column for each format, by number."""
    yield " · ".join(f"{number} `{name}`" for number, name in enumerate(names, 1)) + "\n"
    yield f"| dataset | {' | '.join(map(str, range(1, len(names) + 1)))} |"
    yield "|---|" + ":-:|" * len(names)
    for title, row in cells.items():
        yield f"| {title} | {' | '.join(row[name].symbol for name in names)} |"


def losses(names: list[str], cells: dict[str, dict[str, Cell]]) -> Iterator[str]:
    """For each format what it does not keep of which datasets."""
    for name in names:
        found: dict[str, list[str]] = {}
        for title, row in cells.items():
            if row[name].symbol in (LOSSY, NONE):
                found.setdefault(f"{row[name].symbol} {row[name].what}", []).append(title)
        if not found:
            yield f"**`{name}`** keeps everything.\n"
            continue
        yield f"**`{name}`**\n"
        yield from (f"- {', '.join(titles)}: {what}" for what, titles in found.items())
        yield ""


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
