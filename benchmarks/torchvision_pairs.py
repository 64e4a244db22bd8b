"""FCN, DeepLab v3 and Mask R-CNN beside torchvision's, of one architecture and size, on one thread.

python benchmarks/torchvision_pairs.py                     # all, five paired runs each
python benchmarks/torchvision_pairs.py --runs 3 --size 256 320

Ours and theirs take turns; processor time is compared, which other work on the machine disturbs least. Where
torchvision does not import, the reason is printed and nothing is written.
"""

from __future__ import annotations

import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor, nn

import bench
from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass, plugins
from inlay.models.decode.regions import things_of_regions
from inlay.models.parts.blocks import ConvNorm
from inlay.models.parts.folding import fold
from inlay.training.batches import Batch, batch_of
from inlay.training.examples import Examples
from inlay.training.hardware import keep_memory

CLASSES, THINGS, MASK = 21, 100, 28
PASTED = (1080, 1920)
Work = Callable[[], Any]
Pair = tuple[str, str, Work, Work]  # architecture, what is done, ours, theirs


def torchvision() -> Any:
    """torchvision, beside a torch for the CPU as well where the shared files hold the tool for that.

    Raises
    ------
    SystemExit
        With the reason, where it does not import.
    """
    folder = bench.generators().parent / "tools"
    sys.path.insert(0, str(folder))
    try:
        if torch.version.cuda is None:
            importlib.import_module("torchvision_on_cpu")
        return importlib.import_module("torchvision")
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise SystemExit(f"nothing to compare with: torchvision does not import here ({error})") from None
    finally:
        sys.path.remove(str(folder))


def scene(size: tuple[int, int], *, things: bool) -> tuple[Sample, Classes]:
    """An image of noise with twenty discs, of things or of stuff."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[0], : size[1]]
    ids = np.zeros(size, int)
    for number in range(1, 21):
        y, x, reach = rng.integers(0, size[0]), rng.integers(0, size[1]), rng.integers(8, size[0] // 6)
        ids[(rows - y) ** 2 + (columns - x) ** 2 <= reach**2] = number
    present = np.unique(ids[ids > 0])
    classes = Classes(
        tuple(SegmentClass(f"{k}", "thing" if things else "stuff") for k in range(CLASSES - things))
    )
    place = np.searchsorted(present, ids)
    masks = Masks.from_ids(np.where(ids > 0, place, -1).astype(np.int32), len(present))
    rows = (present % len(classes)).astype(np.int32)
    numbers = np.arange(1, len(rows) + 1, dtype=np.int32) * np.int32(things)
    label = Segmentation(classes, masks, rows, numbers)
    return Sample("scene", rng.integers(0, 255, (*size, 3), dtype=np.uint8), label), classes


def batch(size: tuple[int, int], count: int, *, things: bool) -> tuple[Batch, Classes]:
    """Crops with their targets."""
    sample, classes = scene(size, things=things)
    examples = Examples(Dataset.of([sample], classes), classes, 100)
    return batch_of([examples[0]] * count), classes


def ours(family: str, classes: Classes, **settings: Any) -> nn.Module:
    """A family with a ResNet-50 and batch norm, as torchvision has it."""
    module = plugins.load("models", family)
    config = module.Config(encoder="resnet50", norm="batch", **settings)
    network: nn.Module = module.build(config, classes)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def semantic_pairs(vision: Any, size: tuple[int, int]) -> list[Pair]:
    """FCN and DeepLab v3 on features at stride 8, with the second head in FCN's training."""
    two, classes = batch(size, 2, things=False)  # a batch of one is too few for a norm of theirs
    truth = torch.stack([target.semantic for target in two.targets])
    made: list[Pair] = []
    families = [
        ("FCN", "fcn", "fcn_resnet50", {"form": "dilated", "head": 512}, True),
        ("DeepLab v3", "deeplab", "deeplabv3_resnet50", {"version": "v3", "head": 256}, False),
    ]
    for name, family, builder, settings, second in families:
        same = {"stride": 8, "balance": "none", "background": False, **settings}
        theirs = getattr(vision.models.segmentation, builder)(
            weights=None, weights_backbone=None, num_classes=CLASSES, aux_loss=second
        )

        def their_loss(theirs: Any = theirs) -> Tensor:
            found = theirs(two.images / 255)
            losses = [nn.functional.cross_entropy(each, truth, ignore_index=-1) for each in found.values()]
            return losses[0] + 0.4 * sum(losses[1:])

        one = two.images[:1]
        look, mine = looking(fold(ours(family, classes, **same)), one), ours(family, classes, **same)
        if second:  # theirs is narrower than the first head
            layers = (ConvNorm(1024, 256), nn.Dropout(0.1), nn.Conv2d(256, CLASSES, 1))
            mine.head.second = nn.Sequential(*layers)  # type: ignore[union-attr]
        made += [
            (name, "training step", step_of(mine, two), stepping(theirs, their_loss)),
            (name, "inference", look, looking(theirs, one / 255)),
        ]
    return made


