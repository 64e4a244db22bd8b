"""Baselines: the findings that were there before, so that only new ones count; the list can but shrink."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inlay.core.errors import FormatError
from inlay.core.staging import staged
from inlay.rules.finding import Box, Finding

KEPT = ("rule", "image", "fingerprint", "box", "classes")
OVERLAP = 0.5  # of two boxes, from which on a finding is the one that was there before


@dataclass(frozen=True)
class Known:
    """A finding as a baseline remembers it."""

    rule: str
    image: str | None
    fingerprint: str
    box: Box | None
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Baseline:
    """The findings that were there before."""

    known: tuple[Known, ...]

    @classmethod
    def of(cls, found: Iterable[Finding]) -> Baseline:
        """The baseline that lets all these findings stand."""
        return cls(tuple(Known(*(getattr(finding, key) for key in KEPT)) for finding in found))


def read_baseline(path: Path | str) -> Baseline:
    """A baseline as `write_baseline` wrote it; a report in JSON Lines is one as well.

    Raises
    ------
    FormatError
        Naming the line that is none.
    """
    path = Path(path)
    known = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise FormatError(path, "", "not UTF-8 text: a baseline is JSON Lines") from None
    except OSError as error:
        raise FormatError(
            path, "", f"the baseline cannot be read ({error.strerror}): --update-baseline makes one"
        ) from None
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            box = None if entry["box"] is None else tuple(map(float, entry["box"]))
            if box is not None and len(box) != 4:
                raise ValueError("a box has four sides")
            classes = tuple(map(str, entry.get("classes", ())))
            known.append(Known(str(entry["rule"]), entry["image"], str(entry["fingerprint"]), box, classes))
        except (ValueError, TypeError, KeyError) as error:
            raise FormatError(path, f"line {number}", f"is no finding ({error})") from None
    return Baseline(tuple(known))


def write_baseline(baseline: Baseline, path: Path | str) -> None:
    """Write one finding a line, sorted, so that a change reads well in a diff."""
    entries = sorted(
        json.dumps({key: getattr(known, key) for key in KEPT}, ensure_ascii=False) for known in baseline.known
    )
    with staged(Path(path)) as part:
        part.write_text("".join(f"{entry}\n" for entry in entries), "utf-8")


def compared(found: Sequence[Finding], baseline: Baseline) -> tuple[list[Finding], list[Known]]:
    """The findings as new or unchanged, and what the baseline remembers and is gone.

    The same finding has the same fingerprint; where an edit moved it across a line of the grid, the same rule
    and classes in the same image with a box that overlaps by half.
    """
    left = list(baseline.known)
    states: list[bool] = [False] * len(found)
    counts = Counter((known.rule, known.image, known.fingerprint) for known in left)
    taken: Counter[tuple[str, str | None, str]] = Counter()
    for place, finding in enumerate(found):
        key = (finding.rule, finding.image, finding.fingerprint)
        if taken[key] < counts[key]:
            taken[key] += 1
            states[place] = True
    remaining: dict[tuple[str, str | None, tuple[str, ...]], list[Known]] = defaultdict(list)
    for known in left:
        key = (known.rule, known.image, known.fingerprint)
        if taken[key]:
            taken[key] -= 1
        else:
            remaining[known.rule, known.image, tuple(sorted(known.classes))].append(known)
    for place, finding in enumerate(found):
        near = remaining.get((finding.rule, finding.image, tuple(sorted(finding.classes))), [])
        best = max(near, key=lambda known: _iou(known.box, finding.box), default=None)
        if not states[place] and best is not None and _iou(best.box, finding.box) >= OVERLAP:
            near.remove(best)
            states[place] = True
    marked = [replace(finding, state="unchanged" if old else "new") for finding, old in zip(found, states)]
    return marked, [known for some in remaining.values() for known in some]


def shrunk(found: Iterable[Finding]) -> Baseline:
    """The baseline after a comparison: without what is gone, the rest where it is; nothing new comes in."""
    return Baseline.of(finding for finding in found if finding.state == "unchanged")


def _iou(one: Box | None, other: Box | None) -> float:
    if one is None or other is None:
        return 0.0
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / max(sum(areas) - shared, 1e-9)
