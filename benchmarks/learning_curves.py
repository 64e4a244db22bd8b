"""How far off a learning curve is: the score of all images foretold from half of them; and what hours buy.

python benchmarks/learning_curves.py            # minutes; goes on where it was after a kill
python benchmarks/learning_curves.py camvid
"""

from __future__ import annotations

import argparse
import json
import re

import numpy as np
from numpy.typing import NDArray

from bench import PAGES, WORK, report
from inlay.advise import PRIORS, LabelType, LearningCurve, Option, back_test, buys, estimate, measure_load
from inlay.formats import read
from small_trainings import Study, Weaken, draw_curves, generators, judged, one_thread, studies, trained

SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
SEEDS = (0, 1, 2)
COARSE = 4  # cells along a side of the blocks of coarse outlines
POINTS = 30
CLICK = 2.0  # seconds of a point and its class: an estimate, of the order of What's the Point (ECCV 2016)
FEW = (1 / 32, 1 / 16, 1 / 8, 1 / 4)  # of the pool: where label types are compared
ASKED = (  # labels at hand, share of the pool that has them, and the hours to come over those they took
    ("coarse outlines", 1 / 16, 1.0),
    ("coarse outlines", 1 / 8, 0.5),
    ("points", 1 / 4, 8.0),
)
Ids = NDArray[np.int64]


def coarse(ids: Ids, place: int) -> Ids:  # noqa: ARG001
    """Classes of blocks: outlines drawn with a quarter of the corners."""
    rows, columns = (
        np.minimum(np.arange(side) // COARSE * COARSE + COARSE // 2, side - 1) for side in ids.shape
    )
    return ids[np.ix_(rows, columns)]


def points(ids: Ids, place: int) -> Ids:
    """The class of a few cells by lot, the others unknown."""
    left = np.full(ids.size, -1)
    chosen = np.random.default_rng(place).choice(ids.size, POINTS, replace=False)
    left[chosen] = ids.ravel()[chosen]
    return left.reshape(ids.shape)


def as_drawn(ids: Ids, place: int) -> Ids:  # noqa: ARG001
    """The labels themselves."""
    return ids


WAYS: dict[str, Weaken] = {"outlines": as_drawn, "coarse outlines": coarse, "points": points}


def measured(study: Study, share: float, seed: int, kind: str = "outlines") -> tuple[int, float]:
    """Images and score of one training; kept."""
    count = round(share * len(study.pool))
    return count, _kept(study, f"{kind}_{count}", seed, count, WAYS[kind])


def mixed(study: Study, seed: int, parts: list[tuple[str, int]]) -> float:
    """Score of a training on so many images of one label type and then so many of another; kept."""

    def weaken(ids: Ids, place: int) -> Ids:
        kind = next(name for name, end in zip(names, ends) if place < end)
        return WAYS[kind](ids, place)

    names = [name for name, _ in parts]
    ends = np.cumsum([count for _, count in parts]).tolist()
    name = "_".join(f"{name}_{count}" for name, count in parts)
    return _kept(study, name, seed, ends[-1], weaken)


def _kept(study: Study, name: str, seed: int, count: int, weaken: Weaken) -> float:
    path = WORK / "learning_curves" / f"{study.name}_{name}_{seed}.json"
    if not path.exists():
        found = judged(study, trained(study, study.lot(seed)[:count], seed, weaken), study.judges)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))
        print(f"{study.name}, {name}, seed {seed}: mIoU {found:.3f}", flush=True)
    return float(json.loads(path.read_text()))


def foretold(study: Study) -> tuple[list[list[str]], dict[str, list[tuple[float, float]]]]:
    """Rows of the table, and lines of the picture."""
    every = [[measured(study, share, seed) for share in SHARES] for seed in SEEDS]
    runs = [
        *((f"seed {seed}", found) for seed, found in zip(SEEDS, every)),
        ("all three", [point for one in every for point in one]),
    ]
    rows = []
    for name, found in runs:
        sizes, scores = np.array(found).T
        said, low, high, real = back_test(sizes, scores)
        held = "yes" if low <= real <= high else "no"
        figures = [f"{said:.3f}", f"{low:.3f} .. {high:.3f}", f"{real:.3f}", f"{said - real:+.3f}", held]
        rows.append([f"{study.name}, {name}", f"{sizes.max() / 2:.0f} to {sizes.max():.0f}", *figures])
    sizes, scores = np.array(runs[-1][1]).T
    half = sizes <= sizes.max() / 2
    line = np.geomspace(sizes.min(), sizes.max(), 40)
    curve = LearningCurve(sizes[half], scores[half])
    low, high = curve.interval(line)
    lines = {
        "measured": [(size, float(scores[sizes == size].mean())) for size in np.unique(sizes)],
        "foretold from half": list(zip(line.tolist(), curve.predict(line).tolist())),
        "low": list(zip(line.tolist(), low.tolist())),
        "high": list(zip(line.tolist(), high.tolist())),
    }
    return rows, lines


