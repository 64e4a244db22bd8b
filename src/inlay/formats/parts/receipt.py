"""Receipt: what a written dataset holds, what it had to leave behind, and what its reader will see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inlay.formats.parts.facts import Loss, is_noted
from inlay.formats.parts.readers import Kept


@dataclass(frozen=True)
class Receipt:
    """What `inlay.write` did.

    Parameters
    ----------
    path
        File or folder that was written.
    to
        Its format.
    samples, segments
        How many were written.
    files
        The files, below `path` (or `path` itself).
    losses
        What the dataset uses and the format does not keep, with counts and examples; bookkeeping included.
    kept
        IoU of the masks as the named reader sees them; `None` where no reader was named.
    """

    path: Path
    to: str
    samples: int
    segments: int
    files: tuple[Path, ...]
    losses: tuple[Loss, ...] = ()
    kept: Kept | None = None

    def __str__(self) -> str:
        what = f"{self.samples} samples with {self.segments} segments as {self.to}"
        lines = [f"{self.path}: {what} ({len(self.files)} files)"]
        if self.kept is not None:
            lines.append(str(self.kept))
        lines += [f"not kept: {loss}" for loss in self.losses if not is_noted(loss)]
        noted = [f"{loss.fact} ({loss.count})" for loss in self.losses if is_noted(loss)]
        if noted:
            lines.append(f"left behind: {', '.join(noted)}")
        return "\n".join(lines)
