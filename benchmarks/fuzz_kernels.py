"""Break what the kernels read by themselves, PNG files and texts: python benchmarks/fuzz_kernels.py 20000 [--seed N].

Six kernels are called in one process. It ends with the number of calls and of those that were taken; a crash ends it
without. `--library FILE` tries kernels that were built with `-fsanitize=address,undefined`.
"""  # noqa: E501 - the usage line

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import json
import struct
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.formats.mutations import broken_bytes

MASK = {"size": [4, 5], "counts": "53d0"}
MORE = {
    "attributes": {"a": [True, {"b": "c\\d"}]},
    "inlay": {"amodal": MASK},
    "instance_id": 7,
    "source_id": 9,
}
SHAPES: tuple[Any, ...] = (
    [[0, 0, 2, 0, 2, 2], [1.5, 2.25, 3, 4]],
    MASK,
    {**MASK, "counts": [3, 5, 12]},
    None,
)
ENTRY = {
    "id": 1,
    "image_id": 3,
    "category_id": 1,
    "segmentation": SHAPES[0],
    "bbox": [0, 0, 2, 2],
    "score": 0.5,
}
LABELS = json.dumps({"images": [{"id": 3}], "annotations": [{**ENTRY, **MORE}, ENTRY]}).encode()
RESULTS = json.dumps([{**ENTRY, "segmentation": MASK}, ENTRY | {"segmentation": MASK, "x": [None]}]).encode()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(rng: np.random.Generator) -> tuple[bytes, tuple[int, int]]:
    """A file and the size it was meant to have; broken in its packed data, its header or anywhere."""
    height, width = rng.integers(1, 40, 2).tolist()
    channels, level, strategy = int(rng.choice([1, 3])), int(rng.integers(0, 10)), int(rng.integers(0, 5))
    rows = rng.integers(0, int(rng.choice([1, 2, 4, 256])), (height, width * channels + 1), np.uint8)
    rows[:, 0] = rng.integers(0, 6 if rng.random() < 0.05 else 5, height)
    packer = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
    data = packer.compress(rows.tobytes()) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    where = rng.random()
    if where < 0.6:
        data = broken_bytes(data, rng)
    elif where < 0.75:
        head = broken_bytes(head, rng)[:13].ljust(13, b"\0")
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return (broken_bytes(file, rng) if where >= 0.75 else file), (height, width)


def once(kernels: Any, rng: np.random.Generator, taken: Counter[str]) -> None:
    """Each kernel called with something broken; counts what it took all the same."""

    def text(data: bytes) -> np.ndarray[Any, Any]:
        return np.frombuffer(broken_bytes(data, rng), np.uint8)

    file, size = png(rng)
    taken["read_png"] += kernels.read_png(file) is not None
    taken["png_pairs"] += kernels.png_pairs([file], [file], np.array([size]), 1) is not None
    taken["scan_annotations"] += kernels.scan_annotations(text(LABELS), 1) is not None
    taken["scan_results"] += kernels.scan_results(text(RESULTS), 1) is not None
    shape = text(json.dumps(SHAPES[rng.integers(len(SHAPES))]).encode())
    spans, sizes = np.array([[0, len(shape)]]), np.array([[4, 5]])
    taken["read_geometries"] += kernels.read_geometries(shape, spans, sizes, 1)[0] < 0
    runs = text(b"53d0`5o0;1")
    taken["from_strings"] += kernels.from_strings(runs, np.array([0, len(runs)]))[0] < 0


def loaded(library: str) -> Any:
    """The kernels of a file, instead of those that are installed."""
    loader = importlib.machinery.ExtensionFileLoader("kernels", library)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("kernels", loader))
    loader.exec_module(module)
    return module


def main() -> None:
    """Call them so many times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--library")
    given = parser.parse_args()
    if given.library:
        kernels = loaded(given.library)
    else:
        from inlay.core import kernels
    rng, taken = np.random.default_rng(given.seed), Counter[str]()
    for _ in range(given.count):
        once(kernels, rng, taken)
    print(json.dumps({"executions": given.count * len(taken), "taken": taken}))


if __name__ == "__main__":
    main()
