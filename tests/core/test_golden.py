"""The file that the studio's codec in TypeScript is held to as well: both must agree with it forever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inlay import Masks
from inlay.core import polygons

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "masks.json").read_text("utf-8"))


@pytest.mark.parametrize("case", GOLDEN["masks"], ids=lambda case: "x".join(map(str, case["size"])))
def test_run_lengths_and_strings_are_those_of_the_golden_file(case):
    masks = Masks.from_strings([case["string"]], tuple(case["size"]))
    assert masks.to_runs() == [case["runs"]]
    assert Masks.from_runs([case["runs"]], tuple(case["size"])).to_strings() == [case["string"].encode()]


def test_polygons_are_filled_as_in_the_golden_file():
    for number, case in enumerate(GOLDEN["polygons"]):
        filled = polygons.fill(polygons.from_rings([case["parts"]]), tuple(case["size"]))
        assert filled.to_strings() == [case["string"].encode()], number
