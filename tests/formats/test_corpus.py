"""Each dataset of the corpus in every format: all comes back, or what does not is named before."""

from __future__ import annotations

import runpy
from importlib.util import find_spec
from pathlib import Path

import pytest

from inlay import plugins

DOCS = Path(__file__).parents[2] / "docs"


LIBRARIES = [getattr(plugins.load("formats", name), "LIBRARY", "numpy") for name in plugins.names("formats")]


@pytest.mark.skipif(not all(map(find_spec, LIBRARIES)), reason="needs inlay[volumes]")
def test_the_page_of_what_survives_is_fresh_and_nothing_is_lost_unsaid():
    page = runpy.run_path(str(DOCS / "draw_matrix.py"))["page"]()
    assert (DOCS / "matrix.md").read_text("utf-8") == page, "run: python docs/draw_matrix.py"
