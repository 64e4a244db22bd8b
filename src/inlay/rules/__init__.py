"""Check: rules as data over measured columns, findings out."""

from inlay.rules.engine import check, check_rules
from inlay.rules.finding import Finding, Findings
from inlay.rules.proof import test_rules
from inlay.rules.rule import Rule
from inlay.rules.rulefile import pack_names, read_rules

__all__ = ["Finding", "Findings", "Rule", "check", "check_rules", "pack_names", "read_rules", "test_rules"]
