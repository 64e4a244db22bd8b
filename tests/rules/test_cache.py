"""What is cached by content, and that a cache never changes what is found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError, InlayError
from inlay.rules import batch, check, engine, measure
from inlay.rules.cache import FILE, opened, prepare
from inlay.rules.content import sample_digest
from inlay.rules.pictures import read_examples
from inlay.rules.record import BrokenRecordError, decode, encode

PACKS = ("schema", "geometry", "partition")
LEGEND = {"a": "cell", "b": "cell", "c": {"class": "dust", "kind": "stuff"}}


def drawn(picture, name):
    return read_examples({"pass": [picture], "legend": LEGEND, "scale": 2})[0].sample(name)


def samples(count, seed=0):
    generator = np.random.default_rng(seed)
    pictures = [
        "\n".join("".join(row) for row in generator.choice(list("aabc."), (6, 8))) for _ in range(count)
    ]
    return [drawn(picture, f"s{number:03d}") for number, picture in enumerate(pictures)]


@pytest.fixture
def measured(monkeypatch):
    """Names of the samples that were measured."""
    names = []
    original = measure.measure_tables

    def counted(sample, *rest):
        names.append(sample.name)
        return original(sample, *rest)

    monkeypatch.setattr(batch, "measure_tables", counted)
    return names


def test_a_second_check_measures_nothing_and_finds_the_same(tmp_path, measured):
    dataset = Dataset.of(samples(30))
    plain = check(dataset, packs=PACKS)
    first = check(dataset, packs=PACKS, cache=tmp_path / "new" / "folder")
    measured.clear()
    second = check(dataset, packs=PACKS, cache=tmp_path / "new" / "folder")
    assert measured == []
    assert plain.found == first.found == second.found
    assert plain.verdicts == first.verdicts == second.verdicts
    assert (second.images, second.segments) == (plain.images, plain.segments)
    assert len(plain) > 10


def test_late_findings_are_kept_while_nothing_changes(tmp_path, monkeypatch):
    path = tmp_path / "rules.toml"
    asks = 'scope = "segment"\nforbid = "robust_z(\'area_px\') > 0.5"'
    path.write_text(f'[[rule]]\nid = "odd"\n{asks}\nseverity = "info"\nmessage = "m"')
    before = samples(12)
    first = check(Dataset.of(before), packs=(), rules=path, cache=tmp_path / "cache")
    assert len(first) > 0
    explained = []
    original = engine.late_findings
    monkeypatch.setattr(engine, "late_findings", lambda *some: explained.append(1) or original(*some))
    again = check(Dataset.of(before), packs=(), rules=path, cache=tmp_path / "cache")
    assert (again.found, explained) == (first.found, [])
    check(Dataset.of(before[1:]), packs=(), rules=path, cache=tmp_path / "cache")
    assert explained == [1]


def test_one_changed_label_is_measured_alone(tmp_path, measured):
    before = samples(20)
    check(Dataset.of(before), packs=PACKS, cache=tmp_path)
    measured.clear()
    changed = [*before[:7], drawn("ab\n.c", "s007"), *before[8:]]
    found = check(Dataset.of(changed), packs=PACKS, cache=tmp_path)
    assert measured == ["s007"]
    assert found.found == check(Dataset.of(changed), packs=PACKS).found


def test_other_limits_measure_nothing_again(tmp_path, measured):
    path = tmp_path / "rules.toml"
    text = 'extends = ["partition", "geometry"]\n[[rule]]\nid = "tiny"\nseverity = "error"\n'
    dataset = Dataset.of(samples(5))
    rule = 'scope = "segment"\nforbid = "area_px < :px"\nmessage = "{area_px}"\nparams = { px = %d }'
    path.write_text(text + rule % 3)
    few = check(dataset, packs=(), rules=path, cache=tmp_path / "cache")
    measured.clear()
    path.write_text(text + rule % 900)
    many = check(dataset, packs=(), rules=path, cache=tmp_path / "cache")
    assert measured == []
    assert len(many.of("tiny")) == many.segments > len(few.of("tiny"))


def test_a_new_rule_measures_its_columns_and_keeps_the_others(tmp_path, measured):
    dataset = Dataset.of(samples(4))
    for packs, times in ((("partition",), 4), (("geometry",), 4), (("partition",), 0), (("geometry",), 0)):
        measured.clear()
        check(dataset.only(dataset.names), packs=packs, cache=tmp_path)
        assert len(measured) == times


@pytest.mark.parametrize("ruin", ["text", "cut", "flip", "folder", "empty"])
def test_a_broken_cache_is_as_good_as_none(tmp_path, ruin):
    dataset = Dataset.of(samples(6))
    cache = tmp_path / "cache"
    wanted = check(dataset, packs=PACKS, cache=cache)
    file = cache / FILE
    content = bytearray(file.read_bytes())
    if ruin == "folder":
        file.unlink()
        file.mkdir()
    elif ruin == "flip":
        content[len(content) // 2 :: 97] = bytes(len(content[len(content) // 2 :: 97]))
        file.write_bytes(content)
    else:
        file.write_bytes(
            {"text": b"no database\n" * 90, "cut": content[: len(content) // 3], "empty": b""}[ruin]
        )
    for _ in range(2):
        assert check(dataset, packs=PACKS, cache=cache).found == wanted.found
    if ruin == "text":
        assert file.read_bytes()[:6] == b"SQLite"


def test_a_record_with_a_wrong_byte_is_refused():
    record = bytearray(encode({"a": np.arange(9), "w": np.array(["x", None], object), "v": {"n": [1, 2.5]}}))
    back = decode(bytes(record))
    assert (back["a"].tolist(), back["w"].tolist(), back["v"]) == (
        list(range(9)),
        ["x", None],
        {"n": [1, 2.5]},
    )
    record[-3] ^= 1
    with pytest.raises(BrokenRecordError):
        decode(bytes(record))


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(
            st.lists(st.integers(-(2**62), 2**62)).map(lambda values: np.array(values, np.int64)),
            st.lists(st.floats(allow_nan=False)).map(lambda values: np.array(values, np.float64)),
            st.lists(st.booleans()).map(lambda values: np.array(values, np.bool_)),
            st.none() | st.integers() | st.text(),
        ),
    )
)
def test_records_give_back_what_they_were_given(values):
    back = decode(encode(values))
    assert list(back) == list(values)
    for key, value in values.items():
        if isinstance(value, np.ndarray):
            assert back[key].dtype == value.dtype
            assert np.array_equal(back[key], value)
        else:
            assert back[key] == value


def test_a_digest_tells_apart_whatever_a_column_can_see(tmp_path):
    sample = samples(1)[0]
    label = sample.label()
    image = tmp_path / "x.png"
    image.write_bytes(b"1")
    others = [
        sample.replace(name="other"),
        sample.replace(split="val"),
        sample.replace(group="g"),
        sample.replace(frame=3),
        sample.replace(segmentation=None),
        sample.replace(image=np.zeros((12, 16, 3), np.uint8)),
        sample.replace(image=image),
        sample.replace(segmentation=label[::-1]),
        sample.replace(segmentation=label[1:]),
        sample.replace(segmentation=label.replace(tags=[{"odd"}] * len(label))),
        sample.replace(segmentation=label.replace(image_tags=frozenset({"odd"}))),
        sample.replace(segmentation=label.replace(instance_id=label.instance_id + 1)),
        sample.replace(segmentation=label.replace(crowd=~label.crowd)),
        sample.replace(segmentation=label.replace(amodal=label.masks)),
        sample.replace(segmentation=label.replace(classes=label.classes.with_kinds({"cell": "stuff"}))),
    ]
    digests = {sample_digest(sample), *map(sample_digest, others), sample_digest(sample, label)}
    assert len(digests) == len(others) + 2
    assert sample_digest(samples(1)[0]) == sample_digest(sample)
    image.write_bytes(b"22")
    assert sample_digest(others[6]) not in digests


def broken(name):
    if name == "bad":
        raise FormatError("bad.png", "", "cut off")
    return drawn("aab", name)


def test_what_could_not_be_read_is_tried_again(tmp_path):
    dataset = Dataset(drawn("ac", "x").label().classes, ("one", "bad"), broken)
    assert len(check(dataset, cache=tmp_path).of("unreadable")) == 1
    healed = dataclasses.replace(dataset, load=lambda name: drawn("aab", name))
    assert len(check(healed, cache=tmp_path).of("unreadable")) == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InlayError, match="--no-cache"):
        prepare(tmp_path / "file" / "cache")


def test_processes_share_a_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BATCH", 2)
    dataset = Dataset.of(samples(9))
    classes, names = dataset.classes, dataset.names
    travels = Dataset(classes, names, Again(classes))
    first = check(travels, packs=PACKS, cache=tmp_path, on="processes", workers=2)
    again = check(travels, packs=PACKS, cache=tmp_path)
    assert first.found == again.found


class Again:
    """Draws the samples again in another process."""

    def __init__(self, classes):
        self.classes = classes

    def __call__(self, name):
        return samples(9)[int(name[1:])]


def test_batches_keep_their_ends_when_a_name_comes_or_goes():
    names = [f"image-{number}" for number in range(2000)]
    whole = {tuple(run) for run in engine.batched(names)}
    assert [name for run in engine.batched(names) for name in run] == names
    assert max(map(len, whole)) <= 2 * engine.BATCH
    for changed in (["new", *names], names[1:], [*names[:900], *names[901:]]):
        kept = {tuple(run) for run in engine.batched(changed)}
        assert len(kept & whole) > 0.8 * len(whole)


def test_a_store_without_folder_keeps_nothing():
    with opened(None) as store:
        store.put(b"key", {"value": 1})
        assert store.get(b"key") is None
