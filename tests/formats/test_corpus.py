"""Each dataset of the corpus in every format: all comes back, or what does not is named before."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_what_survives_is_fresh_and_nothing_is_lost_unsaid():
    page = runpy.run_path(str(DOCS / "draw_matrix.py"))["page"]()
    assert (DOCS / "matrix.md").read_text("utf-8") == page, "run: python docs/draw_matrix.py"
