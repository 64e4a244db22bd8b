"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from torch import nn

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.training.batches import batches
from inlay.training.card import write_card
from inlay.training.checkpoint import read_state, write_classes, write_state, write_text, write_weights
from inlay.training.config import Config, config_of, config_to_toml
from inlay.training.distributed import joined
from inlay.training.foresight import foresee
from inlay.training.hardware import keep_memory, pick_device, quiet_threads
from inlay.training.journal import Journal
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
Say = Callable[[str], None]


def train(
    dataset: Dataset,
    model: str = "unet",
    out: Path | str = Path("run"),
    *,
    minutes: float | None = None,
    iterations: int | None = None,
    config: Config = None,
    validation: Dataset | None = None,
    unlabelled: Dataset | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
    resume: bool = True,
) -> Run:
    """Train a model and write a run folder: weights, classes, settings, log, model card.

    A run that was killed goes on where its last checkpoint was. The split "test" is never read. Under
    `torchrun` several processes learn together, each from its own batches.

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
        Settings, a mapping such as `{"training": {"batch": 4}, "unet": {"encoder": "csp"}}`, or a TOML file
        of the same; default: the family's own.
    validation
        Chooses the best weights; default: the split "val", or a tenth set aside by lot of groups.
    unlabelled
        More images to learn from, whose labels, if they have any, are never read: the running average of the
        network labels them. Half of a batch comes from them, or `training.teacher.share` of it.
    progress
        Called with steps (or seconds) done, those in all, and words.
    say
        Called, before the first step, with what the user should know: how long, how much memory, what is odd.
    resume
        False refuses a folder that holds a run.

    Raises
    ------
    InlayError
        When there is nothing to learn from, settings do not fit, a loss is no number, or memory is too small.
    """
    folder = Path(out)
    settings = config_of(config, model)
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
    with joined(settings.training.device) as group, quiet_threads():
        told = progress if group.leads else None
        plan = make_plan(dataset, settings, validation, told, unlabelled)
        device = pick_device(group.device(plan.config.training.device))
        learner = Learner(plan.config, plan.classes, device, group)
        foreseen = foresee(plan, learner)
        if say and group.leads:
            for words in (*plan.notes, foreseen.words(minutes, iterations)):
                say(words)
        foreseen.refuse_too_much()
        record = _begin(folder, plan, learner, earlier, (minutes, iterations))
        budget = Budget(minutes, iterations, record.seconds)
        judgement = _learn(folder, plan, learner, record, budget, told)
        if group.leads:
            write_card(Run(folder), plan, judgement)
        group.wait()
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
    stale: int = 0  # validations since the best one
    best: float = -1.0
    log_bytes: int = 0
    finished: bool = False


def _learn(
    folder: Path, plan: Plan, learner: Learner, record: Record, budget: Budget, progress: Progress | None
) -> Judgement:
    """Steps, validations and checkpoints until the budget is spent; the judgement of the best weights."""
    settings, group = plan.config.training, learner.group
    losses: list[dict[str, float]] = []
    words, saved, best = "", budget.seconds(), None
    numbers = count(learner.step * settings.accumulate * group.count + group.rank, group.count)
    source = batches(plan.learnt, settings, numbers, plan.unlabelled, plan.often)
    with closing(source), Journal(folder, record.log_bytes if group.leads else None) as journal:
        while True:
            share = group.agree(budget.share(learner.step, record.reserve))
            due = share * settings.validations >= record.judged + 1
            dear = budget.minutes is not None and record.judging > JUDGING_SHARE * budget.seconds()
            if share >= 1 or group.agree(due and not dear):
                before = budget.seconds()
                judgement = _judge(plan, learner.average, learner)
                record.judging += budget.seconds() - before
                record.reserve = max(record.reserve, 1.2 * (budget.seconds() - before))
                record.judged = int(share * settings.validations)
                words = "{} {:.3f}".format(*next(iter(judgement.figures.items())))
                journal.write(learner.step, budget.seconds(), judged=judgement.decisive, **judgement.figures)
                record.stale = 0 if judgement.decisive > record.best else record.stale + 1
                if judgement.decisive >= record.best:
                    record.best, best = judgement.decisive, judgement
                    if group.leads:
                        write_weights(folder / "model.safetensors", learner.average.state_dict())
            if share >= 1 or 0 < settings.patience <= record.stale:
                break
            some = [next(source) for _ in range(settings.accumulate)]
            teaching = share >= settings.teacher.start
            learner.reach(share)
            losses.append(learner.learn(some, rate(share, settings), teaching=teaching))
            if learner.step % LOG_EVERY == 0:
                mean = {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}
                losses.clear()
                journal.write(learner.step, budget.seconds(), loss=sum(mean.values()), **mean)
                if progress:
                    progress(*budget.progress(learner.step), f"loss {sum(mean.values()):.3f} {words}")
                if group.leads and budget.seconds() - saved >= settings.checkpoint_seconds:
                    _write_record(folder, learner, record, budget, journal)
                    saved = budget.seconds()
        record.finished = True
        if group.leads:
            _write_record(folder, learner, record, budget, journal)
    group.wait()
    if best is None:  # the best weights are those of an earlier, killed part
        best = _judge(plan, Run(folder).network().to(learner.device), learner)
    return best


def _judge(plan: Plan, network: nn.Module, learner: Learner) -> Judgement:
    places = spread(len(plan.held), JUDGED_IMAGES)
    precision = plan.config.training.precision
    return judge(network, plan.held, places, plan.task, learner.device, precision, learner.group)


def _write_record(folder: Path, learner: Learner, record: Record, budget: Budget, journal: Journal) -> None:
    record.seconds, record.log_bytes = budget.seconds(), journal.bytes
    write_state(folder / STATE, {**vars(record), "learner": learner.state()})


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
    if earlier is None:
        if not learner.group.leads:
            return Record(*length)
        write_classes(folder / "classes.json", plan.classes)
        write_text(folder / "log.jsonl", "")
        write_text(folder / "config.toml", config_to_toml(plan.config))
        return Record(*length)
    if Run(folder).config != plan.config or Run(folder).classes != plan.classes:
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
