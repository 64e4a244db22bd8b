"""Each dataset of the corpus in every format: all comes back, or what does not is named before."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_what_survives_is_fresh_and_nothing_is_lost_unsaid():
    spec = importlib.util.spec_from_file_location("draw_matrix", DOCS / "draw_matrix.py")
    command = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(command)
    written = (DOCS / "matrix.md").read_text("utf-8")
    assert written == command.page(), "run: python docs/draw_matrix.py"
