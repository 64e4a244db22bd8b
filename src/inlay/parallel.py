"""Run a function over many items: here, in processes, or on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeVar

from inlay.core.errors import MissingExtraError

Item = TypeVar("Item")
Result = TypeVar("Result")
Place = Literal["serial", "processes", "ray"]


def map_samples(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    on: Place = "serial",
    workers: int | None = None,
) -> Iterator[Result]:
    """Results of `function` over `items`, in order, as they come.

    Parameters
    ----------
    function
        Must pickle when `on` is not "serial": a module-level function or a `functools.partial` of one.
    on
        "serial" (default: best for small work), "processes" (this machine's cores) or "ray" (a cluster).
    workers
        Processes, or Ray tasks at once; default one for each core.
    """
    if on == "serial" or len(items) < 2:
        return map(function, items)
    if on == "processes":
        return _in_processes(function, items, workers or os.cpu_count() or 1)
    return _on_ray(function, items)


def _in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[Result]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # forkserver: a fork of a process that runs torch or polars threads can hang
    context = get_context("forkserver" if os.name == "posix" else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(function, items, chunksize=max(1, min(32, len(items) // (4 * workers))))


def _on_ray(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "ray") from None
    task: Any = ray.remote(function)
    yield from (ray.get(reference) for reference in [task.remote(item) for item in items])
