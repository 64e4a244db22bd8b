"""Findings as JUnit XML, which every continuous integration shows: a test for each rule."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from inlay.core.dataset import Dataset
from inlay.core.staging import staged
from inlay.rules.finding import Finding, Findings

SUFFIX = ".xml"
SHOWN = 50  # findings of each rule, in words
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write a test for each rule: it fails with new errors, and tells of the rest."""
    del dataset
    suite = ElementTree.Element("testsuite", {"name": _clean(f"inlay check {source or ''}".strip())})
    asked = {verdict.rule: verdict for verdict in findings.verdicts}
    rules = dict.fromkeys([*asked, *findings.by_rule])
    failures = 0
    for rule in rules:
        found = findings.of(rule)
        case = ElementTree.SubElement(suite, "testcase", {"classname": "inlay.rules", "name": _clean(rule)})
        failing = [each for each in found if each.severity == "error" and each.state != "unchanged"]
        if failing:
            failures += 1
            words = {"type": "error", "message": _clean(f"{len(failing)} errors: {failing[0]}")}
            ElementTree.SubElement(case, "failure", words).text = _lines(failing)
        rest = [each for each in found if each not in failing]
        if rest:
            ElementTree.SubElement(case, "system-out").text = _lines(rest)
    suite.set("tests", str(len(rules)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    with staged(path) as part:
        ElementTree.ElementTree(root).write(part, encoding="utf-8", xml_declaration=True)


def _lines(found: list[Finding]) -> str:
    lines = [_clean(str(each)) for each in found[:SHOWN]]
    more = [f"... and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "\n".join([*lines, *more])


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)
