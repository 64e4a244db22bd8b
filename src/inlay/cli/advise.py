"""`inlay advise`: what to label, what it costs, how much more, and what next."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from inlay.cli.console import open_dataset
from inlay.cli.costing import cost, count, pilot
from inlay.cli.tables import as_number, columns

if TYPE_CHECKING:
    from inlay.advise.choose import Answers
    from inlay.advise.learning_curve import LearningCurve
    from inlay.core.classes import Classes

advise = App(name="advise", help="Choose what to label, and know what it costs before paying for it.")
for _command in (count, cost, pilot):
    advise.command(_command)


@advise.command
def task(
    *,
    objects: bool | None = None,
    only_counts: bool | None = None,
    touching: bool | None = None,
    every_pixel: bool | None = None,
    hidden: bool | None = None,
    area: bool | None = None,
    fine_edge: bool | None = None,
    tracks: bool | None = None,
    tight_budget: bool | None = None,
    classes: str = "",
    like: Path | None = None,
    guide: Path | None = None,
    smallest: int = 16,
) -> int:
    """Answer nine questions, get the cheapest label type that answers yours, with its reasons.

    In a terminal, questions that no flag answers are asked.

    Example: `inlay advise task --objects --touching --no-hidden --classes cell --guide guide.md`

    Parameters
    ----------
    objects
        Must single objects be told apart: each one's number, id, pose or cut-out?
    only_counts
        Are counts or positions of the objects enough, their outlines not needed?
    touching
        Do objects of one class touch or overlap, and does it matter which pixel is whose?
    every_pixel
        Must every pixel be accounted for, free space and background included?
    hidden
        Does the hidden part of an object matter, as for grasping or planning?
    area
        Will areas, lengths or volumes be reported?
    fine_edge
        Must the edge be right to the pixel, as for cut-outs of hair or glass?
    tracks
        Must objects keep their identity through a video, or between cameras?
    tight_budget
        Is there less money than full masks of all objects would cost?
    classes
        Names of the classes for the guide, with commas between; `:stuff` after a name that has no objects.
    like
        A dataset whose classes the guide takes instead.
    guide
        Write a guide for labellers here (Markdown).
    smallest
        Objects of fewer visible pixels are not to be labelled, says the guide.
    """
    from inlay.advise.choose import Answers, choose
    from inlay.advise.guide import guide as run_guide
    from inlay.core.staging import staged

    given = Answers(
        objects, only_counts, touching, every_pixel, hidden, area, fine_edge, tracks, tight_budget
    )
    answers = _asked(given) if sys.stdin.isatty() and sys.stdout.isatty() else given
    advice = choose(answers)
    print(advice)
    if guide:
        these = open_dataset(like).classes if like else _classes(classes)
        with staged(guide) as part:
            part.write_text(run_guide(advice, these, answers, smallest=smallest), encoding="utf-8")
        print(f"guide: {guide}")
    return 0


@advise.command
def curve(
    scores: Path | None = None,
    /,
    *,
    train: Path | None = None,
    model: str = "unet",
    minutes: float = 60,
    iterations: int | None = None,
    set: Annotated[list[str] | None, Parameter(negative="")] = None,  # noqa: A002 (the flag's name)
    runs: Path = Path("learning-curve"),
    target: float | None = None,
    more: int | None = None,
    page: Path | None = None,
) -> int:
    """Extrapolate the learning curve: how many more labels for a target, or what more labels add.

    Example: `inlay advise curve scores.csv --target 0.7`, or without scores
    `inlay advise curve --train labels --model unet --minutes 60 --target 0.7`

    Parameters
    ----------
    scores
        A CSV with the columns images and score: trainings on parts of the labels, judged on the same images.
    train
        Without scores: a labelled dataset; a model is trained on an eighth, a quarter, half and all of it.
    model
        What is trained.
    minutes
        Time of the four trainings together.
    iterations
        Steps of each training, instead of minutes.
    set
        Settings one by one, as for `inlay train`: `--set training.batch=4`.
    runs
        Folder for them and their scores.csv.
    target
        Score to reach.
    more
        Images to add.
    page
        Write a page with the curve and its interval here (.html).
    """
    import numpy as np

    from inlay.advise.learning_curve import LearningCurve
    from inlay.core.errors import InlayError

    if (scores is None) == (train is None):
        raise InlayError("give either a CSV of scores or --train with a labelled dataset")
    if train is not None:
        budget = {"minutes": minutes} if iterations is None else {"iterations": iterations}
        scores = _grown(train, model, runs, set or [], **budget)
    assert scores is not None
    rows = columns(scores, ("images", "score"))
    points = [(as_number(a, f"{scores}: images"), as_number(b, f"{scores}: score")) for a, b in rows]
    fitted = LearningCurve(np.array([a for a, _ in points]), np.array([b for _, b in points]))
    most = float(fitted.images.max())
    for number in (most, 2 * most, 4 * most):
        (low,), (high,) = fitted.interval([number])
        print(f"{number:8.0f} images: {fitted.predict([number])[0]:.3f} ({low:.3f} to {high:.3f})")
    if target is not None:
        if not 0 < target <= 1:
            raise InlayError(f"--target is {target}; scores lie in 0 .. 1")
        low_n, middle_n, high_n = fitted.needed(target)
        print(
            f"{target:g} needs {_images(middle_n)} ({_images(low_n)} to {_images(high_n)}); label in rounds"
        )
    if more is not None:
        low_g, middle_g, high_g = fitted.gain(more)
        print(f"{more} more images add {middle_g:+.3f} ({low_g:+.3f} to {high_g:+.3f})")
    if page:
        _draw(fitted, points, page)
        print(f"page: {page}")
    return 0


@advise.command
def buy(scores: Path, /, *, have: str, images: int, hours: float) -> int:
    """Say what the next hours buy most of: new images, better outlines, or another label type.

    Example: `inlay advise buy scores.csv --have coarse --images 60 --hours 20`

    Parameters
    ----------
    scores
        A CSV with the columns type, seconds, images and score: trainings on labels of each type, judged on
        the same images, and the seconds that one image of the type takes.
    have
        Type of the labels at hand.
    images
        How many images have such labels.
    hours
        Hours to spend.
    """
    from inlay.advise.buys import best_buy, buys
    from inlay.advise.scores import read_scores
    from inlay.cli.tables import text_of

    options = buys(read_scores(text_of(scores), str(scores)), have, images, hours)
    best = best_buy(options)
    for option in options:
        print(f"{option.per_hour:+.4f} an hour   {option}")
    print(f"buy: {best.name}" if best else "stop: nothing here is expected to add anything")
    return 0


@advise.command(name="next")
def next_images(
    pool: Path,
    /,
    *,
    count: int = 10,
    predictions: Path | None = None,
    labelled: Path | None = None,
) -> int:
    """Name the images to label next: with them, what is labelled is like the pool and what the model doubts.

    Example: `inlay advise next photos --count 20 --predictions predictions --labelled labels`

    Parameters
    ----------
    pool
        A folder of images, or a dataset.
    count
        How many.
    predictions
        The model's output on them.
    labelled
        What is labelled already, with its images.
    """
    from inlay.advise.next_images import next_images as run_next
    from inlay.cli.console import open_pool

    images = open_pool(pool)
    for name, worth in run_next(
        images,
        count,
        predictions=open_dataset(predictions, like=images) if predictions else None,
        labelled=open_dataset(labelled) if labelled else None,
    ):
        print(f"{worth:.3f}  {name}")
    return 0


def _draw(fitted: LearningCurve, points: list[tuple[float, float]], path: Path) -> None:
    """A page with the curve, its interval and what was measured."""
    import numpy as np

    from inlay.page import curve as chart
    from inlay.page import page as make_page
    from inlay.page import write_page

    sizes = np.geomspace(fitted.images.min(), 4 * fitted.images.max(), 60)
    lows, highs = fitted.interval(sizes)
    series = {
        "expected": list(zip(sizes.tolist(), fitted.predict(sizes).tolist())),
        "low": list(zip(sizes.tolist(), lows.tolist())),
        "high": list(zip(sizes.tolist(), highs.tolist())),
        "measured": sorted(points),
    }
    write_page(path, make_page("Learning curve", chart(series, x="labelled images", y="score")))


def _grown(
    data: Path,
    model: str,
    runs: Path,
    words: list[str],
    *,
    minutes: float | None = None,
    iterations: int | None = None,
) -> Path:
    from inlay.advise.learning_curve import FEWEST_IMAGES
    from inlay.cli.console import progress_bar
    from inlay.core.errors import InlayError
    from inlay.training.config import changes_from, config_from
    from inlay.training.growing import grow

    dataset = open_dataset(data)
    if len(dataset) < FEWEST_IMAGES:
        raise InlayError(
            f"{data}: {len(dataset)} labelled images make no learning curve: label {FEWEST_IMAGES} or more"
        )
    with progress_bar(f"training {model} on growing parts") as progress:
        points = grow(
            dataset,
            model,
            runs,
            minutes=minutes,
            iterations=iterations,
            config=config_from(changes_from(words), model),
            progress=progress,
        )
    for point in points:
        print(f"{point.images:8d} images: {point.score:.3f} measured")
    return runs / "scores.csv"


def _asked(given: Answers) -> Answers:
    from inlay.advise.choose import QUESTIONS

    known = dataclasses.asdict(given)
    words = {"y": True, "yes": True, "n": False, "no": False, "": None, "?": None}
    for name, question in QUESTIONS.items():
        if known["objects"] is False and name in ("only_counts", "hidden", "tracks"):
            known[name] = False
        while known[name] is None:
            answer = input(f"{question} [y/n, Enter if you do not know] ").strip().lower()
            if answer in words:
                known[name] = words[answer]
                break
    return dataclasses.replace(given, **known)


def _classes(text: str) -> Classes:
    from inlay.cli.console import words
    from inlay.core.classes import Classes, SegmentClass
    from inlay.core.errors import InlayError

    rows = []
    for each in words(text):
        name, _, kind = each.partition(":")
        if kind not in ("", "thing", "stuff", "void"):
            raise InlayError(f"class {each!r}: a kind is thing, stuff or void")
        rows.append(SegmentClass(name, kind or "thing"))  # type: ignore[arg-type]
    return Classes(tuple(rows))


def _images(number: float) -> str:
    return "more than anybody can say" if number == float("inf") else f"{number:.0f} images"
