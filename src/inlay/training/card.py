"""The model card of a run: what was learnt from what, how well, how long, and what to beware of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inlay.core.classes import Classes
from inlay.training.checkpoint import replace_file, write_text
from inlay.training.hardware import describe, pick_device
from inlay.training.picture import curve_svg, png, side_by_side
from inlay.training.plan import Plan
from inlay.training.run import Run
from inlay.training.segmenting import Looking, Segmenter
from inlay.training.validate import Judgement

CASES = 3  # best and worst images shown


def write_card(run: Run, plan: Plan, judgement: Judgement) -> None:
    """Write `README.md` and the pictures it shows into the run folder."""
    figure = next(iter(judgement.figures))
    log = run.log
    losses = [(line["step"], line["loss"]) for line in log if "loss" in line]
    judged = [(line["step"], line["judged"]) for line in log if "judged" in line]
    write_text(run.folder / "figures" / "learning_curve.svg", curve_svg(losses, judged, figure))
    cases = _write_cases(run, plan, judgement)
    write_text(run.folder / "README.md", "\n".join(_text(run, plan, judgement, log, cases)) + "\n")


def _text(
    run: Run, plan: Plan, judgement: Judgement, log: Sequence[dict[str, Any]], cases: Sequence[str]
) -> list[str]:
    training = plan.config.training
    last = log[-1]
    height, width = training.augment.crop
    lines = [
        f"# {plan.config.model}: {plan.task} segmentation of {_counted(plan.classes)}",
        "",
        f"Use it: `inlay predict {run.folder.name} IMAGES --out DST --to FORMAT`.",
        "",
        "## How good",
        f"On {len(judgement.by_image)} validation images. They chose the weights: expect less on new ones.",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value:.4f} |" for name, value in judgement.figures.items()),
        "",
        "![learning curve](figures/learning_curve.svg)",
        "",
        "## What it learnt from",
        f"{len(plan.learnt)} images, {len(plan.facts.sides)} things. Share of the labelled pixels:",
        "",
        "| class | kind | share |",
        "|---|---|---|",
    ]
    total = max(1, int(plan.facts.pixels.sum()))
    for item, pixels in zip(plan.classes.rows, plan.facts.pixels):
        lines.append(f"| {item.name} | {item.kind} | {pixels / total:.4f} |")
    lines += ["", *(f"- {note}" for note in plan.notes)]
    lines += [
        "",
        "## How it learnt",
        f"{last['step']} steps of {training.batch} crops of {width}x{height} pixels in "
        f"{last['seconds'] / 60:.1f} minutes on "
        f"{describe(pick_device(training.device), training.precision)}: "
        f"{last['step'] * training.batch / max(last['seconds'], 1e-9):.1f} crops per second with validation. "
        "Settings: `config.toml`; every loss: `log.jsonl`.",
        "",
        "## Best and worst validation images",
        "Image, truth, prediction.",
        "",
        *cases,
    ]
    return lines


def _counted(classes: Classes) -> str:
    return "one class" if len(classes) == 1 else f"{len(classes)} classes"


def _write_cases(run: Run, plan: Plan, judgement: Judgement) -> list[str]:
    """Pictures of the best and worst images; returns the lines of the card that show them."""
    known = {name: value for name, value in judgement.by_image.items() if np.isfinite(value)}
    ranked = sorted(known, key=lambda name: known[name])
    names = ranked if len(ranked) <= 2 * CASES else ranked[:CASES] + ranked[-CASES:]
    segmenter, lines = Segmenter(run.network(), pick_device("cpu"), "float32"), []
    figure = next(iter(judgement.figures))
    for number, name in enumerate(reversed(names)):
        place = plan.held.dataset.names.index(name)
        example, truth = plan.held[place], plan.held.dataset[place].label()
        found = segmenter.images([example.image], Looking())[0]
        path = Path("figures") / f"case_{number + 1}.png"
        picture = png(side_by_side(example.image, truth, found))
        replace_file(run.folder / path, lambda part, picture=picture: part.write_bytes(picture))  # type: ignore[misc]
        lines += [f"`{name}`: {figure} {known[name]:.3f}", "", f"![{name}]({path.as_posix()})", ""]
    return lines
