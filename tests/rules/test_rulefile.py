"""Rule files: what they may hold, what is refused and how, and how one builds on another."""

from __future__ import annotations

import pytest

from inlay.core.errors import FormatError, InlayError
from inlay.rules import pack_names, read_rules
from inlay.rules import test_rules as try_rules
from inlay.rules.pictures import read_examples

GOOD = """
[[rule]]
id = "small"
scope = "segment"
where = "kind = 'thing'"
forbid = "area_px < :pixels"
params = { pixels = 5 }
severity = "error"
message = "{segment} has {area_px} px, fewer than {pixels}"
"""


def rules(tmp_path, text, name="rules.toml", packs=()):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return read_rules(packs, path)


def test_a_rule_knows_what_it_reads_and_measures(tmp_path):
    (rule,) = rules(tmp_path, GOOD)
    assert sorted(reference.key for reference in rule.columns) == ["area_px", "kind"]
    assert (rule.measure.key, rule.limit, rule.forbids) == ("area_px", 5, True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("scope =", "scop =", "no key 'scop'; did you mean 'scope'"),
        ('"segment"', '"segments"', "no scope 'segments'; did you mean 'segment'"),
        ('"segment"', '"pair"', "no pair column 'kind'"),
        ('"error"', '"eror"', "no severity 'eror'; did you mean 'error'"),
        ("area_px <", "area <", "no segment column 'area'"),
        ("area_px <", "area_pix <", "did you mean 'area_px'"),
        (":pixels", ":pixel", "no parameter 'pixel'"),
        ("{area_px}", "{aera_px}", "did you mean 'area_px'"),
        ("{area_px}", "{area_px!r}", "a placeholder is"),
        ("{area_px}", "{area_px:q}", "format code 'q'"),
        ("{area_px}", "{area_px.real}", "leaves the rule's table"),
        ("{area_px}", "{", "message"),
        ("area_px < :pixels", "area_px + :pixels", "is no condition"),
        ("area_px < :pixels", "area_px < 'five'", "forbid"),
        ("area_px < :pixels", "area_px < (SELECT 1)", "one row at a time"),
        ("area_px < :pixels", "read_csv('secrets.csv') > 1", "no segment column 'read_csv'"),
        ("area_px < :pixels", "area_px > 3 -- half", "no segment column 'half'"),
        ("area_px < :pixels", "area_px < 5; SELECT 1", "is not allowed"),
        ("area_px < :pixels", "", "the expression is empty"),
        ("'thing'", "'thingy'", "no kind 'thingy'; did you mean 'thing'"),
        ("forbid =", "require = 'crowd'\nforbid =", "either forbid"),
        ("forbid =", "measure =", "either forbid"),
        ("severity =", "measure = 'area_px + 1'\nseverity =", "is not one column"),
        ("{ pixels = 5 }", "5", "params must be a table"),
        ("{ pixels = 5 }", "{ pixels = 5, kind = 3 }", "name of a column"),
        ('message = "', 'message = 5\n# "', "message must be text"),
        ('id = "small"', "", "has no id"),
        ("[[rule]]", "[rule]", "two brackets"),
        ("[[rule]]", "[[rule]", "not TOML"),
        ("[[rule]]", "[[rules]]", "no key 'rules'; did you mean 'rule'"),
        ("[[rule]]", "extends = 5\n[[rule]]", "must be a list of words"),
        ("[[rule]]", "extends = 'sheme'\n[[rule]]", "no rule pack 'sheme'; did you mean 'schema'"),
        ("[[rule]]", "extends = './gone.toml'\n[[rule]]", "cannot be read"),
    ],
)
def test_what_a_rule_file_must_not_hold_is_refused_in_one_line(tmp_path, old, new, words):
    assert old in GOOD
    with pytest.raises(FormatError) as error:
        rules(tmp_path, GOOD.replace(old, new, 1))
    assert words in str(error.value)
    assert "rules.toml" in str(error.value) or "gone.toml" in str(error.value)


def test_an_id_stands_once_in_a_file(tmp_path):
    with pytest.raises(FormatError, match="rule 'small': stands twice"):
        rules(tmp_path, GOOD + GOOD)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "rules.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FormatError, match="UTF-8"):
        read_rules((), tmp_path / "rules.toml")


