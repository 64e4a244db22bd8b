"""A served model: what it answers, and what it turns away."""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, InlayError, Masks, Segmentation, formats
from inlay.server.refusals import Refused
from inlay.server.serving.app import create_app
from inlay.server.serving.limits import Limits
from inlay.server.serving.meter import Meter
from inlay.server.serving.waiting import Waiting

testclient = pytest.importorskip("starlette.testclient")
BRIGHT = Classes.of("bright")


def bright(images):
    """A model: the bright pixels of each image are one thing."""
    return [
        Segmentation(BRIGHT, Masks.encode(image[..., 0] > 128), [0], [1], np.array([0.75]))
        for image in images
    ]


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def pixels():
    image = np.zeros((20, 30, 3), np.uint8)
    image[5:10, 8:20] = 255
    return image


def client_of(segment=bright, **limits):
    names = frozenset({"testserver", "127.0.0.1"})
    app = create_app(segment, BRIGHT, "bright", limits=Limits(hosts=names, **limits))
    return testclient.TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def client():
    with client_of() as client:
        yield client


def test_an_image_in_gives_its_segmentation_in_the_format_asked_for(client, pixels, tmp_path):
    answer = client.post("/predict?to=coco", content=png(pixels))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    path = tmp_path / "answer.json"
    path.write_bytes(answer.content)
    found = formats.read(path)[0].label()
    assert np.array_equal(found.masks.decode()[0], pixels[..., 0] > 128)
    assert found.score.tolist() == [0.75]
    packed = client.post("/predict?to=label_png&lossy=true", content=png(pixels))
    assert packed.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        archive.extractall(tmp_path / "label_png")
    assert formats.read(tmp_path / "label_png", "label_png")[0].label().masks.area().sum() == 60


def test_every_format_answers_or_says_why_not(client, pixels):
    from inlay import plugins

    for to in plugins.names("formats"):
        answer = client.post(f"/predict?to={to}&lossy=true", content=png(pixels))
        assert answer.status_code in (200, 422), (to, answer.text)
        if answer.status_code == 422:
            assert "inlay-serve" not in answer.json()["error"]


def test_a_format_that_would_lose_something_is_refused_without_lossy(client, pixels):
    answer = client.post("/predict?to=voc", content=png(pixels))
    assert answer.status_code == 422
    assert "does not keep" in answer.json()["error"]
    assert "/tmp" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "there is no image"),
        (b"no image", "not an image"),
        (
            png(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8))[:9000],
            "broken",
        ),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
    ],
)
def test_what_is_no_image_is_named(client, body, words):
    answer = client.post("/predict", content=body)
    assert answer.status_code == 422
    assert re.search(words, answer.json()["error"])


def test_large_bodies_and_images_are_turned_away(pixels):
    with client_of(max_body=1000, max_pixels=500) as client:
        assert client.post("/predict", content=b"x" * 1001).status_code == 413
        chunks = (b"x" * 400 for _ in range(4))  # no length is told
        assert client.post("/predict", content=chunks).status_code == 413
        answer = client.post("/predict", content=png(pixels))
        assert answer.status_code == 422
        assert "limit of 500" in answer.json()["error"]


def test_an_unknown_format_names_the_nearest(client, pixels):
    answer = client.post("/predict?to=cocoo", content=png(pixels))
    assert answer.status_code == 422
    assert "coco" in answer.json()["error"]


def test_foreign_names_pages_and_tokens_are_turned_away(pixels):
    with client_of(token="secret") as client:
        right = {"Authorization": "Bearer secret"}
        assert client.post("/predict", content=png(pixels), headers=right).status_code == 200
        assert client.post("/predict", content=png(pixels)).status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/health").status_code == 200
        assert client.get("/health", headers={"Host": "evil.example"}).status_code == 421
        page = {**right, "Origin": "https://evil.example"}
        assert client.post("/predict", content=png(pixels), headers=page).status_code == 403


def test_answers_cannot_be_taken_for_pages(client, pixels):
    answer = client.post("/predict", content=png(pixels))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    missing = client.get("/nothing")
    assert missing.status_code == 404
    assert "POST an image" in missing.json()["error"]


