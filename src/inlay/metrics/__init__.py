"""Metrics: how close predictions come to the truth, with intervals."""

from inlay.metrics.parts.pairing import suitable
from inlay.metrics.parts.result import Score
from inlay.metrics.parts.scoring import score

__all__ = ["Score", "score", "suitable"]
