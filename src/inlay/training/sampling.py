"""Sampling: which examples come in which step, all alike or those of rare classes more often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def repeats(shown: NDArray[np.bool_], rare: float) -> Floats:
    """(N,) how often each example comes for once of one without rare classes (Gupta et al. 2019, LVIS).

    A class that a share f of the examples shows counts sqrt(rare / f), at least 1; an example counts what its
    rarest class does.

    Parameters
    ----------
    shown
        (N, K) whether an example shows a class.
    rare
        Share of the examples below which a class is rare.
    """
    share = shown.mean(0) if len(shown) else np.zeros(shown.shape[1])
    of_class = np.sqrt(rare / np.where(share > 0, share, 1.0)).clip(min=1.0)
    often: Floats = np.where(shown, of_class, 1.0).max(1, initial=1.0)
    return often


def order_of_pass(often: Floats, seed: int, number: int) -> NDArray[np.int64]:
    """Examples in the order of one pass, each as often as its share says: the parts of times by lot.

    Passes are all of one length. Where all come alike it is a permutation.
    """
    rng = np.random.default_rng((seed, number))
    if (often == 1).all():
        return rng.permutation(len(often))
    ends = np.cumsum(often)
    length = int(np.ceil(ends[-1] - 1e-9))
    marks = (np.arange(length) + rng.random()) * (ends[-1] / length)
    return rng.permutation(np.searchsorted(ends, marks, side="right").clip(max=len(often) - 1))


def places_in_batch(number: int, batch: int, often: Floats, seed: int) -> list[tuple[int, int]]:
    """(example, position in the run) of a batch: each pass over the examples has its own order.

    Depends on nothing but its arguments, so that a resumed run goes on as if it had never stopped.

    Parameters
    ----------
    often
        (N,) how often each example comes in a pass.
    """
    length = int(np.ceil(often.sum() - 1e-9))
    orders: dict[int, NDArray[np.int64]] = {}
    places = []
    for position in range(number * batch, (number + 1) * batch):
        turn = position // length
        if turn not in orders:
            orders[turn] = order_of_pass(often, seed, turn)
        places.append((int(orders[turn][position % length]), position))
    return places
