"""The training loop: it learns, resumes to the same curve, and refuses what cannot work."""

from __future__ import annotations

import copy
import os
import re
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from inlay import Classes, Dataset, InlayError, Sample, Segmentation, SegmentClass
from inlay.training import Run, train
from inlay.training.batches import Batch, make_batch
from inlay.training.checkpoint import read_state
from inlay.training.config import config_from
from inlay.training.foresight import foresee
from inlay.training.learner import Learner
from inlay.training.plan import make_plan
from inlay.training.schedule import Budget, rate
from inlay.training.validate import Judgement

SMALL = {
    "unet": {"widths": [8, 8, 8, 8], "depths": [1, 1, 1]},
    "solov2": {"widths": [8, 8, 8, 8], "depths": [1, 1, 1], "head": 8, "mask_features": 4},
}


def small(model="unet", **training):
    settings = {"batch": 2, "validations": 2, "precision": "float32", "augment": {"crop": [32, 32]}}
    return config_from({model: SMALL[model], "training": {**settings, **training}}, model)


@pytest.mark.parametrize("model", ["unet", "solov2"])
def test_a_run_folder_holds_everything_that_the_model_needs(model, street, tmp_path):
    seen = []
    run = train(
        street,
        model,
        tmp_path / "run",
        iterations=10,
        config=small(model),
        progress=lambda *s: seen.append(s),
    )
    held = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file()}
    assert held >= {"config.toml", "classes.json", "model.safetensors", "log.jsonl", "README.md", "state.pt"}
    assert held >= {"figures/learning_curve.svg", "figures/case_1.png"}
    assert not [name for name in held if name.endswith(".part")]
    assert run.classes.names == (("sky", "ground", "ball") if model == "unet" else ("ball",))
    assert [line["step"] for line in run.validations] == [5, 10]
    assert run.best["judged"] == max(line["judged"] for line in run.validations)
    card = (run.folder / "README.md").read_text()
    assert "4 images" in card
    assert model in str(run)
    assert seen[-1][:2] == (10, 10)
    run.network()


def test_the_same_seed_gives_the_same_run(street, tmp_path):
    logs = []
    for name in ("one", "two"):
        run = train(street, "unet", tmp_path / name, iterations=10, config=small())
        logs.append([{**line, "seconds": 0} for line in run.log])
    assert logs[0] == logs[1]


def test_a_killed_run_goes_on_to_the_same_curve(street, tmp_path):
    whole = train(street, "unet", tmp_path / "whole", iterations=60, config=small(checkpoint_seconds=0.0))
    pid = os.fork()
    if pid == 0:  # the child trains until it is killed
        train(street, "unet", tmp_path / "killed", iterations=60, config=small(checkpoint_seconds=0.0))
        os._exit(0)
    state = tmp_path / "killed" / "state.pt"
    deadline = time.monotonic() + 60
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert not torch.load(state, weights_only=True)["finished"]
    resumed = train(street, "unet", tmp_path / "killed", iterations=60, config=small(checkpoint_seconds=0.0))
    assert [{**line, "seconds": 0} for line in resumed.log] == [{**line, "seconds": 0} for line in whole.log]
    ours, theirs = resumed.network().state_dict(), whole.network().state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_large_steps_in_little_memory_are_the_steps_of_a_large_batch(street):
    plan = make_plan(street, small(batch=4, accumulate=1), None, None)
    plan = replace(
        plan, config=replace(plan.config, family=replace(plan.config.family, norm="group", dropout=0.0))
    )
    whole = Learner(plan.config, plan.classes, torch.device("cpu"))
    parts = Learner(plan.config, plan.classes, torch.device("cpu"))
    large = make_batch(plan.learnt, plan.config.training, 0)
    halves = [make_batch(plan.learnt, replace(plan.config.training, batch=2), k) for k in range(2)]
    assert torch.equal(large.images, torch.cat([half.images for half in halves]))
    for learner, some in ((whole, [large]), (parts, halves)):
        some = [Batch(each.images, [_balanced(target) for target in each.targets]) for each in some]
        learner.learn(some, 1e-3)
    for ours, theirs in zip(whole.network.parameters(), parts.network.parameters()):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-5)


def _balanced(target):
    """The same number of pixels of each class everywhere, so that means over batches weigh alike."""
    rows = torch.arange(target.semantic.numel()).reshape(target.semantic.shape) % 3
    return replace(target, semantic=rows, ignored=torch.zeros_like(target.ignored))


