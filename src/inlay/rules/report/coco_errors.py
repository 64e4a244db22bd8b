"""Findings as a COCO file: a category for each rule, the offending pixels as masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.staging import staged
from inlay.rules.finding import Finding, Findings

SUFFIX = ".json"


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write what has a place; the info says how many have none."""
    del source
    placed = [each for each in findings if each.image is not None and each.region is not None]
    number = {name: place for place, name in enumerate(dict.fromkeys(str(each.image) for each in placed), 1)}
    category = {rule: place for place, rule in enumerate(findings.by_rule, 1)}
    severity = {each.rule: each.severity for each in findings}
    sizes = {str(each.image): each.region["size"] for each in placed if each.region}
    content = {
        "info": {
            "description": "findings of inlay check",
            "findings_without_pixels": len(findings) - len(placed),
        },
        "images": [
            {"id": each, "file_name": _file(name, dataset), "height": sizes[name][0], "width": sizes[name][1]}
            for name, each in number.items()
        ],
        "categories": [
            {"id": each, "name": rule, "supercategory": severity[rule]} for rule, each in category.items()
        ],
        "annotations": [
            _annotation(place, each, number[str(each.image)], category[each.rule])
            for place, each in enumerate(placed, 1)
        ],
    }
    with staged(path) as part:
        part.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _annotation(place: int, finding: Finding, image: int, category: int) -> dict[str, Any]:
    region = finding.region or {}
    mask = Masks.from_strings([region["counts"]], tuple(region["size"]))
    x0, y0, x1, y1 = mask.box()[0].tolist()
    return {
        "id": place,
        "image_id": image,
        "category_id": category,
        "segmentation": dict(region),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": int(mask.area()[0]),
        "iscrowd": 0,
        "attributes": {
            "message": finding.message,
            "segments": list(finding.segments),
            "measured": finding.measured,
            "limit": finding.limit,
            "fingerprint": finding.fingerprint,
        },
    }


def _file(name: str, dataset: Dataset | None) -> str:
    """Name of the image file, else of the sample."""
    try:
        image = None if dataset is None or not dataset.__contains__(name) else dataset.load(name).image
    except (InlayError, OSError):
        image = None
    return name + image.suffix if isinstance(image, Path) else name
