from __future__ import annotations

from inlay import Classes
from inlay.core.federated import absent_classes, federated_tags, is_federated, not_exhaustive_classes

CLASSES = Classes.of("cat", "dog", "absent: cow")


def test_what_somebody_looked_for_survives_in_the_tags() -> None:
    tags = federated_tags(["absent: cow", "dog"], ["cat"])
    assert absent_classes(tags, CLASSES).tolist() == [1, 2]
    assert not_exhaustive_classes(tags, CLASSES).tolist() == [0]


def test_other_tags_and_unknown_classes_mean_nothing() -> None:
    tags = federated_tags(["whale"], []) | {"night", "dog"}
    assert absent_classes(tags, CLASSES).size == 0
    assert not_exhaustive_classes(tags, CLASSES).size == 0


def test_images_are_federated_when_a_tag_says_so() -> None:
    assert is_federated(federated_tags([], ["cat"]))
    assert not is_federated({"night"})
