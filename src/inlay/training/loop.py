"""The training loop."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.training.batches import batches
from inlay.training.card import write_card
from inlay.training.checkpoint import read_state, write_classes, write_state, write_text, write_weights
from inlay.training.config import RunConfig, config_to_toml, default_config, read_config
from inlay.training.hardware import keep_memory, pick_device, quiet_threads
from inlay.training.learner import Learner
from inlay.training.plan import Plan, Progress, make_plan, spread
from inlay.training.run import Run
from inlay.training.schedule import Budget, rate
from inlay.training.validate import Judgement, judge

LOG_EVERY = 10  # steps; checkpoints fall on such steps as well, so that a resumed log has no gap
JUDGED_IMAGES = 64
MINUTES = 30.0  # what a run takes when nobody says
JUDGING_SHARE = 0.12  # of a run by the clock: more than this is not spent on validations before the last
STATE = "state.pt"


def train(
    dataset: Dataset,
    model: str = "unet",
    out: Path | str = Path("run"),
    *,
    minutes: float | None = None,
    iterations: int | None = None,
    config: RunConfig | Path | str | None = None,
    validation: Dataset | None = None,
    progress: Progress | None = None,
    resume: bool = True,
) -> Run:
    """Train a model and write a run folder: weights, classes, settings, log, model card.

    A run that was killed goes on where its last checkpoint was. The split "test" is never read.

    Parameters
    ----------
    dataset
        Learnt from: its split "train", or all of it but "test".
    model
        Name of a module of `inlay.models`.
    out
        Run folder.
    minutes, iterations
        Length of the run, one of the two (default: 30 minutes); the learning rate falls to zero over it.
    config
        Settings, or a TOML file of them; default: the family's own.
    validation
        Chooses the best weights; default: the split "val", or a tenth set aside by lot of groups.
    progress
        Called with steps (or seconds) done, those in all, and words.
    resume
        False refuses a folder that holds a run.

    Raises
    ------
    InlayError
        When there is nothing to learn from, settings do not fit, a loss is no number, or memory is too small.
    """
    folder = Path(out)
    settings = config if isinstance(config, RunConfig) else _settings(config, model)
    if minutes is None and iterations is None:
        minutes = MINUTES
    Budget(minutes, iterations)
    earlier = _earlier(folder, resume=resume)
    if (
        earlier
        and earlier["finished"]
        and (earlier["minutes"], earlier["iterations"]) == (minutes, iterations)
    ):
        return Run(folder)
    keep_memory()
    with quiet_threads():
        plan = make_plan(dataset, settings, validation, progress)
        learner = Learner(plan.config, plan.classes, pick_device(plan.config.training.device))
        record = _begin(folder, plan, learner, earlier, (minutes, iterations))
        budget = Budget(minutes, iterations, record.seconds)
        judgement = _learn(folder, plan, learner, record, budget, progress)
        write_card(Run(folder), plan, judgement)
    return Run(folder)


@dataclass
class Record:
    """What a run remembers beside its learner."""

    minutes: float | None
    iterations: int | None
    seconds: float = 0.0
    reserve: float = 0.0  # seconds that the last validation will take
    judging: float = 0.0  # seconds that all validations took
    judged: int = 0  # validations done
    best: float = -1.0
    log_bytes: int = 0
    finished: bool = False


def _learn(
    folder: Path, plan: Plan, learner: Learner, record: Record, budget: Budget, progress: Progress | None
) -> Judgement:
    """Steps, validations and checkpoints until the budget is spent; the judgement of the best weights."""
    settings = plan.config.training
    places = spread(len(plan.held), JUDGED_IMAGES)
    losses: list[dict[str, float]] = []
    words, saved, best = "", budget.seconds(), None
    source = batches(plan.learnt, settings, learner.step)
    with closing(source), (folder / "log.jsonl").open("r+", encoding="utf-8") as log:
        log.truncate(record.log_bytes)
        log.seek(record.log_bytes)
        while True:
            share = budget.share(learner.step, record.reserve)
            due = share * settings.validations >= record.judged + 1
            dear = budget.minutes is not None and record.judging > JUDGING_SHARE * budget.seconds()
            if share >= 1 or (due and not dear):
                before = budget.seconds()
                judgement = judge(
                    learner.average, plan.held, places, plan.task, learner.device, settings.precision
                )
                record.judging += budget.seconds() - before
                record.reserve = max(record.reserve, 1.2 * (budget.seconds() - before))
                record.judged = int(share * settings.validations)
                words = ", ".join(
                    f"{name} {value:.3f}" for name, value in list(judgement.figures.items())[:1]
                )
                _write_line(log, learner, budget, judged=judgement.decisive, **judgement.figures)
                if judgement.decisive >= record.best:
                    record.best, best = judgement.decisive, judgement
                    write_weights(folder / "model.safetensors", learner.average.state_dict())
            if share >= 1:
                break
            losses.append(learner.learn(next(source), rate(share, settings)))
            if learner.step % LOG_EVERY == 0:
                mean = {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}
                losses.clear()
                _write_line(log, learner, budget, loss=sum(mean.values()), **mean)
                if progress:
                    progress(*budget.progress(learner.step), f"loss {sum(mean.values()):.3f} {words}")
                if budget.seconds() - saved >= settings.checkpoint_seconds:
                    _write_record(folder, learner, record, budget, log)
                    saved = budget.seconds()
        record.finished = True
        _write_record(folder, learner, record, budget, log)
    if best is None:  # the best weights are those of an earlier, killed part
        network = Run(folder).network().to(learner.device)
        best = judge(network, plan.held, places, plan.task, learner.device, settings.precision)
    return best


def _write_line(log: IO[str], learner: Learner, budget: Budget, **figures: float) -> None:
    log.write(json.dumps({"step": learner.step, "seconds": round(budget.seconds(), 3), **figures}) + "\n")
    log.flush()


def _write_record(folder: Path, learner: Learner, record: Record, budget: Budget, log: IO[str]) -> None:
    record.seconds, record.log_bytes = budget.seconds(), log.tell()
    write_state(folder / STATE, {**vars(record), "learner": learner.state()})


def _settings(config: Path | str | None, model: str) -> RunConfig:
    return default_config(model) if config is None else read_config(Path(config), model)


def _earlier(folder: Path, *, resume: bool) -> dict[str, Any] | None:
    """The state of a run that the folder holds already."""
    if folder.exists() and not folder.is_dir():
        raise InlayError(f"{folder}: is a file; a run needs a folder")
    if not resume and (folder / "config.toml").exists():
        raise InlayError(
            f"{folder}: holds a run already; choose another folder, or let it go on with resume=True"
        )
    return read_state(folder / STATE) if (folder / STATE).exists() else None


def _begin(
    folder: Path,
    plan: Plan,
    learner: Learner,
    earlier: dict[str, Any] | None,
    length: tuple[float | None, int | None],
) -> Record:
    """The record to go on from: that of an earlier part, else a new one in a folder made ready."""
    text = config_to_toml(plan.config)
    if earlier is None:
        write_classes(folder / "classes.json", plan.classes)
        write_text(folder / "log.jsonl", "")
        write_text(folder / "config.toml", text)
        return Record(*length)
    if (folder / "config.toml").read_text(encoding="utf-8") != text or Run(folder).classes != plan.classes:
        raise InlayError(
            f"{folder}: holds a run with other settings, classes or data; choose another folder, or delete it"
        )
    state = {name: value for name, value in earlier.items() if name != "learner"}
    if (state["minutes"], state["iterations"]) != length:
        raise InlayError(
            f"{folder}: holds a run of minutes={state['minutes']}, iterations={state['iterations']}; "
            "go on with the same length, or choose another folder"
        )
    learner.restore(earlier["learner"], folder / STATE)
    return Record(**state)
