"""What goes over the wire about advice: questions and answers, costs, and what the next hours buy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inlay.server.wire import Body


class Question(Body):
    """One of the nine questions."""

    name: str
    words: str


class AdviceForm(Body):
    """What is asked, and what the project says already.

    `labelled`: finished images whose work is measured; `timed`: those with a measured time, of which `enough`
    replace the priors.
    """

    questions: list[Question]
    tools: list[str]
    images: int
    wage: float
    labelled: int
    timed: int
    enough: int


Count = Annotated[float, Field(ge=0, le=10**6)]


class AdviceQuestion(Body):
    """Answers by the names of their questions, and what is to be priced.

    `objects`: how many somebody counted in some images, where none is labelled; `size`: the usual diameter of
    one, as a share of the image's diagonal.
    """

    answers: Annotated[dict[Annotated[str, Field(max_length=40)], bool | None], Field(max_length=20)]
    images: Annotated[int, Field(ge=1, le=10**9)] = 1
    wage: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    tool: Literal["polygon", "interactive", "sam"] = "polygon"
    labellers: Annotated[int, Field(ge=1, le=100)] = 1
    fixed: Annotated[float, Field(ge=0, le=10**9)] = 0.0
    objects: Annotated[
        list[Annotated[float, Field(ge=0, le=10**6)]], Field(max_length=1000, default_factory=list)
    ]
    size: Annotated[float, Field(gt=0, le=1)] = 0.1


class Alternative(Body):
    """Another label type, when it is the better one, and what it cannot say."""

    label_type: str
    when: str
    cannot: str


class Driver(Body):
    """What moves the cost: money at its low and at its high end."""

    name: str
    low: float
    high: float


class Cost(Body):
    """What labels of one type take: (P10, P50, P90), what moves it most, and whose figures these are."""

    mode: str
    hours: tuple[float, float, float]
    money: tuple[float, float, float]
    drivers: list[Driver]
    timed: int
    source: str


class Advice(Body):
    """What to label and why, what else would do, what goes with it, and what each label type costs.

    `advised`: the priced types that the advice is made of; `looked_at`: finished images whose work was
    measured.
    """

    label_type: str
    reasons: list[str]
    cannot: str
    alternatives: list[Alternative]
    also: list[str]
    packs: list[str]
    metrics: list[str]
    models: list[str]
    hardware: str
    unknown: list[str]
    guide: str
    costs: list[Cost]
    advised: list[str]
    looked_at: int


class BuyQuestion(Body):
    """A table of scores (type, seconds, images, score) as text, what is at hand, and hours to spend."""

    table: Annotated[str, Field(max_length=100_000)]
    have: Annotated[str, Field(max_length=200)]
    images: Annotated[int, Field(ge=1, le=10**9)]
    hours: Annotated[float, Field(gt=0, le=10**6)]


class Buy(Body):
    """A way to spend the hours: the score that it adds (P10, P50, P90), and that of an hour."""

    name: str
    hours: float
    gain: tuple[float, float, float]
    per_hour: float


class Buys(Body):
    """Each way, the best first; `best` is null where nothing is expected to add anything."""

    ways: list[Buy]
    best: str | None
