"""Mask kernels in C++ over flat run lengths; sources in `kernels/`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def encode(stack: NDArray[np.uint8], columns: bool) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def decode(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, /
) -> NDArray[np.uint8]: ...
def crop(counts: NDArray[np.uint32], h: int, x0: int, y0: int, x1: int, y1: int, /) -> NDArray[np.uint8]: ...
def area(counts: NDArray[np.uint32], offsets: NDArray[np.int64], /) -> NDArray[np.int64]: ...
def box(counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, /) -> NDArray[np.int32]: ...
def intersection(
    counts_a: NDArray[np.uint32],
    offsets_a: NDArray[np.int64],
    boxes_a: NDArray[np.int32],
    counts_b: NDArray[np.uint32],
    offsets_b: NDArray[np.int64],
    boxes_b: NDArray[np.int32],
    /,
) -> NDArray[np.int64]: ...
def combine(
    counts_a: NDArray[np.uint32],
    offsets_a: NDArray[np.int64],
    counts_b: NDArray[np.uint32],
    offsets_b: NDArray[np.int64],
    operation: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def unite(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], groups: NDArray[np.int64], pixels: int, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def paint(
    counts: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    values: NDArray[np.int32],
    fill: int,
    h: int,
    w: int,
    /,
) -> NDArray[np.int32]: ...
def split_ids(ids: NDArray[np.int32], n: int, /) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def canonical(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], pixels: int, /
) -> tuple[int, NDArray[np.uint32], NDArray[np.int64]]: ...
def to_strings(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], /
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]: ...
def from_strings(
    text: NDArray[np.uint8], ends: NDArray[np.int64], /
) -> tuple[int, NDArray[np.uint32], NDArray[np.int64]]: ...
def pairs(
    a: NDArray[np.int32], b: NDArray[np.int32], n: int, m: int, /
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]: ...
def box_iou(
    boxes: NDArray[np.float64], others: NDArray[np.float64], crowd: NDArray[np.uint8], /
) -> NDArray[np.float64]: ...
def match(
    iou: NDArray[np.float64],
    prediction_class: NDArray[np.int32],
    truth_class: NDArray[np.int32],
    crowd: NDArray[np.uint8],
    ignored: NDArray[np.uint8],
    outside: NDArray[np.uint8],
    thresholds: NDArray[np.float64],
    /,
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]: ...
def explain(
    iou: NDArray[np.float64],
    prediction_class: NDArray[np.int32],
    truth_class: NDArray[np.int32],
    crowd: NDArray[np.uint8],
    order: NDArray[np.int64],
    enough: float,
    touching: float,
    /,
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]: ...
def precision_recall(
    offsets: NDArray[np.int64],
    hit: NDArray[np.uint16],
    miss: NDArray[np.uint16],
    rank: NDArray[np.int32],
    area_of: NDArray[np.int32],
    limits: NDArray[np.int32],
    positives: NDArray[np.int64],
    recalls: NDArray[np.float64],
    thresholds: int,
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def mean_precision(
    offsets: NDArray[np.int64],
    hit: NDArray[np.uint16],
    miss: NDArray[np.uint16],
    rank: NDArray[np.int32],
    area_of: NDArray[np.int32],
    limits: NDArray[np.int32],
    positives: NDArray[np.int64],
    recalls: NDArray[np.float64],
    thresholds: int,
    sample: NDArray[np.int32],
    weights: NDArray[np.int32],
    /,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def contacts(
    ids: NDArray[np.int32], n: int, /
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]: ...
def parts(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, diagonal: bool, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int32]]: ...
def fill_edge(
    points: NDArray[np.float64],
    ring_offsets: NDArray[np.int64],
    mask_offsets: NDArray[np.int64],
    is_hole: NDArray[np.uint8],
    h: int,
    w: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def fill_centre(
    points: NDArray[np.float64],
    ring_offsets: NDArray[np.int64],
    mask_offsets: NDArray[np.int64],
    is_hole: NDArray[np.uint8],
    h: int,
    w: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def trace(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, centres: bool, /
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]: ...
def arcs(
    ids: NDArray[np.int32], /
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]: ...
def sweep(
    points: NDArray[np.float64],
    offsets: NDArray[np.int64],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    h: int,
    w: int,
    /,
) -> NDArray[np.int32]: ...
def simplify(
    points: NDArray[np.float64], offsets: NDArray[np.int64], tolerance: float, /
) -> NDArray[np.uint8]: ...
def uncovered(counts: NDArray[np.uint32], offsets: NDArray[np.int64], pixels: int, /) -> int: ...
def erode(
    counts: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    h: int,
    w: int,
    radius: float,
    disk: bool,
    threads: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def dilate(
    counts: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    h: int,
    w: int,
    radius: float,
    disk: bool,
    threads: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def band(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, width: int, threads: int, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def window(
    counts: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    h: int,
    x0: int,
    y0: int,
    rows: int,
    columns: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def flip(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, across: bool, down: bool, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def transposed(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def resize_nearest(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, rows: int, columns: int, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def resize_area(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, rows: int, columns: int, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def distance(bitmap: NDArray[np.uint8], walled: bool, /) -> NDArray[np.int64]: ...
def innermost(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, threads: int, /
) -> NDArray[np.int64]: ...

ScannedRows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]

def scan_results(data: NDArray[np.uint8], threads: int, /) -> ScannedRows | None: ...
def scan_annotations(data: NDArray[np.uint8], threads: int, /) -> tuple[int, int, ScannedRows] | None: ...
def read_geometries(
    text: NDArray[np.uint8], spans: NDArray[np.int64], sizes: NDArray[np.int64], threads: int, /
) -> tuple[int, NDArray[np.uint32], NDArray[np.int64]]: ...
def judge_masks(
    starts: NDArray[np.int64],
    truth_starts: NDArray[np.int64],
    class_id: NDArray[np.int32],
    truth_class: NDArray[np.int32],
    score: NDArray[np.float64],
    truth_area: NDArray[np.float64],
    crowd: NDArray[np.uint8],
    areas: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    text: NDArray[np.uint8],
    spans: NDArray[np.int64],
    sizes: NDArray[np.int64],
    counts: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    widths: NDArray[np.int32],
    threads: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.uint16], NDArray[np.uint16]] | int: ...
def judge_boxes(
    starts: NDArray[np.int64],
    truth_starts: NDArray[np.int64],
    class_id: NDArray[np.int32],
    truth_class: NDArray[np.int32],
    score: NDArray[np.float64],
    truth_area: NDArray[np.float64],
    crowd: NDArray[np.uint8],
    areas: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    boxes: NDArray[np.float64],
    truths: NDArray[np.float64],
    area: NDArray[np.float64],
    threads: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.uint16], NDArray[np.uint16]]: ...
def rank_in_groups(
    group: NDArray[np.int32], value: NDArray[np.float64], groups: int, threads: int, /
) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
def geodesic(
    image: NDArray[np.float32],
    seeds: NDArray[np.int64],
    offsets: NDArray[np.int64],
    contrast: float,
    barrier: bool,
    /,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]: ...
def tally(
    a: NDArray[np.uint8], b: NDArray[np.uint8], n: int, m: int, threads: int, /
) -> NDArray[np.int64]: ...
def covered(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], pixels: int, least: int, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def decode_into(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], pixels: int, out: NDArray[np.uint8], /
) -> None: ...
def png_pairs(
    files: Sequence[bytes], others: Sequence[bytes], sizes: NDArray[np.int64], threads: int, /
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None: ...
def read_png(file: bytes, /) -> NDArray[np.uint8] | None: ...
def neighbours(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, /
) -> tuple[
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
]: ...
def take(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], rows: NDArray[np.int64], /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def write_geometries(
    counts: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    as_runs: NDArray[np.uint8],
    h: int,
    w: int,
    holes_as_runs: bool,
    centres: bool,
    /,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]: ...
def write_annotations(
    says: NDArray[np.uint8],
    whole: NDArray[np.int64],
    real: NDArray[np.float64],
    text: NDArray[np.uint8],
    geometry: NDArray[np.int64],
    more: NDArray[np.int64],
    /,
) -> NDArray[np.uint8]: ...
