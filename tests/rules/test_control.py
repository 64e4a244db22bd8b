"""Noise control: tolerance, caps, causes, effect, waivers, baselines."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest

from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.rules import check, check_rules, read_rules
from inlay.rules.baseline import Baseline, compared, read_baseline, shrunk, write_baseline
from inlay.rules.finding import Finding, Verdict
from inlay.rules.noise import Caps
from inlay.rules.pictures import read_examples
from inlay.rules.tolerance import read_tolerance
from inlay.rules.waivers import read_waivers

LEGEND = {"a": "cell", "b": "cell", "c": "dust", "d": "dust"}


def drawn(picture, name="one", scale=1):
    return read_examples({"pass": [picture], "legend": LEGEND, "scale": scale})[0].sample(name)


def found_by(tmp_path, samples, text, **options):
    path = tmp_path / "rules.toml"
    rules = [f"[[rule]]\nid = 'r{number}'\n{rule}" for number, rule in enumerate(text.split("\n\n"))]
    path.write_text("\n".join(rules))
    return check(Dataset.of(samples), packs=(), rules=path, **options)


SMALL = 'scope = "segment"\nforbid = "area_px < 3"\nseverity = "warning"\nmessage = "{segment}"\n'


@pytest.mark.parametrize(
    ("keys", "severity"),
    [
        ({}, "warning"),
        ({"mostly": 0.25}, None),
        ({"mostly": 0.24}, "warning"),
        ({"error_if": "> 24"}, "error"),
        ({"error_if": "> 25"}, "warning"),
        ({"error_if": ">= 25%"}, "error"),
        ({"error_if": "> 25 %"}, "warning"),
        ({"error_if": "> 90%", "warn_if": "> 20%"}, "warning"),
        ({"error_if": "> 90%", "warn_if": "> 30%"}, None),
        ({"warn_if": ">1", "severity": "error"}, "warning"),
    ],
)
def test_how_many_findings_are_too_many(keys, severity):
    tolerance = read_tolerance({"severity": "warning", **keys})
    assert tolerance.judged(Verdict("r", "warning", asked=100, found=25)) == severity


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mostly = 5", "share from 0 to 1"),
        ("mostly = true", "share from 0 to 1"),
        ("trust = -1", "share from 0 to 1"),
        ("error_if = 5", 'as "> 10"'),
        ("error_if = '5'", 'as "> 10"'),
        ("warn_if = '< 5%'", 'as "> 10"'),
        ("fix = 'eraze'", "did you mean 'erase'"),
        ("max_change = 2", "from 0 to 1"),
    ],
)
def test_odd_tolerances_are_refused(tmp_path, line, words):
    with pytest.raises(FormatError, match=words):
        found_by(tmp_path, [drawn("aa")], SMALL + line)


def test_tolerated_findings_are_counted_and_not_reported(tmp_path):
    samples = [drawn("aaa.bb", "one"), drawn("aaa.bbb", "two")]
    found = found_by(tmp_path, samples, SMALL + "mostly = 0.25")
    assert (len(found), found.verdicts[1].found, found.verdicts[1].tolerated) == (0, 1, True)
    assert "tolerated" in str(found)
    found = found_by(tmp_path, samples, SMALL + 'error_if = ">= 1"')
    assert (found[0].severity, found.verdicts[1].severity, found.exit_code) == ("error", "error", 1)


def test_caps_keep_the_counts(tmp_path):
    samples = [drawn("a.b.c.d", f"s{number}") for number in range(5)]
    found = found_by(tmp_path, samples, SMALL, caps=Caps(per_image=3, per_rule=7))
    assert [each.image for each in found] == ["s0"] * 3 + ["s1"] * 3 + ["s2"]
    assert (found.verdicts[1].found, found.left_out) == (20, {"r0": 13})
    assert "13 more were counted" in str(found)


def test_caps_keep_what_lies_furthest_beyond_the_limit(tmp_path):
    rule = SMALL.replace("< 3", "> 1")
    samples = [drawn("aa.bbbb.ccc.ddddd", "one"), drawn("aaaaaa.bb", "two")]
    found = found_by(tmp_path, samples, rule, caps=Caps(per_image=2, per_rule=3))
    assert [(each.image, each.measured) for each in found] == [("one", 4), ("one", 5), ("two", 6)]


LAYERED = """
aaaa..cc
aaaa..cc

