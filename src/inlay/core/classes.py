"""Classes: the names that segments carry, and what kind of thing each name means."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError

Kind = Literal["thing", "stuff", "void"]
Colour = tuple[int, int, int]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class SegmentClass:
    """One class: a thing is counted, stuff is not, void is neither judged nor learnt.

    Parameters
    ----------
    name
        Unique in its `Classes`.
    kind
        "thing", "stuff" or "void".
    colour
        (red, green, blue), 0 .. 255; `None` takes a distinct one by its row.
    parent
        Name of the class or group above it, or empty.
    source_id
        The number the class has in the file it came from; `None`: its row.
    """

    name: str
    kind: Kind = "thing"
    colour: Colour | None = None
    parent: str = ""
    source_id: int | None = None


@dataclass(frozen=True)
class Classes(Sequence[SegmentClass]):
    """The classes of a dataset; `class_id` columns hold rows of this list.

    Raises
    ------
    InlayError
        When two classes share a name, a kind is not one of thing, stuff, void, or a colour is no colour.
    """

    rows: tuple[SegmentClass, ...]
    _row_of: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        row_of: dict[str, int] = {}
        for row, item in enumerate(self.rows):
            if row_of.setdefault(item.name, row) != row:
                raise InlayError(f"class name {item.name!r} stands twice: rows {row_of[item.name]} and {row}")
            if item.kind not in KINDS:
                raise InlayError(f"class {item.name!r} has kind {item.kind!r}; kinds are {', '.join(KINDS)}")
            if item.colour is not None and not _is_colour(item.colour):
                raise InlayError(
                    f"class {item.name!r} has colour {item.colour}; three numbers of 0 .. 255 make one"
                )
            if item.source_id is not None and not -(2**63) <= item.source_id < 2**63:
                raise InlayError(f"class {item.name!r} has number {item.source_id}: more than 64 bits")
        object.__setattr__(self, "_row_of", row_of)

    @classmethod
    def of(cls, *names: str, kind: Kind = "thing") -> Classes:
        """Classes of one kind by their names."""
        return cls(tuple(SegmentClass(name, kind) for name in names))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> SegmentClass:  # type: ignore[override]
        return self.rows[row]

    def row(self, name: str) -> int:
        """Row of a class.

        Raises
        ------
        InlayError
            Naming the nearest class when there is none of that name.
        """
        if name not in self._row_of:
            import difflib

            near = difflib.get_close_matches(name, self._row_of, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; classes are {', '.join(self.names)}"
            raise InlayError(f"there is no class {name!r}{hint}")
        return self._row_of[name]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names, in row order."""
        return tuple(item.name for item in self.rows)

    @cached_property
    def is_thing(self) -> NDArray[np.bool_]:
        """(K,) whether each class is a thing."""
        return np.array([item.kind == "thing" for item in self.rows], np.bool_)

    @cached_property
    def is_void(self) -> NDArray[np.bool_]:
        """(K,) whether each class is void."""
        return np.array([item.kind == "void" for item in self.rows], np.bool_)

    @cached_property
    def source_ids(self) -> NDArray[np.int64]:
        """(K,) the number of each class in its source file."""
        ids = [row if item.source_id is None else item.source_id for row, item in enumerate(self.rows)]
        return np.array(ids, np.int64)

    @cached_property
    def colours(self) -> NDArray[np.uint8]:
        """(K, 3) colours; classes without one get distinct hues by their row."""
        return np.array(
            [item.colour or distinct_colour(row) for row, item in enumerate(self.rows)], np.uint8
        ).reshape(-1, 3)

    def with_kinds(self, kinds: Mapping[str, Kind]) -> Classes:
        """The same classes with the kinds of some of them changed."""
        for name in kinds:
            self.row(name)
        return Classes(tuple(replace(item, kind=kinds.get(item.name, item.kind)) for item in self.rows))

    def merge(self, other: Iterable[SegmentClass]) -> Classes:
        """These classes followed by those of `other` whose names are new."""
        return Classes(self.rows + tuple(item for item in other if item.name not in self._row_of))

    def rows_in(self, other: Classes) -> NDArray[np.int32]:
        """(K,) row of each of these classes in `other`, by name.

        Raises
        ------
        InlayError
            When `other` lacks one of the names.
        """
        return np.array([other.row(item.name) for item in self.rows], np.int32)


def _is_colour(value: Sequence[int]) -> bool:
    return len(value) == 3 and all(isinstance(v, (int, np.integer)) and 0 <= v <= 255 for v in value)


def distinct_colour(row: int) -> Colour:
    """A colour for the `row`-th class: hues at the golden angle, lightness in three steps, never grey."""
    hue = (row * 0.61803398875 + 0.02) % 1.0
    red, green, blue = colorsys.hls_to_rgb(hue, (0.52, 0.38, 0.68)[row % 3], 0.72)
    return round(red * 255), round(green * 255), round(blue * 255)
