"""Label files broken at random, repeatably: bytes, values of JSON, words of text, chunks of PNG."""

from __future__ import annotations

import copy
import gzip
import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from inlay import Dataset, FormatError, InlayError, plugins
from inlay import formats as all_formats
from inlay.core import kernels
from inlay.core.batch import batch_of, painted

from .corpus import CORPUS

TITLES = (
    "donut",
    "two parts",
    "overlap",
    "tags",
    "box without pixels",
    "track with a gap",
    "amodal",
    "splits",
    "scores",
    "crowd",
    "void",
    "nobody has labelled",
)
LABELS = frozenset(
    (".json", ".jsonl", ".ndjson", ".geojson", ".txt", ".xml", ".yaml", ".md", ".csv", ".parquet", ".gz")
)
IMAGES = frozenset((".png", ".nii", ".tif", ".dcm"))
ZARR = {".zattrs": ".json", ".zarray": ".json", ".zgroup": ".json", "0": ""}  # files by their names; kinds
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 0.5, -0.0, 2**31, 2**63, 2**64, -(2**70), 10**12, 1e308, 1e-320, "nan"),
    *("", "1", "0", "é\0", "a" * 3000, "../../x", "/", ".", "\ud800", [], {}, [[]], [[[]]], [None], [[1, 2]]),
    *({"size": [3, 4], "counts": "0"}, {"size": [7, 9], "counts": [63]}, [1e30, -1e30] * 4, [[0, 0]] * 5),
    *(list(range(9)), {"a": {"b": {}}}, [[3, 3, 3, 3, 3, 3]], {"size": [10**9, 10**9], "counts": [10**18]}),
)
WORDS = (
    b"",
    b"-1",
    b"0",
    b"nan",
    b"inf",
    b"1e999",
    b"9" * 30,
    b"0.5",
    b"-",
    b"\0",
    b"\xff",
    b"<",
    b">",
    b"&x;",
    b'"',
    b"{",
    b"[",
    b"]" * 9,
    b"[" * 3000,
    b",",
    b":",
    b"\n",
    b"a" * 2000,
    b"../..",
    b"1;2",
    b"null",
)


def seeds(name: str, folder: Path) -> list[tuple[Path, Dataset]]:
    """Some of the corpus as files of a format."""
    found = []
    for title in TITLES:
        dataset = CORPUS[title](folder / "images")
        out = folder / title
        try:
            all_formats.write(dataset, out, to=name, lossy=True)
            found.append((out, dataset))
        except InlayError:
            continue
    return found


def broken(data: bytes, suffix: str, rng: np.random.Generator) -> bytes:
    """A file with something wrong in it."""
    choice = rng.random()
    if choice < 0.6 and suffix in (".json", ".geojson"):
        try:
            return _of_values(json.loads(data), rng)
        except ValueError:
            pass
    if choice < 0.6 and suffix == ".png":
        return _of_png(data, rng)
    if choice < 0.8 and suffix == ".gz":
        return gzip.compress(broken_bytes(gzip.decompress(data), rng), 1)
    if choice < 0.75 and suffix not in (".png", ".parquet", ".nii", ".gz", ".dcm", ""):
        return _of_words(data, rng)
    return broken_bytes(data, rng)


