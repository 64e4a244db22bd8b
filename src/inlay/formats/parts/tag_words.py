"""Tag words: the attributes of other tools as words on a segment, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from inlay.core.segmentation import NO_TAGS, Tags


def tags_of(attributes: Mapping[str, Any] | None) -> Tags:
    """Attributes as words: those that are true by their name, others as "name=value"."""
    if not attributes:
        return NO_TAGS
    words = []
    for key, value in attributes.items():
        if key in ("track_id", "keyframe") or (key == "rotation" and not value):
            continue  # how CVAT writes its tracks and boxes
        for each in value if isinstance(value, list) else [value]:
            if each is True:
                words.append(key)
            elif isinstance(each, dict | list):
                words.append(f"{key}={msgspec.json.encode(each).decode()}")
            elif each is not None and each is not False:
                words.append(f"{key}={each}")
    return frozenset(words)


def attributes_of(tags: Tags) -> Mapping[str, Any] | UnsetType:
    """The `attributes` that `tags_of` reads as these tags."""
    if not tags:
        return UNSET
    found: dict[str, list[Any]] = {}
    for tag in sorted(tags):
        key, equals, value = tag.partition("=")
        found.setdefault(key, []).append(value if equals else True)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}
