"""Run a function over many items: here, in threads or processes, or on a Ray cluster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeVar

from inlay.core.errors import MissingExtraError

Item = TypeVar("Item")
Result = TypeVar("Result")
Place = Literal["serial", "threads", "processes", "ray"]


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
        Must pickle for "processes" and "ray": a module-level function or a `functools.partial` of one.
    on
        "serial" (default: best for small work), "threads" (where kernels do the work: they let go of the
        lock), "processes" (this machine's cores) or "ray" (a cluster).
    workers
        Threads or processes, default one for each core; or items on their way to Ray, default two for each
        core of the cluster.
    """
    if on == "serial" or len(items) < 2:
        return map(function, items)
    if on == "threads":
        return _in_threads(function, items, workers or cores())
    if on == "processes":
        return _in_processes(function, items, workers or cores())
    return _on_ray(function, items, workers)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_threads(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """No more than two items for each thread are on their way or wait to be taken."""
    from concurrent.futures import Future, ThreadPoolExecutor

    if workers < 2:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(function, item))
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()


def _in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[Result]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # forkserver: a fork of a process that runs torch or polars threads can hang
    context = get_context("forkserver" if os.name == "posix" else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(function, items, chunksize=max(1, min(32, len(items) // (4 * workers))))


def _on_ray(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None
) -> Iterator[Result]:
    """No more than `workers` items are on their way: a dataset larger than memory streams through."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
        from ray.exceptions import RayTaskError
    except ImportError:
        raise MissingExtraError("ray", "ray") from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    cluster: Any = ray
    most = workers or 2 * max(1, int(cluster.cluster_resources().get("CPU", 1)))
    task: Any = ray.remote(_call)
    sent = ray.put(function)  # once, not with every item
    waiting: deque[Any] = deque()
    try:
        for item in items:
            if len(waiting) >= most:
                yield ray.get(waiting.popleft())
            waiting.append(task.remote(sent, item))
        while waiting:
            yield ray.get(waiting.popleft())
    except RayTaskError as error:  # its text is a traceback of the other machine
        raise error.cause from None
    finally:
        for reference in waiting:
            ray.cancel(reference)


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    return function(item)
