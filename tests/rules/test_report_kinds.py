"""Findings as files that other tools read."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pytest

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats import write as write_labels
from inlay.rules import check
from inlay.rules.baseline import Baseline
from inlay.rules.preview import write_preview
from inlay.rules.report import kind_of
from inlay.rules.waivers import Waiver

PACKS = ("schema", "geometry", "partition")
NASTY = "=<b>|cell|\x0b"


def sample(name, *, twin=True):
    stack = np.zeros((3, 40, 60), np.bool_)
    stack[0, 5:20, 5:20] = stack[1, 5:20, 5:19] = True
    stack[0, 10:12, 10:12] = False
    stack[2, 25:39, 25:50] = True
    label = Segmentation(Classes.of(NASTY, "unused"), Masks.encode(stack), [0, 0, 0], [1, 2, 3])
    label = label.replace(source_id=[11, 12, 13])
    return Sample(name, np.full((40, 60, 3), 90, np.uint8), label if twin else label[[0, 2]])


@pytest.fixture
def dataset():
    return Dataset.of([sample("street/1"), sample("street/2", twin=False)])


@pytest.fixture
def findings(dataset):
    return check(dataset, packs=PACKS)


@pytest.mark.parametrize("kind", plugins.names("rules.report"))
def test_every_report_can_be_written_of_anything(kind, findings, dataset, tmp_path):
    suffix = plugins.load("rules.report", kind).SUFFIX
    for number, found in enumerate((findings, check(Dataset.of([])))):
        found.write(tmp_path / f"report{number}{suffix}", source=tmp_path / "gone.json")
        assert (tmp_path / f"report{number}{suffix}").stat().st_size > 0 or suffix == ".jsonl"
    assert kind_of(tmp_path / f"a.b{suffix}") == kind


def test_a_suffix_that_names_no_report_is_refused_with_the_nearest(findings, tmp_path):
    with pytest.raises(InlayError, match=r"did you mean '.sarif'"):
        findings.write(tmp_path / "findings.sarf")
    findings.write(tmp_path / "findings.sarf", to="sarif")
    assert json.loads((tmp_path / "findings.sarf").read_text())["version"] == "2.1.0"


def test_sarif_points_at_the_line_of_the_annotation(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = {
        "info": {"id": 12},
        "images": [{"id": 12, "file_name": "x.png", "height": 40, "width": 60}],
        "annotations": [{"id": each, "image_id": 12, "category_id": 1} for each in (11, 12, 13)],
        "categories": [{"id": 12, "name": "cell"}],
    }
    source = tmp_path / "labels of mine.json"
    source.write_text(json.dumps(labels, indent=1))
    line = next(
        number
        for number, text in enumerate(source.read_text().splitlines(), 1)
        if text.strip() == '"id": 11,'
    )
    findings = check(dataset, packs=PACKS)
    findings.write("out/findings.sarif", source=source)
    (run,) = json.loads((tmp_path / "out" / "findings.sarif").read_text())["runs"]
    result = next(each for each in run["results"] if each["ruleId"] == "duplicate")
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "labels%20of%20mine.json"}, "region": {"startLine": line}}
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "duplicate"
    assert (result["level"], result["properties"]["segments"]) == ("error", [11, 12])
    assert [each["name"] for each in result["locations"][0]["logicalLocations"]] == ["street/1", "11", "12"]


def test_sarif_points_at_the_label_file_of_a_folder(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("labels/1.png", "images/1.jpg", "labels/2.txt"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text("")
    check(dataset, packs=PACKS).write("findings.sarif", source=tmp_path / "data")
    (run,) = json.loads((tmp_path / "findings.sarif").read_text())["runs"]
    uris = {
        each["locations"][0]["logicalLocations"][0]["name"]: each["locations"][0]["physicalLocation"][
            "artifactLocation"
        ]["uri"]
        for each in run["results"]
    }
    assert uris["street/2"] == "data/labels/2.txt"
    assert uris["dataset"] == "data"


def test_sarif_tells_new_from_old_and_what_is_waived(findings, dataset, tmp_path):
    old = Baseline.of(findings.of("duplicate"))
    gone = Baseline((*old.known, old.known[0].__class__("pinhole", "gone", "0" * 16, None, ())))
    waived = findings.compare(gone).waive([Waiver("pinhole", "a keyhole", where="street/2")])
    waived.write(tmp_path / "f.sarif")
    results = json.loads((tmp_path / "f.sarif").read_text())["runs"][0]["results"]
    states = {(each["ruleId"], each["baselineState"]) for each in results}
    assert {("duplicate", "unchanged"), ("class-unused", "new"), ("pinhole", "absent")} <= states
    (suppressed,) = [each for each in results if "suppressions" in each]
    assert suppressed["suppressions"][0]["justification"] == "a keyhole"


def test_junit_fails_a_rule_that_found_new_errors(findings, tmp_path):
    findings.write(tmp_path / "f.xml")
    root = ElementTree.parse(tmp_path / "f.xml").getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert len(cases) == len(findings.verdicts)
    assert [name for name, case in cases.items() if case.find("failure") is not None] == ["duplicate"]
    assert "street/1" in cases["duplicate"].find("failure").text
    assert cases["class-unused"].find("system-out") is not None
    assert root.find("testsuite").get("failures") == "1"
    known = findings.compare(Baseline.of(findings))
    known.write(tmp_path / "known.xml")
    assert ElementTree.parse(tmp_path / "known.xml").getroot().find("testsuite").get("failures") == "0"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_coco_viewer_sees_the_offending_pixels(findings, tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    findings.write(tmp_path / "f.json")
    content = json.loads((tmp_path / "f.json").read_text())
    names = {each["id"]: each["name"] for each in content["categories"]}
    viewer = coco.COCO(str(tmp_path / "f.json"))
    shown = {names[each["category_id"]]: viewer.annToMask(each) for each in content["annotations"]}
    assert int(shown["pinhole"].sum()) == 4
    assert [each["file_name"] for each in content["images"]] == ["street/1", "street/2"]
    assert content["info"]["findings_without_pixels"] == 1
    pinhole = next(each for each in content["annotations"] if names[each["category_id"]] == "pinhole")
    assert (pinhole["bbox"], pinhole["area"]) == ([10, 10, 2, 2], 4)


def test_a_spreadsheet_runs_nothing(findings, tmp_path):
    findings.write(tmp_path / "f.csv")
    with (tmp_path / "f.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(findings)
    assert {row["classes"][:1] for row in rows if row["segments"]} == {"'"}
    assert {row["segments"] for row in rows if row["rule"] == "duplicate"} == {"11 12"}


def test_a_pull_request_shows_names_as_they_are(findings, tmp_path):
    findings.write(tmp_path / "f.md", source=tmp_path / "my_labels.json")
    text = (tmp_path / "f.md").read_text("utf-8")
    assert "### Labels of my\\_labels.json: 2 images, 5 segments" in text
    assert "<b>" not in text
    assert all(line.count(" | ") == 5 for line in text.splitlines() if line.startswith("| "))


def test_a_long_report_fits_a_comment(tmp_path):
    many = Dataset.of(sample(f"{'long' * 1500}{number}") for number in range(12))
    check(many, packs=PACKS).write(tmp_path / "f.md")
    text = (tmp_path / "f.md").read_text("utf-8")
    assert len(text) < 65_000
    assert text.rstrip().endswith("see the whole report.")


def test_the_page_shows_each_fix_before_and_after(findings, dataset, tmp_path):
    findings.write(tmp_path / "f.html")
    text = (tmp_path / "f.html").read_text("utf-8")
    assert "before and after the fix fill: 4 px" in text
    assert "<b>|cell" not in text
    write_preview(findings.repair(), tmp_path / "preview.html")
    preview = (tmp_path / "preview.html").read_text("utf-8")
    assert "fixes can be applied" in preview
    assert "drop_duplicate" in preview


def test_the_place_of_a_written_dataset_is_its_file(findings, dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_labels(dataset, tmp_path / "data", to="coco", lossy=True)
    findings.write("f.sarif", source=tmp_path / "data")
    results = json.loads((tmp_path / "f.sarif").read_text())["runs"][0]["results"]
    assert all("physicalLocation" in each["locations"][0] for each in results)
