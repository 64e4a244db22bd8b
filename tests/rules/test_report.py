"""Findings as files and as words."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules import check
from inlay.rules.report import html

KEYS = [
    "rule",
    "severity",
    "image",
    "segments",
    "box",
    "region",
    "measured",
    "limit",
    "message",
    "fix",
    "fingerprint",
    "classes",
    "share",
    "effect",
    "state",
]
NASTY = "<script>alert('x')</script>"


def load(name):
    if name == "gone":
        raise FormatError("gone.png", "", "there is no such file")
    stack = np.zeros((3, 40, 60), np.bool_)
    stack[0, 5:20, 5:20] = stack[1, 5:20, 5:19] = True
    stack[2, 30, 40] = True
    label = Segmentation(Classes.of(NASTY, "unused"), Masks.encode(stack), [0, 0, 0], [1, 2, 3])
    return Sample(name, np.full((40, 60, 3), 90, np.uint8), label)


@pytest.fixture
def dataset():
    return Dataset(Classes.of(NASTY, "unused"), (*(f"s{i}" for i in range(40)), "gone"), load)


@pytest.fixture
def findings(dataset):
    return check(dataset, packs=("schema", "partition", "geometry"))


def test_a_line_is_an_object_with_the_agreed_keys(findings, tmp_path):
    findings.to_jsonl(tmp_path / "new" / "findings.jsonl")
    written = (tmp_path / "new" / "findings.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in written.splitlines()]
    assert len(lines) == len(findings) > 80
    assert all(list(line) == KEYS for line in lines)
    duplicate = next(line for line in lines if line["rule"] == "duplicate")
    assert (duplicate["segments"], duplicate["image"], duplicate["limit"]) == ([1, 2], "s0", 0.75)
    assert duplicate["measured"] == pytest.approx(14 / 15)
    region = Masks.from_strings([duplicate["region"]["counts"]], tuple(duplicate["region"]["size"]))
    assert (region.area()[0], duplicate["box"]) == (15 * 14, [5, 5, 19, 20])
    assert [line["image"] for line in lines if line["rule"] == "class-unused"] == [None]


def test_writing_leaves_nothing_half_done(findings, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InlayError, match="is a folder"):
        findings.to_jsonl(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_summary_groups_by_rule_with_a_few_examples_of_each(findings):
    text = str(findings)
    assert text.splitlines()[0] == "41 images, 120 segments: 41 errors, 40 warnings, 1 info"
    assert "error   duplicate (40)" in text
    assert "... and 37 more" in text
    assert len(text.splitlines()) < 20
    assert text.index("error   unreadable") < text.index("warning speck") < text.index("info    class-unused")


def test_the_summary_says_what_could_not_be_judged(tmp_path, dataset):
    rule = 'id = "sure"\nscope = "segment"\nrequire = "score > 0.5"\nseverity = "error"\nmessage = "unsure"'
    (tmp_path / "rules.toml").write_text(f"[[rule]]\n{rule}")
    text = str(check(dataset.only(["s0"]), packs=(), rules=tmp_path / "rules.toml"))
    assert text.splitlines() == [
        "1 image, 3 segments: no findings",
        "  not known, so neither passed nor found: sure 3 of 3",
    ]


def test_the_page_stands_alone_and_escapes_what_it_shows(findings, dataset, tmp_path):
    findings.to_html(tmp_path / "page.html", dataset)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', page) == []
    assert (
        page.count("<figcaption>") == 24 + 24 + 1 + 1
    )  # two rules capped, one unreadable, one about the dataset
    assert page.count("<img") == 48


def test_the_page_shows_every_image_before_the_second_finding_of_any(findings):
    twice = findings.found[:1] * 30 + findings.of("speck")[:10]
    images = [finding.image for finding in html._chosen(twice)]
    assert len(images) == html.CAP
    assert set(images) == {finding.image for finding in twice}


def test_a_page_without_its_dataset_says_all_in_words(dataset, tmp_path):
    findings = check(dataset.only(["s0", "gone"]), packs=("partition",))
    html.write(findings, tmp_path / "page.html", None)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<img" not in page
    assert "there is no such file" in page
    assert "labelled twice" in findings._repr_html_()
