"""Which labels a question needs: nine answers give the cheapest sufficient label type, and say why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from inlay.core.errors import InlayError

LabelType = Literal[
    "semantic", "instance", "panoptic", "boxes", "boxes + semantic", "boxes + some masks", "amodal"
]

QUESTIONS: Mapping[str, str] = {
    "objects": "Must single objects be told apart: each one's number, id, pose or cut-out?",
    "only_counts": "Are counts or positions of the objects enough, their outlines not needed?",
    "touching": "Do objects of one class touch or overlap, and does it matter which pixel is whose?",
    "every_pixel": "Must every pixel be accounted for, free space and background included?",
    "hidden": "Does the hidden part of an object matter, as for grasping or planning?",
    "area": "Will areas, lengths or volumes be reported?",
    "fine_edge": "Must the edge be right to the pixel, as for cut-outs of hair or glass?",
    "tracks": "Must objects keep their identity through a video, or between cameras?",
    "tight_budget": "Is there less money than full masks of all objects would cost?",
}


@dataclass(frozen=True)
class Answers:
    """The nine answers; None where nobody knows yet, which counts as no and is said."""

    objects: bool | None = None
    only_counts: bool | None = None
    touching: bool | None = None
    every_pixel: bool | None = None
    hidden: bool | None = None
    area: bool | None = None
    fine_edge: bool | None = None
    tracks: bool | None = None
    tight_budget: bool | None = None

    def __post_init__(self) -> None:
        if self.objects is False:
            for name in ("only_counts", "hidden", "tracks"):
                if getattr(self, name):
                    raise InlayError(
                        f"the answers contradict each other: {name.replace('_', ' ')} needs single objects, "
                        "and objects is answered with no"
                    )
        if self.only_counts and (self.fine_edge or self.hidden):
            raise InlayError(
                "the answers contradict each other: counts alone need no outline, and a fine edge or hidden "
                "parts are wanted"
            )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the questions without an answer."""
        return tuple(each.name for each in dataclasses.fields(self) if getattr(self, each.name) is None)

    @classmethod
    def of(cls, answers: Mapping[str, Any]) -> Answers:
        """Answers by name.

        Raises
        ------
        InlayError
            When there is no such question.
        """
        wrong = set(answers) - QUESTIONS.keys()
        if wrong:
            raise InlayError(f"there is no question {sorted(wrong)[0]!r}; there are {', '.join(QUESTIONS)}")
        return cls(**answers)


@dataclass(frozen=True)
class Alternative:
    """Another label type, what it does better or worse."""

    label_type: LabelType
    when: str
    cannot: str


@dataclass(frozen=True)
class Advice:
    """What to label, and what goes with it."""

    label_type: LabelType
    reasons: tuple[str, ...]
    cannot: str
    alternatives: tuple[Alternative, Alternative]
    also: tuple[str, ...]  # what the answers ask for beside the label type
    packs: tuple[str, ...]
    metrics: tuple[str, ...]
    models: tuple[str, ...]
    hardware: str
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"label: {self.label_type}"]
        lines += [f"  because {reason}" for reason in self.reasons]
        lines.append(f"  it cannot say {self.cannot}")
        lines += [f"also: {each}" for each in self.also]
        for each in self.alternatives:
            lines.append(f"or: {each.label_type}, {each.when}; it cannot say {each.cannot}")
        lines.append(f"check with: {', '.join(self.packs)}")
        lines.append(f"score with: {', '.join(self.metrics)}")
        lines.append(f"train: {', '.join(self.models)}")
        lines.append(f"hardware: {self.hardware}")
        if self.unknown:
            lines.append(f"taken as no, for want of an answer: {', '.join(self.unknown)}")
        return "\n".join(lines)


CANNOT: Mapping[LabelType, str] = {
    "semantic": "how many there are, or whose a pixel is where objects of one class touch",
    "instance": "what lies behind, or what the pixels of no object are",
    "panoptic": "what lies behind",
    "boxes": "outlines, areas, or what lies between objects",
    "boxes + semantic": "the exact border between two objects of one class that touch",
    "boxes + some masks": "outlines as exactly as masks of all objects, least of all for rare shapes",
    "amodal": "what the pixels of no object are, and hidden parts better than a labeller can guess them",
}

_METRICS: Mapping[LabelType, tuple[str, ...]] = {
    "semantic": ("iou",),
    "instance": ("average_precision",),
    "panoptic": ("panoptic_quality", "iou"),
    "boxes": ("average_precision", "counting"),
    "boxes + semantic": ("counting", "iou"),
    "boxes + some masks": ("average_precision",),
    "amodal": ("average_precision",),
}

_MODELS: Mapping[LabelType, tuple[str, ...]] = {
    "semantic": ("unet", "deeplab", "segformer"),
    "instance": ("solov2", "mask_rcnn", "yolo_seg"),
    "panoptic": ("panoptic_fpn", "mask_transformer"),
    "boxes": ("mask_rcnn",),
    "boxes + semantic": ("mask_rcnn", "unet"),
    "boxes + some masks": ("mask_rcnn", "solov2"),
    "amodal": ("mask_rcnn", "solov2"),
}


def choose(answers: Answers) -> Advice:
    """The cheapest label type that answers the question, two alternatives, and what goes with them."""
    label_type, reasons = _choice(answers)
    return Advice(
        label_type,
        reasons,
        CANNOT[label_type],
        _alternatives(label_type),
        _also(answers),
        _packs(label_type, answers),
        _metrics(label_type, answers),
        _MODELS[label_type],
        _hardware(label_type, answers),
        answers.unknown,
    )


