"""The studio's server under load: labellers who each save every other second, and a folder of 100 000 images.

    python benchmarks/studio_server.py --seconds 600
    INLAY_DATABASE=postgresql://user@host/name python benchmarks/studio_server.py --seconds 600

Server and labellers are processes of one machine. Every tenth pair of labellers works on one image, so that
saves collide: who comes second takes in what has happened and sends again. At the end each history is read
back and compared with what was acknowledged.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inlay import Masks
from inlay.client import Client, StudioError, mask

WIDTH, HEIGHT, SEGMENTS = 4000, 3000, 500
COLUMNS, ROWS = 25, 20
RADIUS = 24
EVERY = 2.0
LINKS = 30_000  # that file systems allow to one file
Json = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--labellers", type=int, default=100)
    parser.add_argument("--every", type=float, default=EVERY, help="seconds between one's saves")
    parser.add_argument("--files", type=int, default=100_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        listing(Path(folder), wanted.files)
        saving(Path(folder), wanted.labellers, wanted.seconds, wanted.every)


class Server:
    """`inlay label` as a process of its own."""

    def __init__(self, images: Path, project: Path, *, database: str = "") -> None:
        run = "import sys; from inlay.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", run, "label", str(images), "--project", str(project), "--no-browser"]
        environment = {**os.environ, "INLAY_DATABASE": database}
        self.process = subprocess.Popen(
            [*command, "--port", "18900"], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        found = re.search(r"http\S+", self.process.stdout.readline())
        assert found is not None, "the studio says no address"
        self.link = found[0]

    def log_in(self) -> Client:
        while True:
            try:
                return Client(self.link)
            except StudioError:
                raise
            except Exception:
                time.sleep(0.01)

    def processor_seconds(self) -> float:
        """What the server has taken so far, without the database."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def listing(folder: Path, count: int) -> None:
    """A folder of many images: until its first page is there, and until all are counted."""
    images = folder / "many"
    images.mkdir()
    for number in range(count):
        file = images / f"{number}.png"
        if number % LINKS:
            file.hardlink_to(images / f"{number - number % LINKS}.png")
        else:
            Image.new("L", (8, 8)).save(file)
    server = Server(images, folder / "listing")
    client = server.log_in()
    project = client.projects()[0]["project_id"]
    path = f"/api/projects/{project}/images?limit=200"
    wait_for_listing(client, path)
    made = client.request("POST", "/api/projects", {"name": "again", "folder": str(images)})
    path = f"/api/projects/{made['project_id']}/images?limit=200"
    started = time.perf_counter()
    first = None
    while True:
        page = client.request("GET", path)
        now = time.perf_counter() - started
        first = first or (now if page["images"] else None)
        if page["total"] == count and not page["scanning"]:
            break
        time.sleep(0.01)
    times: list[float] = []
    after = page["next"]
    while after and len(times) < 50:
        begun = time.perf_counter()
        after = client.request("GET", f"{path}&after={after}")["next"]
        times.append(time.perf_counter() - begun)
    client.close()
    server.stop()
    print(f"a folder of {count} images: first page after {first:.2f} s, all listed after {now:.2f} s")
    if times:
        print(f"a page of 200 of them: {1000 * np.median(times):.0f} ms median")


def wait_for_listing(client: Client, path: str) -> None:
    while client.request("GET", path)["scanning"]:
        time.sleep(0.05)


def saving(folder: Path, labellers: int, seconds: float, every: float) -> None:
    """Labellers on 12-megapixel images of 500 segments each."""
    shared = labellers // 20  # images on which two work
    images = folder / "photos"
    images.mkdir()
    Image.new("L", (WIDTH, HEIGHT)).save(images / "image0000.png")
    for number in range(1, labellers - shared):
        (images / f"image{number:04d}.png").hardlink_to(images / "image0000.png")
    server = Server(images, folder / "saving", database=os.environ.get("INLAY_DATABASE", ""))
    owner = server.log_in()
    project = owner.projects()[0]
    wait_for_listing(owner, f"/api/projects/{project['project_id']}/images")
    path = f"/api/projects/{project['project_id']}/classes"
    table = owner.request("GET", path)
    rows = [{"name": "cell", "kind": "thing", "colour": "#808080"}]
    match = {"If-Match": f'"{table["revision"]}"'}
    class_id = owner.request("PUT", path, {"classes": rows}, headers=match)["classes"][0]["class_id"]
    numbers = [image["image_id"] for image in owner.images(project)]
    begun = time.perf_counter()
    for image in numbers:
        owner.save(image, lambda _: tiles(class_id), kind="import")
    print(f"{len(numbers)} images of {SEGMENTS} segments made in {time.perf_counter() - begun:.0f} s")
    begun = time.perf_counter()
    owner.document(numbers[-1])
    print(f"a document of {SEGMENTS} segments opens in {1000 * (time.perf_counter() - begun):.0f} ms")
    hands = [Labeller(owner, numbers[place % len(numbers)], place) for place in range(labellers)]
    begun = time.perf_counter()
    together([hand.open for hand in hands])
    print(f"{labellers} labellers open their images all at once in {time.perf_counter() - begun:.1f} s")
    until = time.perf_counter() + seconds
    before, ours = server.processor_seconds(), time.process_time()
    together([partial(hand.work, until, every) for hand in hands])
    spent, ours = server.processor_seconds() - before, time.process_time() - ours
    report(owner, hands, seconds, every)
    a_save = 1000 / sum(len(hand.acknowledged) for hand in hands)
    print(f"of a core a save: the server {spent * a_save:.1f} ms, the labellers {ours * a_save:.1f} ms")
    owner.close()
    server.stop()


