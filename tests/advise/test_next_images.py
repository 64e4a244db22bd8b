"""Which images next: doubt, what is typical, and variety."""

import numpy as np
import pytest

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation
from inlay.advise import next_images
from inlay.advise.next_images import doubt

CLASSES = Classes.of("cell")


def picture(name, shade):
    return Sample(name, np.full((32, 32, 3), shade, np.uint8), None)


def predicted(name, *scores):
    masks = Masks.from_ids(np.arange(1024).reshape(32, 32) // 100, len(scores))
    rows = np.zeros(len(scores), np.int32)
    return Sample(name, None, Segmentation(CLASSES, masks, rows, rows + 1, score=np.array(scores)))


POOL = Dataset.of([picture(f"{shade}", shade) for shade in (10, 11, 12, 120, 240)], CLASSES)


def test_each_kind_is_taken_as_often_as_it_is():
    shades = [10, 11, 12, 13, 120, 121, 122, 123, 240, 241, 242, 243]
    pool = Dataset.of([picture(f"{shade}", shade) for shade in shades], CLASSES)
    chosen = [int(name) // 100 for name, _ in next_images(pool, 6)]
    assert sorted(chosen[:3]) == [0, 1, 2]
    assert sorted(chosen) == [0, 0, 1, 1, 2, 2]


def test_what_is_labelled_is_not_asked_for_again():
    labelled = Dataset.of([picture("x", 240), picture("y", 120)], CLASSES)
    (name, _), *_ = next_images(POOL, 1, labelled=labelled)
    assert name in {"10", "11", "12"}


def test_typical_images_come_before_odd_ones():
    shades = [10, 11, 12, 13, 14, 15, 90, 240]
    pool = Dataset.of([picture(f"{shade}", shade) for shade in shades], CLASSES)
    chosen = next_images(pool, 8)
    assert int(chosen[0][0]) in range(10, 16)
    assert chosen[0][1] == 1
    assert all(0 <= worth <= 1 for _, worth in chosen)


def test_what_is_taken_is_more_like_the_pool_than_what_comes_by_lot():
    random = np.random.default_rng(4)
    pool = Dataset.of([picture(f"{k}", int(s)) for k, s in enumerate(random.gamma(2, 40, 60).clip(0, 250))])
    shade = {sample.name: float(sample.pixels().mean()) for sample in pool}

    def quantiles(shades):
        return np.quantile(shades, np.linspace(0.1, 0.9, 9))

    def off(names):
        return np.abs(quantiles([shade[name] for name in names]) - quantiles([*shade.values()])).mean()

    lots = [off(random.choice(pool.names, 8, replace=False)) for _ in range(50)]
    assert off([name for name, _ in next_images(pool, 8)]) < np.median(lots)


def test_images_that_show_the_same_classes_are_near_though_they_look_unlike():
    two = Classes.of("cell", "dust")

    def seen(name, shade, class_id):
        label = Segmentation(two, Masks.encode(np.ones((1, 32, 32), bool)), [class_id], [1], score=[0.9])
        return Sample(name, np.full((32, 32, 3), shade, np.uint8), label)

    pool = [seen("a", 100, 0), seen("b", 101, 0), seen("c", 102, 0), seen("d", 101, 1)]
    images = Dataset.of([each.replace(segmentation=None) for each in pool], two)
    labelled = Dataset.of([seen("known", 101, 0)], two)
    (name, _), *_ = next_images(images, 1, predictions=Dataset.of(pool, two), labelled=labelled, seed=1)
    assert name == "d"


def test_the_doubtful_image_comes_first():
    predictions = Dataset.of(
        [predicted(sample.name, 0.5 if sample.name == "11" else 0.99) for sample in POOL], CLASSES
    )
    assert next_images(POOL, 1, predictions=predictions)[0][0] == "11"
    sure = Dataset.of([predicted(sample.name, 0.99) for sample in POOL], CLASSES)
    found = next_images(POOL, 1, predictions=sure, findings={"12": 9}, doubt_weight=1.0)
    assert found[0][0] == "12"


def test_doubt_is_largest_at_one_half():
    values = [doubt(predicted("a", score).label()) for score in (0.01, 0.5, 0.99)]
    assert values[1] > max(values[0], values[2])
    assert doubt(predicted("a").label()) == 0


def test_pools_without_enough_images_or_predictions_are_refused():
    with pytest.raises(InlayError, match="pool of 5"):
        next_images(POOL, 6)
    with pytest.raises(InlayError, match="has no prediction"):
        next_images(POOL, 1, predictions=Dataset.of([predicted("10", 0.5)], CLASSES))
