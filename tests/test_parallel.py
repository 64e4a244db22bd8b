"""Functions over samples on Ray: the same results, no more under way than asked. In a network of its own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ALONE = ("unshare", "--user", "--map-root-user", "--net")  # Ray listens on every network there is
SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from collections.abc import Sequence
from inlay import InlayError, scenes
from inlay.parallel import map_samples
from inlay.rules import check
from work_of_ray import refuse, square

class Taken(Sequence):
    taken = 0
    def __len__(self):
        return 50
    def __getitem__(self, place):
        if place >= 50:
            raise IndexError
        self.taken = max(self.taken, place + 1)
        return place

items = Taken()
results = map_samples(square, items, on="ray", workers=3)
assert next(results) == 0
assert items.taken <= 4, items.taken
assert list(results) == [number**2 for number in range(1, 50)]

try:
    list(map_samples(refuse, [1, 2], on="ray"))
except InlayError as error:
    assert str(error) == "not 1", str(error)
else:
    raise AssertionError("an error of a task is lost")

dataset = scenes.make("cells", 80, size=(40, 50))
found = [check(dataset, packs=["schema", "partition", "geometry"], on=place) for place in ("serial", "ray")]
assert [list(each) for each in found[:1]] == [list(each) for each in found[1:]]
print("done")
"""
WORK = """
from inlay import InlayError

def square(number):
    return number**2

def refuse(number):
    raise InlayError(f"not {number}")
"""


def _is_possible() -> bool:
    if importlib.util.find_spec("ray") is None or not all(map(shutil.which, ("unshare", "ip"))):
        return False
    return subprocess.run([*ALONE, "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0


@pytest.mark.skipif(not _is_possible(), reason="needs ray, and a network namespace")
def test_ray_gives_what_the_serial_way_gives_and_takes_items_as_they_are_needed(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as short:  # names of sockets have 107 letters at most
        _run(tmp_path, short)


def _run(tmp_path: Path, short: str) -> None:
    (tmp_path / "work_of_ray.py").write_text(WORK, encoding="utf-8")
    (tmp_path / "script.py").write_text(SCRIPT.format(folder=str(tmp_path)), encoding="utf-8")
    started = subprocess.run(
        [
            *ALONE,
            "sh",
            "-c",
            'ip link set lo up && exec "$0" "$1"',
            sys.executable,
            str(tmp_path / "script.py"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "RAY_TMPDIR": short, "PYTHONPATH": str(tmp_path)},
    )
    assert started.stdout.strip().endswith("done"), started.stdout + started.stderr