bbbb....
bbb.....
"""
TWO = """scope = "pair"
forbid = "iou > 0.5"
severity = "error"
message = "{a} {b}"

scope = "segment"
forbid = "area_px = 7"
severity = "info"
message = "{segment}"

scope = "segment"
where = "class = 'dust'"
forbid = "area_px < 5"
severity = "error"
message = "{segment}"
"""


def test_findings_about_one_place_share_a_cause(tmp_path):
    causes = found_by(tmp_path, [drawn(LAYERED)], TWO).causes
    assert [(cause.main.rule, [each.rule for each in cause.others]) for cause in causes] == [
        ("r2", []),
        ("r0", ["r1"]),
    ]


def test_a_finding_weighs_what_its_class_would_lose(tmp_path):
    found = found_by(tmp_path, [drawn("aab.c")], SMALL.replace("< 3", "= 1") + "trust = 0.5")
    assert {each.classes[0]: each.effect for each in found} == {"cell": 100 * 0.5 / (2 * 2), "dust": 25.0}
    hole = 'scope = "segment"\nforbid = "hole_px > 0"\nseverity = "error"\nmessage = "m"\ntrust = 1'
    (finding,) = found_by(tmp_path, [drawn("aaa\na.a\naaa\nbbb")], hole)
    assert (finding.share, finding.effect) == (1 / 8, 100 / 8 / 2)


def test_rules_are_ranked_by_severity_then_effect(tmp_path):
    text = SMALL.replace("< 3", "= 1") + "trust = 0.1\n\n" + SMALL.replace("< 3", "= 4") + "trust = 1.0"
    found = found_by(tmp_path, [drawn("aaaa.b.c.d")], text)
    assert found.by_rule == {"r1": 1, "r0": 3}


WAIVERS = """
[[waiver]]
rule = "r*"
where = "street/*"
reason = "seen by Ada"
until = 2030-01-31

[[waiver]]
rule = "r0"
segments = [2]
reason = "a mirror"

