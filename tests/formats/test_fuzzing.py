"""Whatever a file says, reading it ends in a dataset or in one line: `benchmarks/fuzz.py` asks more often."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from inlay import plugins

from . import mutations

TIMES = 120


@pytest.fixture(scope="module", params=plugins.names("formats"))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[tuple]]:
    """A format and files of it."""
    library = getattr(plugins.load("formats", request.param), "LIBRARY", "numpy")
    pytest.importorskip(library, reason=f"{request.param} needs {library}: pip install inlay[volumes]")
    files = mutations.targets(request.param, tmp_path_factory.mktemp(request.param))
    assert files
    return request.param, files


def test_broken_files_are_refused_in_one_line_that_names_the_file(case):
    name, files = case
    faults = {
        seed: mutations.broken_once(name, files, np.random.default_rng([seed, 3])) for seed in range(TIMES)
    }
    assert not {seed: what for seed, what in faults.items() if what}


def test_files_cut_off_anywhere_are_refused_in_one_line(case):
    name, files = case
    for folder, file, dataset in files[:4]:
        whole = file.read_bytes()
        for end in np.linspace(0, len(whole) - 1, 8).astype(int).tolist():
            file.write_bytes(whole[:end])
            assert not mutations.fault(name, folder, dataset), (file, end)
        file.write_bytes(whole)


def test_real_exports_that_are_broken_are_refused_in_one_line(shared, tmp_path):
    for name in plugins.names("formats"):
        for number, place in enumerate(mutations.real_of(name, shared / "data" / "formats")[:2]):
            copy = Path(shutil.copytree(place, tmp_path / f"{name}{number}" / place.name))
            files = [(copy, file, None) for file in mutations.files_of(copy)]
            for seed in range(10 if files else 0):
                assert not mutations.broken_once(name, files, np.random.default_rng([seed, 5])), (name, seed)
