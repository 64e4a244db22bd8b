"""Scenes: the truth is exact, the pictures follow from the seed."""

from __future__ import annotations

import pickle
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import plugins, scenes
from inlay.core.errors import InlayError
from inlay.core.masks import Masks

KINDS = plugins.names("scenes")


@pytest.fixture(scope="module")
def some():
    """Six samples of each kind."""
    return {kind: list(scenes.make(kind, 6, size=(120, 160), seed=9)) for kind in KINDS}


def test_there_are_three_kinds_of_scenes():
    assert KINDS == ["cells", "parts", "street"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_is_what_flattening_the_full_extents_gives(kind, some):
    for sample in some[kind]:
        truth = sample.label()
        assert truth.is_partition
        assert truth.flatten().masks.equals(truth.masks)
        assert int(truth.masks.area().sum()) == 120 * 160, "every pixel is somebody's"


@pytest.mark.parametrize("kind", KINDS)
def test_the_full_extent_contains_what_one_sees(kind, some):
    for sample in some[kind]:
        truth = sample.label()
        assert (truth.masks - truth.amodal).area().sum() == 0
        assert (truth.masks.area() > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_tags_say_what_the_masks_say(kind, some):
    for sample in some[kind]:
        truth = sample.label()
        whole = truth.amodal.decode()
        for row in range(len(truth)):
            full, thing = whole[row], bool(truth.is_thing[row])
            touches = full[0].any() or full[-1].any() or full[:, 0].any() or full[:, -1].any()
            hidden = full.sum() > truth.masks.area()[row]
            assert ("truncated" in truth.tags[row]) == (thing and touches)
            assert ("occluded" in truth.tags[row]) == (thing and hidden)


@pytest.mark.parametrize("kind", KINDS)
def test_things_have_ids_of_their_own_and_stuff_has_none(kind, some):
    for sample in some[kind]:
        truth = sample.label()
        ids = truth.instance_id[truth.is_thing]
        assert len(set(ids.tolist())) == len(ids) and (ids > 0).all()
        assert (truth.instance_id[~truth.is_thing] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_stuff_is_one_segment_a_class(kind, some):
    for sample in some[kind]:
        truth = sample.label()
        stuff = [name for name in truth.class_names if truth.classes[truth.classes.row(name)].kind == "stuff"]
        assert len(stuff) == len(set(stuff))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    place=st.integers(0, 60_000),
    height=st.integers(scenes.SMALLEST, 90),
    width=st.integers(scenes.SMALLEST, 90),
)
def test_a_sample_follows_from_seed_and_place_alone(kind, seed, place, height, width):
    size = (height, width)
    first = scenes.make(kind, place + 1, size=size, seed=seed)[place]
    other = scenes.make(kind, 60_001, size=size, seed=seed)
    _ = other[0]
    again = other[place]
    assert np.array_equal(first.image, again.image)
    assert first.label().equals(again.label())
    assert first.image.shape == (*size, 3) and first.image.dtype == np.uint8
    assert first.label().size == size
    assert first.label().flatten().masks.equals(first.label().masks)


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_or_place_gives_another_picture(kind):
    pictures = [
        scenes.make(kind, 3, size=(48, 64), seed=seed)[place].image for seed in (0, 1) for place in (0, 1, 2)
    ]
    assert len({picture.tobytes() for picture in pictures}) == 6


def test_a_million_samples_are_promised_before_one_is_drawn():
    started = time.perf_counter()
    dataset = scenes.make("parts", 200_000, size=(40, 40))
    assert len(dataset) == 200_000
    assert dataset[199_999].label().size == (40, 40)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_dataset_travels_to_another_process(kind):
    dataset = pickle.loads(pickle.dumps(scenes.make(kind, 4, size=(40, 48), seed=3)))
    assert np.array_equal(dataset[2].image, scenes.make(kind, 4, size=(40, 48), seed=3)[2].image)


@pytest.mark.parametrize("count, most", [(5, 2), (120, 24)])
def test_splits_are_seven_to_one_to_two(count, most):
    dataset = scenes.make("parts", count, size=(40, 48))
    counts = Counter(dataset.splits.values())
    assert set(counts) == {"train", "val", "test"}
    assert counts["test"] <= most and counts["train"] >= 0.6 * count
    assert all(dataset.load(name).split == dataset.splits[name] for name in dataset.names[:5])


def test_parts_have_holes_come_in_pieces_and_lie_over_one_another(some):
    truths = [sample.label() for sample in some["parts"]]
    things = [truth.things() for truth in truths]
    assert sum(len(thing.amodal.holes()[0]) for thing in things) > 20
    pieces = [np.bincount(thing.masks.parts()[1], minlength=len(thing)) for thing in things]
    assert sum(int((piece > 1).sum()) for piece in pieces) > 5
    assert sum("occluded" in tags for truth in truths for tags in truth.tags) > 15
    assert sum("truncated" in tags for truth in truths for tags in truth.tags) > 5


def test_a_washer_has_its_hole_even_where_nothing_hides_it(some):
    free = [
        row
        for sample in some["parts"]
        for row in sample.label()
        if row.class_names == ("washer",) and not row.tags[0]
    ]
    assert free
    assert all(len(row.amodal.holes()[0]) == 1 for row in free)


def test_cells_touch_and_their_nuclei_lie_inside(some):
    touching = 0
    for sample in some["cells"]:
        truth = sample.label()
        cells = truth[truth.class_id == truth.classes.row("cell")]
        nuclei = truth[truth.class_id == truth.classes.row("nucleus")]
        ids = cells.panoptic()
        for a, b in ((ids[1:], ids[:-1]), (ids[:, 1:], ids[:, :-1])):
            touching += len(
                {*zip(a[(a != b) & (a > 0) & (b > 0)].tolist(), b[(a != b) & (a > 0) & (b > 0)].tolist())}
            )
        inside = nuclei.amodal.intersection(cells.amodal).max(axis=1, initial=0)
        assert np.array_equal(inside, nuclei.amodal.area())
    assert touching > 30


def test_a_street_has_stuff_things_a_crowd_and_void():
    samples = list(scenes.make("street", 14, size=(96, 128), seed=1))
    seen = Counter(name for sample in samples for name in sample.label().class_names)
    assert set(seen) == set(samples[0].label().classes.names)
    assert any(sample.label().crowd.any() for sample in samples)


def test_a_video_keeps_its_ids_its_classes_and_its_group():
    dataset = scenes.make("street", 24, size=(96, 128), seed=8, frames=12)
    class_of: dict[tuple[str, int], int] = {}
    shared, moved = 0, 0
    before = None
    for sample in dataset:
        truth = sample.label()
        assert sample.group == sample.name.split("/")[0]
        assert sample.frame == int(sample.name.split("/")[1])
        for row in np.flatnonzero(truth.is_thing):
            key = sample.group, int(truth.instance_id[row])
            assert class_of.setdefault(key, int(truth.class_id[row])) == truth.class_id[row]
        if sample.frame:
            shared += len(np.intersect1d(before.instance_id, truth.instance_id)) - 1
            moved += not np.array_equal(before.panoptic(), truth.panoptic())
        before = truth
    assert shared > 22 * 8 and moved == 22
    assert {
        len({dataset.splits[name] for name in names}) for names in (dataset.names[:12], dataset.names[12:])
    } == {1}


def test_a_large_thing_stays_near_where_it_was_a_frame_ago():
    first, second = (scenes.make("street", 12, size=(120, 160), seed=8, frames=12)[k].label() for k in (4, 5))
    checked = 0
    for row in np.flatnonzero(first.is_thing & (first.amodal.area() > 300)):
        again = np.flatnonzero(second.instance_id == first.instance_id[row])
        if again.size:
            iou = first.amodal[int(row)].iou(second.amodal[int(again[0])])[0, 0]
            assert iou > 0.2
            checked += 1
    assert checked >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_things_can_be_told_from_what_is_around_them(kind, some):
    """On most rims the colour inside differs from the colour outside by more than the noise."""
    steps = []
    for sample in some[kind]:
        ids, grey = sample.label().panoptic(), sample.image.astype(float).mean(axis=2)
        across = ids[:, 4:] != ids[:, :-4]
        steps.append(np.abs(grey[:, 4:] - grey[:, :-4])[across].mean())
        flat = np.abs(grey[:, 4:] - grey[:, :-4])[~across].mean()
        assert steps[-1] > flat
    assert np.mean(steps) > 8


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"kind": "stret"}, "did you mean 'street'"),
        ({"kind": "parts", "size": (20, 400)}, "at least 32x32"),
        ({"kind": "parts", "frames": 4}, "street"),
        ({"kind": "street", "frames": 0}, "frames"),
        ({"kind": "street", "count": -1}, "0 or more"),
    ],
)
def test_a_wish_that_cannot_be_met_says_what_can(arguments, words):
    arguments = {"count": 3, **arguments}
    with pytest.raises(InlayError, match=words):
        scenes.make(arguments.pop("kind"), arguments.pop("count"), **arguments)