def seconds() -> dict[str, float]:
    """Active seconds of a street by each label type, from the priors of the cost formula."""
    data = read(generators().parent / "data" / "camvid").split("train")
    load = measure_load(data[:: len(data) // 20])
    blunt = {**PRIORS, "boundary": PRIORS["boundary"].__class__(
        PRIORS["boundary"].median / COARSE, 2, PRIORS["boundary"].unit, "a quarter of the corners"
    )}  # fmt: skip
    whole, quick = (
        estimate(load, "semantic", 100, wage=1, priors=priors).hours[1] * 36 for priors in (PRIORS, blunt)
    )
    return {"outlines": whole, "coarse outlines": quick, "points": PRIORS["open"].median + POINTS * CLICK}


def bought(study: Study) -> tuple[list[list[str]], list[list[str]]]:
    """Score of each label type by images; and what hours buy: foretold from curves, and as trained."""
    times = seconds()
    found = {kind: [measured(study, share, seed, kind) for share in FEW for seed in SEEDS] for kind in times}
    mean = {
        kind: {n: np.mean([score for size, score in rows if size == n]) for n, _ in rows}
        for kind, rows in found.items()
    }
    scores = [
        [kind, f"{times[kind]:.0f}", *(f"{value:.3f}" for value in mean[kind].values())] for kind in times
    ]
    types = [LabelType(kind, times[kind], LearningCurve(*np.array(found[kind]).T)) for kind in times]
    checked = []
    for have, share, more in ASKED:
        images = round(share * len(study.pool))
        hours = more * images * times[have] / 3600
        options = buys(types, have, images, hours)
        checked += [_checked(study, have, images, option) for option in options]
    return scores, checked


def _checked(study: Study, have: str, images: int, option: Option) -> list[str]:
    """What an option is said to add, and what the trainings with these labels add (mean of the seeds)."""
    number, way, kind = re.fullmatch(r"(\d+) (new images|images once more), (.+)", option.name).groups()
    again = min(int(number), images) if way == "images once more" else 0
    parts = [(kind, again), (have, images - again), (kind, 0 if again else int(number))]
    low, middle, high = option.gain
    row = [
        f"{images}, {have}",
        option.name,
        f"{option.hours:.1f}",
        f"{middle:+.3f}",
        f"{low:+.3f} .. {high:+.3f}",
    ]
    if sum(count for _, count in parts) > len(study.pool):
        return [*row, "more than there are", "", ""]
    kept = [(name, count) for name, count in parts if count]
    gain = float(np.mean([mixed(study, seed, kept) - mixed(study, seed, [(have, images)]) for seed in SEEDS]))
    return [*row, f"{gain:+.3f}", f"{middle - gain:+.3f}", "yes" if low <= gain <= high else "no"]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["camvid", "nuclei"])
    options = parser.parse_args()
    one_thread()
    rows, pictures, more = [], [], ""
    for name in options.what:
        study = studies()[name]()
        some, lines = foretold(study)
        rows += some
        picture = draw_curves(f"learning_curve_{name}", lines, "labelled images", "mIoU")
        pictures.append(f"![Measured and foretold scores on {name}](../pictures/{picture})")
        if name == "camvid":
            scores, found = bought(study)
            sizes = [f"{round(share * len(study.pool))} images" for share in FEW]
            head = [
                "at hand",
                "next",
                "hours",
                "foretold gain",
                "P10 .. P90",
                "measured gain",
                "error",
                "held",
            ]
            more = "\n\n".join(
                [_TYPES, _table(["labels", "s an image", *sizes], scores), _BUYS, _table(head, found)]
            )
    header = ["images", "from, to", "foretold", "90 % interval", "measured", "error", "held"]
    report("learning_curves", "Learning curves", _WORDS, header, rows, ())
    page = PAGES / "learning_curves.md"
    page.write_text("\n\n".join([page.read_text().rstrip(), *pictures, more]).rstrip() + "\n")


_WORDS = (
    "The score that all images of the pool give, foretold from trainings on half of them and less, and then "
    "measured. A classifier of cells on fixed features of colour and edge is trained from scratch on 1/32, "
    "1/16, 1/8, 1/4, 1/2 and all of the pool (259 CamVid, 105 nuclei images), and judged on other images "
    "that teach (nothing reads a split called test)."
)
_TYPES = (
    "## What the next hours buy\n\nmIoU on CamVid by label type, mean of 3 seeds. Outlines are the labels; "
    "coarse outlines have the class of blocks of 4 x 4 cells; points are 30 cells by lot. Seconds are priors "
    "of the cost formula (coarse: a quarter of the time along the boundary; points: 2 s each), not measured."
)
_BUYS = (
    "What `inlay.advise.buys` expects the next hours to add, best an hour first, and what trainings with "
    "those labels then add (mean of 3 seeds, labels of both types together): error is foretold less "
    "measured, and held says whether the measured gain lies within P10 to P90."
)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
