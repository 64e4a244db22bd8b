"""The front end's files: types that fit the server, a lock that works everywhere and names no host."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
LIMIT = 500
SOURCES = [path for path in sorted(WEB.rglob("src/**/*.ts*")) if "node_modules" not in path.parts]


def test_the_types_of_the_wire_are_those_of_the_server():
    pytest.importorskip("fastapi")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "wire_types.py")], capture_output=True, text=True, check=True
    )
    stale = "stale: python tools/wire_types.py > web/src/schema.d.ts"
    assert (WEB / "src" / "schema.d.ts").read_text("utf-8") == done.stdout, stale


def test_the_lock_holds_every_platform_and_no_address():
    text = (WEB / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    for name, facts in packages.items():
        for wanted in facts.get("optionalDependencies", {}):
            assert f"node_modules/{wanted}" in packages, f"{name} needs {wanted}"
    assert {"linux-x64", "linux-arm64", "darwin-arm64", "win32-x64"} <= {
        name.removeprefix("node_modules/@esbuild/") for name in packages
    }
    assert '"resolved"' not in text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_source_file_is_read_in_one_sitting(path):
    if path.name != "schema.d.ts":
        assert len(path.read_text("utf-8").splitlines()) <= LIMIT


def test_no_english_text_stands_outside_the_catalogue():
    """Words between tags, or in attributes that people see or hear, come from texts.ts."""
    words = re.compile(
        r">\s*[A-Za-z][a-z]{2,}[^<>{}=;()]*</|(?:title|placeholder|aria-label|label)=\"[A-Za-z]"
    )
    found = [
        f"{path.relative_to(WEB)}: {line.strip()}"
        for path in WEB.glob("src/**/*.tsx")
        for line in path.read_text("utf-8").splitlines()
        if words.search(line)
    ]
    assert found == []
