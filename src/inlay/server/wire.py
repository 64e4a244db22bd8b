"""What goes over the wire: the bodies of requests and answers. The OpenAPI document types the front end."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from inlay.core.classes import Kind

MAX_OPS = 20_000  # of one gesture: an import of 5 000 segments in one go
MAX_GESTURES = 500  # sent at once, after hours without a network

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{7,35}$")]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Tags = Annotated[list[Tag], Field(max_length=50)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Id = Annotated[int, Field(ge=0, lt=2**31)]
Coordinate = Annotated[int, Field(ge=0, le=2**20)]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
Role = Literal["owner", "reviewer", "labeller"]
State = Literal["todo", "labelling", "submitted", "accepted", "returned"]
SegmentState = Literal["final", "proposed"]
Source = Annotated[str, Field(pattern=r"^(hand|import|(model|click):[^\x00-\x1f\x7f]{1,80})$")]
JobKind = Literal["import", "export", "merge", "split", "undo"]


class Body(BaseModel):
    """A body with nothing in it that is not named."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Error(Body):
    """Why a request was refused, in one line."""

    error: str
    where: str | None = None


class Mask(Body):
    """A mask that is not empty: a half-open box, and COCO's compressed run lengths inside it."""

    box: Box
    runs: Annotated[str, Field(max_length=8_000_000)]


class SegmentFacts(Body):
    """A segment without its pixels."""

    key: Key
    class_id: Id
    instance_id: Id = 0
    crowd: bool = False
    tags: Tags = []
    score: Annotated[float, Field(ge=0, le=1)] | None = None
    source: Source = "hand"
    state: SegmentState = "final"


class Segment(SegmentFacts):
    """A segment: what is seen of it, and what runs on underneath those in front."""

    visible: Mask | None = None
    hidden: Mask | None = None


class Document(Body):
    """The segments of one image, back to front."""

    image_id: int
    revision: int
    size: tuple[int, int]
    image_tags: Tags
    segments: list[Segment]


class Pixels(Body):
    """Seen pixels change their owner; all of them belong to `before` now."""

    op: Literal["pixels"]
    before: Key | None
    after: Key | None
    mask: Mask


class Hidden(Body):
    """What a segment has underneath others grows or shrinks."""

    op: Literal["hidden"]
    key: Key
    add: Mask | None = None
    remove: Mask | None = None


class Create(Body):
    """A segment without pixels comes just in front of `above`; at the very back for null."""

    op: Literal["create"]
    segment: SegmentFacts
    above: Key | None = None


class Delete(Body):
    """A segment without pixels goes; the exact inverse of `create`."""

    op: Literal["delete"]
    segment: SegmentFacts
    above: Key | None = None


class Set(Body):
    """One fact of a segment changes, or of the image where `key` is null."""

    op: Literal["set"]
    key: Key | None
    field: Literal["class_id", "instance_id", "crowd", "tags", "score", "state", "source", "image_tags"]
    before: bool | int | float | str | list[Tag] | None
    after: bool | int | float | str | list[Tag] | None


class Order(Body):
    """A segment moves: it stood just in front of `before`, and comes to stand in front of `after`."""

    op: Literal["order"]
    key: Key
    before: Key | None
    after: Key | None


Op = Annotated[Pixels | Hidden | Create | Delete | Set | Order, Field(discriminator="op")]


class Gesture(Body):
    """One change of a document; its inverse is the reversed list of the inverse ops."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")]
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,30}$")]
    ops: Annotated[list[Op], Field(max_length=MAX_OPS)]
    seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    undoes: str | None = None
    at: Annotated[str, Field(max_length=40)] = ""


class Gestures(Body):
    """Gestures to apply, in order; all of them or none."""

    gestures: Annotated[list[Gesture], Field(max_length=MAX_GESTURES)]


class Revision(Body):
    """The revision that a document has now."""

    revision: int


class Entry(Body):
    """One line of an image's history."""

    revision: int
    author: str
    at: str
    gesture: Gesture


class Stale(Body):
    """Somebody else saved first: what has happened since."""

    error: str
    revision: int
    gestures: list[Entry]


class Broken(Body):
    """A gesture that does not fit the document."""

    error: str
    gesture: str
    op: int | None


class GestureAnswer(Body):
    """A gesture that the client may apply."""

    gesture: Gesture


class Restore(Body):
    """The revision to go back to."""

    revision: Id


class Propagate(Body):
    """The image to carry segments to, and which."""

    to: Id
    keys: Annotated[list[Key], Field(max_length=5000)] = []


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

    `consensus`: how many people label each image, each without seeing the others. `honeypots`: the share
    of images handed out whose truth is known. `rate`: what an hour of labelling costs. `assist_off`: classes
    without click-to-segment.
    """

    name: Name | None = None
    consensus: Annotated[int, Field(ge=1, le=9)] | None = None
    honeypots: Annotated[float, Field(ge=0, le=0.5)] | None = None
    rate: Annotated[float, Field(ge=0, le=100_000)] | None = None
    packs: Annotated[list[Name], Field(max_length=50)] | None = None
    rules: Annotated[str, Field(max_length=200_000)] | None = None
    assist_off: Annotated[list[Id], Field(max_length=10_000)] | None = None


class Project(Body):
    """A project, as one of its members sees it."""

    project_id: int
    name: str
    role: Role
    images: int
    scanning: bool
    states: dict[State, int]
    consensus: int
    honeypots: float
    rate: float
    packs: list[str]
    rules: str
    assist_off: list[int]


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


class Finding(Body):
    """What a rule reports; `rule` "unreadable" where the image or label could not be judged."""

    rule: str
    severity: Literal["error", "warning", "info"]
    message: str
    keys: list[str]
    box: tuple[float, float, float, float] | None
    region: Mask | None
    measured: float | int | bool | str | None
    limit: float | None
    fix: bool
    fingerprint: str


class Findings(Body):
    """The findings in one revision of an image."""

    revision: int
    findings: list[Finding]


class Fix(Body):
    """The finding to fix."""

    fingerprint: Annotated[str, Field(max_length=64)]


Point = tuple[Annotated[float, Field(ge=0, le=2**20)], Annotated[float, Field(ge=0, le=2**20)], bool]


class Prompt(Body):
    """What a labeller shows: clicks (x, y, is the segment there?), a line of (x, y), a mask to mend."""

    points: Annotated[list[Point], Field(max_length=500)] = []
    box: tuple[float, float, float, float] | None = None
    scribble: Annotated[list[tuple[float, float]], Field(max_length=5000)] = []
    mask: Mask | None = None
    engine: Annotated[str, Field(max_length=80)] | None = None


class Candidate(Body):
    """A mask that an engine offers."""

    mask: Mask
    score: float


class Candidates(Body):
    """What an engine offers, the best first."""

    candidates: list[Candidate]
    engine: str


class Engines(Body):
    """The click engines at hand; none where the package for it is missing."""

    engines: list[str]
    default: str | None
    words: str


class NewComment(Body):
    """A comment on an image, or on a box or region of it."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]
    box: tuple[float, float, float, float] | None = None
    region: Mask | None = None


class Comment(Body):
    """A comment."""

    comment_id: int
    image_id: int
    author: str
    at: str
    text: str
    box: tuple[float, float, float, float] | None
    region: Mask | None
    resolved: bool


class CommentChange(Body):
    """Whether a comment is dealt with."""

    resolved: bool


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
    states: list[State] = []
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

    people: Annotated[list[Id], Field(max_length=100)] = []
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
