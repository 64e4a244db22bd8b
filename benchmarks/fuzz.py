"""Break label files at random and read them: python benchmarks/fuzz.py 20000 [--formats coco voc] [--real DIR].

Each format is read in a process of its own with 2 GB of memory; a reading that takes over 10 s of processor
time, a crash, a traceback and an error without its file are reported with the number that repeats them
(`--at NUMBER --formats NAME`). Files are those of the golden corpus, and real exports where a folder is given.
"""  # noqa: E501 - the usage line

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.formats import mutations

from inlay import plugins

SECONDS, BYTES, STUCK = 10, 2 << 30, 120
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None


def gathered(name: str, place: Path, real: Path | None) -> list[Any]:
    """Files to break: of the corpus, and copies of the real exports."""
    files = mutations.targets(name, place)
    for number, each in enumerate(mutations.real_of(name, real) if real else ()):
        folder = Path(shutil.copytree(each, place / "real" / f"{number}" / each.name))
        files += [(folder, file, None) for file in mutations.files_of(folder)]
    return files


def work(name: str, start: int, count: int, real: Path | None, pipe: Any) -> None:
    """Executions `start` to `start + count` of a format; tells where it is, and each fault."""
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    signal.signal(signal.SIGPROF, too_long)
    with tempfile.TemporaryDirectory(dir=FOLDER) as place:
        files = gathered(name, Path(place), real)
        for number in range(start, start + count):
            pipe.send(("at", number))
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                found = mutations.broken_once(name, files, np.random.default_rng([number, 7]))
            except Exception as error:  # what the search is for
                frames = [f for f in traceback.extract_tb(error.__traceback__) if "inlay" in f.filename]
                last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
                place_ = f"{Path(last.filename).name}:{last.lineno}"
                found = f"{type(error).__name__} at {place_}: {str(error)[:200]}"
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            if found:
                pipe.send(("fault", number, found))
    pipe.send(("done", start + count))


def too_long(*_: object) -> None:
    """Where a reading has used its seconds."""
    raise TimeoutError(f"over {SECONDS} s")


def fuzz(name: str, count: int, real: Path | None, first: int = 0) -> dict[str, Any]:
    """The faults of one format, with the first number that shows each."""
    at, end, crashes = first, first + count, 0
    faults: dict[str, int] = {}
    many: Counter[str] = Counter()
    while at < end:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        given = (name, at, end - at, real, theirs)
        process = multiprocessing.get_context("spawn").Process(target=work, args=given)
        process.start()
        theirs.close()
        before, (at, ended) = at, _listen(ours, at, faults, many)
        if not ended and before == at == first:
            raise SystemExit(f"{name}: no file of it could be written: see above")
        if not ended:
            crashes += 1
            process.kill()
            faults.setdefault(f"the process died or stood still at {at}", at)
            at += 1
        process.join()
    return {"format": name, "executions": count, "crashes": crashes, "faults": faults, "times": dict(many)}


def _listen(pipe: Any, at: int, faults: dict[str, int], many: Counter[str]) -> tuple[int, bool]:
    while True:
        try:
            if not pipe.poll(STUCK):
                return at, False
            message = pipe.recv()
        except EOFError:
            return at, False
        if message[0] == "at":
            at = message[1]
        elif message[0] == "fault":
            kind = re.sub(r"\d+|'.*'", "", message[2])[:80]
            many[kind] += 1
            if many[kind] == 1:
                faults[message[2]] = message[1]
        else:
            return message[1], True


def main() -> None:
    """Fuzz the formats one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--formats", nargs="*", default=plugins.names("formats"))
    parser.add_argument("--real", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--at", type=int)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    for name in given.formats:
        if given.at is not None:
            with tempfile.TemporaryDirectory(dir=FOLDER) as place:
                files = gathered(name, Path(place), given.real)
                print(mutations.broken_once(name, files, np.random.default_rng([given.at, 7])) or "no fault")
            continue
        began = time.perf_counter()
        result = fuzz(name, given.count, given.real, given.first)
        result["seconds"] = round(time.perf_counter() - began, 1)
        print(json.dumps(result), flush=True)
        if given.out:
            with given.out.open("a") as file:
                file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
