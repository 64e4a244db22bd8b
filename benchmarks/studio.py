"""The studio's canvas in real Chromium: stroke to picture, opening, memory; many segments, 12 megapixels.

    python benchmarks/studio.py                         # 500 and 1000 segments
    python benchmarks/studio.py --segments 1000 --soak 300
    python benchmarks/studio.py --segments 2000 --chromium /usr/bin/chromium --shots FOLDER

Needs Node 20 with `npm ci` in `web/`, `pip install playwright` and a Chromium; the page is
`web/bench/page.ts`. Strokes are real input events; a latency runs from the event to the end of the frame that
shows it, waiting for that frame included.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

import bench
from bench import ABSENT

WEB = Path(__file__).resolve().parents[1] / "web"
SCREEN = ViewportSize(width=1600, height=1000)
SIZE = (4000, 3000)
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PAGE = """<!doctype html><meta charset="utf-8"><title>bench</title>
<style>html,body{margin:0;height:100%;background:#222}#host{position:absolute;inset:0}</style>
<div id="host"></div><script type="module" src="page.js"></script>"""

PAN = """(async () => {
  const times = [];
  for (let i = 0; i < 40; i++) {
    bench.editor.viewport.pan(i % 2 ? 9 : -9, 3);
    const start = performance.now();
    bench.stage.renderer.draw();
    times.push(performance.now() - start);
    await new Promise(requestAnimationFrame);
  }
  return times;
})()"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing: the table is the output."""


@contextmanager
def served() -> Iterator[str]:
    """The address of the page, bundled and served from a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = ["--bundle", "--format=esm", "--target=es2022", "--log-level=error"]
        bundle += ["bench/page.ts", f"--outfile={folder}/page.js"]
        subprocess.run([str(WEB / "node_modules/.bin/esbuild"), *bundle], cwd=WEB, check=True)
        (Path(folder) / "index.html").write_text(PAGE, "utf-8")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def stroke(page: Page, seed: int, steps: int = 60) -> None:
    """One wavy stroke across part of the screen."""
    x, y = 200 + 137 * seed % 900, 200 + 211 * seed % 600
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(steps):
        page.mouse.move(x + 5 * i, y + 60 * math.sin(i / 9))
    page.mouse.up()
    page.wait_for_timeout(50)


def resident(profile: str) -> dict[str, float]:
    """Megabytes that the largest process of each kind holds; that of the page is a renderer."""
    held: dict[str, float] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
            lines = (process / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        if profile not in words:
            continue
        kind = words.partition("--type=")[2].partition(" ")[0] or "browser"
        size = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
        held[kind] = max(held.get(kind, 0), size)
    return held


def spread(values: list[float]) -> str:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return f"{statistics.median(ordered):6.1f} / {ordered[math.ceil(0.95 * (len(ordered) - 1))]:6.1f}"


def measure(page: Page, address: str, segments: int, strokes: int) -> dict[str, Any]:
    """Times of one page with that many segments."""
    ready = "window.openBench !== undefined"
    page.wait_for_function(ready)
    page.evaluate(f"makeBench({SIZE[0]}, {SIZE[1]}, {segments})")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function(ready)
    opened = page.evaluate("openBench()")
    page.wait_for_timeout(500)
    rows: dict[str, Any] = {"open": opened}
    for name, zoom in (("whole image", "fit()"), ("one to one", "zoomTo(1)")):
        page.evaluate(f"bench.editor.viewport.{zoom}")
        page.evaluate("bench.editor.select([])")
        page.wait_for_timeout(300)
        page.evaluate("for (const name of ['frames', 'latencies', 'commits']) bench.times[name].length = 0")
        for seed in range(strokes):
            stroke(page, seed)
        rows[name] = page.evaluate("({...bench.times})")
    rows["pan"] = page.evaluate(PAN)
    rows["heap"] = page.evaluate("performance.memory.usedJSHeapSize / 2 ** 20")
    return rows


def soak(page: Page, profile: str, strokes: int) -> list[float]:
    """Megabytes of the page's process: at first, half-way and after the strokes, each second one undone."""
    held = [resident(profile)["renderer"]]
    for half in range(2):
        for seed in range(half * strokes // 2, (half + 1) * strokes // 2):
            if seed % 5 == 0:
                page.evaluate("bench.editor.select([])")
            stroke(page, seed, steps=12)
            if seed % 2:
                page.evaluate("bench.editor.undo(); null")
        held.append(resident(profile)["renderer"])
    return held


def report(segments: int, rows: dict[str, Any], held: dict[str, float]) -> None:
    """Print one table."""
    print(f"\n{segments} segments, {SIZE[0]}x{SIZE[1]} image, {SCREEN['width']}x{SCREEN['height']} screen")
    document, image, picture = rows["open"]
    print(
        f"  open: document {document:.0f}, image {image:.0f}, picture {picture:.0f} ms, from the answers on"
    )
    for name in ("whole image", "one to one"):
        times = rows[name]
        events = len(times["latencies"])
        print(f"  {name}, ms, median / 95th percentile")
        print(f"    stroke to picture               {spread(times['latencies'])}   ({events} events)")
        print(f"    work for each frame             {spread(times['frames'])}")
        print(f"    end of a stroke to its gesture  {spread(times['commits'])}")
    print(f"    work for each frame of a pan    {spread(rows['pan'])}")
    kinds = ", ".join(f"{kind} {size:.0f}" for kind, size in sorted(held.items()))
    print(f"  memory, MB: JavaScript heap {rows['heap']:.0f}; processes: {kinds}")


def table(segments: int, rows: dict[str, Any], held: dict[str, float]) -> list[list[str]]:
    """The rows of the page: what was asked for, and what was measured."""
    usable = segments > 500
    goal = ("usable: 33", "33") if usable else ("16", "33")
    found = [
        ["open: document, image and picture", "500", f"{sum(rows['open']):.0f}", ABSENT, ABSENT],
        ["memory of the page's process, MB", "400", f"{held.get('renderer', 0):.0f}", ABSENT, ABSENT],
    ]
    for name in ("whole image", "one to one"):
        times = rows[name]
        median, high = spread(times["latencies"]).split("/")
        found.append([f"{name}: stroke to picture", goal[0], median.strip(), goal[1], high.strip()])
        median, high = spread(times["commits"]).split("/")
        found.append([f"{name}: end of a stroke to its gesture", "50", median.strip(), ABSENT, high.strip()])
    return [[f"{segments}", *row] for row in found]


def main() -> None:
    whole = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=whole)
    parser.add_argument("--segments", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--strokes", type=int, default=6)
    parser.add_argument("--soak", type=int, default=0, help="strokes to go on with, for memory")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--shots", type=Path, help="folder for a screenshot of each page")
    options = parser.parse_args()
    found: list[list[str]] = []
    with served() as address, sync_playwright() as playwright:
        for segments in options.segments:
            with tempfile.TemporaryDirectory() as profile:
                context = playwright.chromium.launch_persistent_context(
                    profile, executable_path=options.chromium, args=FLAGS, viewport=SCREEN
                )
                page = context.new_page()
                page.goto(address)
                rows = measure(page, address, segments, options.strokes)
                held = resident(profile)
                report(segments, rows, held)
                found += table(segments, rows, held)
                if options.soak:
                    grown = ", ".join(f"{size:.0f}" for size in soak(page, profile, options.soak))
                    print(f"  memory of the page before, during and after {options.soak} strokes: {grown} MB")
                if options.shots:
                    options.shots.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=options.shots / f"studio-{segments}.png")
                context.close()
    words = (
        f"An image of {SIZE[0]} x {SIZE[1]} pixels on a screen of {SCREEN['width']} x {SCREEN['height']} in "
        "real Chromium, drawn without a GPU. Strokes are real input events; stroke to picture runs from the "
        "event to the end of the frame that shows it, waiting for it included. Milliseconds unless it "
        "says MB. The gesture is then sent; what the server takes to acknowledge it is measured by "
        "`benchmarks/studio_server.py`."
    )
    header = ["segments", "what", "goal, median", "median", "goal, 95 %", "95th percentile"]
    bench.report("studio", "The studio's canvas", words, header, found, ["playwright"])


if __name__ == "__main__":
    main()