[[waiver]]
rule = "other"
reason = "long gone"
"""


def test_waivers_cover_expire_and_go_unused(tmp_path):
    (tmp_path / "waivers.toml").write_text(WAIVERS)
    waivers = read_waivers(tmp_path / "waivers.toml")
    samples = [drawn("a.b", "street/1"), drawn("a.b", "field/1")]
    found = found_by(tmp_path, samples, SMALL)
    early = found.waive(waivers, datetime.date(2030, 1, 31))
    assert [(each.image, each.segments) for each in early][:1] == [("field/1", (1,))]
    assert [each.rule for each in early] == ["r0", "waiver-unused"]
    assert [each.waiver.reason for each in early.waived] == ["seen by Ada", "seen by Ada", "a mirror"]
    late = found.waive(waivers, datetime.date(2030, 2, 1))
    assert [each.rule for each in late] == ["r0", "r0", "waiver-expired", "waiver-unused"]
    assert "ended on 2030-01-31" in late.of("waiver-expired")[0].message
    assert early.left_out == late.left_out == {}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('reason = "seen by Ada"', "", "reason must be words"),
        ("until = 2030-01-31", 'until = "soon"', "a day as 2027-01-31"),
        ("until =", "untill =", "did you mean 'until'"),
        ("[2]", '["b"]', "segments are ids"),
        ("[[waiver]]", "[[waver]]", "no key 'waver'"),
        ("[[waiver]]", "[[waiver]", "not TOML"),
    ],
)
def test_what_is_no_waiver_is_refused(tmp_path, old, new, words):
    (tmp_path / "waivers.toml").write_text(WAIVERS.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_waivers(tmp_path / "waivers.toml")
    with pytest.raises(FormatError, match="cannot be read"):
        read_waivers(tmp_path / "gone.toml")


def test_a_baseline_lets_stand_what_was_there(tmp_path):
    before = found_by(tmp_path, [drawn("a.b", "one"), drawn("a", "two")], SMALL.replace("warning", "error"))
    write_baseline(Baseline.of(before), tmp_path / "baseline.jsonl")
    baseline = read_baseline(tmp_path / "baseline.jsonl")
    assert len(baseline.known) == 3
    text = SMALL.replace("warning", "error")
    same = found_by(tmp_path, [drawn("a.b", "one"), drawn("a", "two")], text).compare(baseline)
    assert ({each.state for each in same}, same.exit_code, len(same.new)) == ({"unchanged"}, 0, 0)
    more = found_by(tmp_path, [drawn("a.b", "one"), drawn("aaaa.......................c", "two")], text)
    more = more.compare(baseline)
    assert [each.state for each in more] == ["unchanged", "unchanged", "new"]
    assert (more.exit_code, [each.classes for each in more.new]) == (1, [("dust",)])
    assert [(known.image, known.classes) for known in more.gone] == [("two", ("cell",))]
    assert {known.image for known in shrunk(more).known} == {"one"}


def test_a_report_in_json_lines_is_a_baseline(tmp_path):
    found = found_by(tmp_path, [drawn("a.b")], SMALL)
    found.to_jsonl(tmp_path / "findings.jsonl")
    assert {each.state for each in found.compare(read_baseline(tmp_path / "findings.jsonl"))} == {"unchanged"}


def test_edits_and_reordering_do_not_make_a_finding_new(tmp_path):
    """Whatever the size and place of a segment, a push by a twentieth of it is the same segment."""
    generator = np.random.default_rng(5)
    rule = read_rules((), _file(tmp_path, SMALL.replace("< 3", "> 0")))
    for _ in range(20):
        stack = np.zeros((6, 200, 300), np.bool_)
        pushed = stack.copy()
        for row in range(6):
            height, width = generator.integers(20, 60, 2)
            y, x = 100 * (row // 3) + 3, 100 * (row % 3) + 3
            dy, dx = generator.integers(-1, 2, 2) * (np.array([height, width]) // 20)
            stack[row, y : y + height, x : x + width] = True
            pushed[row, y + dy : y + dy + height, x + dx : x + dx + width] = True
        sample = drawn("abcdab")
        label = drawn("a.b.c.d").label()[[0, 1, 2, 3, 0, 1]]
        before, after = (
            check_rules(Dataset.of([sample.replace(segmentation=label.replace(masks=masks))]), rule)
            for masks in (Masks.encode(stack), Masks.encode(pushed))
        )
        turned = label.replace(masks=Masks.encode(pushed))[::-1]
        again = check_rules(Dataset.of([sample.replace(segmentation=turned)]), rule)
        for each in (after, again):
            marked, gone = compared(tuple(each), Baseline.of(before))
            assert {finding.state for finding in marked} == {"unchanged"}
            assert gone == []


def _file(tmp_path, text):
    path = tmp_path / "one.toml"
    path.write_text(f"[[rule]]\nid = 'r'\n{text}")
    return path


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"rule": 1}', '{"rule": "r", "image": "x", "fingerprint": "f", "box": [1]}', "\xff"]
)
def test_what_is_no_baseline_is_refused_with_its_line(tmp_path, line):
    good = json.dumps({"rule": "r", "image": None, "fingerprint": "f", "box": None})
    (tmp_path / "b.jsonl").write_bytes((good + "\n" + line).encode("latin-1"))
    with pytest.raises(FormatError, match=r"line 2|UTF-8"):
        read_baseline(tmp_path / "b.jsonl")
    with pytest.raises(FormatError, match="--update-baseline"):
        read_baseline(tmp_path / "gone.jsonl")


def test_a_finding_survives_json(tmp_path):
    (finding,) = found_by(tmp_path, [drawn("aaa.b")], SMALL + 'fix = "erase"')
    assert Finding.of_json(json.loads(json.dumps(finding.to_json()))) == finding
