"""Files of a run: whole or not at all, and never code."""

from __future__ import annotations

import os
import pickle

import pytest
import torch
from torch import nn

from inlay import Classes, FormatError, InlayError, SegmentClass
from inlay.training.checkpoint import (
    read_classes,
    read_state,
    read_weights,
    replace_file,
    write_classes,
    write_state,
    write_text,
    write_weights,
)


class Bomb:
    def __reduce__(self):
        return os.system, ("echo never > /dev/null",)


def test_a_state_that_holds_code_is_refused(tmp_path):
    path = tmp_path / "state.pt"
    torch.save({"step": 1, "surprise": Bomb()}, path)
    with pytest.raises(FormatError, match="may run code"):
        read_state(path)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off"])
def test_a_broken_state_says_what_to_do(content, tmp_path):
    path = tmp_path / "state.pt"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"state\.pt"):
        read_state(path)


def test_weights_as_a_pickle_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps({"weight": Bomb()}))
    with pytest.raises(FormatError, match="broken, or no file of weights"):
        read_weights(path, nn.Linear(2, 2))


def test_weights_come_back_and_those_of_other_classes_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    layer = nn.Linear(3, 4)
    write_weights(path, layer.state_dict())
    other = nn.Linear(3, 4)
    read_weights(path, other)
    assert torch.equal(other.weight, layer.weight)
    with pytest.raises(FormatError, match=r"shape \(4, 3\), the model has \(5, 3\): .* other classes"):
        read_weights(path, nn.Linear(3, 5))
    with pytest.raises(FormatError, match="no such tensor"):
        read_weights(path, nn.Linear(3, 4, bias=False))
    with pytest.raises(FormatError, match="the tensor is missing"):
        read_weights(path, nn.Sequential(nn.Linear(3, 4)))
    with pytest.raises(FormatError, match="there are no weights"):
        read_weights(tmp_path / "absent.safetensors", layer)


def test_classes_come_back_as_they_were(tmp_path):
    classes = Classes((SegmentClass("a", "stuff", (1, 2, 3), "b", 7), SegmentClass("Ä ö", "thing")))
    write_classes(tmp_path / "classes.json", classes)
    assert read_classes(tmp_path / "classes.json") == classes


@pytest.mark.parametrize("content", ["{", "3", '[{"name": 3, "size": 4}]', '[{"name": "a"}, {"name": "a"}]'])
def test_broken_classes_are_named(content, tmp_path):
    path = tmp_path / "classes.json"
    path.write_text(content)
    with pytest.raises(InlayError, match=r"classes\.json|stands twice"):
        read_classes(path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def full(part):
        part.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InlayError, match="the disk is full"):
        replace_file(path, full)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file.txt"]


def test_a_state_of_numbers_and_tensors_comes_back(tmp_path):
    state = {"step": 3, "best": 0.5, "nothing": None, "tensor": torch.arange(3), "list": [1, {"a": "b"}]}
    write_state(tmp_path / "state.pt", state)
    back = read_state(tmp_path / "state.pt")
    assert torch.equal(back.pop("tensor"), state.pop("tensor"))
    assert back == state
