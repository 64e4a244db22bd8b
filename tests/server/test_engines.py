"""Engines of a studio look at an image in a worker: requests wait for a while, then say so."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from inlay import InlayError

pytest.importorskip("sqlalchemy", reason="needs inlay[studio]")

from inlay.server.engines import KEPT, Engines
from inlay.server.refusals import Refused


class Slow:
    """An engine that looks until it is told to go on."""

    def __init__(self):
        self.go, self.seen = threading.Event(), []

    def embed(self, image):
        assert self.go.wait(30)
        self.seen.append(image)
        return f"seen {image}"


@pytest.fixture
def slow():
    engine = Slow()
    yield engine
    engine.go.set()


def click(**engines):
    return SimpleNamespace(load=engines.__getitem__, ready=lambda: list(engines))


def test_a_request_does_not_wait_for_a_slow_encoder_and_another_finds_it_done(slow):
    engines = Engines(patience=0.01)
    with pytest.raises(Refused, match="ask again"):
        engines.state(click(slow=slow), "slow", 1, lambda: "a")
    quick = SimpleNamespace(embed=lambda image: image.upper())
    assert Engines(patience=30).state(click(quick=quick), "quick", 1, lambda: "a") == "A"
    assert engines.state(click(slow=slow, quick=quick), "quick", 1, lambda: "b") == "B"
    slow.go.set()
    engines._patience = 30
    assert engines.state(click(slow=slow), "slow", 1, lambda: pytest.fail("it is read")) == "seen a"
    assert slow.seen == ["a"]
    engines.close()


def test_what_failed_is_tried_again_and_few_images_are_kept(slow):
    slow.go.set()
    engines, tries = Engines(patience=30), []

    def pixels():
        tries.append(1)
        if len(tries) == 1:
            raise InlayError("the file is gone")
        return "there"

    with pytest.raises(InlayError, match="gone"):
        engines.state(click(slow=slow), "slow", 1, pixels)
    assert engines.state(click(slow=slow), "slow", 1, pixels) == "seen there"
    for image in range(2, 2 + KEPT):
        engines.state(click(slow=slow), "slow", image, lambda: "other")
    engines.state(click(slow=slow), "slow", 1, pixels)
    assert len(tries) == 3
    engines.close()


@pytest.mark.parametrize("name", ["/etc/passwd", "hub:somebody/model", "runs/click", "a.onnx", ""])
def test_a_request_opens_no_files_and_fetches_nothing(slow, name):
    with pytest.raises(InlayError, match="engines are: slow"):
        Engines().state(click(slow=slow), name, 1, lambda: "a")
