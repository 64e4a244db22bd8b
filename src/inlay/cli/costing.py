"""`inlay advise`: what labels cost, by the formula, a quick count or measured times; and a pilot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from inlay.cli.tables import as_number, text_of

if TYPE_CHECKING:
    from inlay.advise.scenes import Load
    from inlay.core.dataset import Dataset


def count(
    photos: Path, /, *, page: Path = Path("count.html"), sample: int = 12, wage: float = 18, seed: int = 0
) -> int:
    """Write a page to count objects in some images by clicks: what labels cost, from images alone.

    Example: `inlay advise count photos`, click in the page, then run the line it shows

    Parameters
    ----------
    photos
        A folder of images.
    page
        Where to write it (.html).
    sample
        How many images, by lot.
    wage
        Money for an hour, for the line that the page shows.
    seed
        Of the lot.
    """
    from inlay.advise.counting import write_count_page
    from inlay.cli.console import open_pool, show_page

    write_count_page(open_pool(photos), page, sample=sample, wage=wage, seed=seed)
    show_page(page, browser=True)
    return 0


def cost(
    data: Path | None = None,
    /,
    *,
    images: int,
    wage: float,
    mode: Literal["semantic", "instance", "panoptic", "boxes", "amodal"] | None = None,
    tool: Literal["polygon", "interactive", "sam"] = "polygon",
    objects: str = "",
    size: float = 0.1,
    ratio: str = "",
    labellers: int = 1,
    fixed: float = 0.0,
    timings: Path | None = None,
) -> int:
    """Say what labels will cost: P10, P50, P90, and what moves the cost most.

    Example: `inlay advise cost labels --images 2000 --wage 18`, or without labels
    `inlay advise cost --objects 3,12,7,30 --size 0.08 --images 2000 --wage 18`

    Parameters
    ----------
    data
        A few labelled images like those to come.
    images
        How many images are to be labelled.
    wage
        Money for an hour.
    mode
        Label type; default: all, for comparison.
    tool
        How outlines are drawn.
    objects
        Without labels: objects in some images that somebody counted, with commas between.
    size
        Without labels: usual diameter of an object, as a share of the image's diagonal.
    ratio
        Your own belief of instance over semantic labels: `2.3`, or `2.3x1.5` within a factor of 1.5.
    labellers
        How many label each image.
    fixed
        Money spent once: guide, training, platform.
    timings
        Measured times of those images, a CSV with the columns sample, mode, seconds: the studio's advice page
        gives one.
    """
    from inlay.advise.cost import MODES, PRIORS, estimate, with_ratio
    from inlay.advise.scenes import measure_load
    from inlay.advise.timings import read_timings
    from inlay.core.errors import InlayError

    if timings and data is None:
        raise InlayError("--timings are of labelled images: give those as well")
    if (data is None) == (not objects):
        raise InlayError("give either labelled images or --objects, counts of some images")
    dataset = _labelled(data) if data else None
    load = measure_load(dataset) if dataset is not None else _stated(objects, size)
    priors = PRIORS
    if ratio:
        median, _, spread = ratio.partition("x")
        priors = with_ratio(
            PRIORS, as_number(median, "--ratio"), as_number(spread or "1.3", "--ratio"), "yours"
        )
    names = dataset.names if dataset is not None else ()
    timed = read_timings(text_of(timings), str(timings), names) if timings else ()
    for each in [mode] if mode else MODES:
        print(
            estimate(
                load,
                each,
                images,
                wage=wage,
                tool=tool,
                labellers=labellers,
                fixed=fixed,
                priors=priors,
                timings=timed,
            )
        )
    return 0


def pilot(data: Path, /, *, within: float = 0.2) -> int:
    """Name the images to time first, so that the mean time of all is known within a share of itself.

    Let everybody practise on ten other images before.

    Example: `inlay advise pilot labels --within 0.2`

    Parameters
    ----------
    data
        Labelled images, or predictions on the images to come: their objects stand for the work. Or a folder
        of images: those that are together most like all of it.
    within
        Half of the 80 % interval, as a share of the mean.
    """
    import numpy as np

    from inlay.advise.next_images import next_images as run_next
    from inlay.advise.next_images import pilot as run_pilot
    from inlay.advise.scenes import measure_load
    from inlay.cli.console import open_pool

    dataset = open_pool(data)
    if _has_labels(dataset):
        load = measure_load(dataset)
        names = [dataset.names[place] for place in run_pilot(load.objects + load.regions, within=within)]
    else:
        names = [name for name, _ in run_next(dataset, len(run_pilot(np.ones(len(dataset)), within=within)))]
    print("\n".join(names))
    print(f"time these {len(names)} of {len(dataset)} images", file=sys.stderr)
    return 0


def _has_labels(dataset: Dataset) -> bool:
    return any(sample.segmentation is not None for sample in dataset)


def _labelled(path: Path) -> Dataset:
    from inlay.cli.console import open_pool
    from inlay.core.errors import InlayError

    dataset = open_pool(path)
    if not _has_labels(dataset):
        raise InlayError(
            f"{path}: images without labels: count objects in some of them with `inlay advise count {path}`, "
            "or give --objects"
        )
    return dataset


def _stated(objects: str, size: float) -> Load:
    import numpy as np

    from inlay.advise.scenes import state_load
    from inlay.cli.console import words

    return state_load(np.array([as_number(each, "--objects") for each in words(objects)]), size=size)
