"""Whether cost intervals hold: simulated labelling of real images, a timed pilot, and the cost of the rest.

    python benchmarks/labelling_cost.py --data ../shared/data

People of the simulation do not work by the formula of `inlay.advise.cost`: full images take them longer than
in proportion, they scatter, are interrupted, learn, and differ from one another.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import generators, report
from inlay import read
from inlay.advise import PRIORS, Load, Prior, Timing, estimate, measure_load, pilot
from inlay.advise.cost import Mode

Floats = NDArray[np.float64]
PILOT = 24
FACTS: Mapping[str, Prior] = {  # who pays knows these; what is tested is the labelling
    **PRIORS,
    **{name: Prior(PRIORS[name].median, 1, "", "") for name in ("review", "rework", "overhead")},
}


@dataclass(frozen=True)
class People:
    """How somebody labels.

    Parameters
    ----------
    crowding
        Power of the objects in an image that its time goes with.
    scatter
        Of the logarithm of an image's time.
    interrupted
        Share of images that take three times as long.
    slow_start
        How much longer the first image takes than the later ones; half of it is gone after five.
    people
        How many share the work, pilot and rest.
    apart
        Of the logarithm of their paces.
    practice
        Images that each labels before times are taken.
    """

    crowding: float = 1.0
    scatter: float = 0.35
    interrupted: float = 0.0
    slow_start: float = 0.0
    people: int = 1
    apart: float = 0.0
    practice: int = 0

    def seconds(self, load: Load, order: NDArray[np.int64], random: np.random.Generator) -> Floats:
        """(J,) of each image, labelled in this order."""
        start, each, along = random.uniform(3, 40), random.uniform(2, 40), random.uniform(0, 200)
        pieces = load.objects if load.objects.any() else load.regions
        effort = start + each * pieces**self.crowding + along * load.region_boundary
        pace = random.lognormal(0, self.apart, self.people)
        turn = np.empty(len(order))
        turn[order] = np.arange(len(order)) // self.people
        who = np.empty(len(order), np.int64)
        who[order] = np.arange(len(order)) % self.people
        learnt = 1 + self.slow_start * 0.5 ** (turn / 5)
        halted = np.where(random.random(len(order)) < self.interrupted, 3.0, 1.0)
        return np.asarray(
            effort * pace[who] * learnt * halted * random.lognormal(0, self.scatter, len(order))
        )


WAYS = {
    "one person, much scatter": People(scatter=0.6),
    "full images take longer than in proportion": People(crowding=1.3),
    "5 % of images interrupted": People(interrupted=0.05),
    "four people of different pace": People(people=4, apart=0.35),
    "all of it": People(crowding=1.2, scatter=0.5, interrupted=0.03, people=3, apart=0.25),
    "all of it and a slow start, timed from the first image": People(1.2, 0.5, 0.03, 0.5, 3, 0.25),
    "the same, timed after ten images each": People(1.2, 0.5, 0.03, 0.5, 3, 0.25, practice=10),
}


def held(load: Load, mode: Mode, people: People, seed: int) -> tuple[int, float]:
    """-1, 0 or 1: the cost after a pilot lay below, within or above P10 to P90; and P90 over P10."""
    random = np.random.default_rng(seed)
    some = load[random.integers(0, len(load), 300)]
    first = np.array(pilot(some.objects + some.regions, within=0.3, least=PILOT)[:60])
    rest = random.permutation(np.setdiff1d(np.arange(len(some)), first))
    practice, rest = np.split(rest, [people.practice * people.people])
    seconds = people.seconds(some, np.concatenate([practice, random.permutation(first), rest]), random)
    timings = [Timing(int(place), mode, float(seconds[place])) for place in first]
    found = estimate(some, mode, len(rest), wage=1, timings=timings, priors=FACTS, seed=seed)
    real = seconds[rest].sum() / 3600 * (1 + FACTS["review"].median + FACTS["rework"].median)
    low, _, high = found.hours
    return int(real > high) - int(real < low), high / low


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=None, help="default: the shared data")
    parser.add_argument("--pilots", type=int, default=200, help="simulated pilots of each kind")
    options = parser.parse_args()
    data = options.data or generators().parent / "data"
    loads: dict[str, tuple[Load, Mode]] = {
        "nuclei": (measure_load(read(data / "dsb2018").split("train")), "instance"),
        "streets": (measure_load(read(data / "camvid").split("val")), "semantic"),
    }
    rows = []
    for images, (load, mode) in loads.items():
        for name, people in WAYS.items():
            found = [held(load, mode, people, seed) for seed in range(options.pilots)]
            sides = np.array([side for side, _ in found])
            wide = float(np.median([ratio for _, ratio in found]))
            shares = [f"{np.mean(sides == side):.0%}" for side in (0, -1, 1)]
            rows.append([images, name, *shares, f"{wide:.2f}"])
            print(*rows[-1], flush=True)
    header = ["images", "people", "held by P10 to P90", "cheaper", "dearer", "P90 / P10"]
    report("labelling_cost", "Cost of labelling", WORDS, header, rows, ())


WORDS = (
    "Simulated labelling of 300 images with the objects and outlines of real ones: those that "
    "`inlay advise pilot` names are timed, and P10 to P90 of the cost of all others is compared with "
    "what the same people then take. They work by no formula of ours (the script says how). 80 % should be "
    "held; times of beginners foretell too much, so let everybody practise first."
)

if __name__ == "__main__":
    main()
