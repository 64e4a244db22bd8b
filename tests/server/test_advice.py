"""Advice over HTTP is the advice of `inlay.advise`, with the project's own classes, work and times."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

import inlay
from inlay.advise import (
    Answers,
    Load,
    Timing,
    best_buy,
    buys,
    choose,
    estimate,
    guide,
    measure_load,
    read_timings,
    state_load,
)
from inlay.advise.scores import read_scores
from inlay.server import labels
from inlay.server.store import classes

from .conftest import draw_images, run_studio
from .talking import add_classes, drawing, gesture, image_ids, refused, send, square

FINISHED = 21


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A project with more finished images than make the times its own."""
    folder = tmp_path_factory.mktemp("advice")
    images = draw_images(folder / "photos", FINISHED + 2)
    with run_studio(images, folder / "kept") as studio:
        owner = studio.log_in()
        (cell,) = add_classes(owner, studio.project_id, "cell")
        for turn, image in enumerate(image_ids(owner, studio.project_id)[:FINISHED]):
            owner.document(image)
            drawn = gesture(drawing(1, cell, square(turn, 3, 8 + turn % 5)), seconds=10.0 + turn)
            send(owner, image, 0, drawn)
            owner.request("POST", f"/api/images/{image}/state", {"state": "submitted"})
        yield studio, owner


def test_the_advice_and_the_guide_are_those_of_the_package(asked):
    studio, owner = asked
    path = f"/api/projects/{studio.project_id}/advice"
    said = {"objects": True, "only_counts": False, "touching": True, "tight_budget": None}
    found = owner.request("POST", path, {"answers": said, "wage": 18})
    answers = Answers.of(said)
    advice = choose(answers)
    with studio.studio.database.reading() as db:
        these, _ = classes.core(db, studio.project_id)
    assert found["guide"] == guide(advice, these, answers) and "**cell**" in found["guide"]
    for name in ("label_type", "cannot", "hardware"):
        assert found[name] == getattr(advice, name)
    for name in ("reasons", "also", "packs", "metrics", "models", "unknown"):
        assert tuple(found[name]) == getattr(advice, name)
    assert [each["label_type"] for each in found["alternatives"]] == [
        each.label_type for each in advice.alternatives
    ]


def test_twenty_timed_images_replace_the_priors_of_what_the_project_draws(asked):
    studio, owner = asked
    path = f"/api/projects/{studio.project_id}/advice"
    form = owner.request("GET", path)
    assert (form["images"], form["labelled"], form["timed"]) == (FINISHED + 2, FINISHED, FINISHED)
    assert len(form["questions"]) == 9
    found = owner.request("POST", path, {"answers": {"objects": True}, "images": 500, "wage": 18})
    dataset = labels.dataset(studio.studio, studio.project_id, states=("submitted",))
    load = measure_load(dataset)
    timings = [Timing(place, "instance", 10.0 + place) for place in range(FINISHED)]
    wanted = estimate(load, "instance", 500, wage=18, timings=timings)
    costs = {each["mode"]: each for each in found["costs"]}
    assert costs["instance"]["money"] == pytest.approx(wanted.money)
    assert costs["instance"]["source"] == f"measured on {FINISHED} images"
    assert "prior, not your data" in costs["semantic"]["source"]  # nobody drew those here
    assert (found["looked_at"], found["advised"]) == (FINISHED, ["instance"])


def test_stated_objects_give_a_price_that_says_it_is_no_data(asked):
    studio, owner = asked
    path = f"/api/projects/{studio.project_id}/advice"
    body = {
        "answers": {"objects": True, "only_counts": True},
        "objects": [3, 12, 7],
        "size": 0.08,
        "images": 9,
    }
    found = owner.request("POST", path, body)
    stated: Load = state_load(np.array([3.0, 12.0, 7.0]), size=0.08)
    costs = {each["mode"]: each for each in found["costs"]}
    assert costs["boxes"]["money"] == pytest.approx(estimate(stated, "boxes", 9, wage=1.0).money)
    assert all("prior, not your data" in each["source"] for each in costs.values())
    assert found["looked_at"] == 0


def test_answers_that_contradict_each_other_are_refused_in_words(asked):
    studio, owner = asked
    path = f"/api/projects/{studio.project_id}/advice"
    body = refused(422, owner.request, "POST", path, {"answers": {"objects": False, "tracks": True}})
    assert "contradict" in body["error"]
    body = refused(422, owner.request, "POST", path, {"answers": {"colour": True}})
    assert "there is no question 'colour'" in body["error"]


