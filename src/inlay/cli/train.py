"""`inlay train`: a model from a dataset."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from inlay.cli.console import open_dataset, open_pool, progress_bar

if TYPE_CHECKING:
    from inlay.training.config import RunConfig


def train(
    data: Path,
    /,
    *,
    model: str,
    out: Path | None = None,
    minutes: float | None = None,
    iterations: int | None = None,
    config: Path | None = None,
    set: Annotated[list[str] | None, Parameter(negative="")] = None,  # noqa: A002 (the flag's name)
    unlabelled: Path | None = None,
    split: str | None = None,
    resume: bool = True,
    find_rate: bool = False,
) -> int:
    """Train a model and write a run folder: weights, log, model card. A killed run goes on where it was.

    Example: `inlay train camvid --model unet --out runs/street --minutes 30`

    On two GPUs: `torchrun --nproc-per-node 2 --no-python inlay train camvid --model unet --out runs/street`

    Parameters
    ----------
    data
        Labelled dataset. Its split "train" is learnt, "val" chooses the best weights, "test" is never
        read; without splits a tenth of the images is set aside to choose.
    model
        One of those that `inlay models` lists; `inlay models NAME` says what can be set in it.
    out
        Run folder; its `events` can be watched with TensorBoard.
    minutes
        Time to train (30 when neither this nor the iterations are given); the schedule is fitted to it.
    iterations
        Steps to train, instead of minutes.
    config
        TOML file with settings of the training and of the model.
    set
        Settings one by one, before those of the file: `--set training.batch=4 --set unet.encoder=csp`.
    unlabelled
        Images without labels (of another place, if need be) that the model labels for itself as it learns.
    split
        Learn this split instead of "train".
    resume
        Go on from what OUT holds; `--no-resume` refuses when it holds a run.
    find_rate
        Write nothing: try rising learning rates for a minute or so, and name the one to set.
    """
    from inlay.core.errors import InlayError
    from inlay.training import find_rate as try_rates
    from inlay.training import train as run_training

    settings = _settings(config, model, set or [])
    dataset = open_dataset(data, split=split)
    if find_rate:
        with progress_bar(f"trying rates for {model}") as progress:
            trial = try_rates(dataset, model, config=settings, progress=progress)
        print(trial)
        return 0
    if out is None:
        raise InlayError("name a run folder with --out, for example --out runs/first")
    with progress_bar(f"training {model}") as progress:
        run = run_training(
            dataset,
            model,
            out,
            minutes=minutes,
            iterations=iterations,
            config=settings,
            unlabelled=None if unlabelled is None else open_pool(unlabelled),
            resume=resume,
            progress=progress,
            say=lambda words: print(words, file=sys.stderr),
        )
    if os.environ.get("RANK", "0") == "0":  # of the processes that torchrun starts
        print(run)
    return 0


def _settings(config: Path | None, model: str, words: list[str]) -> RunConfig:
    """Those of the file, or the family's own, with these changes."""
    from inlay.training.config import changes_from, config_from, read_config

    changes = changes_from(words)
    return config_from(changes, model) if config is None else read_config(config, model, changes)
