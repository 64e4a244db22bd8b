"""A draft: one document while gestures change it. Pure: no database, no HTTP.

Each pixel has at most one owner, because each op that moves pixels says whose they are and is held to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from inlay.core.boxed import Box, Boxed, tight, whole
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.server import wire

MAX_SEGMENTS = 20_000  # of one image


class BrokenError(Exception):
    """An op that does not fit the document; `op` is its place in the gesture, `None` for the whole."""

    def __init__(self, words: str, op: int | None = None) -> None:
        super().__init__(words)
        self.words, self.op = words, op


@dataclass(slots=True)
class Row:
    """One segment of a draft; masks are decoded when they are asked for."""

    facts: wire.SegmentFacts
    visible: Boxed | None = None
    hidden: Boxed | None = None
    area: int = 0
    place: int | None = None  # where it is stored; None: to be found
    decoded: dict[str, Masks] = field(default_factory=dict)


@dataclass
class Draft:
    """The segments of one image, back to front, and what has been done to them."""

    size: tuple[int, int]
    class_ids: frozenset[int]
    image_tags: list[str] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def mask(self, key: str, part: str = "visible") -> Masks:
        """One mask of the whole image: what is seen of a segment, or what is hidden."""
        row = self.rows[key]
        if part not in row.decoded:
            boxed = row.visible if part == "visible" else row.hidden
            row.decoded[part] = Masks.empty(self.size, 1) if boxed is None else whole([boxed], self.size)
        return row.decoded[part]

    def put(self, key: str, part: str, mask: Masks) -> None:
        """Give a segment another mask."""
        row = self.rows[key]
        boxed = tight(mask)[0]
        if part == "visible":
            row.visible, row.area = boxed, int(mask.area()[0])
        else:
            row.hidden = boxed
        row.decoded[part] = mask
        self.touched.add(key)

    def near(self, box: Box, part: str = "visible") -> list[str]:
        """Segments whose mask may have pixels in a box, back to front."""
        found = []
        for key in self.order:
            row = self.rows[key]
            boxed = row.visible if part == "visible" else row.hidden
            if boxed is not None and _overlap(boxed[0], box):
                found.append(key)
        return found


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def apply(draft: Draft, ops: Iterable[wire.Op], *, trusted: bool = False) -> None:
    """Apply the ops of one gesture, then see that hidden masks lie where they can.

    `trusted` leaves the last look out: for ops that were accepted once and are being taken back.

    Raises
    ------
    BrokenError
        At the first op that does not fit; the draft is spoilt then.
    """
    for place, op in enumerate(ops):
        try:
            _APPLY[op.op](draft, op)
        except (BrokenError, InlayError) as error:
            raise BrokenError(str(error), place) from None
    if len(draft.order) > MAX_SEGMENTS:
        raise BrokenError(f"an image holds {MAX_SEGMENTS} segments; this would be {len(draft.order)}")
    if not trusted:
        _see_that_hidden_is_hidden(draft)


def _row(draft: Draft, key: str) -> Row:
    if key not in draft.rows:
        raise BrokenError(f"there is no segment {key!r}")
    return draft.rows[key]


def _decoded(draft: Draft, mask: wire.Mask) -> Masks:
    decoded = whole([(mask.box, mask.runs.encode())], draft.size)
    if not decoded.area()[0]:
        raise BrokenError("the mask is empty: leave the op out")
    return decoded


def _within(part: Masks, all_of: Masks) -> int:
    """Pixels of `part` outside `all_of`."""
    return int((part - all_of).area()[0])


def _pixels(draft: Draft, op: wire.Pixels) -> None:
    mask = _decoded(draft, op.mask)
    if op.before == op.after:
        raise BrokenError("pixels go from an owner to the same one")
    if op.after is not None:
        _row(draft, op.after)
    if op.before is not None:
        _row(draft, op.before)
        foreign = _within(mask, draft.mask(op.before))
        if foreign:
            raise BrokenError(f"{foreign} of the pixels do not belong to segment {op.before!r}")
        draft.put(op.before, "visible", draft.mask(op.before) - mask)
    else:
        x0, y0, x1, y1 = mask.box()[0].tolist()
        for key in draft.near((x0, y0, x1, y1)):
            taken = int(mask.intersection(draft.mask(key))[0, 0])
            if taken:
                raise BrokenError(f"{taken} of the pixels belong to segment {key!r}, not to nobody")
    if op.after is not None:
        draft.put(op.after, "visible", draft.mask(op.after) | mask)


def _hidden(draft: Draft, op: wire.Hidden) -> None:
    _row(draft, op.key)
    hidden = draft.mask(op.key, "hidden")
    if op.remove is not None:
        mask = _decoded(draft, op.remove)
        if _within(mask, hidden):
            raise BrokenError(f"{_within(mask, hidden)} of the pixels to remove are not hidden of {op.key!r}")
        hidden = hidden - mask
    if op.add is not None:
        mask = _decoded(draft, op.add)
        if int((mask & hidden).area()[0]):
            raise BrokenError(f"some of the pixels to add are hidden of {op.key!r} already")
        hidden = hidden | mask
    draft.put(op.key, "hidden", hidden)


def _place_above(draft: Draft, above: str | None) -> int:
    if above is None:
        return 0
    _row(draft, above)
    return draft.order.index(above) + 1


def _above(draft: Draft, key: str) -> str | None:
    place = draft.order.index(key)
    return draft.order[place - 1] if place else None


def _create(draft: Draft, op: wire.Create) -> None:
    facts = op.segment
    if facts.key in draft.rows:
        raise BrokenError(f"there is a segment {facts.key!r} already")
    _see_class(draft, facts.class_id)
    draft.order.insert(_place_above(draft, op.above), facts.key)
    draft.rows[facts.key] = Row(_plain(facts))
    draft.touched.add(facts.key)


def _plain(facts: wire.SegmentFacts) -> wire.SegmentFacts:
    return facts.model_copy(update={"tags": sorted(set(facts.tags))})


def _see_class(draft: Draft, class_id: Any) -> None:
    if class_id not in draft.class_ids:
        raise BrokenError(f"the project has no class {class_id}")


def _delete(draft: Draft, op: wire.Delete) -> None:
    key = op.segment.key
    row = _row(draft, key)
    if row.visible is not None or row.hidden is not None:
        raise BrokenError(f"segment {key!r} still has pixels: take them away first")
    if row.facts != _plain(op.segment):
        raise BrokenError(
            f"segment {key!r} is not what the op says: {_differs(row.facts, _plain(op.segment))}"
        )
    if _above(draft, key) != op.above:
        raise BrokenError(f"segment {key!r} stands in front of {_above(draft, key)!r}, not {op.above!r}")
    draft.order.remove(key)
    del draft.rows[key]
    draft.touched.discard(key)
    draft.removed.add(key)


def _differs(mine: wire.SegmentFacts, theirs: wire.SegmentFacts) -> str:
    name = next(
        name for name in wire.SegmentFacts.model_fields if getattr(mine, name) != getattr(theirs, name)
    )
    return f"{name} is {getattr(mine, name)!r}, not {getattr(theirs, name)!r}"


def _set(draft: Draft, op: wire.Set) -> None:
    if op.key is None:
        if op.field != "image_tags":
            raise BrokenError(f"an image has no {op.field}: name a segment")
        _see_before(sorted(draft.image_tags), _sorted(op.before), "image_tags")
        if not isinstance(op.after, list) or len(op.after) > 50:
            raise BrokenError("image_tags are a list of at most 50 words")
        draft.image_tags = _sorted(op.after)
        return
    row = _row(draft, op.key)
    if op.field == "image_tags":
        raise BrokenError("image_tags belong to the image: key is null")
    _see_before(getattr(row.facts, op.field), _sorted(op.before), op.field)
    if op.field == "class_id":
        _see_class(draft, op.after)
    try:
        row.facts = wire.SegmentFacts.model_validate(
            {**row.facts.model_dump(), op.field: _sorted(op.after)}, strict=True
        )
    except ValidationError as error:
        raise BrokenError(f"{op.field} cannot be {op.after!r}: {error.errors()[0]['msg']}") from None
    draft.touched.add(op.key)


def _sorted(value: Any) -> Any:
    return sorted(set(value)) if isinstance(value, list) else value


def _see_before(now: Any, before: Any, name: str) -> None:
    if now != before or isinstance(now, bool) != isinstance(before, bool):
        raise BrokenError(f"{name} is {now!r} now, not {before!r}")


def _order(draft: Draft, op: wire.Order) -> None:
    _row(draft, op.key)
    if op.key == op.after:
        raise BrokenError(f"segment {op.key!r} cannot stand in front of itself")
    if _above(draft, op.key) != op.before:
        raise BrokenError(
            f"segment {op.key!r} stands in front of {_above(draft, op.key)!r}, not {op.before!r}"
        )
    draft.order.remove(op.key)
    draft.order.insert(_place_above(draft, op.after), op.key)
    draft.rows[op.key].place = None
    draft.touched.add(op.key)


_APPLY: dict[str, Any] = {
    "pixels": _pixels,
    "hidden": _hidden,
    "create": _create,
    "delete": _delete,
    "set": _set,
    "order": _order,
}


def _see_that_hidden_is_hidden(draft: Draft) -> None:
    """Hidden pixels of a segment are none that it shows itself, nor that a segment behind it shows."""
    behind: list[str] = []
    for key in draft.order:
        behind.append(key)
        hidden = draft.rows[key].hidden
        if hidden is None:
            continue
        own = key in draft.touched
        for other in behind if own else [each for each in behind if each in draft.touched]:
            seen = draft.rows[other].visible
            if seen is None or not _overlap(seen[0], hidden[0]):
                continue
            shared = int(draft.mask(key, "hidden").intersection(draft.mask(other))[0, 0])
            if shared and other == key:
                raise BrokenError(f"{shared} pixels of segment {key!r} are both seen and hidden")
            if shared:
                raise BrokenError(
                    f"{shared} pixels hidden of segment {key!r} are seen of {other!r}, which lies behind it"
                )


def inverse(ops: Iterable[wire.Op]) -> list[wire.Op]:
    """The ops that take these back."""
    return [_INVERSE[op.op](op) for op in reversed(list(ops))]


_INVERSE: dict[str, Any] = {
    "pixels": lambda op: wire.Pixels(op="pixels", before=op.after, after=op.before, mask=op.mask),
    "hidden": lambda op: wire.Hidden(op="hidden", key=op.key, add=op.remove, remove=op.add),
    "create": lambda op: wire.Delete(op="delete", segment=op.segment, above=op.above),
    "delete": lambda op: wire.Create(op="create", segment=op.segment, above=op.above),
    "set": lambda op: op.model_copy(update={"before": op.after, "after": op.before}),
    "order": lambda op: op.model_copy(update={"before": op.after, "after": op.before}),
}