def test_a_killed_run_with_large_steps_and_a_validation_goes_on_to_the_same_curve(street, tmp_path):
    class EnoughError(Exception):
        pass

    def stop(done, total, words):
        if done == 20:
            raise EnoughError

    config = small(checkpoint_seconds=0.0, accumulate=2, validations=4)
    whole = train(street, "unet", tmp_path / "whole", iterations=40, config=config)
    with pytest.raises(EnoughError):  # after the line of step 20, before its checkpoint
        train(street, "unet", tmp_path / "killed", iterations=40, config=config, progress=stop)
    resumed = train(street, "unet", tmp_path / "killed", iterations=40, config=config)
    assert [{**line, "seconds": 0} for line in resumed.log] == [{**line, "seconds": 0} for line in whole.log]
    events = [next((run.folder / "events").iterdir()).read_bytes() for run in (whole, resumed)]
    assert len(events[0]) == len(events[1])


def test_a_run_that_gets_no_better_stops_early(street, tmp_path, monkeypatch):
    monkeypatch.setattr("inlay.training.loop.judge", lambda *_: Judgement({"mIoU": 0.5}, {}))
    run = train(street, "unet", tmp_path / "run", iterations=100, config=small(validations=10, patience=2))
    assert [line["step"] for line in run.validations] == [10, 20, 30]
    again = train(street, "unet", tmp_path / "run", iterations=100, config=small(validations=10, patience=2))
    assert again.validations == run.validations  # finished: does not go on


def test_half_precision_learns_and_its_scale_is_resumed(street, tmp_path):
    config = small(precision="float16", checkpoint_seconds=0.0)
    run = train(street, "unet", tmp_path / "run", iterations=10, config=config)
    assert run.log[-1]["judged"] >= 0
    assert read_state(tmp_path / "run" / "state.pt")["learner"]["scaler"]["scale"] > 0


def test_what_a_run_will_take_is_said_before_its_first_step(street, tmp_path):
    said = []
    train(street, "unet", tmp_path / "run", iterations=4, config=small(), say=said.append)
    assert re.search(
        r"About \S+ s a step: 4 steps in \S+ minutes, each image seen 2.0 times; about \d+ MB", said[-1]
    )


def test_a_batch_that_cannot_fit_is_refused_with_one_that_can(street, tmp_path, monkeypatch):
    monkeypatch.setattr("inlay.training.foresight.free_memory", lambda device: 4_000_000)
    words = r"a batch of 64 crops needs .* set training\.batch = (\d+) and training\.accumulate = (\d+)"
    with pytest.raises(InlayError, match=words) as caught:
        train(street, "unet", tmp_path / "run", iterations=4, config=small(batch=64))
    batch, accumulate = map(int, re.search(words, str(caught.value)).groups())
    assert 1 <= batch < 64 <= batch * accumulate
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr("inlay.training.foresight.free_memory", lambda device: 10_000)
    with pytest.raises(InlayError, match=r"one crop needs .* lower training\.augment\.crop"):
        train(street, "unet", tmp_path / "run", iterations=4, config=small())


def test_trying_a_crop_first_changes_nothing_of_the_run(street):
    plan = make_plan(street, small(), None, None)
    learner = Learner(plan.config, plan.classes, torch.device("cpu"))
    before = [copy.deepcopy(learner.state()[name]) for name in ("network", "random")]
    foresee(plan, learner)
    assert all(torch.equal(before[0][name], value) for name, value in learner.state()["network"].items())
    assert torch.equal(before[1], learner.state()["random"])
    assert all(parameter.grad is None for parameter in learner.network.parameters())


def test_a_finished_run_is_returned_as_it_is(street, tmp_path):
    run = train(street, "unet", tmp_path / "run", iterations=4, config=small())
    before = (run.folder / "model.safetensors").stat().st_mtime_ns
    again = train(street, "unet", tmp_path / "run", iterations=4, config=small())
    assert again == Run(tmp_path / "run")
    assert (run.folder / "model.safetensors").stat().st_mtime_ns == before