def test_without_a_finished_image_nothing_is_priced(small_studio):
    owner = small_studio.log_in()
    path = f"/api/projects/{small_studio.project_id}/advice"
    assert owner.request("GET", path)["labelled"] == 0
    assert owner.request("POST", path, {"answers": {"objects": True}})["costs"] == []


TABLE = "type,seconds,images,score\n" + "".join(
    f"{kind},{seconds},{images},{score}\n"
    for kind, seconds, scores in (
        ("coarse", 40, (0.41, 0.46, 0.49, 0.50)),
        ("sharp", 360, (0.47, 0.54, 0.59, 0.62)),
    )
    for images, score in zip((20, 40, 80, 160), scores)
)


def test_what_the_next_hours_buy_is_what_the_package_says_the_best_first(asked):
    studio, owner = asked
    path = f"/api/projects/{studio.project_id}/advice/buy"
    body = {"table": TABLE, "have": "coarse", "images": 160, "hours": 8}
    found = owner.request("POST", path, body)
    wanted = buys(read_scores(TABLE, "table"), "coarse", 160, 8)
    best = best_buy(wanted)
    assert [(way["name"], tuple(way["gain"])) for way in found["ways"]] == [
        (each.name, each.gain) for each in wanted
    ]
    assert best is not None and found["best"] == best.name == found["ways"][0]["name"]
    assert all(low <= middle <= high for low, middle, high in (way["gain"] for way in found["ways"]))
    pasted = owner.request("POST", path, {**body, "table": TABLE.replace(",", "\t")})
    assert pasted == found  # as a spreadsheet puts it on the clipboard


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TABLE.replace("160,0.62", "160,good"), "table: line 9: score: 'good' is not a number"),
        (TABLE.replace("sharp,360,20", "sharp,-1,20"), "table: line 6: seconds: -1 is not above 0"),
        (TABLE.replace("40,80,0.49", "40"), "table: line 4: 2 cells under 4 columns"),
        (TABLE.replace("\ncoarse,40,40", "\n,40,40"), "table: line 3: there is no type"),
        (TABLE.replace("seconds", "minutes"), "table: header: there is no column 'seconds'"),
        ("type,seconds,images,score\n", "there is no line with scores"),
        ("", "there is no line with scores"),
        ("\n".join(TABLE.splitlines()[:4]), "type 'coarse'"),
        (TABLE.replace("coarse", "rough"), "there are no scores of the label type 'coarse'"),
    ],
    ids=["word", "negative", "short", "nameless", "column", "header only", "empty", "few", "other"],
)
def test_a_table_of_scores_that_cannot_be_read_names_its_line(asked, table, words):
    studio, owner = asked
    path = f"/api/projects/{studio.project_id}/advice/buy"
    body = {"table": table, "have": "coarse", "images": 160, "hours": 8}
    said = refused(422, owner.request, "POST", path, body)["error"]
    assert words in said and "\n" not in said


def test_the_times_come_out_as_the_file_that_prices_the_exported_labels(asked, tmp_path):
    studio, owner = asked
    project = owner.project("photos")
    owner.timings_file(project, tmp_path / "timings.csv")
    owner.export_file(project, tmp_path / "labels.zip", to="native", states=["submitted"])
    with zipfile.ZipFile(tmp_path / "labels.zip") as packed:
        packed.extractall(tmp_path / "labels")
    dataset = inlay.read(tmp_path / "labels")
    timings = read_timings((tmp_path / "timings.csv").read_text("utf-8"), "timings.csv", dataset.names)
    assert timings == [Timing(place, "instance", 10.0 + place) for place in range(FINISHED)]
    path = f"/api/projects/{studio.project_id}/advice"
    found = owner.request("POST", path, {"answers": {"objects": True}, "images": 500, "wage": 18})
    costs = {each["mode"]: each for each in found["costs"]}
    wanted = estimate(measure_load(dataset), "instance", 500, wage=18, timings=timings)
    assert costs["instance"]["money"] == pytest.approx(wanted.money)


def test_without_a_timed_image_there_is_no_file_of_times(small_studio, tmp_path):
    owner = small_studio.log_in()
    project = {"project_id": small_studio.project_id}
    said = refused(404, owner.timings_file, project, tmp_path / "timings.csv")
    assert "no finished image of this project has a measured time yet" in said["error"]
    assert not (tmp_path / "timings.csv").exists()