def _choice(answers: Answers) -> tuple[LabelType, tuple[str, ...]]:
    if answers.hidden:
        return "amodal", ("the hidden part of objects matters: only full extents with their order have it",)
    if not answers.objects:
        return _without_objects(answers)
    if answers.only_counts:
        if answers.every_pixel or answers.area:
            why = "every pixel" if answers.every_pixel else "areas"
            return "boxes + semantic", (
                "counts and positions need a box for each object, no outline",
                f"{why} come from one semantic map, which costs less than outlines of all objects",
            )
        return "boxes", ("counts and positions need a box for each object, no outline",)
    if answers.every_pixel:
        return "panoptic", ("objects are told apart, and every pixel must be accounted for",)
    if answers.tight_budget and not (answers.area or answers.fine_edge):
        return "boxes + some masks", (
            "outlines of all objects are over the budget; boxes for all and masks for some come near them",
        )
    because = "objects are told apart"
    if answers.touching:
        return "instance", (f"{because}, and where they touch somebody must say whose a pixel is",)
    return "instance", (
        f"{because}; where they do not touch, drawing them one by one costs what drawing the class costs",
    )


def _without_objects(answers: Answers) -> tuple[LabelType, tuple[str, ...]]:
    reasons = ["no single object is needed: the class of each pixel answers the question"]
    if answers.every_pixel:
        reasons.append("every pixel gets a class, and void where nobody can tell")
    if answers.tight_budget and not (answers.area or answers.fine_edge):
        reasons.append("coarse masks of many images and fine ones of a few score about as high for less")
    return "semantic", tuple(reasons)


def _alternatives(label_type: LabelType) -> tuple[Alternative, Alternative]:
    def other(name: LabelType, when: str) -> Alternative:
        return Alternative(name, when, CANNOT[name])

    options: Mapping[LabelType, tuple[Alternative, Alternative]] = {
        "semantic": (
            other("instance", "when somebody will ask how many; little more where objects rarely touch"),
            other("panoptic", "when both are asked, how many and what every pixel is"),
        ),
        "instance": (
            other("boxes + some masks", "when the budget is short: about a fifth of the time"),
            other("panoptic", "when the pixels around the objects are asked for as well"),
        ),
        "panoptic": (
            other("semantic", "when no single object turns out to be needed"),
            other(
                "boxes + semantic", "when counts are enough and outlines of touching objects are not needed"
            ),
        ),
        "boxes": (
            other("boxes + some masks", "when outlines of some objects are wanted later"),
            other("instance", "when areas or cut-outs are asked for"),
        ),
        "boxes + semantic": (
            other("boxes", "when the areas are not needed"),
            other("panoptic", "when outlines of touching objects are needed"),
        ),
        "boxes + some masks": (
            other("instance", "when the budget allows it, above all for areas and fine edges"),
            other("boxes", "when counts and positions are enough"),
        ),
        "amodal": (
            other("instance", "when hidden parts can be guessed from the visible ones"),
            other("panoptic", "when free space is asked for and hidden parts are not"),
        ),
    }
    return options[label_type]


def _also(answers: Answers) -> tuple[str, ...]:
    wanted = {
        "tracks": "give each object one instance id through its video; `inlay measure track` proposes them",
        "area": "check boundaries twice, keep images with a known truth, and report areas with intervals "
        "(`inlay measure areas`): pixel counts of a model are biased",
        "fine_edge": "label edges at full resolution, and agree on a band of a few pixels where nobody is "
        "wrong; "
        "hair and glass need an opacity (`inlay measure cutouts`)",
        "tight_budget": "label a pilot first: `inlay advise cost` says how many images are worth timing",
    }
    return tuple(words for name, words in wanted.items() if getattr(answers, name))


def _packs(label_type: LabelType, answers: Answers) -> tuple[str, ...]:
    packs = ["schema"]
    if label_type in ("semantic", "instance", "panoptic", "amodal", "boxes + semantic"):
        packs.append("geometry")
    if label_type in ("semantic", "panoptic", "boxes + semantic") or answers.touching:
        packs.append("partition")
    if label_type == "amodal":
        packs.append("occlusion")
    if answers.tracks:
        packs.append("sequence")
    return tuple(packs)


def _metrics(label_type: LabelType, answers: Answers) -> tuple[str, ...]:
    metrics = list(_METRICS[label_type])
    if answers.fine_edge and label_type == "semantic":
        metrics.append("boundary_iou")
    if answers.fine_edge and label_type in ("instance", "amodal"):
        metrics.append("boundary_average_precision")
    if answers.tracks:
        metrics.append("tracking")
    return tuple(metrics)


SPEED: Mapping[str, float] = {  # images of 0.2 megapixels a second on one core: docs/benchmarks/models.md
    "deeplab": 17,
    "mask_rcnn": 4.0,
    "mask_transformer": 9.2,
    "panoptic_fpn": 3.5,
    "segformer": 6.1,
    "solov2": 9.6,
    "unet": 16,
    "yolo_seg": 8.4,
}


def _hardware(label_type: LabelType, answers: Answers) -> str:
    if label_type in ("panoptic", "amodal"):
        trains = "a GPU to train; predictions of single images run on a CPU"
    else:
        trains = "a CPU trains the light settings overnight; a GPU the large ones"
    speeds = sorted(SPEED[model] for model in _MODELS[label_type])
    rate = " to ".join(f"{speed:g}" for speed in dict.fromkeys((speeds[0], speeds[-1])))
    speed = f"; they look at some {rate} images of 0.2 megapixels a second on one core"
    live = "; live video needs a GPU, recorded video runs slower than it was filmed on a CPU"
    return trains + speed + (live if answers.tracks else "")