def test_health_and_metrics_tell_what_happened(client, pixels):
    state = client.get("/health").json()
    assert state["ready"]
    assert state["classes"] == [{"name": "bright", "kind": "thing"}]
    client.post("/predict", content=png(pixels))
    client.post("/predict", content=b"nothing")
    text = client.get("/metrics").text
    for line in (
        'inlay_requests_total{status="422"} 1',
        "inlay_images_total 1",
        "inlay_segments_total 1",
        "inlay_waiting_images 0",
        'inlay_batch_seconds_bucket{le="+Inf"} 1',
        "inlay_batch_seconds_count 1",
    ):
        assert line in text.splitlines()


def test_a_model_that_breaks_breaks_one_request_and_not_the_server(pixels):
    calls = []

    def sometimes(images):
        calls.append(len(images))
        if len(calls) == 1:
            raise ZeroDivisionError
        if len(calls) == 2:
            raise InlayError("does not fit into memory: give smaller tiles")
        return bright(images)

    with client_of(sometimes) as client:
        assert client.post("/predict", content=png(pixels)).status_code == 500
        answer = client.post("/predict", content=png(pixels))
        assert (answer.status_code, "smaller tiles" in answer.text) == (422, True)
        assert client.post("/predict", content=png(pixels)).status_code == 200


def test_images_that_wait_go_through_the_model_together_and_too_many_are_sent_away():
    gate, sizes = threading.Event(), []

    def slow(images):
        gate.wait(20)
        sizes.append((len(images), images[0].shape[0]))
        return bright(images)

    waiting = Waiting(slow, batch=3, most=4, seen=lambda images, seconds: None)
    found, threads = {}, []

    def ask(key, side):
        found[key] = waiting.ask(np.full((side, 8, 3), 200, np.uint8), 30).size

    try:
        first = threading.Thread(target=ask, args=("first", 8))
        first.start()
        while len(waiting):
            pass
        for key, side in (("a", 8), ("b", 9), ("c", 8), ("d", 8)):
            threads.append(threading.Thread(target=ask, args=(key, side)))
            threads[-1].start()
            while len(waiting) < len(threads):
                pass
        with pytest.raises(Refused) as full:
            waiting.ask(np.zeros((8, 8, 3), np.uint8), 1)
        assert full.value.status == 503
        gate.set()
        for thread in (first, *threads):
            thread.join(20)
    finally:
        gate.set()
        waiting.close()
    assert sizes == [(1, 8), (3, 8), (1, 9)]
    assert found == {"first": (8, 8), "a": (8, 8), "b": (9, 8), "c": (8, 8), "d": (8, 8)}


def test_who_waits_too_long_is_told_and_not_computed_for():
    gate, asked = threading.Event(), []

    def slow(images):
        gate.wait(20)
        asked.extend(image[0, 0, 0] for image in images)
        return bright(images)

    waiting = Waiting(slow, batch=1, most=4, seen=lambda images, seconds: None)
    try:
        for grey in (1, 2):
            with pytest.raises(Refused) as late:
                waiting.ask(np.full((4, 4, 3), grey, np.uint8), 0.05)
            assert late.value.status == 504
        gate.set()
        waiting.ask(np.full((4, 4, 3), 3, np.uint8), 20)
    finally:
        gate.set()
        waiting.close()
    assert asked == [1, 3]
    with pytest.raises(Refused) as stopped:
        waiting.ask(np.zeros((4, 4, 3), np.uint8), 1)
    assert stopped.value.status == 503


def test_the_buckets_of_the_histogram_rise():
    meter = Meter()
    for seconds in (0.005, 0.2, 500.0):
        meter.batch(1, seconds)
    counts = [int(line.split()[-1]) for line in meter.text(0).splitlines() if "_bucket" in line]
    assert counts == sorted(counts)
    assert counts[0] == 1
    assert counts[-1] == 3


def test_the_document_of_the_routes_is_there(client):
    paths = json.loads(client.get("/openapi.json").text)["paths"]
    assert set(paths) == {"/health", "/metrics", "/predict"}
