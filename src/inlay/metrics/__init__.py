"""Metrics: how close predictions come to the truth, with intervals."""

from inlay.metrics.parts.comparing import Comparison, compare
from inlay.metrics.parts.result import Score
from inlay.metrics.parts.scoring import score
from inlay.metrics.parts.suitability import suitable
from inlay.metrics.parts.whole_files import coco_figures

__all__ = ["Comparison", "Score", "coco_figures", "compare", "score", "suitable"]
