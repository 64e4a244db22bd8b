"""The best and the worst images of a score: image, truth, prediction, and where they differ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay import page
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.overlay import draw, nearest
from inlay.core.segmentation import Segmentation
from inlay.metrics import Score
from inlay.metrics.parts.pairing import in_classes
from inlay.page import Html, text
from inlay.report.sections import counted

if TYPE_CHECKING:
    from inlay.rules.finding import Finding

WORST, BEST = 8, 4
FOUR_ABREAST = "max(9rem, 22%)"  # two on a telephone
SIDE = 384  # pixels of the longer side of a picture
ROOM = 2_400_000  # bytes of all pictures together; a page of 3 MB still opens at once
MISSED, FALSE, CONFUSED = (224, 62, 40), (240, 170, 20), (150, 60, 200)
THINGS_ALONE = {  # metrics that do not look at stuff
    *("average_precision", "boundary_average_precision", "lvis_average_precision"),
    *("counting", "tracking", "instance_iou"),
}
NOBODY, UNKNOWN = -1, -2  # in a map of classes: no segment; not judged


def examples(score: Score, truth: Dataset, prediction: Dataset, *, findings: Sequence[Finding]) -> str:
    """The worst images, then the best, as many as fit."""
    ranked = score.ranked()
    worst = ranked[: min(WORST, -(-len(ranked) * 2 // 3))]
    best = ranked[len(worst) :][::-1][:BEST]
    partner = dict(truth.pair(prediction))
    found = Counter(finding.image for finding in findings)
    used: set[int] = set()
    room = ROOM
    parts = []
    for title, chosen in (("Worst images", worst), ("Best images", best)):
        rows = []
        for name, _ in chosen:
            sample = truth.load(name)
            label = in_classes(sample.label(), score.classes)
            predicted = _prediction(score, prediction, partner.get(name), label)
            row = _row(score, sample.replace(segmentation=label), predicted, found[name])
            if len(row) > room:
                break
            room -= len(row)
            rows.append(row)
            used |= {*label.class_id.tolist(), *predicted.class_id.tolist()}
        if rows:
            parts.append(page.section(title, *rows))
    if not parts:
        return ""
    kinds = page.legend(("missed", "false", "wrong class"), (MISSED, FALSE, CONFUSED))
    classes = sorted(used)
    legend = page.legend(
        [score.classes.names[row] for row in classes], [score.classes.colours[row] for row in classes]
    )
    return page.section("What the images show", legend, kinds) + "".join(parts)


def _prediction(score: Score, prediction: Dataset, name: str | None, label: Segmentation) -> Segmentation:
    """Segments of a prediction that count as found, under the truth's classes, the surest in front."""
    predicted = None if name is None else prediction.load(name).segmentation
    if predicted is None:
        return Segmentation.empty(score.classes, label.size)
    predicted = in_classes(predicted, score.classes)
    if score.threshold is None or predicted.score is None:
        return predicted
    order = np.argsort(predicted.score, kind="stable")
    return predicted[order[predicted.score[order] >= score.threshold]]


def _pixels(sample: Sample) -> NDArray[np.uint8] | None:
    """The image, or None where there is none to be read: the segments are then drawn on paper."""
    try:
        return sample.pixels()
    except InlayError:
        return None


def _row(score: Score, sample: Sample, predicted: Segmentation, findings: int) -> Html:
    """Four pictures of one image under its name and figures."""
    label, pixels = sample.label(), _pixels(sample)
    size = _picture_size(label.size)
    place = score.samples.index(sample.name)
    values = [(name, float(column[place])) for name, column in score.per_sample.items()]
    figures = ", ".join(
        f"{name.replace('_', ' ')} {value:.3f}" for name, value in values[:3] if score.knows(name, value)
    )
    noted = f"; {counted(findings, 'finding')} in its label" if findings else ""
    drawn = (
        ("image", draw(pixels, label[:0], size=size), "" if pixels is not None else "not at hand"),
        ("truth", draw(pixels, label, size=size, names=False), counted(len(label), "segment")),
        ("prediction", draw(pixels, predicted, size=size, names=False), counted(len(predicted), "segment")),
        ("difference", _difference(pixels, label, predicted, size, stuff=_judges_stuff(score)), ""),
    )
    pictures = page.grid(
        [
            page.picture(image, f"{kind} of {sample.name}", f"{kind}{': ' if words else ''}{words}")
            for kind, image, words in drawn
        ],
        width=FOUR_ABREAST,
    )
    return Html(f"<h3>{text(sample.name)}</h3><p>{text(figures + noted)}</p>{pictures}")


def _picture_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the pictures: large images shrink to `SIDE`, small ones grow by whole steps."""
    scale = SIDE / max(size)
    scale = min(4, math.floor(scale)) if scale > 1 else scale
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _judges_stuff(score: Score) -> bool:
    """Whether a metric looked at stuff."""
    known = ~(score.classes.is_thing | score.classes.is_void)
    return bool(known.any()) and not set(score.metrics) <= THINGS_ALONE


def _difference(
    pixels: NDArray[np.uint8] | None,
    label: Segmentation,
    predicted: Segmentation,
    size: tuple[int, int],
    *,
    stuff: bool,
) -> NDArray[np.uint8]:
    """(H, W, 3) the image in grey, with pixels in colour where the class is missed, false or wrong.

    Where `stuff` is not judged, what is no thing is background.
    """
    classes = label.classes
    if not stuff:
        label = label[label.is_thing | classes.is_void[label.class_id]]
    true = np.where(classes.is_void[label.class_id], UNKNOWN, label.class_id)
    true = nearest(label.masks.paint(true, fill=UNKNOWN if stuff else NOBODY), size)
    mine = nearest(predicted.semantic(void=NOBODY), size)
    canvas = draw(pixels, label[:0], size=size)
    grey = canvas @ np.array([0.299, 0.587, 0.114])
    shown = np.repeat((0.55 * grey + 70)[..., None], 3, axis=2)
    judged = true != UNKNOWN
    for colour, where in (
        (MISSED, (true >= 0) & (mine < 0)),
        (FALSE, judged & (true < 0) & (mine >= 0)),
        (CONFUSED, (true >= 0) & (mine >= 0) & (true != mine)),
    ):
        shown[where] = 0.25 * shown[where] + 0.75 * np.array(colour)
    return shown.astype(np.uint8)
