"""Formats: read any label file or folder, and write it as another without losing anything unasked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from inlay import plugins
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError, LossError, MissingExtraError
from inlay.core.staging import staged
from inlay.formats.parts import facts
from inlay.formats.parts.facts import Loss
from inlay.formats.parts.readers import compare
from inlay.formats.parts.receipt import Receipt

Progress = Callable[[int, int, str], None]

__all__ = ["Loss", "Receipt", "losses", "read", "sniff", "write"]


def sniff(path: Path) -> list[str]:
    """Names of the formats that recognise a file or folder."""
    return [name for name, module in _modules() if module.sniff(path)]


def _modules() -> Iterator[tuple[str, ModuleType]]:
    """The formats whose libraries are on this machine: one that only trains may lack some."""
    for name in plugins.names("formats"):
        try:
            yield name, plugins.load("formats", name)
        except ModuleNotFoundError:
            continue


def read(
    path: Path | str,
    format: str | None = None,  # noqa: A002
    *,
    like: Dataset | None = None,
    reader: str | None = None,
) -> Dataset:
    """The dataset at a path, its samples read when asked for.

    Parameters
    ----------
    path
        File or folder.
    format
        Name of its format; default: the one that recognises it.
    like
        Dataset that gives classes, names and image sizes to files that hold none, as result lists of COCO.
    reader
        Tool whose polygons these are, where it is not the usual one of the format: "pycocotools", "opencv".

    Raises
    ------
    FormatError
        When there is nothing at the path, no format or more than one recognises it, or it is broken.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError(path, "", "there is no such file or folder")
    name = format or _recognise(path)
    module = plugins.load("formats", name)
    options = _reader(module, name, reader)
    with _named(path):
        dataset: Dataset = module.read(path, like=like, **options)
    return replace(dataset, load=_Loader(path, dataset.load))


@contextmanager
def _named(path: Path, where: str = "") -> Iterator[None]:
    """What goes wrong while a dataset is read names its file, whatever it is."""
    try:
        yield
    except (FormatError, MissingExtraError):
        raise
    except InlayError as error:
        raise FormatError(path, where, str(error)) from None
    except OSError as error:  # a name that is too long, a folder that may not be entered
        file = f": {error.filename}" if error.filename else ""
        raise FormatError(path, where, f"{error.strerror or error}{file}") from None


@dataclass(frozen=True, eq=False)
class _Loader:
    """Reads samples of the dataset at a path."""

    path: Path
    load: Callable[[str], Sample]

    def __call__(self, name: str) -> Sample:
        with _named(self.path, f"sample {name!r}"):
            return self.load(name)

    def __getattr__(self, name: str) -> Any:
        """What the source offers beside: samples in flat columns, files as they are painted, image sizes."""
        if name.startswith("_") or name in ("path", "load"):  # asked for before there is anything
            raise AttributeError(name)
        return getattr(self.load, name)


def _recognise(path: Path) -> str:
    found = sniff(path)
    if len(found) == 1:
        return found[0]
    if found:
        raise FormatError(path, "", f"could be {' or '.join(found)}: say which (format=..., --from)")
    known = ", ".join(plugins.names("formats"))
    raise FormatError(path, "", f"no format recognises it ({_contents(path)}); formats are {known}")


def _contents(path: Path) -> str:
    """What lies at a path, in a few words."""
    if path.is_file():
        size = path.stat().st_size
        return f"a {path.suffix or 'suffixless'} file of {size} bytes" if size else "the file is empty"
    inside = sorted(path.iterdir())
    folders = [item.name + "/" for item in inside if item.is_dir()]
    suffixes = Counter(item.suffix or item.name for item in inside if not item.is_dir())
    words = folders[:6] + [f"{count} {suffix}" for suffix, count in suffixes.most_common(6)]
    return f"it holds {', '.join(words)}" if words else "the folder is empty"


def _reader(module: ModuleType, name: str, reader: str | None) -> dict[str, Any]:
    """The `reader` argument for a format that has polygons; no argument where none is named."""
    if reader is None:
        return {}
    known = getattr(module, "READERS", ())
    if reader not in known:
        way_out = f"known are {', '.join(known)}" if known else "it holds no polygons, all see the same"
        raise InlayError(f"{name} has no reader {reader!r}: {way_out}")
    return {"reader": reader}


def losses(dataset: Dataset, to: str) -> tuple[Loss, ...]:
    """What the dataset uses and format `to` does not keep."""
    return facts.losses(dataset, plugins.load("formats", to).KEEPS)


def write(
    dataset: Dataset,
    path: Path | str,
    *,
    to: str,
    lossy: bool = False,
    reader: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Receipt:
    """Write a dataset in a format; the output appears when it is complete.

    Parameters
    ----------
    path
        File or folder to write.
    to
        Name of the format.
    lossy
        Write even where the format does not keep everything; the receipt says what is lost.
    reader
        Tool that will read the polygons: they are written for it and read again as it would.
    overwrite
        Replace a dataset that lies at the path.
    progress
        Called with samples done, samples in all, and words.

    Raises
    ------
    LossError
        Before anything is written, when the format does not keep what the dataset uses.
    InlayError
        When something lies at the path, the disk is full, or a sample cannot be read; nothing is left then.
    """
    path = Path(path)
    module = plugins.load("formats", to)
    options = _reader(module, to, reader)
    _refuse_occupied(path, overwrite=overwrite)
    lost = facts.losses(dataset, module.KEEPS)
    refused = [loss for loss in lost if not facts.is_noted(loss)]
    if refused and not lossy:
        what = _refusal(refused, to)
        way_out = "nothing was written: lossy=True (--lossy) writes the rest"
        raise LossError(f"{path}: {what}; {way_out}", what)
    counted = _Counted(dataset, progress)
    with staged(path, over_folder=True) as hidden:
        module.write(counted.dataset, hidden, **options)
        seen = module.read(hidden, like=dataset, **options) if reader else None
        kept = compare(reader, dataset, seen) if reader and seen is not None else None
        files = _files(hidden)
    placed = tuple(path / file.relative_to(hidden) for file in files) if path.is_dir() else (path,)
    return Receipt(path, to, len(dataset), counted.segments, placed, lost, kept)


def _refuse_occupied(path: Path, *, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not overwrite:
        raise InlayError(f"{path} exists already: write elsewhere, or say overwrite (--overwrite)")
    if path.is_dir() and not sniff(path):
        raise InlayError(f"{path} is no dataset that a format recognises ({_contents(path)}): left alone")


def _refusal(refused: list[Loss], to: str) -> str:
    needed = {loss.fact for loss in refused} | (plugins.load("formats", to).KEEPS - facts.NOTED)
    able = [name for name, module in _modules() if needed <= module.KEEPS]
    instead = f"; {' or '.join(able)} would keep it" if able else ""
    what = "; ".join(str(loss) for loss in refused)
    return f"{to} does not keep {what}{instead}"


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


class _Counted:
    """A dataset that counts what is loaded from it: the first time each sample is."""

    def __init__(self, dataset: Dataset, progress: Progress | None) -> None:
        self.segments = 0
        self._seen: set[str] = set()
        self._total = len(dataset)
        self._progress = progress
        self.dataset = dataset.map(self._count)

    def _count(self, sample: Sample) -> Sample:
        if sample.name not in self._seen:
            self._seen.add(sample.name)
            self.segments += 0 if sample.segmentation is None else len(sample.segmentation)
            if self._progress:
                self._progress(len(self._seen), self._total, sample.name)
        return sample
