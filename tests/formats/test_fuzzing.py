"""Whatever a file says, reading it ends in a dataset or in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Dataset, InlayError, plugins
from inlay import formats as all_formats

from .random_datasets import random_dataset

FORMATS = ("coco", "coco_panoptic", "coco_results", "yolo")
fuzzed = settings(max_examples=40, deadline=None)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(
        [-1, 0, 1, 0.5, 10**12, "", "1", "0", "é\0", [], {}, [[]], [[[]]], {"size": [3, 4], "counts": "0"}]
    ),
    st.lists(st.floats(-1e12, 1e12), max_size=9),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Dataset]]:
    """A small dataset in each format."""
    found = {}
    for name in FORMATS:
        keeps = plugins.load("formats", name).KEEPS - {"void"}
        dataset = random_dataset(12, keeps)
        folder = tmp_path_factory.mktemp(name) / "o"
        all_formats.write(dataset, folder, to=name, lossy=True)
        found[name] = folder, dataset
    return found


def texts(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in (".json", ".txt", ".yaml"))


def survives(name: str, folder: Path, dataset: Dataset) -> None:
    """Read all of it: a dataset, or one line."""
    all_formats.sniff(folder)
    try:
        for sample in all_formats.read(folder, name, like=dataset):
            if sample.segmentation is not None:
                sample.segmentation.semantic()
    except InlayError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000


def with_changed(file: Path, text: bytes, check: Callable[[], None]) -> None:
    before = file.read_bytes()
    try:
        file.write_bytes(text)
        check()
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("name", FORMATS)
@fuzzed
@given(data=st.data())
def test_bytes_at_random(written, name, data):
    folder, dataset = written[name]
    file = data.draw(st.sampled_from(texts(folder)))
    text = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        text[start:end] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"[", b"}", b"-", b"9" * 30, b"nan", b'"'])
        )
    with_changed(file, bytes(text), lambda: survives(name, folder, dataset))


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from nodes(item, (*path, key))


@pytest.mark.parametrize("name", ["coco", "coco_panoptic", "coco_results"])
@fuzzed
@given(data=st.data())
def test_values_at_random(written, name, data):
    folder, dataset = written[name]
    file = data.draw(st.sampled_from(texts(folder)))
    changed = copy.deepcopy(json.loads(file.read_text("utf-8")))
    paths = list(nodes(changed))
    if not paths:
        return
    *parents, last = data.draw(st.sampled_from(paths))
    node = changed
    for key in parents:
        node = node[key]
    if isinstance(node, dict) and data.draw(st.booleans()):
        del node[last]
    else:
        node[last] = data.draw(values)
    with_changed(file, json.dumps(changed).encode(), lambda: survives(name, folder, dataset))


@fuzzed
@given(
    rows=st.lists(st.lists(st.floats() | st.integers(-3, 9) | st.text(max_size=3), max_size=9), max_size=4)
)
def test_rows_at_random(written, rows):
    folder, dataset = written["yolo"]
    file = next(file for file in texts(folder) if file.suffix == ".txt")
    text = "\n".join(" ".join(map(str, row)) for row in rows)
    with_changed(file, text.encode("utf-8", "replace"), lambda: survives("yolo", folder, dataset))


@pytest.mark.parametrize("name", FORMATS)
def test_files_cut_off_anywhere(written, name):
    folder, dataset = written[name]
    for file in texts(folder):
        text = file.read_bytes()
        for end in np.linspace(0, len(text), 25).astype(int).tolist():
            with_changed(file, text[:end], lambda: survives(name, folder, dataset))