def broken_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, or with other bytes and words in up to three places."""
    if rng.random() < 0.1:
        return data[: rng.integers(0, len(data) + 1)]
    text = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        start = int(rng.integers(0, len(text) + 1))
        end = min(len(text), start + int(rng.integers(0, 5)))
        new = WORDS[rng.integers(len(WORDS))] if rng.random() < 0.4 else rng.bytes(int(rng.integers(0, 4)))
        text[start:end] = new
    return bytes(text)


def _of_words(data: bytes, rng: np.random.Generator) -> bytes:
    found = list(re.finditer(rb"-?[\w.]+", data))
    chosen = {int(rng.integers(len(found))) for _ in range(2)} if found else set()
    for match in (found[i] for i in sorted(chosen, reverse=True)):
        data = data[: match.start()] + WORDS[rng.integers(len(WORDS))] + data[match.end() :]
    return data


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from _nodes(item, (*path, key))


def _of_values(value: Any, rng: np.random.Generator) -> bytes:
    for _ in range(rng.integers(1, 3)):
        paths = list(_nodes(value))
        if not paths:
            break
        *parents, last = paths[rng.integers(len(paths))]
        node = value
        for key in parents:
            node = node[key]
        choice = rng.random()
        if choice < 0.15:
            del node[last]
        elif choice < 0.3 and isinstance(node, list):
            node.append(copy.deepcopy(node[last]))
        elif choice < 0.45:
            node[last] = copy.deepcopy(_at(value, paths[rng.integers(len(paths))]))
        else:
            node[last] = copy.deepcopy(HOSTILE[rng.integers(len(HOSTILE))])
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _of_png(data: bytes, rng: np.random.Generator) -> bytes:
    """Another header, or other pixels, with sums that are right."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + length]])
        at += 12 + length
    if not chunks:
        return broken_bytes(data, rng)
    chosen = chunks[rng.integers(len(chunks))]
    if chosen[0] == b"IDAT":
        try:
            chosen[1] = zlib.compress(broken_bytes(zlib.decompress(chosen[1]), rng))
        except zlib.error:
            chosen[1] = broken_bytes(chosen[1], rng)
    elif chosen[0] == b"IHDR":
        head = list(struct.unpack(">IIBBBBB", chosen[1]))
        place = int(rng.integers(4))
        values = [0, 1, 7, 9, 2**31 - 1, 2**20] if place < 2 else [0, 1, 2, 3, 4, 6, 8, 16]
        head[place] = int(rng.choice(values))
        chosen[1] = struct.pack(">IIBBBBB", *head)
    else:
        chosen[1] = broken_bytes(chosen[1], rng)
    packed = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return data[:8] + b"".join(packed)


def files_of(folder: Path, *, images: bool = True) -> list[Path]:
    """What of a folder is worth breaking; label files first."""
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob("*") if file.is_file())
    kinds = LABELS | IMAGES if images else LABELS
    return [
        file
        for file in files
        if (file.suffix.lower() in kinds or file.name in ZARR) and file.stat().st_size < 200_000
    ]


def fault(name: str, folder: Path, dataset: Dataset | None, *, all_sniff: bool = False) -> str:
    """What is wrong with how a format reads a folder; empty where it ends in samples or in a good line."""
    if all_sniff:
        all_formats.sniff(folder)
    try:
        plugins.load("formats", name).sniff(folder)
        found = all_formats.read(folder, name, like=dataset)
        for _, sample in zip(range(3), found):
            if sample.segmentation is not None:
                sample.segmentation.semantic()
        at_once(found)
    except FormatError as error:
        return "" if "\n" not in str(error) and len(str(error)) < 1200 else f"no line: {str(error)[-200:]!r}"
    except InlayError as error:
        return f"no FormatError: {str(error)[:200]}"
    return ""


def at_once(dataset: Dataset) -> None:
    """Some samples as scores of whole files read them, where the format offers that."""
    names = dataset.names[:3]
    if names:
        batch_of(dataset, names)
        maps = painted(dataset, names)
        if maps is not None:
            kernels.png_pairs(maps.png, maps.png, maps.sizes, 1)


def broken_once(name: str, files: list[tuple[Path, Path, Dataset | None]], rng: np.random.Generator) -> str:
    """Break one of the files, (folder, file, dataset) each, read its folder, mend it; what was wrong."""
    folder, file, dataset = files[rng.integers(len(files))]
    before = file.read_bytes()
    try:
        file.write_bytes(broken(before, ZARR.get(file.name, file.suffix.lower()), rng))
        return fault(name, folder, dataset, all_sniff=bool(rng.random() < 0.01))
    finally:
        file.write_bytes(before)


def targets(name: str, folder: Path) -> list[tuple[Path, Path, Dataset | None]]:
    """(folder, file, dataset) of all files worth breaking."""
    found: list[tuple[Path, Path, Dataset | None]] = []
    for out, dataset in seeds(name, folder):
        found += [(out, file, dataset) for file in files_of(out)]
    return found


def real_of(name: str, real: Path) -> list[Path]:
    """The small real exports of a format below a folder."""
    folders = [path for path in sorted(real.glob("*")) + sorted(real.glob("*/*")) if path.is_dir()]
    sniff = plugins.load("formats", name).sniff
    small = [path for path in folders if sum(file.stat().st_size for file in path.rglob("*")) < 400_000]
    return [path for path in small if sniff(path)]
