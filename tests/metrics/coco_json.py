"""Random COCO files for the tests, and the same as Segmentations and as pycocotools sees them."""

from __future__ import annotations

import contextlib
import copy
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass

HEIGHT, WIDTH = 40, 50


@dataclass(frozen=True)
class Case:
    """Truth and results as the JSON files hold them."""

    truth: dict[str, Any]
    results: list[dict[str, Any]]


def random_case(rng: np.random.Generator, *, boxes: bool, scale: int = 1, ties: bool = True) -> Case:
    """Blobs with jittered copies as predictions; with `ties`, few distinct scores."""
    size = (HEIGHT * scale, WIDTH * scale)
    classes = [{"id": int(i), "name": f"class {i}"} for i in rng.permutation([1, 3, 7])]
    images = [
        {"id": int(i), "height": size[0], "width": size[1], "file_name": f"{i:04d}.jpg"} for i in range(1, 5)
    ]
    annotations, results = [], []
    for image in images:
        for _ in range(int(rng.integers(0, 6))):
            mask = rectangle(rng, size)
            chosen = int(rng.choice([1, 3, 7]))
            stated_area = (
                float(mask.sum()) if rng.random() < 0.5 else float(rng.choice([1024.0, 9216.0, 50.5]))
            )
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": chosen,
                    "iscrowd": int(rng.random() < 0.25),
                    "area": stated_area,
                    "segmentation": rle(mask),
                    "bbox": jittered_box(rng, mask),
                }
            )
            for _ in range(int(rng.integers(0, 4))):
                near = np.roll(mask, rng.integers(-2, 3, 2), axis=(0, 1))
                results.append(result(rng, near, image["id"], chosen, boxes=boxes))
        results += [
            result(rng, rectangle(rng, size), image["id"], int(rng.choice([1, 3, 7])), boxes=boxes)
            for _ in range(int(rng.integers(0, 3)))
        ]
    order = rng.permutation(len(results))
    if not ties:
        for place, i in enumerate(order):
            results[i]["score"] = float(np.float32((place + 1) / 1000))
    truth = {"images": images, "annotations": annotations, "categories": classes}
    return Case(truth, [results[i] for i in order])


def rectangle(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(size, bool)
    y, x = rng.integers(0, size[0] - 6), rng.integers(0, size[1] - 6)
    mask[y : y + rng.integers(2, size[0] // 2), x : x + rng.integers(2, size[1] // 2)] = True
    return mask


def jittered_box(rng: np.random.Generator, mask: np.ndarray) -> list[float]:
    box = coco_mask.toBbox(coco_mask.encode(np.asfortranarray(mask.astype(np.uint8))))
    jitter = rng.choice([0.0, 0.0, 0.1, -0.37], 4) if rng.random() < 0.7 else np.zeros(4)
    return [round(float(v), 2) for v in np.maximum(box + jitter, 0.1)]


def result(
    rng: np.random.Generator, mask: np.ndarray, image: int, class_id: int, *, boxes: bool
) -> dict[str, Any]:
    box = {"bbox": jittered_box(rng, mask)} if boxes else {}
    score = float(rng.choice([0.25, 0.5, 0.75, 0.9]))
    return {"image_id": image, "category_id": class_id, "segmentation": rle(mask), "score": score, **box}


def rle(mask: np.ndarray) -> dict[str, Any]:
    encoded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode()}


def datasets(case: Case) -> tuple[Dataset, Dataset]:
    """Truth and predictions as a COCO reader hands them over."""
    classes = Classes(
        tuple(SegmentClass(item["name"], source_id=item["id"]) for item in case.truth["categories"])
    )
    row_of = {item["id"]: row for row, item in enumerate(case.truth["categories"])}
    images = sorted(case.truth["images"], key=lambda item: item["id"])

    def dataset(entries: list[dict[str, Any]]) -> Dataset:
        by_image: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in images}
        for entry in entries:
            by_image[entry["image_id"]].append(entry)
        return Dataset.of(
            [
                Sample(
                    image["file_name"].removesuffix(".jpg"),
                    None,
                    segmentation(by_image[image["id"]], (image["height"], image["width"]), classes, row_of),
                )
                for image in images
            ],
            classes,
        )

    return dataset(case.truth["annotations"]), dataset(case.results)


def segmentation(
    entries: list[dict[str, Any]], size: tuple[int, int], classes: Classes, row_of: dict[int, int]
) -> Segmentation:
    masks = [entry["segmentation"]["counts"] for entry in entries]
    boxes = np.array([entry.get("bbox", [0] * 4) for entry in entries], float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    count = len(entries)
    return Segmentation(
        classes,
        Masks.from_strings(masks, size),
        np.array([row_of[entry["category_id"]] for entry in entries], np.int32),
        np.arange(1, count + 1, dtype=np.int32),
        score=np.array([entry["score"] for entry in entries]) if count and "score" in entries[0] else None,
        crowd=np.array([bool(entry.get("iscrowd", 0)) for entry in entries], bool),
        stated_box=boxes if count and "bbox" in entries[0] else None,
        source_id=np.array([entry["id"] for entry in entries], np.int64)
        if count and "id" in entries[0]
        else None,
        stated_area=np.array([entry["area"] for entry in entries])
        if count and "area" in entries[0]
        else None,
    )


def pycocotools(case: Case, kind: str) -> COCOeval:
    """The reference's evaluation, silently. `kind`: segm or bbox."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = copy.deepcopy(case.truth)
        truth.createIndex()
        found = truth.loadRes(copy.deepcopy(case.results))
        evaluation = COCOeval(truth, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation
