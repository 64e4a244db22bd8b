"""Advise: which labels a question needs, what they cost, how many, and which images next."""

from inlay.advise.buys import LabelType, Option, best_buy, buys
from inlay.advise.choose import QUESTIONS, Advice, Answers, choose
from inlay.advise.cost import PRIORS, TOOLS, Cost, Prior, Timing, estimate, with_ratio
from inlay.advise.counting import write_count_page
from inlay.advise.guide import guide
from inlay.advise.learning_curve import LearningCurve, back_test
from inlay.advise.next_images import next_images, pilot
from inlay.advise.scenes import Load, measure_load, state_load
from inlay.advise.timings import read_timings, write_timings

__all__ = [
    "PRIORS",
    "QUESTIONS",
    "TOOLS",
    "Advice",
    "Answers",
    "Cost",
    "LabelType",
    "LearningCurve",
    "Load",
    "Option",
    "Prior",
    "Timing",
    "back_test",
    "best_buy",
    "buys",
    "choose",
    "estimate",
    "guide",
    "measure_load",
    "next_images",
    "pilot",
    "read_timings",
    "state_load",
    "with_ratio",
    "write_count_page",
    "write_timings",
]
