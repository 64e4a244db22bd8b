"""Two processes learn one model: the same weights in both, the examples of a batch twice as large."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap

import pytest
import torch

from inlay.training import Run
from inlay.training.distributed import Group

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import torch
torch.set_num_threads(1)
from conftest import picture
from inlay import Dataset
from inlay.training import train
from inlay.training.config import config_from
from inlay.training.learner import Learner
import inlay.training.loop as loop

street = Dataset.of([picture(k).replace(split="train" if k < 4 else "val") for k in range(6)])
held = {}
plain = Learner.__init__
def remember(self, *arguments):
    plain(self, *arguments)
    held["learner"] = self
Learner.__init__ = remember
config = config_from({
    "unet": {"widths": [8, 8, 8, 8], "depths": [1, 1, 1]},
    "training": {"batch": 2, "accumulate": 2, "validations": 2, "precision": "float32", "device": "cpu",
                 "augment": {"crop": [32, 32]}},
}, "unet")
run = train(street, "unet", Path(sys.argv[1]) / "run", iterations=10, config=config)
learner = held["learner"]
torch.save({"rank": learner.group.rank, **learner.network.state_dict()},
           Path(sys.argv[1]) / f"weights_{learner.group.rank}.pt")
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_two_processes_hold_the_same_weights_and_write_one_run(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    port = str(free_port())
    folder = os.path.dirname(__file__)  # noqa: PTH120
    processes = []
    for rank in range(2):
        names = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
        where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, str(script), str(tmp_path), folder]
        processes.append(
            subprocess.Popen(command, env={**os.environ, **names, **where}, stderr=subprocess.PIPE, text=True)
        )
    for process in processes:
        _, words = process.communicate(timeout=300)
        assert process.returncode == 0, words
    one, two = (torch.load(tmp_path / f"weights_{rank}.pt", weights_only=True) for rank in range(2))
    assert (one.pop("rank"), two.pop("rank")) == (0, 1)
    assert all(torch.equal(one[name], two[name]) for name in one)
    run = Run(tmp_path / "run")
    assert [line["step"] for line in run.validations] == [5, 10]
    run.network()
    assert not list((tmp_path / "run").rglob("*.part"))


def test_one_process_alone_agrees_with_itself():
    alone = Group()
    assert alone.leads
    assert alone.agree(0.25) == 0.25
    assert alone.gathered([1, 2]) == [1, 2]
    value = torch.ones(3)
    alone.average([value])
    alone.wait()
    assert value.tolist() == [1, 1, 1]


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Group(1, 2, 1).device("auto") == "cuda:1"
    assert Group(1, 2, 1).device("cpu") == "cpu"
    assert Group().device("auto") == "auto"


def test_processes_that_cannot_meet_say_how_to_start_them(monkeypatch):
    from inlay import InlayError
    from inlay.training.distributed import joined

    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InlayError, match="start all with torchrun"), joined("cpu"):
        pass
