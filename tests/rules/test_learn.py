"""Thresholds learnt from trusted labels, frozen into rules."""

from __future__ import annotations

import numpy as np
import pytest

from inlay import scenes
from inlay.core.errors import InlayError
from inlay.rules import check, read_rules
from inlay.rules.learn import FEW, learn


@pytest.fixture(scope="module")
def trusted():
    return scenes.make("cells", 6, size=(120, 160), seed=4)


def test_what_is_learnt_is_shown_frozen_and_finds_what_is_unusual(trusted, tmp_path):
    learnt = learn(trusted, columns=("area_px", "solidity"))
    assert {(each.class_name, each.column) for each in learnt.ranges} >= {
        ("cell", "area_px"),
        ("nucleus", "solidity"),
    }
    assert "median" in str(learnt)
    learnt.write(tmp_path / "usual.toml")
    rules = read_rules((), tmp_path / "usual.toml")
    assert [rule.id for rule in rules] == [each.id for each in learnt.ranges]
    calm = check(trusted, packs=(), rules=tmp_path / "usual.toml")
    assert len(calm) <= 0.02 * calm.segments
    huge = scenes.make("cells", 2, size=(360, 480), seed=4)
    found = check(huge, packs=(), rules=tmp_path / "usual.toml")
    assert any(finding.rule == "usual area_px of cell" for finding in found)


def test_few_segments_teach_nothing(trusted):
    learnt = learn(trusted[:1], columns=("area_px",))
    assert all(each.segments >= FEW for each in learnt.ranges)
    assert learnt.skipped


def test_the_median_lies_within_the_range(trusted):
    for each in learn(trusted, share=0.2).ranges:
        assert each.low <= each.middle <= each.high
        assert np.isfinite([each.low, each.high]).all()


@pytest.mark.parametrize(
    ("columns", "share", "words"),
    [
        (("area_pix",), 0.01, "did you mean 'area_px'"),
        (("class",), 0.01, "no number"),
        (("tail('area_px')",), 0.01, "no number"),
        (("area_px + 1",), 0.01, "not one column"),
        (("area_px",), 2.0, "cannot lie outside"),
    ],
)
def test_what_cannot_be_learnt_is_refused(trusted, columns, share, words):
    with pytest.raises(InlayError, match=words):
        learn(trusted, columns=columns, share=share)
