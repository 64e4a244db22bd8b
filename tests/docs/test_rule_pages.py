"""The pages of the rules are what their command writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def command():
    spec = importlib.util.spec_from_file_location("draw_rules", DOCS / "draw_rules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["vocabulary", "packs"])
def test_a_page_of_the_rules_is_fresh(command, page):
    written = (DOCS / "rules" / f"{page}.md").read_text("utf-8")
    assert written == getattr(command, f"{page}_page")(), "run: python docs/draw_rules.py"
