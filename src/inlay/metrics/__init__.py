"""Metrics: how close predictions come to the truth, with intervals."""

from inlay.metrics.pairing import suitable
from inlay.metrics.result import Score
from inlay.metrics.scoring import score

PARTS = ("intervals", "mistakes", "pairing", "ranking", "result", "scoring")

__all__ = ["PARTS", "Score", "score", "suitable"]
