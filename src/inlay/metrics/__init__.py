"""Metrics: how close predictions come to the truth, with intervals."""

from inlay.metrics.parts.comparing import Comparison, compare
from inlay.metrics.parts.result import Score
from inlay.metrics.parts.scoring import score
from inlay.metrics.parts.suitability import suitable

__all__ = ["Comparison", "Score", "compare", "score", "suitable"]
