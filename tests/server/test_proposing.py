"""What an engine finds by itself: all in a box, and segments of the frame before."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inlay import Masks
from inlay.client import _masks, mask

from .conftest import run_studio
from .talking import add_classes, drawing, gesture, image_ids, refused, send

pytest.importorskip("inlay.click")

SIZE, SIDE = (120, 160), 40


def block(x, y):
    """A filled square as the wire's mask."""
    drawn = np.zeros(SIZE, np.bool_)
    drawn[y : y + SIDE, x : x + SIDE] = True
    return mask(Masks.encode(drawn))


@pytest.fixture
def frames(tmp_path):
    """Two frames of a bright square that moves by (6, 3), and a third of another size."""
    rng = np.random.default_rng(3)
    (tmp_path / "photos").mkdir()
    ground = rng.integers(30, 33, (*SIZE, 3), np.uint8)
    down, across = np.mgrid[:SIDE, :SIDE]
    patch = (150 + down + across)[..., None].repeat(3, 2)
    for number, (x, y) in enumerate([(60, 30), (66, 33)]):
        pixels = ground.copy()
        pixels[y : y + SIDE, x : x + SIDE] = patch
        Image.fromarray(pixels).save(tmp_path / "photos" / f"frame{number}.png")
    Image.fromarray(ground[:20, :20]).save(tmp_path / "photos" / "frame2.png")
    with run_studio(tmp_path / "photos", tmp_path / "kept") as studio:
        owner = studio.log_in()
        (car,) = add_classes(owner, studio.project_id, "car")
        yield owner, image_ids(owner, studio.project_id), car


def pixels(segments):
    return np.asarray(_masks([one["mask"] for one in segments], SIZE))


def test_all_in_a_box_is_proposed_but_not_what_has_a_segment(frames):
    owner, images, car = frames
    body = {"box": [0, 0, 160, 120], "side": 4}
    path = f"/api/images/{images[0]}/everything"
    owner.document(images[0])
    found = owner.request("POST", path, body)
    assert found["engine"] == "classical"
    truth = pixels([{"mask": block(60, 30)}])[0]
    masks = pixels(found["candidates"])
    best = max((each & truth).sum() / (each | truth).sum() for each in masks)
    assert best > 0.8
    send(owner, images[0], 0, gesture(drawing(1, car, block(60, 30))))
    for each in pixels(owner.request("POST", path, body)["candidates"]):
        assert (each & truth).sum() <= each.sum() / 2
    refused(422, owner.request, "POST", path, {**body, "box": [5, 5, 5, 9]})
    refused(422, owner.request, "POST", path, {**body, "box": [-9, -9, -1, -1]})


def test_a_segment_is_followed_by_its_motion_and_keeps_what_is_known_of_it(frames):
    owner, images, car = frames
    for image in images:
        owner.document(image)
    create = drawing(1, car, block(60, 30))
    create[0]["segment"] |= {"tags": ["red"], "instance_id": 4}
    send(owner, images[0], 0, gesture(create))
    path = f"/api/images/{images[0]}/follow"
    answer = owner.request("POST", path, {"to": images[1], "keys": []})["gesture"]
    send(owner, images[1], 0, answer)
    (there,) = owner.document(images[1])["segments"]
    assert (there["class_id"], there["instance_id"], there["tags"]) == (car, 4, ["red"])
    seen, truth = pixels([{"mask": there["visible"]}])[0], pixels([{"mask": block(66, 33)}])[0]
    assert (seen & truth).sum() / (seen | truth).sum() > 0.8
    body = refused(409, owner.request, "POST", path, {"to": images[2], "keys": []})
    assert "another size" in body["error"]
    body = refused(409, owner.request, "POST", f"/api/images/{images[1]}/follow", {"to": images[1]})
    assert "nothing was found again" in body["error"]
    refused(409, owner.request, "POST", path, {"to": images[1], "keys": ["nobody-here"]})