def region_pairs(vision: Any, size: tuple[int, int]) -> list[Pair]:
    """Mask R-CNN: training step, inference, and what follows the network."""
    one, classes = batch(size, 1, things=True)
    settings = {"head": 256, "hidden": 1024, "anchors": (32.0, 64.0, 128.0, 256.0), "contrast": "fixed"}
    settings |= {"proposals": 1000, "detections": THINGS}
    mine = ours("mask_rcnn", classes, **settings)
    theirs = vision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=CLASSES, min_size=min(size), max_size=max(size)
    )
    theirs.roi_heads.score_thresh = -1.0  # fresh weights are sure of nothing: both are to find the most
    target = one.targets[0]
    told = {
        "boxes": target.boxes,
        "labels": target.class_id + 1,
        "masks": target.masks(torch.arange(len(target))).to(torch.uint8),
    }

    def their_loss() -> Tensor:
        return torch.stack(list(theirs([one.images[0] / 255], [told]).values())).sum()

    def their_look() -> Any:
        theirs.eval()
        with torch.inference_mode():
            return theirs([one.images[0] / 255])

    quick = fold(ours("mask_rcnn", classes, **settings))
    look = looking(quick, one.images)
    return [
        ("Mask R-CNN", "training step", step_of(mine, one), stepping(theirs, their_loss)),
        ("Mask R-CNN", "inference", lambda: quick.decode(look(), [size]), their_look),  # type: ignore[operator]
        pasting(vision),
    ]


def pasting(vision: Any) -> Pair:
    """Masks of 28x28 into a large image: theirs to arrays, ours to run lengths in a segmentation."""
    rng = np.random.default_rng(1)
    middle = rng.uniform((0, 0), PASTED[::-1], (THINGS, 2))
    half = rng.uniform(10, 150, (THINGS, 2))
    boxes = np.concatenate([middle - half, middle + half], 1).astype(np.float32)
    boxes = boxes.clip(0, np.array([*PASTED[::-1], *PASTED[::-1]])).astype(np.float32)
    place = np.linspace(-1, 1, MASK)
    disc = 4 * (0.8 - np.hypot(place[:, None], place)).astype(np.float32)
    logits = disc + rng.normal(0, 0.2, (THINGS, MASK, MASK)).astype(np.float32)
    scores = rng.uniform(0.1, 1, THINGS).astype(np.float32)
    classes = Classes.of("disc")
    raw: list[Any] = [boxes, scores, np.zeros(THINGS, np.int64), logits]
    shares, their_boxes = torch.from_numpy(logits)[:, None].sigmoid(), torch.from_numpy(boxes)
    paste = vision.models.detection.roi_heads.paste_masks_in_image
    return (
        "Mask R-CNN",
        f"{THINGS} masks pasted into {PASTED[1]}x{PASTED[0]}",
        lambda: things_of_regions(raw, PASTED, classes, minimum_score=0.05),
        lambda: paste(shares, their_boxes, PASTED) > 0.5,
    )


def stepping(network: nn.Module, loss: Callable[[], Tensor]) -> Work:
    """Forward, loss and backward."""

    def step() -> None:
        network.train()
        network.zero_grad(set_to_none=True)
        loss().backward()  # type: ignore[no-untyped-call]

    return step


def step_of(network: nn.Module, some: Batch) -> Work:
    def loss() -> Tensor:
        losses = network.loss(network(some.images), some.targets)  # type: ignore[operator]
        return torch.stack(list(losses.values())).sum()

    return stepping(network, loss)


def looking(network: nn.Module, images: Tensor) -> Work:
    def look() -> Any:
        network.eval()
        with torch.inference_mode():
            return network(images)

    return look


def taking_turns(one: Work, other: Work, runs: int) -> tuple[list[float], list[float]]:
    """Processor seconds of both, after one run of each that does not count."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs + 1):
        for work, seconds in zip((one, other), found):
            before = time.process_time()
            work()
            seconds.append(time.process_time() - before)
    return found[0][1:], found[1][1:]


def main() -> int:
    parser = bench.options(__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=[360, 480], help="height and width")
    parser.add_argument("--only", default="", help="part of the name of an architecture")
    chosen = parser.parse_args()
    vision = torchvision()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_memory()
    torch.manual_seed(0)
    rows, size = [], (chosen.size[0], chosen.size[1])
    for build in (semantic_pairs, region_pairs):
        for name, what, one, other in build(vision, size):
            if chosen.only.lower() not in name.lower():
                continue
            mine, theirs = taking_turns(one, other, chosen.runs)
            ratio = statistics.median(b / a for a, b in zip(mine, theirs))
            rows.append([name, what, bench.median(mine, 4), bench.median(theirs, 4), f"{ratio:.2f}"])
            print("  ".join(rows[-1]), flush=True)
    words = (
        f"Inlay and torchvision with a ResNet-50 and fresh weights, one image of {size[1]}x{size[0]}, one "
        "thread, processor seconds (median of runs that take turns, range where it is wide; ratio: median "
        "of theirs over ours). FCN and DeepLab v3 have the same layers. Of Mask R-CNN both have 1000 "
        "proposals and give 100 things; ours has four levels and group norm in pyramid and mask head (three "
        "layers), theirs five levels, no norm and four layers. A training step is forward, loss and "
        "backward: of two crops, of one for Mask R-CNN. Ours looks with batch norms folded, as `predict` "
        "does."
    )
    header = ["architecture", "what", "ours, s", "torchvision, s", "ratio"]
    if not chosen.only:
        peers = ["torch", "torchvision"]
        bench.report("torchvision_pairs", "Speed beside torchvision", words, header, rows, peers)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
