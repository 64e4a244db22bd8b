"""All model families side by side: size, speed, memory, and what a run on real data scored.

python benchmarks/models.py                       # with the scores of benchmarks/model_runs.py
python benchmarks/models.py --anew                # measure all again
python benchmarks/models.py --only unet solov2 --repeats 9
python benchmarks/models.py --device cuda

Each measurement has a process of its own, so that memory is its own and a failure is a row with its reason.
What has been measured is kept: give the command again after a kill, and it goes on with what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import bench
import model_runs
from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass, plugins, read
from inlay.core.staging import staged

SIZES = {"semantic": (360, 480), "instance": (512, 512), "panoptic": (512, 512), "any": (512, 512)}
STUFF, KINDS, THINGS = 11, 4, 40
MEASURED = ("look", "learn", "onnx", "work")
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
HEADER = [
    "family",
    "image",
    "parameters, M",
    "GFLOP",
    "least, ms",
    "torch, ms",
    "decode, ms",
    "ONNX Runtime, ms",
    "torch / ONNX",
    "memory, MB",
    "training images / s",
    "memory in training, MB",
    "trained, min",
    "CamVid mIoU",
    "nuclei AP .5 / .7 / .9",
]


def scene(task: str) -> tuple[Dataset, Classes]:
    """One image of noise with forty discs on bands, as things, stuff or both."""
    size = SIZES[task]
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    bands, kinds = (0 if task == "instance" else STUFF), (0 if task == "semantic" else KINDS)
    ids = rows * bands // size[0] if bands else np.full(size, -1)
    for number in range(THINGS if kinds else 0):
        y, x, reach = rng.integers(0, size[0]), rng.integers(0, size[1]), rng.integers(8, 40)
        ids[(rows - y) ** 2 + (columns - x) ** 2 <= reach**2] = bands + number
    shown = np.unique(ids[ids >= 0])
    of_thing = shown >= bands
    classes = Classes(
        (
            *(SegmentClass(f"stuff {k}", "stuff") for k in range(bands)),
            *(SegmentClass(f"thing {k}") for k in range(kinds)),
        )
    )
    place = np.where(ids >= 0, np.searchsorted(shown, ids), -1).astype(np.int32)
    row = np.where(of_thing, bands + shown % max(kinds, 1), shown).astype(np.int32)
    numbers = np.where(of_thing, shown + 1, 0).astype(np.int32)
    label = Segmentation(classes, Masks.from_ids(place, len(shown)), row, numbers)
    image = rng.integers(0, 255, (*size, 3), dtype=np.uint8)
    return Dataset.of([Sample("scene", image, label)], classes), classes


def fresh(family: str) -> tuple[Any, Any, Any]:
    """(settings, classes, examples) of a family fitted to the scene."""
    from dataclasses import replace

    from inlay.training.config import default_config
    from inlay.training.examples import Examples, classes_to_learn, facts_of

    module = plugins.load("models", family)
    data, classes = scene(module.TASK)
    examples = Examples(
        data, classes_to_learn(classes, "panoptic" if module.TASK == "any" else module.TASK), 100
    )
    config = default_config(family)
    facts = facts_of(examples, lambda *_: None)
    return replace(config, family=module.adapt(config.family, facts)), examples.classes, examples


def look(family: str, how: argparse.Namespace, folder: Path | None, data: Path | None) -> dict[str, Any]:
    """Milliseconds of the network and of decoding; with a run, of its weights and a real image."""
    import torch

    from inlay.models.parts.folding import fold
    from inlay.training.run import Run

    if folder is not None and data is not None:
        network = Run(folder).network()
        image = resized(read(data).split("val")[0].pixels(), SIZES[plugins.load("models", family).TASK])
    else:
        config, classes, examples = fresh(family)
        network = plugins.load("models", family).build(config.family, classes)
        image = examples[0].image
    parameters = sum(each.numel() for each in network.parameters()) / 1e6
    network = fold(network).to(how.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels = torch.from_numpy(image[None]).to(how.device).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        milliseconds = timed(lambda: network(pixels), how)
        decoded = None
        if folder is not None:
            raw, decode = network(pixels), network.decode
            decoded = timed(lambda: decode(raw, [image.shape[:2]]), how)
    return {"parameters": parameters, "torch": milliseconds, "decode": decoded, **on_device(how.device)}


def learn(family: str, how: argparse.Namespace) -> dict[str, Any]:
    """Images a second of whole steps: forward, loss, backward, optimiser, running average."""
    import torch

    from inlay.training.batches import batch_of
    from inlay.training.learner import Learner

    config, classes, examples = fresh(family)
    learner = Learner(config, classes, torch.device(how.device))
    batch = batch_of([examples[0]] * how.crops)
    milliseconds = timed(lambda: learner.learn([batch], 1e-5), how)
    return {"images": [1000 * how.crops / each for each in milliseconds], **on_device(how.device)}


def onnx(family: str, how: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds of ONNX Runtime, which computes on the CPU, and of torch there, taking turns."""
    import torch

    from inlay.models.parts.folding import fold
    from inlay.training.export import traced, write_onnx
    from inlay.training.forward import OnnxForward

    config, classes, examples = fresh(family)
    network = plugins.load("models", family).build(config.family, classes).eval()
    image = examples[0].image
    pixels = torch.from_numpy(image[None]).permute(0, 3, 1, 2).float()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.onnx"
        write_onnx(path, traced(network, image.shape[:2]), {})
        forward = OnnxForward(path)
        plain = pixels.contiguous()
        quick = fold(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        both: tuple[list[float], list[float]] = ([], [])
        with torch.inference_mode():
            for _ in range(how.repeats + 1):
                both[0].extend(timed(lambda: quick(pixels), how, 1, warm=False))
                both[1].extend(timed(lambda: forward(plain), how, 1, warm=False))
    ratio = statistics.median(mine / theirs for mine, theirs in zip(both[0][1:], both[1][1:]))
    return {"onnx": both[1][1:], "ratio": ratio}


def work(family: str) -> dict[str, Any]:
    """What the network multiplies and adds for an image, and milliseconds of one convolution of as much."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    config, classes, examples = fresh(family)
    network = plugins.load("models", family).build(config.family, classes).eval()
    pixels = torch.from_numpy(examples[0].image[None]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            network(pixels)
        large = torch.nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        features, seconds = torch.rand(1, 256, 64, 64).to(memory_format=torch.channels_last), []
        for _ in range(9):
            before = time.process_time()
            large(features)
            seconds.append(time.process_time() - before)
    flops = counter.get_total_flops()
    return {"flops": flops, "least": 1000 * min(seconds) * flops / (2 * 256 * 256 * 9 * 64 * 64)}


def timed(
    work: Callable[[], Any], how: argparse.Namespace, runs: int = 0, *, warm: bool = True
) -> list[float]:
    """Milliseconds of each run, after one that does not count."""
    import torch

    found, clock = [], CLOCKS[how.clock]
    for _ in range((runs or how.repeats) + warm):
        before = clock()
        work()
        if how.device.startswith("cuda"):
            torch.cuda.synchronize()
        found.append(1000 * (clock() - before))
    return found[int(warm) :]


def on_device(device: str) -> dict[str, Any]:
    """Most memory that a GPU held; nothing for the CPU, of which the process knows."""
    import torch

    return {"gpu_mb": torch.cuda.max_memory_allocated() // 2**20} if device.startswith("cuda") else {}


def resized(image: np.ndarray[Any, Any], size: tuple[int, int]) -> np.ndarray[Any, Any]:
    import cv2

    return np.ascontiguousarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)[..., :3])


def measure_alone(chosen: argparse.Namespace) -> None:
    """One measurement in this process; its answer is the last line."""
    import torch

    from inlay.training.forward import calm
    from inlay.training.hardware import keep_memory

    what, family = chosen.alone
    torch.set_flush_denormal(True)
    keep_memory()
    torch.manual_seed(0)
    with calm():
        if what == "look":
            data, folder = trained(family, chosen.runs) or (None, None)
            where = None if data is None else model_runs_data(chosen) / data
            bench.say(**look(family, chosen, folder, where))
        elif what == "work":
            bench.say(**work(family))
        elif what == "learn":
            bench.say(**learn(family, chosen))
        else:
            bench.say(**onnx(family, chosen))


def model_runs_data(chosen: argparse.Namespace) -> Path:
    """Folder with the data sets."""
    return chosen.shared or bench.generators().parent / "data"


def trained(family: str, runs: Path) -> tuple[str, Path] | None:
    """(data set, folder) of the first run of a family that has been scored."""
    for data in model_runs.TASKS:
        folder = model_runs.folder_of(runs, data, family)
        if model_runs.scores_in(folder):
            return data, folder
    return None


def asked(chosen: argparse.Namespace, what: str, family: str) -> dict[str, Any]:
    """What has been measured before, else what a process of its own measures now, which is kept."""
    run = trained(family, chosen.runs) if what == "look" else None
    how = (
        f"{chosen.device}, {threads()} threads, {chosen.repeats} times, {chosen.crops} crops, {chosen.clock}"
    )
    key = f"{family}, {what}, {how}, {run[0] if run else 'fresh weights'}"
    kept: dict[str, Any] = json.loads(chosen.kept.read_text()) if chosen.kept.is_file() else {}
    if key not in kept and family not in chosen.only:
        fresh_key = f"{family}, {what}, {how}, fresh weights"
        return dict(kept.get(fresh_key, {}))
    if key not in kept:
        found = measured_apart(chosen, what, family)
        if "failed" in found:
            return found
        kept[key] = found
        chosen.kept.parent.mkdir(parents=True, exist_ok=True)
        with staged(chosen.kept) as path:
            path.write_text(json.dumps(kept, indent=1) + "\n")
    answer: dict[str, Any] = kept[key]
    return answer


def threads() -> str:
    """On how many threads torch computes."""
    return os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))


def measured_apart(chosen: argparse.Namespace, what: str, family: str) -> dict[str, Any]:
    """What a process of its own measures, or the reason why it does not under "failed"."""
    command = [sys.executable, "-W", "ignore", __file__, *sys.argv[1:], "--alone", what, family]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=chosen.limit, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"{what}: more than {chosen.limit:.0f} s"}
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer
    last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
    return {"failed": f"{what}: {last[:160]}"}


def row_of(chosen: argparse.Namespace, family: str) -> tuple[list[str], list[str]]:
    """The cells of a family, and why some are empty."""
    found = {what: asked(chosen, what, family) for what in MEASURED if what in chosen.measure}
    reasons = [f"{family}, {each['failed']}" for each in found.values() if "failed" in each]
    seen, learnt, exported, worked = (found.get(what, {}) for what in MEASURED)
    height, width = SIZES[plugins.load("models", family).TASK]
    cells = [
        family,
        f"{width}x{height}",
        f"{seen['parameters']:.2f}" if "parameters" in seen else bench.ABSENT,
        f"{worked['flops'] / 1e9:.1f}" if "flops" in worked else bench.ABSENT,
        f"{worked['least']:.0f}" if "least" in worked else bench.ABSENT,
        bench.median(seen.get("torch"), 1),
        bench.median(seen.get("decode"), 1),
        bench.median(exported.get("onnx"), 1),
        f"{exported['ratio']:.2f}" if "ratio" in exported else bench.ABSENT,
        str(seen.get("gpu_mb", seen.get("peak_mb", bench.ABSENT))),
        bench.median(learnt.get("images"), 2),
        str(learnt.get("gpu_mb", learnt.get("peak_mb", bench.ABSENT))),
    ]
    return cells + scores_of(family, chosen), reasons


def scores_of(family: str, chosen: argparse.Namespace) -> list[str]:
    """Minutes, mIoU and AP of finished runs."""
    told = {
        data: model_runs.scores_in(model_runs.folder_of(chosen.runs, data, family))
        for data in model_runs.TASKS
    }
    lengths = sorted({f"{each['minutes']:g} ({each['steps']} steps)" for each in told.values() if each})
    streets = told["camvid"].get(chosen.part, {})
    nuclei = told["dsb2018"].get(chosen.part, {})
    return [
        " / ".join(lengths) or bench.ABSENT,
        f"{streets['mIoU']:.3f}" if streets else bench.ABSENT,
        " / ".join(f"{nuclei[f'AP{each}']:.3f}" for each in model_runs.OVERLAPS) if nuclei else bench.ABSENT,
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=model_runs.RUNS,
        help="folder of benchmarks/model_runs.py, for the scores",
    )
    parser.add_argument("--part", choices=("val", "test"), default="test", help="images that were scored")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="+", default=plugins.names("models"), help="families to measure now")
    parser.add_argument("--measure", nargs="+", choices=MEASURED, default=list(MEASURED))
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median is shown")
    parser.add_argument("--clock", choices=tuple(CLOCKS), default="wall", help="processor: on a busy machine")
    parser.add_argument("--crops", type=int, default=2, help="of a training step")
    parser.add_argument(
        "--kept", type=Path, default=bench.WORK / "models.json", help="what has been measured"
    )
    parser.add_argument("--anew", action="store_true", help="forget what has been measured")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for one measurement")
    parser.add_argument("--shared", type=Path, help="folder with the data sets of the runs")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    chosen = arguments()
    if chosen.alone:
        measure_alone(chosen)
        return 0
    if chosen.anew:
        chosen.kept.unlink(missing_ok=True)
    rows, reasons = [], []
    for family in plugins.names("models"):
        cells, why = row_of(chosen, family)
        if set(cells[2:]) == {bench.ABSENT} and not why:
            continue
        rows.append(cells)
        reasons += why
        print("  ".join(cells), *why, sep="\n  ", flush=True)
    words = (
        f"Families with their default settings on one image, device {chosen.device}, {threads()} threads, "
        f"{chosen.clock} time: medians, with the range where it is wide. torch: the network alone, float32, "
        "batch norms folded, channels last. Decoding to segments is apart, measured with trained weights on "
        "a real image of the same size, where a run was given. ONNX Runtime computes on the CPU; the ratio "
        "compares it with torch there, taking turns. GFLOP: multiplications and additions for an image; "
        "least: what one large convolution of as many takes in torch; a family whose torch time is near it "
        "has little to gain by ONNX Runtime. Memory: the most that a process "
        "of its own held, on a GPU the most that torch took. Training: whole steps of "
        f"{chosen.crops} crops of that size. Scores: "
        f"runs from scratch of `benchmarks/model_runs.py`, part {chosen.part}; AP is TP / (TP + FP + FN) at "
        "an IoU. The click network answers to clicks: it is trained and judged elsewhere."
    )
    if reasons:
        words += "\n\nNot measured:\n\n" + "\n".join(f"- {each}" for each in reasons)
    bench.report("models", "Model families", words, HEADER, rows, ["torch", "onnxruntime"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
