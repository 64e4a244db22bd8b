"""Every runnable snippet of the documentation runs, page by page, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCE = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [page for page in sorted(DOCS.glob("*.md")) if FENCE.search(page.read_text("utf-8"))]


RUNNER = """
import json, subprocess, sys
names = {"__name__": "__main__"}
for language, code in json.load(sys.stdin):
    if language == "sh":
        subprocess.run(["sh", "-euc", code], check=True)
    else:
        exec(compile(code, "<snippet>", "exec"), names)
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_snippets_of_a_page_run(page, tmp_path):
    here = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(FENCE.findall(page.read_text("utf-8"))),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
