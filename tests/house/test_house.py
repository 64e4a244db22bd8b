"""The house rules that a machine can hold us to."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
KERNELS = sorted((ROOT / "src").rglob("*.[ch]pp"))
HEAVY = (
    "torch",
    "polars",
    "PIL",
    "ray",
    "fastapi",
    "cv2",
    "msgspec",
    "rich",
    "cyclopts",
    "scipy",
    "transformers",
)


@pytest.mark.parametrize("path", [*SOURCES, *KERNELS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_read_in_one_sitting(path):
    assert len(path.read_text("utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_fits_a_screen(path):
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 80] == []


def test_no_module_is_named_for_nothing():
    nameless = {"utils", "util", "helpers", "common", "base", "misc"}
    assert [path for path in SOURCES if path.stem in nameless] == []


def test_no_file_promises_work_that_is_not_done():
    promise = re.compile(r"\b(TO" r"DO|FIX" r"ME|raise NotImplemented" r"Error|XX" r"X)\b")
    assert [path for path in SOURCES if promise.search(path.read_text("utf-8"))] == []


def test_importing_inlay_loads_numpy_and_the_kernels_alone():
    code = f"import sys, inlay; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_asking_for_help_loads_no_model_and_no_data_frame():
    code = (
        "import sys; from inlay.cli import main; main(['--help']);"
        "print([name for name in ('torch', 'polars', 'PIL', 'cv2', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_training_path_imports_without_what_a_gpu_machine_may_lack():
    pytest.importorskip("torch")
    block = "polars", "msgspec", "cyclopts", "pydantic", "rich"
    code = (
        f"import sys\nfor name in {block!r}: sys.modules[name] = None\n"
        "import inlay.training, inlay.models.unet, inlay.models.solov2, inlay.formats.label_png\n"
        "from inlay import train, predict, read\nprint('fine')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "fine", done.stderr