def test_no_samples_make_an_empty_dataset():
    assert list(scenes.make("cells", 0)) == []
    assert isinstance(scenes.make("cells", 1, size=(40, 40))[0].label().masks, Masks)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_module_holds_its_contract(kind):
    module = plugins.load("scenes", kind)
    pixels, truth = module.draw((5, 7), (40, 56), frame=0)
    assert pixels.shape == (40, 56, 3) and truth.size == (40, 56)
    assert truth.classes == module.CLASSES and isinstance(module.VIDEO, bool)
    assert truth.amodal is not None and not truth.is_prediction


def test_a_loose_file_can_be_a_scene(tmp_path, monkeypatch):
    monkeypatch.setattr(plugins, "_loose", {})
    file = tmp_path / "chessboard.py"
    file.write_text(
        "import numpy as np\n"
        "from inlay import Classes, Segmentation\n"
        "VIDEO, CLASSES = False, Classes.of('black', 'white', kind='stuff')\n"
        "def draw(seed, size, *, frame=0):\n"
        "    ids = np.add.outer(np.arange(size[0]) // 8, np.arange(size[1]) // 8) % 2\n"
        "    return np.uint8(ids * 255)[..., None].repeat(3, 2), Segmentation.from_semantic(ids, CLASSES)\n"
    )
    name = plugins.add_file("scenes", file)
    sample = scenes.make(name, 3, size=(40, 40))[2]
    assert sample.label().class_names == ("black", "white")
