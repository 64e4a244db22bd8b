from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation
from inlay.metrics import score
from inlay.report.agreement import annotator_agreement, consensus

CLASSES = Classes.of("cell", "dust")


def person(seed: int, *, images: int = 4, careful: bool = True) -> Dataset:
    samples = []
    for i in range(images):
        ids = np.random.default_rng(i).integers(-1, 4, (4, 4)).repeat(6, axis=0).repeat(6, axis=1)
        rng = np.random.default_rng(100 * seed + i)
        slip = rng.random(ids.shape) < (0.02 if careful else 0.3)
        ids = np.where(slip, -1, ids)
        label = Segmentation(CLASSES, Masks.from_ids(ids, 4), [0, 0, 1, 1], [1, 2, 3, 4])
        samples.append(Sample(f"s{i}", None, label))
    return Dataset.of(samples, CLASSES)


def test_every_pair_every_person_and_all_have_figures() -> None:
    people = {"anna": person(1), "ben": person(2), "carl": person(3, careful=False)}
    report = annotator_agreement(people)
    assert set(report.pairs) == {("anna", "ben"), ("anna", "carl"), ("ben", "carl")}
    assert report.pairs["anna", "ben"].pq > report.people["carl"].pq
    assert report.whole.images == 12
    assert set(report.whole.of_class) == {0, 1}
    assert report.worst[0][1] <= report.worst[-1][1]
    shown = str(report)
    for words in ("anna - ben", "carl - all others", "boundary IoU", "least agreed on", "dust"):
        assert words in shown


def test_the_careless_one_is_outvoted() -> None:
    people = {"anna": person(1), "ben": person(2), "carl": person(3, careful=False)}
    agreed = consensus(people)
    with_truth = annotator_agreement({"all": agreed, "anna": person(1)})
    assert with_truth.whole.pq > annotator_agreement({"c": people["carl"], "anna": person(1)}).whole.pq
    by_staple = consensus(people, by="staple")[0].label()
    assert by_staple.classes == CLASSES


def test_an_image_of_one_person_alone_stays_and_one_of_nobody_is_unlabelled() -> None:
    one, other = person(1), person(2, images=2)
    blank = Dataset.of([*one, Sample("blank", None, None)], CLASSES)
    agreed = consensus({"a": blank, "b": other})
    assert agreed["s3"].label().equals(one["s3"].label())
    assert agreed["blank"].segmentation is None


def test_what_cannot_be_compared_is_refused_in_words() -> None:
    with pytest.raises(InlayError, match="two people or more, not 1"):
        annotator_agreement({"anna": person(1)})
    with pytest.raises(InlayError, match="'majority' or 'staple', not 'luck'"):
        consensus({"anna": person(1)}, by="luck")
    small = Dataset.of([Sample("s0", None, Segmentation.empty(CLASSES, (3, 3)))], CLASSES)
    with pytest.raises(InlayError, match="sample 's0': people drew on images"):
        annotator_agreement({"a": person(1), "b": small})
    blank = Dataset.of([Sample("s0", None, None)], CLASSES)
    with pytest.raises(InlayError, match="no image is labelled by two of a, b"):
        annotator_agreement({"a": person(1), "b": blank})


def test_the_two_annotators_of_drive_agree_as_published(shared: Path) -> None:
    """The human figure of DRIVE: mean Dice 0.788 of the second annotator against the first."""
    vessels = Classes.of("vessel")  # a thing: what nobody drew is background, and judged

    def annotator(folder: str) -> Dataset:
        samples = []
        for file in sorted((shared / "data/drive_two_annotators/test" / folder).glob("*.gif")):
            with Image.open(file) as image:
                ids = np.where(np.asarray(image) > 0, 0, -1)
            samples.append(Sample(file.name[:2], None, Segmentation.from_semantic(ids, vessels)))
        assert len(samples) == 20
        return Dataset.of(samples, vessels)

    people = {"first": annotator("1st_manual"), "second": annotator("2nd_manual")}
    result = score(people["first"], people["second"], ["surface_distance"])
    assert result["Dice_per_image"] == pytest.approx(0.788, abs=5e-4)
    low, high = result.intervals["Dice_per_image"]
    assert 0.77 < low < result["Dice_per_image"] < high < 0.80
    report = annotator_agreement(people)
    dice = result.per_sample["Dice_per_image"]
    assert report.whole.iou == pytest.approx(np.mean(dice / (2 - dice)), abs=1e-12)
    assert len(consensus(people, by="staple")["01"].label()) == 1
