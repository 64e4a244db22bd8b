"""Reports: what becomes of findings. One module for each kind of file, with `SUFFIX` and `write`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from inlay import plugins
from inlay.core.errors import InlayError
from inlay.rules.expression import nearest

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset
    from inlay.rules.finding import Findings


class Report(Protocol):
    """A module of `inlay.rules.report`."""

    SUFFIX: str  # by which a file says that it wants to be one

    def write(self, findings: Findings, path: Path, dataset: Dataset | None, source: Path | None) -> None:
        """Write findings; `source` is the file or folder that was checked, where it is known."""


def write_report(
    findings: Findings,
    path: Path | str,
    *,
    to: str | None = None,
    dataset: Dataset | None = None,
    source: Path | None = None,
) -> None:
    """Write findings as the kind of report that `to` names, else the suffix of the path.

    Raises
    ------
    InlayError
        When neither says which.
    """
    path = Path(path)
    module = plugins.load("rules.report", kind_of(path) if to is None else to)
    module.write(findings, path, dataset if dataset is not None else findings.dataset, source)


def kind_of(path: Path) -> str:
    """The kind of report that a path asks for.

    Raises
    ------
    InlayError
        When no report has that suffix.
    """
    kinds = {plugins.load("rules.report", name).SUFFIX: name for name in plugins.names("rules.report")}
    for suffix in ("".join(path.suffixes[-2:]), path.suffix):
        if suffix in kinds:
            return kinds[suffix]
    hint = nearest(path.suffix, kinds)
    raise InlayError(f"{path}: its suffix names no report; {hint} (or say which with --to)")
