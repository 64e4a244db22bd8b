"""What goes over the wire: the bodies of requests and answers. The OpenAPI document types the front end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    """What a labeller shows: clicks (x, y, is the segment there?), a line of (x, y), a mask to mend.

    Or what he says: `text` names things ("a red car"), of which each gets a mask; nothing else counts then.
    """

    points: Annotated[list[Point], Field(max_length=500)] = []
    box: tuple[float, float, float, float] | None = None
    scribble: Annotated[list[tuple[float, float]], Field(max_length=5000)] = []
    mask: Mask | None = None
    engine: Annotated[str, Field(max_length=80)] | None = None
    text: Annotated[str, Field(max_length=200)] = ""


class Everything(Body):
    """A box to propose segments in: clicks along its longer side, and the least area of a segment."""

    box: tuple[float, float, float, float]
    side: Annotated[int, Field(ge=1, le=24)] = 8
    least_area: Annotated[int, Field(ge=1, le=10**9)] = 64
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
    """The click engines at hand; none where the package for it is missing. `texts`: those that may read."""

    engines: list[str]
    texts: list[str]
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
