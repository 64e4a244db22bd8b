"""Two models, one that finds things and one that finds stuff, as one panoptic prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.models.decode.panoptic import STUFF_AREA, merged
from inlay.training.prediction import Progress, dataset_of_images, opened, predict
from inlay.training.run import Run
from inlay.training.runtime import OnnxRun


def predict_panoptic(
    things: Run | OnnxRun | Path | str,
    stuff: Run | OnnxRun | Path | str,
    images: Dataset | Path | str | Sequence[Path | str],
    *,
    minimum_score: float | None = None,
    hidden: float = 0.5,
    stuff_area: int = STUFF_AREA,
    tile: int | None = None,
    overlap: int | None = None,
    flips: bool = False,
    refine: int = 0,
    batch: int | None = None,
    progress: Progress | None = None,
    device: str = "auto",
) -> Dataset:
    """Predictions in which the things of one model stand before the stuff of another, no pixel in both.

    Parameters
    ----------
    things, stuff
        A run, its folder, or an ONNX file: one that finds things, one that gives pixels classes of stuff.
    images
        A dataset (its labels are not looked at), a folder of images, one image, or a list of images.
    minimum_score, hidden, stuff_area
        Of `inlay.models.decode.panoptic.merged`; without a least score it is 0.5.
    tile, overlap, flips, refine, batch, progress, device
        Of `predict`: they hold for both models.

    Raises
    ------
    InlayError
        When the first model knows no thing, or the second no stuff.
    """
    first, second = opened(things), opened(stuff)
    if not first.classes.is_thing.any():
        raise InlayError(
            f"{things} knows no things, only {', '.join(first.classes.names)}: swap the two runs?"
        )
    if first.classes.is_thing.all() and second.classes.is_thing.all():
        raise InlayError(
            f"{stuff} knows no stuff, only {', '.join(second.classes.names)}: there is nothing to put behind "
            "the things"
        )
    samples = images if isinstance(images, Dataset) else dataset_of_images(images)
    found, behind = (
        predict(
            run,
            samples,
            tile=tile,
            overlap=overlap,
            flips=flips,
            refine=refine,
            batch=batch,
            progress=told,
            device=device,
        )
        for run, told in ((first, progress), (second, None))
    )

    def sample(name: str) -> Sample:
        each = found[name]
        whole = merged(
            each.label(),
            behind[name].label(),
            minimum_score=0.5 if minimum_score is None else minimum_score,
            hidden=hidden,
            stuff_area=stuff_area,
        )
        return each.replace(segmentation=whole)

    return Dataset(first.classes.merge(second.classes), samples.names, sample, samples.splits)
