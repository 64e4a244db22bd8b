"""What goes over the wire about people, projects, images and jobs; documents are in `wire`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from inlay.core.classes import Kind
from inlay.server.wire import Body, Colour, Id, JobKind, Key, Name, Role, State


class Login(Body):
    """A name and a password, or the token of a link."""

    name: str | None = Field(None, max_length=120)
    password: str | None = Field(None, max_length=1024)
    token: str | None = Field(None, max_length=200)


class Password(Body):
    """A new password."""

    password: Annotated[str, Field(min_length=10, max_length=1024)]
    old: str | None = Field(None, max_length=1024)


class User(Body):
    """A person."""

    user_id: int
    name: str


class Session(Body):
    """Who is logged in; `token` goes into the header X-Inlay-Token of every write."""

    user: User
    admin: bool
    has_password: bool
    token: str


class NewProject(Body):
    """A project to be made of the images in a folder on the server, below one of its image folders."""

    name: Name
    folder: Annotated[str, Field(max_length=4096)]


class ProjectChange(Body):
    """Settings of a project; what is left out stays.

    `strict`: whether an image is closed to everybody but the person it is assigned to. `consensus`: how
    many people label each image, each without seeing the others. `honeypots`: the share of images handed out
    whose truth is known. `rate`: what an hour of labelling costs. `assist_off`, `assist_on`: classes without
    and with click-to-segment whatever the measured times say; for the others these decide.
    """

    name: Name | None = None
    strict: bool | None = None
    consensus: Annotated[int, Field(ge=1, le=9)] | None = None
    honeypots: Annotated[float, Field(ge=0, le=0.5)] | None = None
    rate: Annotated[float, Field(ge=0, le=100_000)] | None = None
    packs: Annotated[list[Name], Field(max_length=50)] | None = None
    rules: Annotated[str, Field(max_length=200_000)] | None = None
    assist_off: Annotated[list[Id], Field(max_length=10_000)] | None = None
    assist_on: Annotated[list[Id], Field(max_length=10_000)] | None = None


class Project(Body):
    """A project, as one of its members sees it."""

    project_id: int
    name: str
    role: Role
    images: int
    scanning: bool
    states: dict[State, int]
    strict: bool
    consensus: int
    honeypots: float
    rate: float
    packs: list[str]
    rules: str
    assist_off: list[int]
    assist_on: list[int]


class ClassRow(Body):
    """A class; `class_id` is left out for a new one. `new`: who wins where it is drawn over others."""

    class_id: Id | None = None
    name: Name
    kind: Kind
    colour: Colour
    parent: Annotated[str, Field(max_length=120)] = ""
    hotkey: Annotated[str, Field(max_length=1)] = ""
    new: Literal["wins", "yields", "inherit"] = "inherit"
    segments: int | None = Field(None, description="how many there are; given, never taken")


class ClassTable(Body):
    """The classes of a project in their order; `revision` is also the ETag."""

    revision: int
    classes: list[ClassRow]


class ClassRows(Body):
    """All classes in their new order; one that is missing here is deleted, if no segment has it."""

    classes: Annotated[list[ClassRow], Field(max_length=5000)]


class Merge(Body):
    """Classes whose segments become those of another one."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    from_: Annotated[list[Id], Field(alias="from", min_length=1, max_length=1000)]
    into: Id


class SegmentPlace(Body):
    """A segment of an image."""

    image_id: Id
    key: Key


class SplitPart(Body):
    """A new class, and the segments that get it."""

    row: ClassRow
    segments: Annotated[list[SegmentPlace], Field(max_length=100_000)]


class Split(Body):
    """A class whose segments partly go to new ones."""

    class_id: Id
    into: Annotated[list[SplitPart], Field(min_length=1, max_length=100)]


class ClassChange(Body):
    """A merge or a split that was made, and may be taken back."""

    change_id: int
    kind: Literal["merge", "split"]
    at: str
    author: str
    words: str
    undone: bool


class ImageRow(Body):
    """An image in a list."""

    image_id: int
    name: str
    size: tuple[int, int] | None = Field(description="[width, height]; null until somebody looked")
    state: State
    revision: int
    assignee: User | None
    locked_by: User | None
    segments: int
    proposed: int
    findings: int | None = Field(description="null where nobody has looked at this revision")
    coverage: float = Field(description="share of the pixels that belong to a segment")
    comments: int = Field(description="open ones")
    seconds: float = Field(description="active time on it so far")
    group: str
    frame: int | None
    role: Literal["", "truth", "copy"] = Field(
        description="truth: the known answer of a honeypot; copy: one labeller's own version of an image"
    )


