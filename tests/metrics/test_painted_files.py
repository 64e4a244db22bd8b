"""Panoptic quality straight from PNG files against the same of segmentations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

import inlay
from inlay import Dataset, FormatError
from inlay.metrics import panoptic_quality, score
from inlay.metrics.parts import means
from inlay.metrics.parts.pairing import Judge

KINDS = {"things and stuff": [1, 1, 0, 0], "things alone": [1, 1, 1, 1]}


def write(folder: Path, name: str, rng: np.random.Generator, kinds: list[int], *, scored: bool) -> Path:
    """A panoptic file of three images; ids, areas and crowds as they fall."""
    images, annotations = [], []
    (folder / name).mkdir(exist_ok=True)
    for number in (1, 2, 3):
        ids = np.append(rng.choice(np.arange(1, 2**24), 7, replace=False), 0)
        coarse = rng.integers(0, 8, (5, 6))
        pixels = ids[coarse.repeat(4, axis=0).repeat(5, axis=1)]
        pixels[:, :7] = ids[0]
        channels = np.stack([pixels % 256, pixels // 256 % 256, pixels // 65536], -1)
        Image.fromarray(channels.astype(np.uint8)).save(folder / name / f"{number}.png")
        segments: list[dict[str, Any]] = [
            {"id": int(each), "category_id": int(rng.integers(1, 5)), "iscrowd": int(rng.random() < 0.2)}
            for each in ids[:-1]
        ]
        for segment in segments:
            if rng.random() < 0.5:
                segment["area"] = int((pixels == segment["id"]).sum()) + int(rng.integers(0, 3))
            if scored:
                segment["score"] = 0.5
        images.append({"id": number, "file_name": f"{number}.jpg", "height": 20, "width": 30})
        annotations.append({"image_id": number, "file_name": f"{number}.png", "segments_info": segments})
    categories = [{"id": k + 1, "name": f"c{k}", "isthing": kind} for k, kind in enumerate(kinds)]
    categories[2]["inlay"] = {"kind": "void"} if rng.random() < 0.3 and not all(kinds) else None
    whole = {"images": images, "annotations": annotations, "categories": categories}
    (folder / f"{name}.json").write_text(json.dumps(whole))
    return folder / f"{name}.json"


def opened(folder: Path, seed: int, kinds: list[int], *, scored: bool = False) -> tuple[Dataset, Dataset]:
    truth = inlay.read(
        write(folder, "truth", np.random.default_rng(seed), kinds, scored=False), "coco_panoptic"
    )
    file = write(folder, "mine", np.random.default_rng(seed), kinds, scored=scored)
    for png in (folder / "mine").iterdir():  # close to the truth, and never the same
        pixels = np.asarray(Image.open(png)).copy()
        pixels[:, 8:] = np.roll(pixels, seed % 5, axis=0)[:, 8:]
        Image.fromarray(pixels).save(png)
    return truth, inlay.read(file, "coco_panoptic", like=truth)


def one_by_one(dataset: Dataset) -> Dataset:
    """The same without a way to its files."""
    return dataset.map(lambda sample: sample)


@settings(max_examples=many(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(KINDS)),
    st.sampled_from([None, "panopticapi"]),
    st.booleans(),
)
def test_all_that_a_score_says_is_the_same(
    tmp_path: Path, seed: int, kinds: str, like: str | None, scored: bool
) -> None:
    truth, mine = opened(tmp_path, seed, KINDS[kinds], scored=scored)
    found = score(truth, mine, ["panoptic_quality"], like=like)
    wanted = score(one_by_one(truth), one_by_one(mine), ["panoptic_quality"], like=like)
    assert found.to_json() == wanted.to_json()


def test_usual_files_are_never_made_into_segmentations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Judge, "_from_segments")
    assert 0 < score(*opened(tmp_path, 3, KINDS["things and stuff"]), ["panoptic_quality"])["PQ"] <= 1


def test_other_metrics_beside_it_read_segmentations(tmp_path: Path) -> None:
    truth, mine = opened(tmp_path, 3, KINDS["things and stuff"])
    both, alone = score(truth, mine, ["iou", "panoptic_quality"]), score(truth, mine, ["panoptic_quality"])
    assert both["PQ"] == alone["PQ"]


def test_a_colour_that_no_segment_has_is_named(tmp_path: Path) -> None:
    truth, mine = opened(tmp_path, 3, KINDS["things and stuff"])
    png = tmp_path / "mine" / "2.png"
    pixels = np.asarray(Image.open(png)).copy()
    pixels[3, 4] = (1, 2, 3)
    Image.fromarray(pixels).save(png)
    with pytest.raises(FormatError, match=r"pixel \(4, 3\): segment 197121 is not in segments_info") as error:
        score(truth, mine, ["panoptic_quality"])
    assert error.value.path == png


def test_what_counts_painted_files_has_a_twin_for_segmentations() -> None:
    known = {panoptic_quality.count, *panoptic_quality.LIKE.values()}
    assert set(panoptic_quality.PAINTED) == known


@pytest.mark.parametrize("metric", ["panoptic_quality", "iou"])
def test_figures_made_part_by_part_are_the_same(
    metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, mine = opened(tmp_path, 5, KINDS["things and stuff"])
    many = [Dataset.of(each[k % 3].replace(name=f"{k}") for k in range(7)) for each in (truth, mine)]
    whole = score(*many, [metric])
    monkeypatch.setattr(means, "PART", 3)
    parts = score(*many, [metric])
    assert parts.figures == whole.figures
    assert parts.per_sample.keys() == whole.per_sample.keys()
    for name, values in whole.per_sample.items():
        assert np.array_equal(parts.per_sample[name], values, equal_nan=True)
    assert parts.intervals.keys() == whole.intervals.keys()
    for name, bounds in whole.intervals.items():
        assert parts.intervals[name] == pytest.approx(bounds)
