"""Reports: a score as one page to look at, and scoring straight from files."""

from inlay.report.scoring import score
from inlay.report.writing import write_report

__all__ = ["score", "write_report"]
