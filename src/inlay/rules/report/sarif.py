"""Findings as SARIF 2.1.0, which GitHub, GitLab and editors show beside the file that they are about.

SARIF knows lines of text, not pixels: a result points at the line of the annotation in the label file, and
holds box and run lengths in its properties.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import inlay
from inlay.core.dataset import Dataset
from inlay.core.staging import staged
from inlay.rules.finding import Finding, Findings
from inlay.rules.report.parts.places import Places

SUFFIX = ".sarif"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
FINGERPRINT = "inlayFinding/v1"


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write all findings; waived ones as suppressed, and beside a baseline those that are gone as absent."""
    del dataset
    with staged(path) as part:
        part.write_text(json.dumps(content(findings, source), ensure_ascii=False, indent=1), "utf-8")


def content(findings: Findings, source: Path | None) -> dict[str, Any]:
    """The log as JSON holds it."""
    waived = [(each.finding, each.waiver) for each in findings.waived]
    every = [*findings, *(finding for finding, _ in waived)]
    verdicts = {verdict.rule: verdict.severity for verdict in findings.verdicts}
    severity = {**verdicts, **{finding.rule: finding.severity for finding in every}}
    severity |= {known.rule: "info" for known in findings.gone if known.rule not in severity}
    number = {rule: place for place, rule in enumerate(severity)}
    places = Places(source)
    results = [_result(finding, number, places) for finding in findings]
    for finding, waiver in waived:
        suppression = {"kind": "external", "status": "accepted", "justification": waiver.reason}
        results.append({**_result(finding, number, places), "suppressions": [suppression]})
    results += [
        {
            "ruleId": known.rule,
            "ruleIndex": number[known.rule],
            "message": {"text": f"{known.image or 'dataset'}: no longer found"},
            "partialFingerprints": {FINGERPRINT: known.fingerprint},
            "baselineState": "absent",
        }
        for known in findings.gone
    ]
    rules = [{"id": rule, "defaultConfiguration": {"level": LEVELS[each]}} for rule, each in severity.items()]
    driver = {
        "name": "Inlay",
        "semanticVersion": inlay.__version__,
        "rules": [rule | {"shortDescription": {"text": str(rule["id"]).replace("-", " ")}} for rule in rules],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, number: dict[str, int], places: Places) -> dict[str, Any]:
    uri, line = places.of(finding)
    location: dict[str, Any] = {
        "logicalLocations": [
            {"name": finding.image or "dataset", "kind": "image" if finding.image else "dataset"},
            *({"name": str(each), "kind": "segment"} for each in finding.segments),
        ]
    }
    if uri:
        location["physicalLocation"] = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
    result = {
        "ruleId": finding.rule,
        "ruleIndex": number[finding.rule],
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.image or 'dataset'}: {finding.message}"},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "rank": round(min(max(finding.effect, 0.0), 100.0), 6),
        "properties": {
            key: getattr(finding, key)
            for key in ("image", "segments", "classes", "box", "region", "measured", "limit", "fix", "effect")
        },
    }
    return result | ({"baselineState": finding.state} if finding.state else {})
