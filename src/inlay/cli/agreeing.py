"""`inlay check --agreement`: how far people agree who labelled the same images, and one label out of all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from inlay.cli.console import open_dataset, progress_bar, show_page
from inlay.core.errors import InlayError
from inlay.core.staging import staged

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.report import AgreementReport


@Parameter(name="*")
@dataclass(frozen=True)
class Agreeing:
    """How far people agree.

    Parameters
    ----------
    agreement
        DATA and OTHERS are labels of the same images by several people: say how far they agree; no rule is
        asked. With --report FILE.json or FILE.html, and --page FILE.html.
    honeypots
        Labels of some of the images that are known to be right: each person is compared with them as well.
    consensus
        Write one label out of those of all people here, in the format of DATA; what people drew stays as it
        is, so that deleting the file takes it back.
    by
        The segments and pixels that more than half have (majority), or the likely classes, people weighed
        by how reliable they are (staple).
    """

    agreement: bool = False
    honeypots: Path | None = None
    consensus: Path | None = None
    by: Literal["majority", "staple"] = "majority"


ALONE = Agreeing()


def agree(paths: tuple[Path, ...], asked: Agreeing, reports: tuple[Path, ...], split: str | None) -> int:
    """Print how far the people agree, write what is asked for."""
    for path in reports:
        if path.suffix not in (".json", ".html"):
            raise InlayError(f"{path}: a report of agreement ends in .json or .html")
    if asked.consensus is not None and asked.consensus.resolve() in {path.resolve() for path in paths}:
        raise InlayError(f"{asked.consensus} holds what somebody drew: write the consensus beside it")
    people = _people(paths, split)
    truth = None if asked.honeypots is None else open_dataset(asked.honeypots)
    report = _report(people, truth)
    print(report)
    for path in reports:
        _write(report, path)
    if asked.consensus is not None:
        _write_consensus(people, paths[0], asked)
    return 0


def _people(paths: tuple[Path, ...], split: str | None) -> dict[str, Dataset]:
    """Datasets by what tells their paths apart: the file names, else the paths as given."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise InlayError(f"{', '.join(names)}: the same labels are given twice; each is one person")
    return {name: open_dataset(path, split=split) for name, path in zip(names, paths)}


def _report(people: dict[str, Dataset], truth: Dataset | None) -> AgreementReport:
    from inlay.report import annotator_agreement

    return annotator_agreement(people, truth)


def _write(report: AgreementReport, path: Path) -> None:
    from inlay.report import write_agreement

    if path.suffix == ".html":
        write_agreement(report, path)
        show_page(path, browser=False)
        return
    with staged(path) as part:
        part.write_text(report.to_json() + "\n", encoding="utf-8")
    print(f"agreement: {path}")


def _write_consensus(people: dict[str, Dataset], first: Path, asked: Agreeing) -> None:
    from inlay.formats import sniff, write
    from inlay.report import consensus

    target = asked.consensus
    if target is None:
        return
    with progress_bar("consensus") as progress:
        agreed = consensus(people, by=asked.by)
        write(agreed, target, to=sniff(first)[0], lossy=True, progress=progress)
    print(f"consensus of {', '.join(people)} by {asked.by}: {target}; their labels stay as they are")
