"""Prediction: a run applied to images, as a dataset that any format can write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import list_images, open_image
from inlay.core.segmentation import Segmentation
from inlay.training.hardware import pick_device, quiet_threads
from inlay.training.run import Run
from inlay.training.validate import segment

Progress = Callable[[int, int, str], None]
LARGEST = 40_000_000  # pixels; about 12 GB in the finest features


def predict(
    run: Run | Path | str,
    images: Dataset | Path | str | Sequence[Path | str],
    *,
    minimum_score: float | None = None,
    progress: Progress | None = None,
    device: str = "auto",
    precision: str = "float32",
) -> Dataset:
    """Predictions, made when a sample is asked for and then kept (as run lengths).

    Parameters
    ----------
    run
        A run, or its folder.
    images
        A dataset (its labels are not looked at), a folder of images, one image, or a list of images.
    minimum_score
        Leave out segments below it; default: the model's own threshold.
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
    run = run if isinstance(run, Run) else Run(Path(run))
    place = pick_device(device)
    network = run.network().to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    samples = images if isinstance(images, Dataset) else dataset_of_images(images)
    if not len(samples):
        raise InlayError("there are no images to predict")
    predictor = Predictor(network, samples, minimum_score, progress, place, precision)
    return Dataset(run.classes, samples.names, predictor.sample, samples.splits)


@dataclass
class Predictor:
    """A network and the images it is asked about; remembers its answers."""

    network: nn.Module
    samples: Dataset
    minimum_score: float | None
    progress: Progress | None
    device: torch.device
    precision: str
    known: dict[str, Segmentation] = field(default_factory=dict)

    def sample(self, name: str) -> Sample:
        """The sample of that name with its prediction."""
        sample = self.samples[name]
        if name not in self.known:
            self.known[name] = self._predicted(sample)
            if self.progress:
                self.progress(len(self.known), len(self.samples), name)
        return sample.replace(segmentation=self.known[name])

    def _predicted(self, sample: Sample) -> Segmentation:
        pixels = sample.pixels()
        height, width = pixels.shape[:2]
        if height * width > LARGEST:
            raise InlayError(
                f"image {sample.name!r} has {width}x{height} pixels; up to {LARGEST} are predicted at once: "
                "cut it into tiles"
            )
        with quiet_threads():
            return segment(self.network, [pixels], self.device, self.precision, self.minimum_score)[0]


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
