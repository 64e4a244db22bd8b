"""Quotients and means that leave out what has no value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = TypeVar("Counts")
PART = 1024  # samples whose tables are held at once


def divide(above: Floats, below: Floats) -> Floats:
    """The quotient; nan where there is nothing to divide by."""
    return np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)


def mean_of_known(values: Floats) -> Floats:
    """Mean of the last axis over what has a value; nan where nothing has."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def parts_of(counts: Iterable[Counts]) -> Iterator[Sequence[Counts]]:
    """The counts of all samples, so many at a time that their tables are small; at least one part."""
    source = iter(counts)
    part = list(islice(source, PART))
    yield part
    while len(part) == PART and (part := list(islice(source, PART))):
        yield part


def summed(weights: NDArray[np.int32], tables: Floats) -> Floats:
    """(B, ...) sum of (N, ...) tables when sample `i` counts `weights[b, i]` times."""
    total: Floats = np.tensordot(weights.astype(np.float64), tables, axes=1)
    return total


def summed_in_parts(
    weights: NDArray[np.int32], counts: Sequence[Counts], tables: Callable[[Sequence[Counts]], Floats]
) -> Floats:
    """As `summed`, of tables that are made of the counts part by part."""
    first, *others = (
        summed(weights[:, number * PART : number * PART + len(part)], tables(part))
        for number, part in enumerate(parts_of(counts))
    )
    return sum(others, start=first)


def by_sample(
    counts: Sequence[Counts], figures: Callable[[Sequence[Counts]], dict[str, Floats]]
) -> dict[str, Floats]:
    """(N,) figures of each sample by itself."""
    found = [figures(part) for part in parts_of(counts)]
    return {name: np.concatenate([each[name] for each in found]) for name in found[0]}
