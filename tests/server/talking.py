"""What the tests of the studio say to it."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from inlay import Masks
from inlay.client import Client, StudioError, mask

SIZE = (40, 60)  # height, width of the images


def add_classes(client: Client, project_id: int, *names: str) -> list[int]:
    path = f"/api/projects/{project_id}/classes"
    table = client.request("GET", path)
    rows = [{name: row[name] for name in row if name != "segments"} for row in table["classes"]]
    rows += [{"name": name, "kind": "thing", "colour": "#aa0000"} for name in names]
    answer = client.request("PUT", path, {"classes": rows}, headers={"If-Match": f'"{table["revision"]}"'})
    return [row["class_id"] for row in answer["classes"]][-len(names) :]


def image_ids(client: Client, project_id: int) -> list[int]:
    return [image["image_id"] for image in client.images({"project_id": project_id})]


def square(x: int, y: int, side: int = 10):
    """A filled square as the wire's mask."""
    pixels = np.zeros(SIZE, np.bool_)
    pixels[y : y + side, x : x + side] = True
    return mask(Masks.encode(pixels))


def key_of(number: int) -> str:
    return f"segment-{number:08d}"


def facts(number: int, class_id: int, **changes):
    return {"key": key_of(number), "class_id": class_id, "instance_id": number, **changes}


def drawing(number: int, class_id: int, pixels, above: str | None = None):
    """Ops that draw a new segment on free pixels."""
    return [
        {"op": "create", "segment": facts(number, class_id), "above": above},
        {"op": "pixels", "before": None, "after": key_of(number), "mask": pixels},
    ]


def gesture(ops, **changes):
    return {"id": str(uuid.uuid4()), "kind": "brush", "ops": ops, "seconds": 1.5, **changes}


def send(client: Client, image_id: int, revision: int, *gestures):
    path = f"/api/images/{image_id}/gestures"
    return client.request("POST", path, {"gestures": list(gestures)}, headers={"If-Match": f'"{revision}"'})


def refused(status: int, call, *arguments, **options):
    """The answer of a request that is refused with a status."""
    with pytest.raises(StudioError) as caught:
        call(*arguments, **options)
    assert caught.value.status == status, caught.value
    return caught.value.body
