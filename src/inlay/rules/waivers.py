"""Waivers: findings that somebody has looked at and lets stand, with a reason and until a day."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from inlay.core.errors import FormatError
from inlay.rules.expression import nearest
from inlay.rules.finding import Finding, fingerprint

KEYS = ("rule", "where", "segments", "fingerprint", "reason", "until")
EXPIRED, UNUSED = "waiver-expired", "waiver-unused"


@dataclass(frozen=True)
class Waiver:
    """What is let stand.

    Parameters
    ----------
    rule
        Id of the rule; `*` and `?` stand for any letters, or any one.
    where
        Name of the image, with the same signs; "*" is every image and the dataset.
    segments
        Ids of the segments as findings say them; empty for all.
    fingerprint
        Of one finding; empty for all.
    until
        The last day it holds.
    """

    rule: str
    reason: str
    where: str = "*"
    segments: tuple[int, ...] = ()
    fingerprint: str = ""
    until: datetime.date | None = None
    file: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of a finding."""
        return (
            fnmatchcase(finding.rule, self.rule)
            and fnmatchcase(finding.image or "", self.where)
            and (not self.segments or set(self.segments) & set(finding.segments) != set())
            and self.fingerprint in ("", finding.fingerprint)
        )

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where != "*" else ""
        return f"{self.file}: the waiver of {self.rule}{place} ({self.reason})"


@dataclass(frozen=True)
class Waived:
    """A finding that a waiver covers."""

    finding: Finding
    waiver: Waiver


def read_waivers(path: Path | str) -> tuple[Waiver, ...]:
    """The waivers of a TOML file, each under `[[waiver]]`.

    Raises
    ------
    FormatError
        On anything that is no waiver.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(path, "", f"not TOML: {error}") from None
    except OSError as error:
        raise FormatError(path, "", f"the waivers cannot be read ({error.strerror or error})") from None
    for key in content:
        if key != "waiver":
            raise FormatError(path, "", f"there is no key {key!r}; waivers stand under [[waiver]]")
    entries = content.get("waiver", [])
    if not isinstance(entries, list):
        raise FormatError(path, "waiver", "waivers are written under [[waiver]], with two brackets")
    return tuple(_waiver(path, f"waiver {number}", entry) for number, entry in enumerate(entries, 1))


def _waiver(path: Path, place: str, entry: Mapping[str, Any]) -> Waiver:
    for key in entry:
        if key not in KEYS:
            raise FormatError(path, place, f"there is no key {key!r}; {nearest(key, KEYS)}")
    for key in ("rule", "reason", "where", "fingerprint"):
        if not isinstance(entry.get(key, ""), str) or (key in ("rule", "reason") and not entry.get(key)):
            raise FormatError(path, place, f"{key} must be words, not {entry.get(key)!r}: say what and why")
    until, segments = entry.get("until"), entry.get("segments", [])
    if until is not None and (not isinstance(until, datetime.date) or isinstance(until, datetime.datetime)):
        raise FormatError(path, place, f"until is a day as 2027-01-31, without quotes, not {until!r}")
    if not isinstance(segments, list) or not all(type(each) is int for each in segments):
        raise FormatError(path, place, f"segments are ids as [3, 17], not {segments!r}")
    return Waiver(
        entry["rule"],
        entry["reason"],
        entry.get("where", "*"),
        tuple(segments),
        entry.get("fingerprint", ""),
        until,
        str(path),
    )


def waive(
    found: Iterable[Finding], waivers: Sequence[Waiver], today: datetime.date | None = None
) -> tuple[list[Finding], list[Waived]]:
    """What no waiver covers, and what is to be said about the waivers; what they cover."""
    day = today or datetime.date.today()
    holds = [waiver for waiver in waivers if waiver.until is None or waiver.until >= day]
    kept: list[Finding] = []
    waived: list[Waived] = []
    used: set[Waiver] = set()
    for finding in found:
        cover = next((waiver for waiver in holds if waiver.covers(finding)), None)
        if cover is None:
            kept.append(finding)
        else:
            used.add(cover)
            waived.append(Waived(finding, cover))
    kept += [_about(waiver, day) for waiver in waivers if waiver not in used]
    return kept, waived


def _about(waiver: Waiver, day: datetime.date) -> Finding:
    expired = waiver.until is not None and waiver.until < day
    rule = EXPIRED if expired else UNUSED
    words = f"{waiver} ended on {waiver.until}" if expired else f"{waiver} covers nothing: take it out"
    mark = fingerprint(rule, None, [waiver.rule, waiver.where, waiver.reason])
    severity = "warning" if expired else "info"
    return Finding(rule, severity, None, (), (), None, None, None, None, words, None, mark)  # type: ignore[arg-type]