class BrokenRule(Body):
    """A rule that found something."""

    rule: str
    images: int = Field(description="in which it did, as they are now")


class Image(ImageRow):
    """One image, with its neighbours in the list and in its video."""

    project_id: int
    previous: int | None
    next: int | None
    next_frame: int | None


class ImagePage(Body):
    """Some images in the order of their names; `next` goes into `after`."""

    images: list[ImageRow]
    next: str | None
    total: int
    scanning: bool


class NextImage(Body):
    """The image to label next; null when there is none left."""

    image: ImageRow | None


class Lock(Body):
    """Who works on an image, until when without another heartbeat."""

    locked_by: User
    mine: bool
    until: str


class StateChange(Body):
    """The new state of an image, and a word to whom it goes back."""

    state: State
    comment: Annotated[str, Field(max_length=4000)] = ""


class Assignment(Body):
    """Who is to label images; null: anybody."""

    images: Annotated[list[Id], Field(min_length=1, max_length=10_000)]
    user_id: Id | None


class NewMember(Body):
    """A person to take into a project; a person who is new gets a link to log in with."""

    name: Name
    role: Role


class MemberChange(Body):
    """A member's new role."""

    role: Role


class Member(Body):
    """A member of a project."""

    user_id: int
    name: str
    role: Role


class Invited(Body):
    """The new member, and the path of the link that works once; null for who can log in already."""

    member: Member
    link: str | None


class Export(Body):
    """What to write: the format, whose images, and whether losses are accepted."""

    format: Annotated[str, Field(max_length=80)]
    lossy: bool = False
    reader: Annotated[str, Field(max_length=80)] | None = None
    states: Annotated[list[State], Field(default_factory=list)]
    proposed: bool = Field(False, description="write proposed segments too")


class Job(Body):
    """A piece of work that takes a while."""

    job_id: int
    project_id: int
    kind: JobKind
    state: Literal["waiting", "running", "done", "failed"]
    done: int
    total: int
    words: str
    error: str | None
    file: str | None = Field(description="name of what can be fetched from /api/jobs/{job_id}/file")
    result: dict[str, Any]
    author: str
    at: str


class Copies(Body):
    """People who are each to label an image without seeing the others; or make it a honeypot's truth."""

    people: Annotated[list[Id], Field(max_length=100, default_factory=list)]
    truth: bool | None = None


class Agreement(Body):
    """How far two versions of an image agree; `first` or `second` is "truth" for the known answer."""

    first: str
    second: str
    iou: float | None = Field(description="mean over classes; null where there is nothing to judge")
    pq: float | None
    sq: float | None
    rq: float | None


class Agreements(Body):
    """All pairs of versions of one image."""

    versions: list[ImageRow]
    pairs: list[Agreement]


class Seconds(Body):
    """Active time and what came of it, for a class, a person or a tool."""

    name: str
    seconds: float
    gestures: int
    segments: int
    cost: float


class Pace(Body):
    """How many segments were drawn in one way, and the mean seconds and gestures that each took."""

    segments: int
    seconds: float
    edits: float


class ClassAssistance(Body):
    """What click to segment does for a class, and whether it is off.

    `difference`: mean seconds with assistance less those by hand, (low, mean, high) with 95 %; null until
    there are enough segments of both. `choice`: what the project's owner says; "automatic" leaves it to
    `costs`, whether the whole interval lies above zero.
    """

    class_id: int
    name: str
    assisted: Pace
    by_hand: Pace
    difference: tuple[float, float, float] | None
    costs: bool
    choice: Literal["automatic", "on", "off"]
    off: bool


class Assistance(Body):
    """Click to segment, class by class; `enough`: segments of either kind before the times decide."""

    enough: int
    classes: list[ClassAssistance]


class Day(Body):
    """One day's work."""

    day: str
    seconds: float
    gestures: int
    submitted: int


class Quality(Body):
    """A person's results: returned images, and the agreement on honeypots."""

    name: str
    submitted: int
    accepted: int
    returned: int
    honeypots: int
    pq: float | None


class Dashboard(Body):
    """Progress, time, cost and quality of a project."""

    images: int
    states: dict[State, int]
    segments: int
    proposed: int
    seconds: float
    cost: float
    classes: list[Seconds]
    people: list[Seconds]
    tools: list[Seconds]
    days: list[Day]
    quality: list[Quality]


class Event(Body):
    """What a server-sent event holds."""

    kind: Literal["revision", "state", "lock", "comment", "classes", "job", "images"]
    image: int | None = None
    revision: int | None = None
    state: State | None = None
    job: int | None = None
    by: str = ""


class FormatRow(Body):
    """A format that can be read and written, and the readers its polygons can be written for."""

    name: str
    words: str
    readers: list[str]
