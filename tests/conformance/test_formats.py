"""Every format, whoever wrote it, is held to the contract of `plugins.Format` and to its own `KEEPS`."""

from __future__ import annotations

import errno
import pickle
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay import Classes, Dataset, InlayError, LossError, Masks, Sample, Segmentation, SegmentClass, plugins
from inlay import formats as all_formats
from inlay.core.segmentation import instance_numbers
from inlay.core.staging import staged
from inlay.formats.parts import facts

from ..formats.comparing import ALWAYS, differences  # noqa: TID252 (tests are no installed package)
from ..formats.random_datasets import random_dataset  # noqa: TID252

NAMES = plugins.names("formats")
few = settings(  # of each format: they write and read files
    max_examples=many(10, divided=10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    library = getattr(plugins.load("formats", request.param), "LIBRARY", "numpy")
    pytest.importorskip(library, reason=f"{request.param} needs {library}: pip install inlay[volumes]")
    return request.param


def picture(size: tuple[int, int] = (12, 16)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)


CLASSES = Classes.of("car", "person")


def plain(**columns: object) -> Segmentation:
    """Two squares apart, one of each class, and nothing else to say."""
    stack = np.zeros((2, 12, 16), bool)
    stack[0, 2:6, 2:6] = True
    stack[1, 7:11, 8:14] = True
    return Segmentation(CLASSES, Masks.encode(stack), [0, 1], [1, 2]).replace(**columns)


def drawn(*pictures: str, class_id: tuple[int, ...] = (0, 1)) -> Segmentation:
    """Segments as text pictures, `#` foreground."""
    rows = [[list(line.ljust(8, ".")) for line in text.split()] for text in pictures]
    stack = np.zeros((len(rows), 12, 16), bool)
    for mask, text in zip(stack, rows):
        mask[: len(text), :8] = np.array(text).reshape(-1, 8) == "#"
    ids = np.array(class_id, np.int32)
    return Segmentation(CLASSES, Masks.encode(stack), ids, instance_numbers(CLASSES.is_thing[ids]))


def of_class(**facts_of_class: object) -> Dataset:
    classes = Classes((SegmentClass("car", **facts_of_class), SegmentClass("person")))  # type: ignore[arg-type]
    label = plain().replace(classes=classes)
    numbers = instance_numbers(label.classes.is_thing[label.class_id])
    return Dataset.of([Sample("a", picture(), label.replace(instance_id=numbers))])


def one(label: Segmentation | None, **of_sample: object) -> Dataset:
    return Dataset.of([Sample("a", picture(), label, **of_sample)], CLASSES)  # type: ignore[arg-type]


def framed() -> Dataset:
    return Dataset.of(
        [Sample(f"v/{i}", picture(), plain(instance_id=[7, 3]), group="v", frame=i) for i in range(2)],
        CLASSES,
    )


HOLLOW, SPLIT_UP = "##### #...# ##### .....", "##..## ##..##"
USING = {
    "masks": lambda: one(plain()),
    "class_id": lambda: one(plain()),
    "instances": lambda: one(plain(class_id=[1, 1])),
    "instance_id": lambda: one(plain(instance_id=[4, 9])),
    "track": framed,
    "holes": lambda: one(drawn(HOLLOW, "........ " * 6 + "###")),
    "parts": lambda: one(drawn(SPLIT_UP, "........ " * 6 + "###")),
    "overlap": lambda: one(drawn("#### #### ####", "........ ..#### ..####")),
    "order": lambda: one(drawn("#### #### ####", "........ ..#### ..####")),
    "score": lambda: one(plain(score=[0.25, 0.5])),
    "crowd": lambda: one(plain(crowd=[True, False])),
    "amodal": lambda: one(plain(amodal=plain().masks | drawn("####", "####").masks)),
    "tags": lambda: one(plain(tags=(frozenset({"occluded"}), frozenset()))),
    "hidden": lambda: one(drawn("####", "")),
    "box": lambda: one(drawn("####", "").replace(stated_box=[[0, 0, 4, 1], [5, 5, 9, 8]])),
    "source_id": lambda: one(plain(source_id=[70, 80])),
    "stated_box": lambda: one(plain(stated_box=[[1.5, 2, 6, 6], [8, 7, 14, 11]])),
    "stated_area": lambda: one(plain(stated_area=[15.5, 24])),
    "image_tags": lambda: one(plain(image_tags=frozenset({"night"}))),
    "split": lambda: Dataset.of(
        [Sample("a", picture(), plain(), "train"), Sample("b", picture(), plain(), "val")]
    ),
    "group": lambda: Dataset.of([Sample("street/a", picture(), plain(), group="street")]),
    "frame": lambda: one(plain(), frame=4),
    "empty": lambda: Dataset.of(
        [Sample("a", picture(), plain()), Sample("b", picture(), Segmentation.empty(CLASSES, (12, 16)))]
    ),
    "unlabelled": lambda: Dataset.of([Sample("a", picture(), plain()), Sample("b", picture(), None)]),
    "stuff": lambda: of_class(kind="stuff"),
    "void": lambda: of_class(kind="void"),
    "colours": lambda: of_class(colour=(1, 20, 255)),
    "parents": lambda: of_class(parent="vehicle"),
    "class_number": lambda: of_class(source_id=11),
}


def test_there_is_an_example_of_every_fact_and_it_uses_it():
    assert USING.keys() == facts.FACTS
    for fact, make in USING.items():
        assert fact in {loss.fact for loss in facts.losses(make(), facts.FACTS - {fact})}, fact


def test_a_format_says_what_it_is_and_keeps_known_facts(name):
    module = plugins.load("formats", name)
    assert (module.__doc__ or "").strip()
    assert module.KEEPS <= facts.FACTS
    assert {"masks", "class_id"} <= module.KEEPS


def test_every_fact_is_kept_or_its_loss_is_refused_or_noted(name, tmp_path):
    wrong = {}
    for fact in sorted(facts.FACTS):
        (tmp_path / fact).mkdir()
        try:
            assert_kept_or_told(name, fact, tmp_path / fact)
        except (AssertionError, InlayError) as error:
            wrong[fact] = str(error)
    assert not wrong, "\n".join(f"{fact}: {what}" for fact, what in wrong.items())


def assert_kept_or_told(name: str, fact: str, folder: Path) -> None:
    """An example of the fact is refused, or written and given back as `KEEPS` says."""
    module, dataset = plugins.load("formats", name), USING[fact]()
    out = folder / "out"
    others = {loss.fact for loss in facts.losses(dataset, module.KEEPS)} - facts.NOTED
    if others:
        with pytest.raises(LossError) as refusal:
            all_formats.write(dataset, out, to=name)
        assert all(other in str(refusal.value) for other in others)
        assert list(folder.iterdir()) == []
        all_formats.write(dataset, out, to=name, lossy=True)
        assert len(list(read_back(out, name, dataset))) <= len(dataset)
        return
    receipt = written(dataset, out, name)
    if receipt is not None:
        assert (fact in {loss.fact for loss in receipt.losses}) == (fact not in module.KEEPS)
        assert_kept(read_back(out, name, dataset), dataset, module.KEEPS)


def written(dataset: Dataset, out: Path, name: str) -> all_formats.Receipt | None:
    """The receipt; `None` where the format has a fixed list of classes, which the dataset does not follow."""
    try:
        return all_formats.write(dataset, out, to=name)
    except LossError:
        raise
    except InlayError as error:
        assert any(f"{item.name!r}" in str(error) for item in dataset.classes)
        assert not out.exists()
        return None


def read_back(path: Path, name: str, like: Dataset) -> Dataset:
    assert name in all_formats.sniff(path)
    return all_formats.read(path, like=like)


def simple(dataset: Dataset, keeps: frozenset[str]) -> Dataset:
    """The dataset without holes and parts that are not kept."""

    def change(sample: Sample) -> Sample:
        label = sample.segmentation
        if label is None or not len(label):
            return sample
        if "parts" not in keeps:
            parts, row = label.masks.parts()
            label = label.replace(masks=parts[np.unique(row, return_index=True)[1]])
        if "holes" not in keeps:
            label = label.replace(masks=label.masks.fill_holes())
        return sample.replace(segmentation=label)

    return Dataset.of([change(sample) for sample in dataset], dataset.classes)


@few
@given(seed=seeds)
def test_a_format_reads_what_it_wrote(name, seed):
    module = plugins.load("formats", name)
    dataset = simple(random_dataset(seed, module.KEEPS - {"stated_box", "stated_area"}), module.KEEPS)
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        if written(dataset, out, name) is not None and len(dataset):
            assert_kept(read_back(out, name, dataset), dataset, module.KEEPS)


@few
@given(seed=seeds)
def test_a_lossy_write_can_be_read_whatever_the_dataset_says(name, seed):
    dataset = random_dataset(seed, facts.FACTS)
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        try:
            receipt = all_formats.write(dataset, out, to=name, lossy=True)
        except InlayError as error:  # a fixed list of classes, or too many samples of one name
            assert "\n" not in str(error)
            assert not out.exists()
            return
        assert all(file.is_file() for file in receipt.files)
        if any(sample.segmentation is not None and len(sample.segmentation) for sample in dataset):
            again = all_formats.read(out, name, like=dataset)
            for sample in again:
                assert sample.segmentation is None or sample.segmentation.masks.size[0] > 0


def assert_kept(again: Dataset, written: Dataset, keeps: frozenset[str]) -> None:
    """All that `keeps` names is as it was; samples are found by their names."""
    assert not differences(again, written) & (keeps | ALWAYS)


def test_only_one_format_recognises_what_a_format_writes(name, tmp_path):
    all_formats.write(one(plain()), tmp_path / "out", to=name)
    assert all_formats.sniff(tmp_path / "out") == [name]


def foreign(folder: Path) -> Iterator[Path]:
    (folder / "empty").mkdir()
    yield folder / "empty"
    for file, text in {
        "empty.json": b"",
        "broken.json": b'{"a": [1, 2',
        "list.json": b"[1, 2, 3]",
        "deep.json": b"[" * 100_000,
        "text.json": b"\xff\xfe\x00",
        "other.json": b'{"figures": [], "picture": "a.jpg"}',
        "a.yaml": b"{a: b",
        "b.yaml": b"some: thing",
        "notes.txt": b"some words\n",
        "picture.png": b"\x89PNG not really",
        "binary.bin": bytes(range(256)),
    }.items():
        (folder / file).write_bytes(text)
        yield folder / file
    (folder / "photos").mkdir()
    Image.fromarray(picture()).save(folder / "photos/a.jpg")
    Image.fromarray(picture()).save(folder / "photos/b.png")
    yield folder / "photos"
    yield folder
    yield folder / "missing"


def test_a_format_does_not_recognise_foreign_files_and_never_raises_on_them(name, tmp_path):
    module = plugins.load("formats", name)
    assert [path.name for path in foreign(tmp_path) if module.sniff(path)] == []


def test_reading_foreign_files_says_so_in_one_line(name, tmp_path):
    module = plugins.load("formats", name)
    for path in foreign(tmp_path):
        with pytest.raises(InlayError) as error:
            list(module.read(path))
        assert "\n" not in str(error.value)
        assert str(tmp_path) in str(error.value)


def test_a_sample_that_cannot_be_read_leaves_no_output(name, tmp_path):
    good = Sample("a", picture(), plain())

    def load(which: str) -> Sample:
        if which == "b":
            raise InlayError("this one is broken")
        return good

    dataset = Dataset(CLASSES, ("a", "b"), load)
    with pytest.raises(InlayError, match="this one is broken"):
        all_formats.write(dataset, tmp_path / "new" / "out", to=name, lossy=True)
    assert list(tmp_path.iterdir()) == []


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file can grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_gives_one_line_and_no_output(name, tmp_path):
    noise = np.random.default_rng(1).random((40, 64, 64)) < 0.5
    label = Segmentation(CLASSES, Masks.encode(noise), np.zeros(40), np.arange(1, 41))
    dataset = Dataset.of([Sample("a", picture((64, 64)), label)])
    with small_disk(500), pytest.raises(InlayError) as error:
        all_formats.write(dataset, tmp_path / "out", to=name, lossy=True)
    assert str(tmp_path / "out") in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(InlayError, match="the disk is full"), staged(tmp_path / "out") as hidden:
        hidden.write_text("some")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_what_lies_there_is_replaced_only_when_asked_and_only_if_it_is_a_dataset(name, tmp_path):
    first, second = one(plain()), one(plain()[:1])
    all_formats.write(first, tmp_path / "out", to=name)
    with pytest.raises(InlayError, match="exists already"):
        all_formats.write(second, tmp_path / "out", to=name)
    assert len(read_back(tmp_path / "out", name, first)[0].label()) == 2
    all_formats.write(second, tmp_path / "out", to=name, overwrite=True)
    assert len(read_back(tmp_path / "out", name, first)[0].label()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "diary.odt").write_text("dear diary")
    with pytest.raises(InlayError, match="no dataset"):
        all_formats.write(second, tmp_path / "precious", to=name, overwrite=True)
    assert (tmp_path / "precious" / "diary.odt").is_file()


def test_an_image_file_is_copied_byte_for_byte(name, tmp_path):
    source = tmp_path / "photo.jpg"
    Image.fromarray(picture()).save(source, quality=30)
    dataset = Dataset.of([Sample("a", source, plain())])
    all_formats.write(dataset, tmp_path / "out", to=name)
    sample = read_back(tmp_path / "out", name, dataset)[0]
    if isinstance(sample.image, Path):
        assert sample.image.read_bytes() == source.read_bytes()
    else:  # it lies inside a table
        assert plugins.load("formats", name).EMBEDS
        assert np.array_equal(sample.pixels(), dataset[0].pixels())


def test_names_that_lead_out_of_the_folder_are_refused(name, tmp_path):
    for bad in ("../escape", "/etc/escape", "a/../../escape"):
        dataset = Dataset.of([Sample(bad, picture(), plain())])
        out = tmp_path / "deep" / bad.replace("/", "_")
        try:
            all_formats.write(dataset, out, to=name)
        except InlayError as error:
            assert bad in str(error)
        outside = [
            path
            for path in tmp_path.rglob("*")
            if path.is_file() and not path.is_relative_to(tmp_path / "deep")
        ]
        assert outside == []


def test_an_opened_dataset_can_be_sent_to_another_process(name, tmp_path):
    dataset = one(plain())
    all_formats.write(dataset, tmp_path / "out", to=name)
    again = read_back(tmp_path / "out", name, dataset)
    sent = pickle.loads(pickle.dumps(again))
    assert sent[0].label().equals(again[0].label())


def test_progress_counts_every_sample(name, tmp_path):
    dataset = USING["split"]()
    steps: list[tuple[int, int, str]] = []
    all_formats.write(
        dataset, tmp_path / "out", to=name, lossy=True, progress=lambda *step: steps.append(step)
    )
    assert [step[:2] for step in steps][-1] == (2, 2)
    assert {step[2] for step in steps} == {"a", "b"}
