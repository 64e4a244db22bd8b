"""A network over images of any size: tiles give what the whole gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from inlay import Classes, Masks, Segmentation
from inlay.models.decode.semantic import segments_of_classes
from inlay.models.parts.pixels import Contrast255, contrast_of
from inlay.training.segmenting import WHOLE, Looking, Segmenter, brightness

CPU = torch.device("cpu")
COLOURS = Classes.of("red", "green", "blue")


class Near(nn.Module):
    """Logits that depend on the pixels near each: a network of a small field of view."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.classes, self.reach = COLOURS, reach

    def forward(self, images):
        side = 2 * self.reach + 1
        return nn.functional.avg_pool2d(images, side, 1, self.reach, count_include_pad=False)

    def decode(self, raw, sizes, *, minimum_score=None):
        return segments_of_classes(raw.numpy(), sizes, self.classes)


class Blobs(nn.Module):
    """Each connected bright part is a thing: raw output is no map of logits, so things are joined."""

    classes = Classes.of("blob")

    def forward(self, images):
        return (images[:, :1],)

    def decode(self, raw, sizes, *, minimum_score=None):
        found = []
        for image in raw[0].numpy():
            parts, _ = Masks.encode(image[0] > 100).parts(4)
            ones = np.ones(len(parts))
            found.append(Segmentation(self.classes, parts, 0 * ones, 1 + np.arange(len(parts)), ones))
        return found


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), tile=st.integers(16, 40), reach=st.integers(0, 2), batch=st.integers(1, 4)
)
def test_a_semantic_model_in_tiles_has_no_seam(seed, tile, reach, batch):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 255, (*rng.integers(1, 80, 2), 3)).astype(np.uint8)
    segmenter = Segmenter(Near(reach), CPU, "float32")
    whole = segmenter.images([image], Looking())[0]
    tiled = segmenter.images([image], Looking(tile=tile, overlap=8, batch=batch))[0]
    assert np.mean(whole.semantic() == tiled.semantic()) > 0.99  # ties of means may fall either way
    assert len(tiled) == len(whole)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=st.integers(16, 40), batch=st.integers(1, 4))
def test_a_model_of_things_in_tiles_counts_what_the_whole_counts(seed, tile, batch):
    rng = np.random.default_rng(seed)
    bright = np.kron(rng.random((14, 11)) < 0.5, np.ones((5, 5))) > 0
    image = np.repeat((bright * np.uint8(200))[..., None], 3, 2)
    segmenter = Segmenter(Blobs(), CPU, "float32")
    whole = segmenter.images([image], Looking())[0]
    tiled = segmenter.images([image], Looking(tile=tile, overlap=6, batch=batch))[0]
    assert sorted(tiled.masks.to_strings()) == sorted(whole.masks.to_strings())


def test_mirrored_views_of_a_symmetric_model_change_nothing():
    image = np.random.default_rng(0).integers(0, 255, (30, 41, 3)).astype(np.uint8)
    for network in (Near(0), Blobs()):
        segmenter = Segmenter(network, CPU, "float32")
        one, two = (segmenter.images([image], Looking(flips=flips))[0] for flips in (False, True))
        assert sorted(one.masks.to_strings()) == sorted(two.masks.to_strings())


def test_large_images_are_tiled_without_being_asked_and_small_ones_are_not():
    assert Looking().tiling((2000, 2000)) is None
    assert len(Looking().tiling((10_000, 10_000))) == 144
    assert WHOLE == 2000 * 2000
    assert Looking(tile=100).tiling((100, 90)) is None


def test_tiles_are_seen_in_the_light_of_the_whole_image():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    layer = Contrast255("image")
    whole = layer(pixels)
    with contrast_of(nn.Sequential(layer), *brightness(image)):
        assert torch.allclose(layer(pixels[..., :10]), whole[..., :10], atol=1e-4)
    assert not torch.allclose(layer(pixels[..., :10]), whole[..., :10], atol=1e-3)


def test_an_error_that_is_not_about_memory_is_not_hidden():
    class Broken(Near):
        def forward(self, images):
            raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        Segmenter(Broken(0), CPU, "float32").images([np.zeros((8, 8, 3), np.uint8)], Looking())