def together(several: list[Callable[[], None]]) -> None:
    """Do things at the same time, and wait for all of them."""
    threads = [threading.Thread(target=each) for each in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def tiles(class_id: int) -> list[Json]:
    """A partition of the image into tiles."""
    wide, tall = WIDTH // COLUMNS, HEIGHT // ROWS
    full = mask(Masks.encode(np.ones((tall, wide), np.bool_)))["runs"]
    ops: list[Json] = []
    above: str | None = None
    for number in range(SEGMENTS):
        x, y = number % COLUMNS * wide, number // COLUMNS * tall
        key = key_of(number)
        segment = {"key": key, "class_id": class_id, "instance_id": number + 1}
        shown = {"box": [x, y, x + wide, y + tall], "runs": full}
        ops.append({"op": "create", "segment": segment, "above": above})
        ops.append({"op": "pixels", "before": None, "after": key, "mask": shown})
        above = key
    return ops


def key_of(number: int) -> str:
    return f"tile-{number:08d}"


class Labeller:
    """Somebody who paints over the border of two tiles, back and forth."""

    def __init__(self, owner: Client, image: int, place: int) -> None:
        self.client = Client.__new__(Client)
        self.client.__dict__.update(owner.__dict__)
        self.client._connection = type(owner._connection)(owner._connection.host, owner._connection.port)
        self.image, self.place = image, place
        self.times: list[float] = []
        self.acknowledged: list[str] = []
        self.conflicts = self.unmerged = self.revision = 0
        rng = np.random.default_rng(place)
        self.tile = int(rng.integers(0, COLUMNS - 1)) + COLUMNS * (place % ROWS)
        self.dab = self._dab()

    def _dab(self) -> Json:
        y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
        disk = (x**2 + y**2 <= RADIUS**2) & (x < 0)
        wide, tall = WIDTH // COLUMNS, HEIGHT // ROWS
        left = (self.tile % COLUMNS + 1) * wide - RADIUS
        top = self.tile // COLUMNS * tall + tall // 2 - RADIUS
        found = mask(Masks.encode(disk))
        x0, y0, x1, y1 = found["box"]
        return {"box": [left + x0, top + y0, left + x1, top + y1], "runs": found["runs"]}

    def open(self) -> None:
        self.revision = self.client.document(self.image)["revision"]

    def work(self, until: float, every: float) -> None:
        revision = self.revision
        owners = [key_of(self.tile), key_of(self.tile + 1)]
        due = time.perf_counter() + random.random() * every
        while due < until:
            time.sleep(max(0.0, due - time.perf_counter()))
            op = {"op": "pixels", "before": owners[0], "after": owners[1], "mask": self.dab}
            gesture = {"id": str(uuid.uuid4()), "kind": "brush", "ops": [op], "seconds": every}
            begun = time.perf_counter()
            revision = self.save(gesture, revision)
            self.times.append(time.perf_counter() - begun)
            owners.reverse()
            due += every

    def save(self, gesture: Json, revision: int) -> int:
        while True:
            try:
                answer = self.client.request(
                    "POST",
                    f"/api/images/{self.image}/gestures",
                    {"gestures": [gesture]},
                    headers={"If-Match": f'"{revision}"'},
                )
            except StudioError as error:
                if error.status != 412:
                    self.unmerged += 1
                    raise
                self.conflicts += 1
                revision = error.body["revision"]
                continue
            self.acknowledged.append(gesture["id"])
            return int(answer["revision"])


def report(owner: Client, hands: list[Labeller], seconds: float, every: float) -> None:
    times = 1000 * np.array([each for hand in hands for each in hand.times])
    sent = sum(len(hand.acknowledged) for hand in hands)
    kept: set[str] = set()
    for image in {hand.image for hand in hands}:
        after = 0
        while page := owner.request("GET", f"/api/images/{image}/gestures?after={after}&limit=1000"):
            kept.update(entry["gesture"]["id"] for entry in page)
            after = page[-1]["revision"]
    lost = sum(gesture not in kept for hand in hands for gesture in hand.acknowledged)
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    kind = "PostgreSQL" if os.environ.get("INLAY_DATABASE") else "SQLite"
    print(
        f"{len(hands)} labellers for {seconds:.0f} s on {kind}, one save each per {every:g} s: {sent} saves"
    )
    print(f"acknowledged in {p50:.0f} ms median, {p95:.0f} ms 95th percentile, {p99:.0f} ms 99th")
    conflicts, unmerged = sum(h.conflicts for h in hands), sum(h.unmerged for h in hands)
    print(f"lost: {lost}; conflicts: {conflicts}, of them unmerged: {unmerged}")


if __name__ == "__main__":
    main()
