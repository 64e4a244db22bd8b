"""What every benchmark needs: workloads, timing in processes of their own, and tables written to the docs."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "benchmarks"
WORK = Path(os.environ.get("INLAY_BENCH", ROOT / "build" / "bench"))  # workloads that have been made
ABSENT = "-"


def generators() -> Path:
    """Folder of the workload generators; put on the import path."""
    folder = Path(os.environ.get("INLAY_SHARED", ROOT.parent / "shared")) / "bench"
    if not (folder / "shapes.py").is_file():
        raise SystemExit(
            f"no workload generators in {folder}: set INLAY_SHARED to the folder that holds bench/gen_coco.py"
        )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return folder


def workload(name: str, *arguments: str) -> Path:
    """Folder that generator `gen_NAME.py` filled, made when it is not there."""
    folder = WORK / "-".join([name, *(each.strip("-") for each in arguments)])
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"making workload {folder.name} ...", file=sys.stderr)
        command = [sys.executable, str(generators() / f"gen_{name}.py"), *arguments, "--out", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (folder / "done").touch()
    return folder


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def version(*packages: str) -> str:
    """The versions of packages, those absent left out."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


def seconds(function: Callable[[], Any], runs: int) -> list[float]:
    """Seconds of each run."""
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        function()
        found.append(time.perf_counter() - started)
    return found


def alone(script: str, *arguments: str, cores: int) -> dict[str, Any] | None:
    """What a script with `--alone ARGUMENTS` says, in a process of its own; None if it failed."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    environment = {**os.environ, "OMP_NUM_THREADS": str(cores), "RAYON_NUM_THREADS": str(cores)}
    done = subprocess.run(
        [sys.executable, script, "--alone", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        preexec_fn=(lambda: os.sched_setaffinity(0, allowed[:cores])) if allowed else None,
        check=False,
    )
    if done.returncode:
        print(f"{' '.join(arguments)} failed:\n{done.stderr[-800:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def say(**values: Any) -> None:
    """Answer of a process that `alone` started, with the most memory it ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({**values, "peak_mb": peak}))


def median(values: Sequence[float] | None, digits: int = 3) -> str:
    """Median, with the range where it is wide."""
    if not values:
        return ABSENT
    middle, low, high = statistics.median(values), min(values), max(values)
    spread = f" ({low:.{digits}f} .. {high:.{digits}f})" if high > 1.15 * low else ""
    return f"{middle:.{digits}f}{spread}"


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median is shown")
    parser.add_argument("--alone", nargs="+", help=argparse.SUPPRESS)
    return parser


def report(
    name: str,
    title: str,
    words: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    peers: Sequence[str],
) -> None:
    """Print a table and write it to its page."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    table = "\n".join(lines)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    cores = os.cpu_count()
    machine = (
        f"{cores} cores ({_processor()}), Python {platform.python_version()}, load average {load} at the end "
        f"(above {cores} other work was running too, and only ratios mean something)"
    )
    command = " ".join(["python", f"benchmarks/{name}.py", *sys.argv[1:]])
    page = (
        f"# {title}\n\n{words}\n\n{table}\n\n"
        f"Made by `{command}` on {machine}, {time.strftime('%Y-%m-%d')}; "
        f"{version('inlay', *peers)}.\n"
    )
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / f"{name}.md").write_text(page)
    print(f"{title}\n\n{table}\n")


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
        return next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
