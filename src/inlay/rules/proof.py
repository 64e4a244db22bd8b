"""Rules tested by the pictures they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from inlay.core.errors import InlayError
from inlay.rules.engine import check_rules
from inlay.rules.pictures import Example
from inlay.rules.rule import Rule
from inlay.rules.rulefile import read_rules
from inlay.rules.stack import UNREADABLE


@dataclass(frozen=True)
class RuleTest:
    """One example of one rule, and whether the rule did with it what the example says."""

    rule: str
    file: str
    example: Example
    passed: bool

    def __str__(self) -> str:
        wanted = "must pass but finds something in" if self.example.passes else "must find something in"
        return f"{self.file}: rule {self.rule!r} {wanted}:\n{self.example.picture.strip(chr(10))}"


@dataclass(frozen=True)
class RuleTests:
    """The examples of some rules, tried."""

    tests: tuple[RuleTest, ...]
    without: tuple[str, ...]  # rules that carry no example

    @property
    def failed(self) -> tuple[RuleTest, ...]:
        """Examples that a rule judged otherwise."""
        return tuple(test for test in self.tests if not test.passed)

    @property
    def exit_code(self) -> int:
        """0 when every example is judged as it says, else 1."""
        return int(bool(self.failed))

    def __str__(self) -> str:
        lines = [*map(str, self.failed)]
        lines.append(f"{len(self.tests) - len(self.failed)} of {len(self.tests)} examples hold")
        if self.without:
            lines.append(f"without examples: {', '.join(self.without)}")
        return "\n".join(lines)


def test_rules(packs: Sequence[str] = (), rules: Path | str | None = None) -> RuleTests:
    """Try the examples of packs and of a rule file.

    Raises
    ------
    InlayError
        When a rule file is wrong.
    """
    chosen = read_rules((packs,) if isinstance(packs, str) else packs, rules)
    tests = [
        RuleTest(rule.id, rule.file, each, holds(rule, each)) for rule in chosen for each in rule.examples
    ]
    return RuleTests(tuple(tests), tuple(rule.id for rule in chosen if not rule.examples))


test_rules.__test__ = False  # type: ignore[attr-defined]  # its name makes pytest take it for a test


def holds(rule: Rule, example: Example) -> bool:
    """Whether a rule finds something in a picture exactly when it should."""
    free = replace(rule, vocabulary=(*rule.vocabulary, *rule.named_classes))
    with TemporaryDirectory() as folder:
        findings = check_rules(example.dataset(Path(folder)), [free])
    broken = findings.of(UNREADABLE)
    if broken:
        raise InlayError(f"{rule.file}: the example of rule {rule.id!r} is wrong: {broken[0].message}")
    return bool(len(findings)) != example.passes
