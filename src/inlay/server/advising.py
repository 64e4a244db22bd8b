"""Advising: what to label and what it costs, by `inlay.advise`, with the project's own classes and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from inlay.server import advice_forms, labels
from inlay.server.access import Access
from inlay.server.refusals import Refused
from inlay.server.store import classes, projects
from inlay.server.tables import images

if TYPE_CHECKING:
    from inlay.advise.cost import Cost, Mode, Timing
    from inlay.advise.scenes import Load
    from inlay.core.classes import Classes
    from inlay.core.dataset import Dataset
    from inlay.core.segmentation import Segmentation

LOOKED_AT = 200  # labelled images whose work is measured
DRAWN = ("submitted", "accepted")


def questions(who: Access) -> advice_forms.AdviceForm:
    """The nine questions, and what the project says of images, wage and time."""
    from inlay.advise import QUESTIONS, TOOLS
    from inlay.advise.cost import ENOUGH_TIMED

    with who.studio.database.reading() as db:
        count = sum(projects.count_states(db, who.project_id).values())
        rate = projects.settings_of(projects.row_of(db, who.project_id))["rate"]
    return advice_forms.AdviceForm(
        questions=[advice_forms.Question(name=name, words=words) for name, words in QUESTIONS.items()],
        tools=list(TOOLS),
        images=count,
        wage=rate,
        labelled=len(_finished(who, LOOKED_AT)),
        timed=len([row for row in _finished(who) if row.seconds > 0]),
        enough=ENOUGH_TIMED,
    )


def advise(who: Access, body: advice_forms.AdviceQuestion) -> advice_forms.Advice:
    """The advice for some answers, with its label guide, and what each label type costs."""
    from inlay.advise import Answers, choose, guide

    answers = Answers.of(body.answers)
    found = choose(answers)
    with who.studio.database.reading() as db:
        these, _ = classes.core(db, who.project_id)
    work = _work(who, body, these)
    return advice_forms.Advice(
        label_type=found.label_type,
        reasons=list(found.reasons),
        cannot=found.cannot,
        alternatives=[
            advice_forms.Alternative(label_type=each.label_type, when=each.when, cannot=each.cannot)
            for each in found.alternatives
        ],
        also=list(found.also),
        packs=list(found.packs),
        metrics=list(found.metrics),
        models=list(found.models),
        hardware=found.hardware,
        unknown=list(found.unknown),
        guide=guide(found, these, answers),
        costs=[] if work is None else _costs(work, body),
        advised=list(_modes(found.label_type)),
        looked_at=0 if work is None else work.labelled,
    )


def timings(who: Access) -> str:
    """The measured times of all finished images, as the CSV that `inlay advise cost --timings` reads.

    Raises
    ------
    Refused
        When no finished image was timed.
    """
    from inlay.advise.timings import write_timings

    rows = [row for row in _finished(who) if row.seconds > 0]
    if not rows:
        raise Refused(404, "no finished image of this project has a measured time yet")
    with who.studio.database.reading() as db:
        these, _ = classes.core(db, who.project_id)
    return write_timings(_timed(rows, _drawn(who, rows[:LOOKED_AT]), these), [row.name for row in rows])


def buy(body: advice_forms.BuyQuestion) -> advice_forms.Buys:
    """What the same hours add in each way; what adds nothing comes last."""
    from inlay.advise.buys import best_buy, buys
    from inlay.advise.scores import read_scores

    found = buys(read_scores(body.table, "table"), body.have, body.images, body.hours)
    best = best_buy(found)
    return advice_forms.Buys(
        ways=[
            advice_forms.Buy(name=each.name, hours=each.hours, gain=each.gain, per_hour=each.per_hour)
            for each in found
        ],
        best=best.name if best else None,
    )


def _modes(label_type: str) -> tuple[str, ...]:
    """The label types with a price that one is made of."""
    mixed = {"boxes + semantic": ("boxes", "semantic"), "boxes + some masks": ("boxes", "instance")}
    return mixed.get(label_type, (label_type,))


@dataclass(frozen=True)
class _Work:
    """The work in a sample of the images, and what was timed of it."""

    load: Load
    labelled: int  # images it was measured on; 0: somebody stated it
    timings: tuple[Timing, ...] = ()


def _work(who: Access, body: advice_forms.AdviceQuestion, these: Classes) -> _Work | None:
    """The work in the project's finished images, else in those whose objects somebody counted."""
    from inlay.advise.scenes import measure_load, state_load

    rows = _finished(who, LOOKED_AT)
    if rows and not body.objects:
        dataset = _drawn(who, rows)
        return _Work(measure_load(dataset), len(rows), tuple(_timed(rows, dataset, these)))
    if not body.objects:
        return None
    return _Work(state_load(np.array(body.objects, np.float64), size=body.size), 0)


@dataclass(frozen=True)
class _Finished:
    name: str
    seconds: float


def _finished(who: Access, most: int | None = None) -> list[_Finished]:
    """Images whose labels are submitted or accepted, the timed ones first."""
    done = (
        images.c.project_id == who.project_id,
        images.c.role != "copy",
        images.c.state.in_(DRAWN),
        images.c.segments > images.c.proposed,
    )
    order = ((images.c.seconds > 0).desc(), images.c.sort_key)
    query = select(images.c.name, images.c.seconds).where(*done).order_by(*order).limit(most)
    with who.studio.database.reading() as db:
        return [_Finished(row.name, float(row.seconds)) for row in db.execute(query)]


def _drawn(who: Access, rows: Sequence[_Finished]) -> Dataset:
    """The labels of finished images."""
    dataset = labels.dataset(who.studio, who.project_id, states=DRAWN, labelled=True)
    return dataset.only([row.name for row in rows])


def _timed(rows: Sequence[_Finished], dataset: Dataset, these: Classes) -> list[Timing]:
    """The measured times of images, of the label type that `dataset`, those looked at, shows."""
    from inlay.advise.cost import Timing

    mode = mode_of([sample.label() for sample in dataset], these)
    return [Timing(place, mode, row.seconds) for place, row in enumerate(rows) if row.seconds > 0]


def mode_of(label_of: Sequence[Segmentation], these: Classes) -> Mode:
    """Which label type a project draws: its times are times of this one and no other."""
    if any(label.amodal is not None for label in label_of):
        return "amodal"
    kinds = {these[int(row)].kind for label in label_of for row in np.unique(label.class_id)} - {"void"}
    if kinds == {"stuff"}:
        return "semantic"
    return "instance" if kinds <= {"thing"} else "panoptic"


def _costs(work: _Work, body: advice_forms.AdviceQuestion) -> list[advice_forms.Cost]:
    from inlay.advise.cost import MODES, estimate

    return [
        _cost(
            estimate(
                work.load,
                mode,
                body.images,
                wage=body.wage,
                tool=body.tool,
                labellers=body.labellers,
                fixed=body.fixed,
                timings=work.timings,
            )
        )
        for mode in MODES
    ]


def _cost(cost: Cost) -> advice_forms.Cost:
    return advice_forms.Cost(
        mode=cost.mode,
        hours=cost.hours,
        money=cost.money,
        drivers=[advice_forms.Driver(name=name, low=low, high=high) for name, low, high in cost.drivers[:6]],
        timed=cost.timed,
        source=cost.source,
    )
