"""Figures of whole COCO files against those of their samples one by one, and against pycocotools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.often import many

import inlay
from inlay import FormatError, InlayError
from inlay.metrics import average_precision, score
from inlay.metrics.parts import scoring, whole_files
from inlay.metrics.parts.whole_files import coco_figures

from .coco_json import Case, pycocotools, random_case

NAMES = (*average_precision.TABLES.precisions, *average_precision.TABLES.recalls)


def opened(case: Case, folder: Path) -> tuple[inlay.Dataset, inlay.Dataset]:
    (folder / "truth.json").write_text(json.dumps(case.truth))
    (folder / "results.json").write_text(json.dumps(case.results))
    truth = inlay.read(folder / "truth.json", "coco")
    return truth, inlay.read(folder / "results.json", "coco_results", like=truth)


def one_by_one(case: Case, folder: Path, metric: str = "average_precision") -> dict[str, float]:
    """All figures by way of a segmentation of each sample."""
    found = score(*opened(case, folder), [metric], intervals=False)
    of_class = {
        f"{name}/{row}": value for row, each in found.per_class.items() for name, value in each.items()
    }
    return {**found.figures, **of_class}


@settings(max_examples=many(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 1, 5]), st.sampled_from([1, 3]))
def test_figures_are_those_of_the_samples_and_of_pycocotools(
    tmp_path: Path, seed: int, scale: int, threads: int
) -> None:
    case = random_case(np.random.default_rng(seed), boxes=True, scale=scale)
    if not case.results:
        return
    found = coco_figures(*opened(case, tmp_path), threads=threads)
    assert found == one_by_one(case, tmp_path)
    assert [found[f"box_{name}"] for name in NAMES] == pycocotools(case, "bbox").stats.tolist()


@settings(max_examples=many(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 5]), st.sampled_from([1, 3]))
def test_boundary_figures_are_those_of_the_samples(
    tmp_path: Path, seed: int, scale: int, threads: int
) -> None:
    case = random_case(np.random.default_rng(seed), boxes=True, scale=scale)
    if not case.results:
        return
    wanted = one_by_one(case, tmp_path, "boundary_average_precision")
    assert coco_figures(*opened(case, tmp_path), ("boundary",), threads=threads) == wanted
    bare = score(*opened(case, tmp_path), ["average_precision", "boundary_average_precision"], details=False)
    assert bare["boundary_AP"] == wanted["boundary_AP"]
    assert bare.figures_of["boundary_average_precision"][0] == "boundary_AP"


def test_usual_files_are_never_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(np.random.default_rng(0), boxes=True)
    wanted = one_by_one(case, tmp_path)
    monkeypatch.delattr(whole_files, "score")
    assert coco_figures(*opened(case, tmp_path)) == wanted


def test_a_score_without_details_is_taken_from_whole_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, results = opened(random_case(np.random.default_rng(0), boxes=True), tmp_path)
    wanted = score(truth, results, ["average_precision"], intervals=False)
    unusual = score(truth.map(lambda each: each), results, ["average_precision"], details=False)
    assert dict(unusual) == dict(wanted)
    monkeypatch.delattr(scoring, "count_all")
    found = score(truth, results, ["average_precision"], details=False)
    assert dict(found) == dict(wanted)
    assert found.per_class == wanted.per_class
    assert found.samples == wanted.samples
    assert found.figures_of == wanted.figures_of
    with pytest.raises(InlayError, match="details=True"):
        found.ranked()


def changed(case: Case, **keys: Any) -> Case:
    return Case(case.truth, [{**entry, **keys} for entry in case.results])


def without(case: Case, key: str) -> Case:
    results = [{name: value for name, value in entry.items() if name != key} for entry in case.results]
    return Case(case.truth, results)


CASES = {
    "boxes alone": lambda case: without(case, "segmentation"),
    "masks alone": lambda case: without(case, "bbox"),
    "ids as text": lambda case: changed(case, category_id="3"),
    "keys that say nothing here": lambda case: changed(case, id=7, words=["a", {"b": None}, 1e-3, "]}"]),
    "nothing predicted": lambda case: Case(case.truth, []),
    "stuff": lambda case: Case(
        {
            **case.truth,
            "categories": [{**each, "isthing": each["id"] % 2} for each in case.truth["categories"]],
        },
        case.results,
    ),
    "truths without boxes": lambda case: Case(
        {
            **case.truth,
            "annotations": [{k: v for k, v in a.items() if k != "bbox"} for a in case.truth["annotations"]],
        },
        case.results,
    ),
}


@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_unusual_files_have_the_same_figures(change: Any, tmp_path: Path) -> None:
    case = change(random_case(np.random.default_rng(5), boxes=True))
    wanted = one_by_one(case, tmp_path)
    kinds = [kind for kind in ("mask", "box") if f"{kind}_AP" in wanted]
    found = coco_figures(*opened(case, tmp_path), kinds)  # type: ignore[arg-type]
    assert found == wanted


def test_a_broken_mask_is_named(tmp_path: Path) -> None:
    case = random_case(np.random.default_rng(5), boxes=True)
    case.results[1]["segmentation"]["counts"] = "04"
    with pytest.raises(FormatError) as error:
        coco_figures(*opened(case, tmp_path))
    assert error.value.where == "[1].segmentation.counts"