def test_a_folder_with_another_run_is_refused(street, tmp_path):
    train(street, "unet", tmp_path / "run", iterations=4, config=small())
    with pytest.raises(InlayError, match="other settings"):
        train(street, "unet", tmp_path / "run", iterations=8, config=small(batch=3))
    with pytest.raises(InlayError, match="a run of minutes=None, iterations=4"):
        train(street, "unet", tmp_path / "run", iterations=8, config=small())
    with pytest.raises(InlayError, match="holds a run already"):
        train(street, "unet", tmp_path / "run", iterations=4, config=small(), resume=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(InlayError, match="a run needs a folder"):
        train(street, "unet", tmp_path / "file", iterations=4, config=small())


def test_a_run_by_the_clock_ends_in_time(street, tmp_path):
    started = time.monotonic()
    run = train(street, "unet", tmp_path / "run", minutes=0.05, config=small())
    assert time.monotonic() - started < 30
    assert run.log[-1]["step"] > 3
    assert run.validations


@pytest.mark.parametrize(("minutes", "iterations"), [(1.0, 3), (0, None), (None, 0)])
def test_the_length_of_a_run_must_be_one_of_the_two(minutes, iterations, street, tmp_path):
    with pytest.raises(InlayError, match=r"minutes|empty"):
        train(street, "unet", tmp_path / "run", minutes=minutes, iterations=iterations)
    assert not (tmp_path / "run").exists()


def test_a_run_takes_half_an_hour_when_nobody_says(street, tmp_path):
    class EnoughError(Exception):
        pass

    def stop(done, total, words):
        if total == 1800:  # seconds
            raise EnoughError

    with pytest.raises(EnoughError):
        train(street, "unet", tmp_path / "run", config=small(), progress=stop)


def test_a_loss_that_is_no_number_stops_with_the_way_out(street, tmp_path, monkeypatch):
    forward = Learner.learn

    def poisoned(self, batch, rate, **more):
        if self.step == 3:
            batch[0].images.fill_(torch.nan)
        return forward(self, batch, rate, **more)

    monkeypatch.setattr(Learner, "learn", poisoned)
    with pytest.raises(InlayError, match=r"not a number in step 4 .* lower training\.learning_rate"):
        train(street, "unet", tmp_path / "run", iterations=10, config=small())


def test_too_little_memory_names_what_to_lower(street, tmp_path, monkeypatch):
    def full(self, batch, rate, **more):
        self.network.forward = lambda images: (_ for _ in ()).throw(torch.OutOfMemoryError("out of memory"))
        return Learner_learn(self, batch, rate, **more)

    Learner_learn = Learner.learn
    monkeypatch.setattr(Learner, "learn", full)
    with pytest.raises(
        InlayError,
        match=r"2 crops does not fit into memory: lower training\.batch \(to 1, with .*accumulate = 2",
    ):
        train(street, "unet", tmp_path / "run", iterations=10, config=small())
    monkeypatch.undo()
    assert not list((tmp_path / "run").rglob("*.part"))
    assert not (tmp_path / "run" / "model.safetensors").exists()
    run = train(street, "unet", tmp_path / "run", iterations=2, config=small(batch=1, accumulate=2))
    assert run.config.training.batch == 1  # the folder can be used again


def test_a_dataset_without_an_object_is_refused_before_anything_is_written(tmp_path):
    classes = Classes.of("ball")
    empty = [
        Sample(f"{k}", np.zeros((32, 32, 3), np.uint8), Segmentation.empty(classes, (32, 32)))
        for k in range(3)
    ]
    for model in ("unet", "solov2"):
        with pytest.raises(InlayError, match="show no pixel of any class"):
            train(Dataset.of(empty, classes), model, tmp_path / "run", iterations=2, config=small(model))
    assert not (tmp_path / "run").exists()


def test_unlabelled_images_alone_are_refused(tmp_path):
    sample = Sample("one", np.zeros((32, 32, 3), np.uint8), None)
    with pytest.raises(InlayError, match="none of the training images is labelled"):
        train(
            Dataset.of([sample], Classes.of("ball")), "unet", tmp_path / "run", iterations=2, config=small()
        )


def test_a_class_that_the_training_images_lack_stands_in_the_card(street, tmp_path):
    classes = Classes((*street.classes.rows, SegmentClass("moon", "stuff")))
    more = street.map(
        lambda sample: sample.replace(segmentation=sample.label().with_classes(classes)), classes
    )
    run = train(more, "unet", tmp_path / "run", iterations=4, config=small())
    assert "never learnt: moon" in (run.folder / "README.md").read_text()
    assert "moon" in run.classes.names


def test_an_image_that_breaks_off_while_training_is_named(street, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    data = street.map(lambda s: s.replace(image=broken) if s.name == "picture_2" else s)
    with pytest.raises(InlayError, match=r"broken\.png"):
        train(data, "unet", tmp_path / "run", iterations=4, config=small())
    assert not (tmp_path / "run").exists()


def test_the_rate_rises_and_falls_to_zero():
    settings = small(learning_rate=1.0, warm_up=0.1).training
    for schedule in ("poly", "cosine"):
        rates = [rate(share, replace(settings, schedule=schedule)) for share in np.linspace(0, 1, 101)]
        top = int(np.argmax(rates))
        assert top == 10
        assert rates[top] == pytest.approx(1.0)
        assert rates[-1] == pytest.approx(0.0, abs=1e-9)
        assert np.all(np.diff(rates[1:11]) > 0)
        assert np.all(np.diff(rates[10:]) < 0)


def test_time_of_an_earlier_part_counts():
    budget = Budget(1.0, None, spent=30.0)
    assert budget.share(0) == pytest.approx(0.5, abs=0.01)
    assert budget.share(0, reserve=30.0) == 1.0
    assert budget.progress(0) == (30, 60)
    assert Budget(None, 8).share(2) == 0.25
