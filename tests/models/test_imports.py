"""Training runs where the tables, the command line and the web are not installed."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import sys
for name in ("polars", "msgspec", "cyclopts", "pydantic", "rich", "scipy"):
    sys.modules[name] = None
import inlay.training
from inlay import plugins
for name in plugins.names("models"):
    plugins.load("models", name)
assert "torch" in sys.modules
"""


def test_training_imports_without_what_it_does_not_need():
    subprocess.run([sys.executable, "-c", ALONE], check=True, timeout=60)


def test_the_package_of_families_imports_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None; from inlay import plugins; print(plugins.names('models'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True
    )
    assert "unet" in done.stdout
