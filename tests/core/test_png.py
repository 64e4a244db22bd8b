"""PNG label maps read by the kernel against Pillow, and what the kernel leaves to Pillow."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay.core import kernels


def blocks(rng: np.random.Generator, h: int, w: int, side: int) -> np.ndarray[Any, Any]:
    """Random colours in blocks, some pixels apart."""
    coarse = rng.integers(0, 256, (-(-h // side), -(-w // side), 3), np.uint8)
    pixels = coarse.repeat(side, axis=0).repeat(side, axis=1)[:h, :w].copy()
    pixels[rng.random((h, w)) < 0.02] = rng.integers(0, 256, 3)
    return pixels


def png(pixels: np.ndarray[Any, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def filtered(pixels: np.ndarray[Any, Any], kinds: list[int], level: int, strategy: int) -> bytes:
    """A PNG file whose row `r` is filtered by `kinds[r]`, written as the standard says."""
    h, w, channels = pixels.shape
    rows = pixels.reshape(h, -1).astype(int)
    left = np.pad(rows, ((0, 0), (channels, 0)))[:, : w * channels]
    above = np.pad(rows, ((1, 0), (0, 0)))[:h]
    corner = np.pad(left, ((1, 0), (0, 0)))[:h]
    near = np.stack([abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)])
    paeth = np.choose(near.argmin(axis=0), [left, above, corner])
    guesses = [0 * rows, left, above, (left + above) // 2, paeth]
    raw = b"".join(
        bytes([kind]) + ((rows[r] - guesses[kind][r]) % 256).astype(np.uint8).tobytes()
        for r, kind in enumerate(kinds)
    )
    packer = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
    data = packer.compress(raw) + packer.flush()
    head = struct.pack(">IIBBBBB", w, h, 8, 2 if channels == 3 else 0, 0, 0, 0)
    half = len(data) // 2
    chunks = [(b"IHDR", head), (b"IDAT", data[:half]), (b"IDAT", data[half:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@settings(max_examples=many(60), deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.integers(0, 4), st.sampled_from([1, 3]))
def test_every_filter_and_packing_gives_the_pixels_back(
    seed: int, level: int, strategy: int, channels: int
) -> None:
    rng = np.random.default_rng(seed)
    h, w = rng.integers(1, 90, 2).tolist()
    pixels = blocks(rng, h, w, int(rng.integers(1, 20)))[..., :channels]
    file = filtered(pixels, rng.integers(0, 5, h).tolist(), level, strategy)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(file))).reshape(pixels.shape), pixels)
    found = kernels.read_png(file)
    assert found is not None
    assert np.array_equal(found, pixels)


@settings(max_examples=many(60), deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2]))
def test_pairs_of_colours_are_those_of_the_pixels(seed: int, threads: int) -> None:
    rng = np.random.default_rng(seed)
    h, w = rng.integers(1, 300, 2).tolist()
    stacks = [[blocks(rng, h, w, int(rng.integers(1, 60))) % 7 for _ in range(2)] for _ in range(3)]
    files = [[png(maps[side]) for maps in stacks] for side in (0, 1)]
    found = kernels.png_pairs(*files, np.full((3, 2), (h, w)), threads)
    assert found is not None
    starts, columns = found[0].tolist(), np.stack(found[1:])
    for start, stop, maps in zip(starts, starts[1:], stacks):
        ids = [each.astype(np.int64) @ [1, 256, 65536] for each in maps]
        pairs, number = np.unique(np.stack([each.ravel() for each in ids]), axis=1, return_counts=True)
        assert np.array_equal(columns[:, start:stop], [*pairs, number])


@settings(max_examples=many(100), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_broken_files_are_left_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = blocks(rng, 40, 50, 7)
    file = bytearray(filtered(pixels, rng.integers(0, 5, 40).tolist(), 6, 0))
    for _ in range(int(rng.integers(1, 4))):
        file[int(rng.integers(0, len(file)))] = int(rng.integers(0, 256))
    cut = bytes(file[: int(rng.integers(len(file) // 2, len(file) + 1))])
    for data in (bytes(file), cut):
        found = kernels.read_png(data)
        assert found is None or np.array_equal(found, pixels)


@settings(max_examples=many(100), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_data_broken_before_they_were_signed_do_no_harm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    packed = bytearray(zlib.compress(rng.integers(0, 4, 40 * 151, np.uint8).tobytes()))
    for _ in range(int(rng.integers(1, 6))):
        packed[int(rng.integers(0, len(packed)))] = int(rng.integers(0, 256))
    whole = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", 50, 40, 8, 2, 0, 0, 0)
    for kind, body in ((b"IHDR", head), (b"IDAT", bytes(packed)), (b"IEND", b"")):
        whole += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    found = kernels.read_png(whole)
    assert found is None or found.shape == (40, 50, 3)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"no picture",
        png(np.zeros((4, 4), np.uint16)),
        png(np.zeros((4, 4, 4), np.uint8)),
        png(np.zeros((4, 4, 3), np.uint8), transparency=(0, 0, 0)),
    ],
    ids=["empty", "text", "16 bits", "alpha", "transparent colour"],
)
def test_other_kinds_are_left_to_the_general_reader(file: bytes) -> None:
    assert kernels.read_png(file) is None


def test_pairs_need_colour_maps_of_the_stated_size() -> None:
    colour, grey = png(np.zeros((4, 5, 3), np.uint8)), png(np.zeros((4, 5), np.uint8))
    size = np.array([[4, 5]])
    assert kernels.png_pairs([colour], [colour], size, 1) is not None
    assert kernels.png_pairs([colour], [colour], size[:, ::-1].copy(), 1) is None
    assert kernels.png_pairs([colour], [grey], size, 1) is None
