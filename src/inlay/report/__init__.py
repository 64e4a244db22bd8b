"""Reports: a score as one page to look at, scoring straight from files, agreement of people."""

from inlay.report.agreement import AgreementReport, annotator_agreement, consensus
from inlay.report.agreement_page import write_agreement
from inlay.report.scoring import compare, score
from inlay.report.writing import write_report

__all__ = [
    "AgreementReport",
    "annotator_agreement",
    "compare",
    "consensus",
    "score",
    "write_agreement",
    "write_report",
]
