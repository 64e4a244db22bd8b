"""Fixes: what they do, how much they may do, and that it can be undone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inlay import plugins
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.masks import Masks
from inlay.rules import check, check_rules, read_rules
from inlay.rules.evidence import coco_region
from inlay.rules.finding import Finding
from inlay.rules.pictures import read_examples
from inlay.rules.repair import repair_label
from inlay.rules.undo import undone, write_undo
from inlay.scenes import make

PACKS = ("schema", "geometry", "partition", "occlusion")
LEGEND = {
    "a": "cell",
    "b": "cell",
    "c": "cell",
    "g": {"class": "grass", "kind": "stuff"},
    "r": {"class": "road", "kind": "stuff"},
    "v": {"class": "void", "kind": "void"},
}


def drawn(picture, scale=1, name="one"):
    return read_examples({"pass": [picture], "legend": LEGEND, "scale": scale})[0].sample(name)


def picture_of(label):
    """A label as the letters it was drawn with, later segments in front."""
    letters = np.array([".", *"0123456789"])
    return "\n".join("".join(row) for row in letters[label.panoptic()])


def repaired(label, fix, rows, region, *, limit=1.0, unsafe=False):
    pixels = (
        None
        if region is None
        else coco_region(Masks.encode(np.array([list(r) for r in region.split()]) == "x"))
    )
    finding = Finding("rule", "error", "one", (), tuple(rows), None, pixels, None, None, "m", fix, "f")
    return repair_label(label, [finding], {"rule": limit}, unsafe=unsafe)


def test_an_erased_fragment_goes_to_the_neighbour_that_holds_it():
    label = drawn("aabbbb\naababb\naabbbb").label()
    done = repaired(label, "erase", [0], "......\n...x..\n......")
    assert picture_of(done.after) == "001111\n001111\n001111"
    assert done.after.is_partition
    assert (done.patches[0].changed_px, len(done.patches[0].steps)) == (2, 2)


def test_an_erased_fragment_among_nobody_becomes_nobodys():
    label = drawn("aa....\naa..a.\naa....").label()
    done = repaired(label, "erase", [0], "......\n....x.\n......")
    assert picture_of(done.after) == "00....\n00....\n00...."


def test_a_filled_hole_takes_nothing_from_others():
    label = drawn("aaaaa\na.aba\naaaaa").label()
    done = repaired(label, "fill", [0], ".....\n.x.x.\n.....")
    assert picture_of(done.after) == "00000\n00010\n00000"


def test_a_closed_seam_is_shared_out_by_nearness():
    label = drawn("ggg...rrr\nggg...rrr").label()
    done = repaired(label, "close_seam", [], "...xxx...\n...xxx...")
    assert picture_of(done.after)[:4] == "0000"
    assert picture_of(done.after)[5] == "1"
    assert done.after.is_partition
    assert int(done.after.masks.union().area()[0]) == 18


def test_a_seam_of_void_is_taken_from_the_void():
    label = drawn("gggvrrr").label()
    done = repaired(label, "close_seam", [], "...x...")
    assert int(done.after.masks.area()[1]) == 0
    assert done.after.is_partition


def test_where_two_lie_on_one_another_the_front_wins():
    label = drawn("aaaa..\n\n..bbbb").label()
    done = repaired(label, "front_wins", [1, 0], None)
    assert done.after.masks.area().tolist() == [2, 4]


def test_of_a_duplicate_one_stays_and_the_patch_says_how_alike_they_were():
    label = drawn("aaaaaaaaa.\n\nbbbbbbbbbb").label()
    done = repaired(label, "drop_duplicate", [0, 1], None, limit=0.3)
    assert (len(done.after), done.rows) == (1, (0,))
    (step,) = done.patches[0].steps
    assert (step.segment, step.after, step.iou) == (2, None, 0.9)
    scored = label.replace(score=[0.2, 0.9])
    assert repaired(scored, "drop_duplicate", [0, 1], None).rows == (1,)


def test_a_full_extent_takes_in_what_is_seen():
    label = drawn("aaa..").label()
    label = label.replace(amodal=Masks.encode(np.array([[[0, 0, 1, 1, 1]]])))
    done = repaired(label, "contain", [0], None)
    assert done.after.amodal.area().tolist() == [5]
    assert done.after.masks.equals(label.masks)


def test_no_fix_touches_more_than_its_limit():
    label = drawn("aaaa.a").label()
    done = repaired(label, "erase", [0], ".....x", limit=0.1)
    assert done.after.equals(label)
    assert "would change 20.0% of segment 1" in done.patches[0].refused


def test_ids_are_changed_only_when_somebody_says_so():
    label = drawn("gg").label().replace(instance_id=[4])
    kept = repaired(label, "zero_id", [0], None)
    assert (kept.after.instance_id.tolist(), "unsafe" in kept.patches[0].refused) == ([4], True)
    assert repaired(label, "zero_id", [0], None, unsafe=True).after.instance_id.tolist() == [0]


@pytest.mark.parametrize("name", plugins.names("rules.fixes"))
def test_a_safe_fix_leaves_classes_ids_and_order_alone(name):
    module = plugins.load("rules.fixes", name)
    generator = np.random.default_rng(1)
    for seed in range(10):
        letters = generator.choice(list("abgrv."), (7, 9))
        label = drawn("\n".join("".join(row) for row in letters)).label()
        label = label.replace(amodal=label.masks, stated_box=label.boxes(), stated_area=label.areas())
        region = Masks.encode(generator.random((1, 7, 9)) < 0.3)
        rows = tuple(generator.permutation(len(label))[:2].tolist())
        changed, gone = module.fix(label, rows, region)
        assert set(gone) <= set(rows)
        assert len(changed) == len(label)
        assert changed.masks.size == label.masks.size
        if module.SAFE:
            assert changed.class_id.tolist() == label.class_id.tolist()
            assert changed.instance_id.tolist() == label.instance_id.tolist()
            assert changed.tags == label.tags
        new = ~(changed.masks.area() == label.masks.area())
        measured = changed.masks.box()[new & (changed.masks.area() > 0)]
        assert np.array_equal(changed.stated_box[new & (changed.masks.area() > 0)], measured), seed


def _deep_inside(mask, side):
    """(h, w) whether a square of the mask begins there."""
    return np.lib.stride_tricks.sliding_window_view(mask, (side, side)).all(axis=(2, 3))


def spoilt(count=4):
    """Street scenes with pinholes, fragments, a duplicate, an empty mask and an overlap."""
    samples = []
    for sample in make("street", count, size=(240, 320)):
        label = sample.label()
        stack = np.array(label.masks.decode())
        things = np.flatnonzero(label.is_thing)
        rows = np.array([row for row in things if _deep_inside(stack[row], 8).any()])
        for row in rows[:2].tolist():
            y, x = np.argwhere(_deep_inside(stack[row], 8))[0]
            stack[row, y + 3 : y + 5, x + 3 : x + 5] = False
        label = label.replace(masks=Masks.encode(stack), amodal=None)
        places = [*range(len(label)), int(rows[0])]
        label = label[places]
        stack = np.array(label.masks.decode())
        stack[-1, :, :] = False
        label = label.replace(
            masks=Masks.encode(stack),
            instance_id=[*label.instance_id[:-1].tolist(), int(label.instance_id.max()) + 1],
        )
        twin = label[[*range(len(label)), int(rows[0])]]
        ids = [*label.instance_id.tolist(), int(label.instance_id.max()) + 1]
        samples.append(sample.replace(segmentation=twin.replace(instance_id=ids), image=None))
    return Dataset.of(samples)


def test_after_a_repair_fewer_things_are_wrong_and_nothing_new():
    dataset = spoilt()
    rules = [rule for rule in read_rules(PACKS) if not rule.is_late]  # what is usual moves with the labels
    before = check_rules(dataset, rules)
    repair = before.repair()
    after = check_rules(repair.repaired, rules)
    assert before.of("pinhole")
    assert before.of("duplicate")
    assert before.of("empty-mask")
    for rule, count in after.by_rule.items():
        assert count <= before.by_rule.get(rule, 0), rule
    for rule in ("pinhole", "duplicate", "empty-mask"):
        assert len(after.of(rule)) < len(before.of(rule)), rule
    again = after.repair()
    assert all(patch.refused for name in again.found for patch in again.label(name).patches)


def test_what_was_repaired_can_be_undone(tmp_path):
    dataset = spoilt(3)
    repair = check(dataset, packs=PACKS).repair(unsafe=True)
    assert write_undo(((name, repair.label(name)) for name in repair.found), tmp_path / "undo.jsonl") == 3
    fixed = Dataset.of(repair.repaired)
    assert not all(fixed[name].label().equals(dataset[name].label()) for name in dataset.names)
    for name in dataset.names:
        back = undone(fixed, tmp_path / "undo.jsonl")[name].label()
        assert back.equals(dataset[name].label())
    _, first, *_ = (tmp_path / "undo.jsonl").read_text().splitlines()
    patches = json.loads(first)["patches"]
    assert {"fix", "rule", "image", "fingerprint", "changed_px", "iou", "refused", "steps"} == set(patches[0])
    assert {"segment", "before", "after", "changed_px", "iou"} == set(patches[0]["steps"][0])


def test_what_was_changed_since_is_not_undone(tmp_path):
    dataset = spoilt(1)
    repair = check(dataset, packs=PACKS).repair()
    write_undo(((name, repair.label(name)) for name in repair.found), tmp_path / "undo.jsonl")
    label = repair.repaired[0].label()
    edited = Dataset.of([repair.repaired[0].replace(segmentation=label[1:])])
    with pytest.raises(InlayError, match="changed since"):
        undone(edited, tmp_path / "undo.jsonl")
    with pytest.raises(InlayError, match="no sample"):
        undone(Dataset.of([Sample("other", None, label)]), tmp_path / "undo.jsonl")


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"kind": "inlay undo 1"}\n[]', '{"kind": "inlay undo 1"}\n{']
)
def test_what_is_no_undo_file_is_refused(tmp_path, text):
    (tmp_path / "undo.jsonl").write_text(text)
    with pytest.raises(FormatError, match="no undo file"):
        undone(spoilt(1), tmp_path / "undo.jsonl")
