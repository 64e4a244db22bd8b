"""The engine: three-valued judgement, batches, findings that point at what they mean."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules import Compiled, check, check_sample, engine, read_rules
from inlay.rules.pictures import read_examples
from inlay.scenes import make


def drawn(picture, legend, name="one", scale=1):
    return read_examples({"pass": [picture], "legend": legend, "scale": scale})[0].sample(name)


def rule_file(tmp_path, *rules):
    """A file of rules given as dicts; what they leave out is the same for all."""
    lines = []
    for number, rule in enumerate(rules):
        full = {"id": f"r{number}", "scope": "segment", "severity": "error", "message": "found", **rule}
        lines += ["[[rule]]", *(f"{key} = {json.dumps(value)}" for key, value in full.items())]
    path = tmp_path / "rules.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def found_by(tmp_path, dataset, *rules):
    return check(dataset, packs=(), rules=rule_file(tmp_path, *rules))


CELLS = {"a": "cell", "b": "cell", "c": "dust"}


@pytest.mark.parametrize(
    ("clauses", "found", "asked", "unknown"),
    [
        ({"forbid": "score > 0.5"}, 0, 2, 2),
        ({"require": "score > 0.5"}, 0, 2, 2),
        ({"forbid": "NOT score > 0.5"}, 0, 2, 2),
        ({"forbid": "score > 0.5 OR area_px > 1"}, 1, 2, 1),
        ({"forbid": "score > 0.5 AND area_px > 1"}, 0, 2, 1),
        ({"forbid": "score IS NULL"}, 2, 2, 0),
        ({"where": "score > 0.5", "forbid": "area_px > 0"}, 0, 0, 0),
        ({"unless": "score > 0.5", "forbid": "area_px > 0"}, 2, 2, 0),
        ({"unless": "area_px > 1", "forbid": "area_px > 0"}, 1, 1, 0),
        ({"require": "area_px > 1"}, 1, 2, 0),
        ({"forbid": "aspect > 100 OR extent < 0"}, 0, 2, 0),
    ],
)
def test_null_neither_passes_nor_condemns_nor_exempts(tmp_path, clauses, found, asked, unknown):
    findings = found_by(tmp_path, Dataset.of([drawn("aa.b", CELLS)]), clauses)
    verdict = findings.verdicts[1]
    assert (len(findings), verdict.asked, verdict.unknown, verdict.found) == (found, asked, unknown, found)


def test_nan_is_unknown_and_not_large(tmp_path):
    empty = Segmentation(Classes.of("cell"), Masks.empty((4, 4), 1), [0], [1])
    findings = found_by(tmp_path, Dataset.of([Sample("x", None, empty)]), {"forbid": "extent > 0.5"})
    assert (len(findings), findings.verdicts[1].unknown) == (0, 1)


def test_both_orders_of_a_pair_are_tried_and_reported_once(tmp_path):
    dataset = Dataset.of([drawn("aabb", CELLS)])
    once = found_by(tmp_path, dataset, {"scope": "pair", "forbid": "touch_px > 0"})
    assert [finding.rows for finding in once] == [(0, 1)]
    turned = {"scope": "pair", "where": "a.x0 > b.x0", "forbid": "touch_px > 0", "message": "{a} beside {b}"}
    (finding,) = found_by(tmp_path, dataset, turned)
    assert (finding.rows, finding.segments, finding.message) == ((1, 0), (2, 1), "cell 2 beside cell 1")


def test_rules_see_the_image_their_segments_lie_in(tmp_path):
    dataset = Dataset.of([drawn("aab", CELLS, "full"), drawn("a..", CELLS, "bare")])
    findings = found_by(tmp_path, dataset, {"where": "image.coverage > 0.9", "forbid": "area_px < 2"})
    assert [(finding.image, finding.rows) for finding in findings] == [("full", (1,))]


def test_a_finding_says_what_was_measured_against_which_limit(tmp_path):
    rule = {
        "forbid": "area_px > :most",
        "params": 0,
        "message": "{segment}: {measured} over {limit}, {extent:.0%}",
    }
    path = rule_file(tmp_path, rule)
    path.write_text(path.read_text().replace("params = 0", "params = { most = 2 }"))
    (finding,) = check(Dataset.of([drawn("aaa.b", CELLS)]), packs=(), rules=path)
    assert (finding.measured, finding.limit, finding.box) == (3, 2, (0, 0, 3, 1))
    assert finding.message == "cell 1: 3 over 2, 100%"


def test_the_region_is_what_the_rule_measured(tmp_path):
    picture = """
    aaaaa
    a.a.a
    aaaaa
    """
    (finding,) = found_by(tmp_path, Dataset.of([drawn(picture, CELLS)]), {"forbid": "hole_px > 0"})
    region = Masks.from_strings([finding.region["counts"]], tuple(finding.region["size"]))
    assert np.argwhere(np.asarray(region)[0]).tolist() == [[1, 1], [1, 3]]
    assert finding.box == (1, 1, 4, 2)


def test_the_region_of_a_pair_is_measured_on_the_side_that_is_named(tmp_path):
    picture = """
    aaabbb
    aaab.b
    aaabbb
    """
    rule = {"scope": "pair", "where": "a.x0 < b.x0", "forbid": "b.hole_px > 0"}
    (finding,) = found_by(tmp_path, Dataset.of([drawn(picture, CELLS)]), rule)
    assert (finding.rows, finding.box) == ((0, 1), (4, 1, 5, 2))


def test_segments_are_named_by_the_id_of_their_file(tmp_path):
    sample = drawn("aab", CELLS)
    sample = sample.replace(segmentation=sample.label().replace(source_id=[70, 90]))
    (finding,) = found_by(tmp_path, Dataset.of([sample]), {"forbid": "area_px < 2", "message": "{segment}"})
    assert (finding.segments, finding.rows, finding.message) == ((90,), (1,), "cell 90")


def prints_of(tmp_path, sample):
    found = found_by(tmp_path, Dataset.of([sample]), {"forbid": "area_px > 0"})
    return sorted(finding.fingerprint for finding in found)


def test_a_fingerprint_knows_neither_the_order_of_the_segments_nor_small_edits(tmp_path):
    sample = drawn("aaa...b...c", CELLS, scale=30)
    prints = prints_of(tmp_path, sample)
    assert len(set(prints)) == 3
    assert prints_of(tmp_path, sample.replace(segmentation=sample.label()[::-1])) == prints
    stack = np.array(sample.label().masks.decode())
    stack[:, 0, :] = stack[:, :, :1] = False
    nibbled = sample.replace(segmentation=sample.label().replace(masks=Masks.encode(stack)))
    assert prints_of(tmp_path, nibbled) == prints
    moved = prints_of(tmp_path, drawn("...aaab...c", CELLS, scale=30))
    assert len(set(moved) & set(prints)) == 2


def test_findings_do_not_depend_on_which_images_share_a_batch(tmp_path, monkeypatch):
    generator = np.random.default_rng(3)
    pictures = ["\n".join("".join(row) for row in generator.choice(list("aabc."), (6, 8))) for _ in range(9)]
    dataset = Dataset.of(drawn(picture, CELLS, f"s{i}") for i, picture in enumerate(pictures))
    rules = [
        {"forbid": "n_parts > 4"},
        {"scope": "pair", "forbid": "surround > 0.4"},
        {"scope": "image", "forbid": "count('dust') > 0 AND coverage > 0.8"},
        {"scope": "dataset", "forbid": "n_segments > 3", "message": "{class}"},
    ]
    whole = found_by(tmp_path, dataset, *rules)
    monkeypatch.setattr(engine, "BATCH", 2)
    parted = found_by(tmp_path, dataset, *rules)
    assert whole.found == parted.found
    assert whole.verdicts == parted.verdicts
    assert len({finding.rule for finding in whole}) == 4


def broken(name):
    if name == "bad":
        raise FormatError("labels/bad.png", "byte 12", "cut off\nin the middle")
    return drawn("aab", CELLS, name)


def test_a_sample_that_cannot_be_read_is_a_finding_and_the_rest_is_checked(tmp_path):
    dataset = Dataset(drawn("aab", CELLS).label().classes, ("one", "bad", "two"), broken)
    findings = found_by(tmp_path, dataset, {"forbid": "area_px < 2"})
    assert [(finding.rule, finding.image) for finding in findings] == [
        ("r0", "one"),
        ("unreadable", "bad"),
        ("r0", "two"),
    ]
    assert findings[1].message == "labels/bad.png: byte 12: cut off in the middle"
    assert (findings.exit_code, findings.verdicts[0].found) == (1, 1)


def test_an_image_without_label_is_asked_only_what_needs_none(tmp_path):
    dataset = Dataset(Classes.of("cell"), ("x",), lambda name: Sample(name, None, None))
    rules = [
        {"scope": "image", "require": "has_label"},
        {"scope": "image", "forbid": "n_segments < 3"},
        {"scope": "image", "forbid": "coverage < 1"},
        {"forbid": "area_px >= 0"},
        {"scope": "pair", "forbid": "touch_px >= 0"},
    ]
    findings = found_by(tmp_path, dataset, *rules)
    assert [finding.rule for finding in findings] == ["r0"]
    assert [verdict.unknown for verdict in findings.verdicts[1:]] == [0, 1, 1, 0, 0]


def test_an_empty_label_and_an_empty_dataset_are_clean(tmp_path):
    classes = Classes.of("cell")
    empty = Dataset.of([Sample("x", None, Segmentation.empty(classes, (5, 5)))])
    packs = ("schema", "partition", "geometry")
    assert {finding.rule for finding in check(empty, packs=packs)} <= {"class-unused"}
    assert len(check(Dataset.of([]), packs=packs)) == 0
    assert str(check(Dataset.of([]))) == "0 images, 0 segments: no findings"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"where": "class = 'cel'", "forbid": "crowd"}, "no class 'cel'; did you mean 'cell'"),
        ({"where": "class IN ('cell', 'dusk')", "forbid": "crowd"}, "did you mean 'dust'"),
        ({"scope": "pair", "where": "'duts' = b.class", "forbid": "iou > 0"}, "did you mean 'dust'"),
        ({"scope": "image", "forbid": "count_cel > 0"}, "no class 'cel'"),
    ],
)
def test_a_class_that_the_dataset_lacks_is_an_error(tmp_path, rule, words):
    with pytest.raises(FormatError, match=words):
        found_by(tmp_path, Dataset.of([drawn("abc", CELLS)]), rule)


def test_a_file_may_speak_of_classes_that_it_declares(tmp_path):
    path = rule_file(tmp_path, {"where": "class = 'bus'", "forbid": "area_px > 0"})
    path.write_text("classes = ['bus']\n" + path.read_text())
    assert len(check(Dataset.of([drawn("abc", CELLS)]), packs=(), rules=path)) == 0


def test_exit_codes_and_counts_follow_the_worst_finding(tmp_path):
    dataset = Dataset.of([drawn("aab", CELLS)])
    for severity, code in (("error", 1), ("warning", 0), ("info", 0)):
        findings = found_by(tmp_path, dataset, {"forbid": "area_px < 2", "severity": severity})
        assert (findings.worst, findings.exit_code, findings.by_severity[severity]) == (severity, code, 1)
    clean = found_by(tmp_path, dataset, {"forbid": "area_px > 9"})
    assert (clean.worst, clean.exit_code, clean.by_rule) == (None, 0, {})


def test_progress_counts_the_images(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BATCH", 2)
    steps = []
    dataset = Dataset.of(drawn("aab", CELLS, f"s{i}") for i in range(3))
    check(
        dataset,
        packs=(),
        rules=rule_file(tmp_path, {"forbid": "area_px < 2"}),
        progress=lambda *step: steps.append(step),
    )
    assert steps[-1] == (3, 3, "3 findings")
    assert [done for done, *_ in steps] == sorted(done for done, *_ in steps)


def test_processes_find_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BATCH", 1)
    dataset = Dataset(drawn("aab", CELLS).label().classes, ("one", "bad", "two"), broken)
    path = rule_file(
        tmp_path,
        {"forbid": "area_px < 2"},
        {"scope": "dataset", "forbid": "n_images < 2", "message": "{class}"},
    )
    serial = check(dataset, packs=("partition",), rules=path)
    spread = check(dataset, packs=("partition",), rules=path, on="processes", workers=2)
    assert serial.found == spread.found
    assert serial.verdicts == spread.verdicts


def test_a_dataset_that_cannot_travel_says_so(tmp_path):
    dataset = Dataset(Classes.of("cell"), ("x",), lambda name: drawn("a", CELLS, name))
    with pytest.raises(InlayError, match="on='serial'"):
        check(dataset, on="processes")


def schema_findings(image, *, size=(4, 6)):
    label = Segmentation(Classes.of("cell"), Masks.encode(np.ones((1, *size), np.bool_)), [0], [1])
    found = check(Dataset.of([Sample("x", image, label)]), packs=("schema",))
    return {finding.rule for finding in found} - {"class-unused"}


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_images_that_are_missing_cut_off_or_of_another_size_are_found(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    assert schema_findings(path) == {"image-missing"}
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    assert schema_findings(path, size=(40, 60)) == set()
    assert schema_findings(path) == {"size-mismatch"}
    path.write_bytes(path.read_bytes()[:-900])
    assert schema_findings(path, size=(40, 60)) == {"image-broken"}
    path.write_bytes(b"no image")
    assert schema_findings(path) == {"image-broken"}


def test_a_label_of_the_stored_pixels_of_a_turned_photograph_matches(tmp_path):
    path = tmp_path / "x.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(path, exif=exif)
    assert schema_findings(path, size=(40, 60)) == set()
    assert schema_findings(path, size=(60, 40)) == set()
    assert schema_findings(path, size=(60, 60)) == {"size-mismatch"}


def test_ids_that_stand_for_two_segments_are_found():
    label = drawn("aa.b", CELLS).label()
    for changed in (label.replace(source_id=[7, 7]), label.replace(instance_id=[3, 3])):
        findings = check(Dataset.of([Sample("x", None, changed)]), packs=("schema",))
        assert len(findings.of("ids-not-unique")) == 1


def test_spellings_of_one_class_are_found():
    classes = Classes.of("Traffic light", "traffic_lights", "glass", "glas", "Ähre", "ahre")
    label = Segmentation(
        classes, Masks.encode(np.eye(6, dtype=np.bool_)[:, None, :]), np.arange(6), np.arange(1, 7)
    )
    findings = check(Dataset.of([Sample("x", None, label)]), packs=("schema",))
    assert [finding.measured for finding in findings.of("class-name-variant")] == ["Traffic light", "Ähre"]


@pytest.mark.parametrize("kind", ["street", "cells", "parts"])
def test_an_image_by_itself_has_the_findings_that_rules_of_one_image_have_in_the_dataset(kind):
    dataset = make(kind, 3, size=(160, 200), seed=5)
    rules = read_rules(engine.DEFAULT_PACKS)
    alone = {rule.id for rule in rules if not rule.is_late}
    compiled = Compiled.of(rules, dataset.classes)
    for sample in dataset:
        whole = check(Dataset.of([sample]))
        keys = [(each.rule, each.rows, each.measured, each.region) for each in whole if each.rule in alone]
        found = check_sample(sample, compiled)
        assert [(each.rule, each.rows, each.measured, each.region) for each in found] == keys
    assert len(compiled.alone.rules) < len(rules)
