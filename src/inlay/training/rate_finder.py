"""The learning-rate finder: a short trial with a rising rate shows how large the rate may be (Smith 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inlay.core.dataset import Dataset
from inlay.training.batches import make_batch
from inlay.training.config import Config, config_of
from inlay.training.hardware import pick_device, quiet_threads
from inlay.training.learner import DivergedError, Learner
from inlay.training.plan import Progress, make_plan

LOWEST, HIGHEST = 1e-6, 1.0
SMOOTH = 0.8  # of the running mean of the losses
ENOUGH = 3.0  # times the least loss: the rate is too high, and the trial ends


@dataclass(frozen=True)
class RateTrial:
    """What a trial saw.

    Parameters
    ----------
    rates
        Learning rate of each step, rising.
    losses
        Running mean of the loss after it.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def best(self) -> float:
        """The rate at which the loss falls most steeply, before it is least."""
        least = int(np.argmin(self.losses))
        if least < 2:
            return self.rates[0]
        slope = np.gradient(np.array(self.losses[: least + 1]), np.log(self.rates[: least + 1]))
        return float(f"{self.rates[int(np.argmin(slope))]:.1e}")

    def __str__(self) -> str:
        lines = [
            f"{rate:9.1e}  {loss:.4f}  {'#' * round(40 * min(1.0, loss / self.losses[0]))}"
            for rate, loss in list(zip(self.rates, self.losses))[:: max(1, len(self.rates) // 20)]
        ]
        advice = f"the loss falls most steeply at {self.best:g}: [training] learning_rate = {self.best:g}"
        return "\n".join([f"{'rate':>9}  loss", *lines, advice])


def find_rate(
    dataset: Dataset,
    model: str = "unet",
    *,
    config: Config = None,
    steps: int = 80,
    progress: Progress | None = None,
) -> RateTrial:
    """Learn for some steps with a rate that rises from 1e-6 to 1; nothing is written.

    Parameters
    ----------
    dataset
        Learnt from: its split "train", or all of it but "test".
    model
        Name of a module of `inlay.models`.
    config
        Settings, or a TOML file of them; default: the family's own.
    steps
        Of the trial; it ends sooner when the loss has grown threefold.
    progress
        Called with steps done, those in all, and words.

    Raises
    ------
    InlayError
        As `train` does.
    """
    rates, losses, mean = [], [], 0.0
    with quiet_threads():
        plan = make_plan(dataset, config_of(config, model), None, progress)
        settings = plan.config.training
        learner = Learner(plan.config, plan.classes, pick_device(settings.device))
        for step, rate in enumerate(np.geomspace(LOWEST, HIGHEST, steps).tolist()):
            first = step * settings.accumulate
            some = [
                make_batch(plan.learnt, settings, first + k, often=plan.often)
                for k in range(settings.accumulate)
            ]
            try:
                loss = sum(learner.learn(some, rate).values())
            except DivergedError:
                break
            mean = SMOOTH * mean + (1 - SMOOTH) * loss
            rates.append(rate)
            losses.append(mean / (1 - SMOOTH ** (step + 1)))
            if progress:
                progress(step + 1, steps, f"rate {rate:.1e}, loss {losses[-1]:.3f}")
            if losses[-1] > ENOUGH * min(losses):
                break
    return RateTrial(tuple(rates), tuple(losses))