def test_a_circle_of_extends_is_named(tmp_path):
    (tmp_path / "one.toml").write_text('extends = "./two.toml"')
    (tmp_path / "two.toml").write_text('extends = ["./one.toml"]')
    with pytest.raises(FormatError, match=r"one.toml -> two.toml -> one.toml"):
        read_rules((), tmp_path / "one.toml")


def test_two_ways_to_one_file_are_no_circle(tmp_path):
    (tmp_path / "bottom.toml").write_text(GOOD)
    (tmp_path / "left.toml").write_text('extends = "./bottom.toml"')
    (tmp_path / "right.toml").write_text('extends = "./bottom.toml"')
    assert len(rules(tmp_path, 'extends = ["./left.toml", "./right.toml"]', "top.toml")) == 1


def test_a_file_changes_a_rule_that_it_extends_by_the_keys_it_gives(tmp_path):
    (tmp_path / "bottom.toml").write_text(GOOD.replace("pixels = 5", "pixels = 5, other = 2"))
    change = 'extends = "./bottom.toml"\n[[rule]]\nid = "small"\nseverity = "info"\nparams = { pixels = 9 }'
    (rule,) = rules(tmp_path, change, "top.toml")
    assert (rule.severity, rule.limit, rule.parameters["other"]) == ("info", 9, 2)
    turned = 'extends = "./bottom.toml"\n[[rule]]\nid = "small"\nrequire = "area_px > 3"'
    assert not rules(tmp_path, turned, "turned.toml")[0].forbids


def test_a_rule_is_turned_off_by_its_severity(tmp_path):
    text = 'extends = "partition"\n[[rule]]\nid = "seam"\nseverity = "off"'
    names = {rule.id for rule in rules(tmp_path, text)}
    assert "duplicate" in names
    assert "seam" not in names


def test_a_file_changes_rules_of_packs_given_beside_it(tmp_path):
    text = '[[rule]]\nid = "seam"\nseverity = "error"'
    found = {rule.id: rule for rule in rules(tmp_path, text, packs=("schema", "partition"))}
    assert found["seam"].severity == "error"


def test_an_unknown_pack_names_the_nearest():
    with pytest.raises(InlayError, match="did you mean 'partition'"):
        read_rules(("partitions",))
    assert {"schema", "partition"} <= set(pack_names())


def test_an_example_that_does_not_hold_is_shown(tmp_path):
    (tmp_path / "rules.toml").write_text(
        GOOD + "[rule.examples]\nlegend = { a = 'cell' }\npass = ['aa']\nfail = ['aaaa']"
    )
    result = try_rules(rules=tmp_path / "rules.toml")
    assert (len(result.failed), result.exit_code) == (1, 1)
    assert "must pass but finds something in:\naa" in str(result)
    assert "1 of 2 examples hold" in str(result)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"fails": ["a"]}, "no key 'fails'; did you mean 'fail'"),
        ({"pass": ["ab"], "legend": {"a": "cell"}}, "letter 'b' is not in the legend"),
        ({"pass": ["aa\na"], "legend": {"a": "cell"}}, "equally long"),
        ({"pass": ["aa\n\naa\naa"], "legend": {"a": "cell"}}, "equally high"),
        ({"pass": [""], "legend": {"a": "cell"}}, "equally long"),
        ({"pass": [3]}, "made of letters"),
        ({"legend": {"ab": "cell"}}, "must be one letter"),
        ({"legend": {".": "cell"}}, "must be one letter"),
        ({"legend": {"a": 3}}, "must be a class"),
        ({"legend": {"a": {"class": "cell", "kind": "thin"}}}, "did you mean 'thing'"),
        ({"legend": {"a": {"class": "cell", "tag": ["x"]}}}, "did you mean 'tags'"),
        ({"scale": 0}, "scale is the pixels"),
        ({"scale": True}, "scale is the pixels"),
        (["a"], "must be a table"),
    ],
)
def test_pictures_that_are_no_pictures_are_refused(content, words):
    with pytest.raises(InlayError, match=words):
        read_examples(content)


def test_a_picture_has_a_layer_for_each_block_the_last_in_front():
    content = {
        "pass": ["aab\n\n.bb"],
        "legend": {"a": "cell", "b": {"class": "dust", "kind": "stuff"}},
        "scale": 2,
    }
    label = read_examples(content)[0].sample().label()
    assert label.class_names == ("cell", "dust")
    assert label.masks.area().tolist() == [8, 8]
    assert label.size == (2, 6)
    assert label.instance_id.tolist() == [1, 0]
