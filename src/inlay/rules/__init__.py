"""Check: rules as data over measured columns, findings out."""

from inlay.rules.batch import Compiled, check_sample
from inlay.rules.engine import DEFAULT_PACKS, check, check_rules
from inlay.rules.finding import Finding, Findings
from inlay.rules.proof import test_rules
from inlay.rules.rule import Rule
from inlay.rules.rulefile import pack_names, read_rules

__all__ = [
    "DEFAULT_PACKS",
    "Compiled",
    "Finding",
    "Findings",
    "Rule",
    "check",
    "check_rules",
    "check_sample",
    "pack_names",
    "read_rules",
    "test_rules",
]
