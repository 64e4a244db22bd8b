"""Batches: which examples come in which step, varied, as tensors, prepared while the model computes."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from queue import Full, Queue

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inlay.models.parts.targets import Target
from inlay.training.augment import plain_crop
from inlay.training.config import Training
from inlay.training.examples import Example, boxes_of
from inlay.training.mixing import mixed
from inlay.training.sampling import places_in_batch


@dataclass(frozen=True, eq=False)
class Batch:
    """(B, 3, H, W) float32 pixels 0 .. 255, and what is to be seen in them.

    Parameters
    ----------
    unlabelled
        Crops for the teacher to label, and `examples`, the labelled crops that it may mix them with.
    number
        Of the batch in the run.
    """

    images: Tensor
    targets: list[Target]
    unlabelled: tuple[Example, ...] = ()
    examples: tuple[Example, ...] = ()
    number: int = 0

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return replace(
            self,
            images=self.images.to(device, non_blocking=True),
            targets=[target.to(device) for target in self.targets],
        )


def target_of(example: Example) -> Target:
    """An example's maps as tensors, and what can be measured on them."""
    count = len(example.class_id)
    layer, rows, columns = np.nonzero(example.layers)
    thing = example.layers[layer, rows, columns] - 1
    area = np.maximum(np.bincount(thing, minlength=count), 1)
    layer_of = np.zeros(count, np.int64)
    layer_of[thing] = layer
    centres = np.zeros((count, 2), np.float32)
    for axis, place in enumerate((columns, rows)):
        centres[:, axis] = np.bincount(thing, place + 0.5, count) / area
    return Target(
        torch.from_numpy(example.semantic.astype(np.int64)),
        torch.from_numpy(np.ascontiguousarray(example.layers)),
        torch.from_numpy(layer_of),
        torch.from_numpy(example.class_id),
        torch.from_numpy(boxes_of(example.layers, count).astype(np.float32)),
        torch.from_numpy(centres),
        torch.from_numpy(np.ascontiguousarray(example.ignored)),
        torch.from_numpy(example.whole),
        torch.from_numpy(np.ascontiguousarray(example.hints)),
        torch.from_numpy(lab(example.image)) if not example.whole.all() else None,  # type: ignore[arg-type]
    )


def lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(3, H, W) Lab colours: lightness 0 .. 100, and two axes of hue."""
    share = np.ascontiguousarray(image, np.float32) / 255
    return np.ascontiguousarray(np.asarray(cv2.cvtColor(share, cv2.COLOR_RGB2Lab)).transpose(2, 0, 1))


def batch_of(examples: Sequence[Example]) -> Batch:
    """Examples of one size as a batch; images lie channels-last, which convolutions on a CPU want."""
    pixels = torch.from_numpy(np.stack([example.image for example in examples]))
    return Batch(pixels.permute(0, 3, 1, 2).float(), [target_of(example) for example in examples])


def make_batch(
    examples: Sequence[Example],
    settings: Training,
    number: int,
    unlabelled: Sequence[Example] = (),
    often: NDArray[np.float64] | None = None,
) -> Batch:
    """The batch of that number in the run; with unlabelled examples, a share of it is theirs.

    `often` says how often each labelled example comes in a pass; default: once.
    """
    blank = settings.unlabelled if len(unlabelled) else 0
    often = np.ones(len(examples)) if often is None else often
    places = places_in_batch(number, settings.batch - blank, often, settings.seed)
    varied = [
        mixed(examples, index, settings.augment, np.random.default_rng((settings.seed, 1, position)))
        for index, position in places
    ]
    batch = batch_of(varied)
    if not blank:
        return batch
    crops = tuple(
        plain_crop(unlabelled[index], settings.augment, np.random.default_rng((settings.seed, 2, position)))
        for index, position in places_in_batch(number, blank, np.ones(len(unlabelled)), settings.seed)
    )
    return replace(batch, unlabelled=crops, examples=tuple(varied), number=number)


def batches(
    examples: Sequence[Example],
    settings: Training,
    numbers: Iterator[int],
    unlabelled: Sequence[Example] = (),
    often: NDArray[np.float64] | None = None,
) -> Generator[Batch, None, None]:
    """Batches of these numbers, prepared two ahead in a thread.

    Errors of the thread are raised here. Closing the iterator ends the thread.
    """
    ready: Queue[Batch | BaseException] = Queue(maxsize=2)
    closed = threading.Event()

    def prepare() -> None:
        for number in numbers:
            try:
                made: Batch | BaseException = make_batch(examples, settings, number, unlabelled, often)
            except BaseException as error:  # handed to the loop, which raises it
                made = error
            while not closed.is_set():
                try:
                    ready.put(made, timeout=0.2)
                    break
                except Full:
                    continue
            if closed.is_set() or isinstance(made, BaseException):
                return

    thread = threading.Thread(target=prepare, daemon=True)
    thread.start()
    try:
        while True:
            batch = ready.get()
            if isinstance(batch, BaseException):
                raise batch
            yield batch
    finally:
        closed.set()
        thread.join()
