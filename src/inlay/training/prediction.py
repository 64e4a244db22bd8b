"""Prediction: a run applied to images, as a dataset that any format can write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import list_images, open_image
from inlay.core.segmentation import Segmentation
from inlay.training.hardware import pick_device, quiet_threads
from inlay.training.pretrained import PretrainedRun, is_pretrained
from inlay.training.run import Run
from inlay.training.runtime import OnnxRun
from inlay.training.segmenting import Looking, Segmenter

Progress = Callable[[int, int, str], None]


def predict(
    run: Run | OnnxRun | PretrainedRun | Path | str,
    images: Dataset | Path | str | Sequence[Path | str],
    *,
    minimum_score: float | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    flips: bool = False,
    refine: int = 0,
    batch: int | None = None,
    progress: Progress | None = None,
    device: str = "auto",
    precision: str = "float32",
) -> Dataset:
    """Predictions, made when a sample is asked for and then kept (as run lengths).

    Parameters
    ----------
    run
        A run, its folder, an ONNX file of `inlay export`, the folder of a pretrained network as transformers
        writes it, or "hub:OWNER/NAME" to fetch one.
    images
        A dataset (its labels are not looked at), a folder of images, one image, or a list of images.
    minimum_score
        Leave out segments below it; default: the model's own threshold.
    tile
        Largest side of what the model sees at once, pixels. Larger images are looked at in overlapping tiles:
        logits are blended, things joined across borders. Default: images over 4 megapixels in tiles of 1024.
    overlap
        Pixels that tiles share: the size of a usual thing. Default: 192, or a fifth of a smaller tile.
    flips
        Look at mirrored images as well and take the mean: surer, at twice the time.
    refine
        Rounds in which a dense CRF draws the classes of pixels to the edges in the image, 5 say; models of
        instances are left as they are.
    batch
        Images or tiles of one size predicted together; default: 8 on a GPU, else 1.
    progress
        Called with images predicted, images in all, and the name of the last.
    device, precision
        "auto" for a GPU or bfloat16 where there is one; float32 gives the same masks everywhere.

    Raises
    ------
    InlayError
        When the run is none, or there are no images.
    FormatError
        Naming the images that cannot be opened, before the first is predicted; one that breaks off inside is
        named when it is reached.
    """
    run = opened(run)
    place = pick_device("cpu" if isinstance(run, OnnxRun) else device)
    batch = batch if batch is not None else 8 if place.type == "cuda" else 1
    looking = Looking(tile, overlap, flips, batch, minimum_score, refine)
    segmenter = run.segmenter(device, precision)
    samples = images if isinstance(images, Dataset) else dataset_of_images(images)
    if not len(samples):
        raise InlayError("there are no images to predict")
    predictor = Predictor(segmenter, samples, looking, progress)
    return Dataset(run.classes, samples.names, predictor.sample, samples.splits)


def opened(run: Run | OnnxRun | PretrainedRun | Path | str) -> Run | OnnxRun | PretrainedRun:
    """The run in a folder, the model in an ONNX file, or a pretrained network."""
    if isinstance(run, Run | OnnxRun | PretrainedRun):
        return run
    if is_pretrained(run):
        return PretrainedRun(run)
    return OnnxRun(Path(run)) if Path(run).suffix == ".onnx" else Run(Path(run))


class Predictor:
    """Images and what looks at them; remembers its answers.

    Who asks for one sample after the other gets batches: the next images of the same size are predicted with
    the one that was asked for.
    """

    def __init__(
        self, segmenter: Segmenter, samples: Dataset, looking: Looking, progress: Progress | None
    ) -> None:
        self._segmenter, self._samples = segmenter, samples
        self._looking, self._progress = looking, progress
        self._known: dict[str, Segmentation] = {}
        self._place = {name: place for place, name in enumerate(samples.names)}
        self._waiting: tuple[str, NDArray[np.uint8]] | None = None  # read already, of another size

    def sample(self, name: str) -> Sample:
        """The sample of that name with its prediction."""
        if name not in self._known:
            self._predict(name)
        return self._samples[name].replace(segmentation=self._known[name])

    def _predict(self, name: str) -> None:
        names, images = self._together(name)
        with quiet_threads():
            found = self._segmenter.images(images, self._looking)
        for each, segmentation in zip(names, found):
            self._known[each] = segmentation
            if self._progress:
                self._progress(len(self._known), len(self._samples), each)

    def _together(self, name: str) -> tuple[list[str], list[NDArray[np.uint8]]]:
        """The image of that name, and those after it that go into the same batch."""
        place = self._place[name]
        names, images = [name], [self._pixels(name)]
        size = images[0].shape[0], images[0].shape[1]
        in_turn = place == 0 or self._samples.names[place - 1] in self._known
        most = self._looking.batch if in_turn and self._looking.tiling(size) is None else 1
        for following in self._samples.names[place + 1 : place + most]:
            if following in self._known:
                break
            pixels = self._pixels(following)
            if pixels.shape[:2] != size:
                self._waiting = following, pixels
                break
            names.append(following)
            images.append(pixels)
        return names, images

    def _pixels(self, name: str) -> NDArray[np.uint8]:
        if self._waiting is not None and self._waiting[0] == name:
            pixels, self._waiting = self._waiting[1], None
            return pixels
        return self._samples[name].pixels()


def dataset_of_images(images: Path | str | Sequence[Path | str]) -> Dataset:
    """Unlabelled samples of a folder, one image or a list of images; each is opened once as a test."""
    if isinstance(images, Path | str):
        path = Path(images)
        if not path.exists():
            raise FormatError(path, "", "there is no such file or folder")
        files, folder = (list_images(path), path) if path.is_dir() else ([path], path.parent)
        if not files:
            raise FormatError(path, "", "there are no images in this folder")
    else:
        files = [Path(image) for image in images]
        folder = _shared_folder(files)
    _refuse_unreadable(files)
    return Dataset.of_images(files, folder)


def _shared_folder(files: Sequence[Path]) -> Path:
    """The deepest folder that holds all files."""
    first = files[0].parent if files else Path()
    return next(
        (folder for folder in (first, *first.parents) if all(file.is_relative_to(folder) for file in files)),
        Path(),
    )


def _refuse_unreadable(files: Sequence[Path]) -> None:
    errors = []
    for file in files:
        try:
            open_image(file).close()
        except FormatError as error:
            errors.append(error)
    if errors:
        more = (
            f" (and {len(errors) - 1} more: {', '.join(str(e.path) for e in errors[1:6])})"
            if len(errors) > 1
            else ""
        )
        raise FormatError(errors[0].path, errors[0].where, errors[0].what + more)
