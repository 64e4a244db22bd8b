"""Rule files and packs: TOML in, checked rules out, one file built on another."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from inlay.core.errors import FormatError, InlayError
from inlay.rules.columns import vocabulary
from inlay.rules.expression import nearest
from inlay.rules.rule import CLAUSES, OFF, VERDICTS, Rule, make_rule
from inlay.rules.tolerance import KEYS as TOLERANCE_KEYS

FILE_KEYS = ("extends", "description", "classes", "rule")
RULE_KEYS = (
    *("id", "scope", *CLAUSES, "least", "most", "severity", *TOLERANCE_KEYS, "fix", "max_change"),
    *("message", "measure", "params", "examples", "description"),
)


@dataclass(frozen=True)
class _Draft:
    """A rule before it is checked: its keys as written, and where."""

    keys: dict[str, Any]
    file: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class _Reading:
    """The files open above this one, to see cycles of `extends`."""

    chain: tuple[str, ...] = ()
    drafts: dict[str, _Draft] = field(default_factory=dict)


def pack_names() -> list[str]:
    """Names of the packs that come with Inlay."""
    return sorted(
        item.name.removesuffix(".toml") for item in _packs().iterdir() if item.name.endswith(".toml")
    )


def read_rules(packs: Iterable[str] = (), rules: Path | str | None = None) -> tuple[Rule, ...]:
    """The rules of some packs and of a file, in that order; the file may change a pack's rule by its id.

    Raises
    ------
    InlayError
        On anything a rule file should not hold, naming file, rule and the nearest right word.
    """
    reading = _Reading()
    for pack in packs:
        _collect(_find(pack, Path()), _named(pack), reading)
    if rules is not None:
        _collect(Path(rules), str(rules), reading)
    known = vocabulary()
    wanted = (draft for draft in reading.drafts.values() if draft.keys.get("severity") != OFF)
    return tuple(make_rule(draft.keys, draft.file, draft.classes, known) for draft in wanted)


def _packs() -> Traversable:
    return files("inlay.rules") / "packs"


def _find(name: str, beside: Path) -> Traversable | Path:
    """A pack by its name, or a file beside the one that names it."""
    if _is_file_name(name):
        return beside / name
    if name not in pack_names():
        raise InlayError(f"there is no rule pack {name!r}; {nearest(name, pack_names())}")
    return _packs() / f"{name}.toml"


def _is_file_name(name: str) -> bool:
    return name.endswith(".toml") or "/" in name


def _named(pack: str) -> str:
    """A pack as errors and tests name it, wherever it is installed."""
    return f"pack {pack}"


def _collect(source: Traversable | Path, place: str, reading: _Reading) -> None:
    """Add the rules of a file, those it extends first."""
    identity = str(Path(str(source)).resolve())
    if identity in reading.chain:
        circle = [Path(name).name for name in (*reading.chain[reading.chain.index(identity) :], identity)]
        raise FormatError(
            place, "extends", f"rule files extend one another in a circle: {' -> '.join(circle)}"
        )
    content = _toml(source, place)
    _only(content, FILE_KEYS, place, "")
    deeper = _Reading((*reading.chain, identity), reading.drafts)
    for name in _texts(content, "extends", place):
        try:
            found = _find(name, Path(place).parent)
        except InlayError as error:
            raise FormatError(place, "extends", str(error)) from None
        _collect(
            found, str(found) if isinstance(found, Path) and _is_file_name(name) else _named(name), deeper
        )
    _add(content, place, reading.drafts)


def _toml(source: Traversable | Path, place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FormatError(place, "", f"not TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise FormatError(place, f"byte {error.start}", "not UTF-8 text") from None
    except OSError as error:
        raise FormatError(place, "", f"the rule file cannot be read ({error.strerror or error})") from None


def _texts(content: Mapping[str, Any], key: str, place: str) -> list[str]:
    found = content.get(key, [])
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise FormatError(place, key, f"must be a list of words, not {found!r}")
    return texts


def _only(content: Mapping[str, Any], keys: Sequence[str], place: str, where: str) -> None:
    for key in content:
        if key not in keys:
            raise FormatError(place, where, f"there is no key {key!r}; {nearest(key, keys)}")


def _add(content: Mapping[str, Any], place: str, drafts: dict[str, _Draft]) -> None:
    rules = content.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise FormatError(place, "rule", "rules are written under [[rule]], with two brackets")
    classes = tuple(_texts(content, "classes", place))
    seen: set[str] = set()
    for number, keys in enumerate(rules, 1):
        name = keys.get("id")
        if not isinstance(name, str) or not name:
            raise FormatError(place, f"rule {number}", 'has no id: write id = "a-short-name"')
        where = f"rule {name!r}"
        _only(keys, RULE_KEYS, place, where)
        if name in seen:
            raise FormatError(place, where, "stands twice in this file: ids are unique")
        seen.add(name)
        drafts[name] = _merged(drafts.get(name), _Draft(keys, place, classes))


def _merged(inherited: _Draft | None, draft: _Draft) -> _Draft:
    """The inherited rule with the keys that the new one gives; parameters are merged one by one."""
    if inherited is None:
        return draft
    keys = {**inherited.keys, **draft.keys}
    if any(key in draft.keys for key in VERDICTS):
        old = (*VERDICTS, "least", "most")
        keys = {key: value for key, value in keys.items() if key not in old or key in draft.keys}
    if isinstance(inherited.keys.get("params"), dict) and isinstance(draft.keys.get("params"), dict):
        keys["params"] = {**inherited.keys["params"], **draft.keys["params"]}
    return _Draft(keys, draft.file, inherited.classes + draft.classes)
