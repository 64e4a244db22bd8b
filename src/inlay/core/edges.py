"""Edges: the boundaries of a partition as arcs, each shared by the row on its left and the row on its right.

Moving or simplifying an arc moves both neighbours at once, so that neither a gap nor an overlap can come of
it. It is a view: `edges` makes it from the masks, `from_edges` makes masks of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core import kernels
from inlay.core.checks import check_offsets, check_size
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.polygons import MAX_COORDINATE

if TYPE_CHECKING:
    from inlay.core.segmentation import Segmentation


@dataclass(frozen=True, eq=False)
class Edges:
    """The arcs of a partition; arc `i` is `points[offsets[i]:offsets[i + 1]]`.

    Arcs run from node to node: the points where three or more regions meet or four touch in one corner, where
    an arc leaves the border of the image, and the corners of the image. An arc without a node is a loop and
    ends in its first point.

    Parameters
    ----------
    points
        (P, 2) float64 x, y; pixel corners, until somebody moves them.
    offsets
        (A + 1,) int64 into `points`.
    left, right
        (A,) int32 rows of the segments on either side as one walks along the arc; -1 is nobody or outside.
    size
        (height, width) of the image, pixels.

    Raises
    ------
    InlayError
        When the columns do not fit together or a coordinate is no place in an image.
    """

    points: NDArray[np.float64]
    offsets: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        for name, dtype in (
            ("points", np.float64),
            ("offsets", np.int64),
            ("left", np.int32),
            ("right", np.int32),
        ):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype))
        object.__setattr__(self, "size", check_size(self.size))
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise InlayError(f"arc points have shape (P, 2), not {self.points.shape}")
        check_offsets("offsets", self.offsets, len(self.points))
        if not (self.left.shape == self.right.shape == (len(self),)):
            raise InlayError(
                f"left and right have shapes {self.left.shape} and {self.right.shape}, not ({len(self)},)"
            )
        if not (np.abs(self.points) <= MAX_COORDINATE).all():
            raise InlayError("an arc has a point that is no place in an image")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, arc: int) -> NDArray[np.float64]:
        """(K, 2) points of one arc."""
        if not 0 <= arc < len(self):
            raise IndexError(f"there is no arc {arc} among {len(self)}")
        return self.points[self.offsets[arc] : self.offsets[arc + 1]]

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return (self[arc] for arc in range(len(self)))

    def __repr__(self) -> str:
        return f"Edges({len(self)} arcs, {len(self.points)} points, {self.size[0]}x{self.size[1]} px)"

    def of(self, row: int) -> NDArray[np.int64]:
        """The arcs that have a segment on one of their sides."""
        return np.flatnonzero((self.left == row) | (self.right == row))

    def simplify(self, tolerance: float) -> Edges:
        """Fewer points, none farther than `tolerance` pixels from the new arc; ends stay, loops keep three
        points.

        Raises
        ------
        InlayError
            When the tolerance is negative or not finite.
        """
        if not 0 <= tolerance < np.inf:
            raise InlayError(f"a tolerance is a number of pixels from 0 up, not {tolerance}")
        keep = kernels.simplify(self.points, self.offsets, tolerance).view(np.bool_)
        before = np.concatenate([[0], np.cumsum(keep)])
        return replace(self, points=self.points[keep], offsets=before[self.offsets])

    def move(self, arc: int, points: ArrayLike) -> Edges:
        """One arc laid through other points (K, 2); both neighbours follow.

        Raises
        ------
        InlayError
            When the arc would part from its ends, where other arcs hang, or a loop would not close.
        """
        old, new = self[arc], np.asarray(points, np.float64)
        if new.ndim != 2 or new.shape[1] != 2 or len(new) < 2:
            raise InlayError(f"an arc has at least two points (K, 2), not shape {new.shape}")
        loop = np.array_equal(old[0], old[-1])
        if loop and not np.array_equal(new[0], new[-1]):
            raise InlayError(f"arc {arc} is a loop: its last point must be its first one")
        if self._is_tied(arc) and not (np.array_equal(old[0], new[0]) and np.array_equal(old[-1], new[-1])):
            raise InlayError(
                f"arc {arc} must keep its ends {tuple(old[0])} and {tuple(old[-1])}: others meet there"
            )
        start, stop = self.offsets[arc], self.offsets[arc + 1]
        offsets = self.offsets.copy()
        offsets[arc + 1 :] += len(new) - len(old)
        return replace(
            self, points=np.concatenate([self.points[:start], new, self.points[stop:]]), offsets=offsets
        )

    def _is_tied(self, arc: int) -> bool:
        """Whether an arc hangs on a node; a loop may, where two corners touch."""
        old = self[arc]
        if not np.array_equal(old[0], old[-1]):
            return True
        ends = np.concatenate([self.points[self.offsets[:-1]], self.points[self.offsets[1:] - 1]])
        return int((ends == old[0]).all(axis=1).sum()) > 2

    def ids(self) -> NDArray[np.int32]:
        """(H, W) row on each pixel, -1 for nobody: each row of pixel centres is cut where arcs cross it."""
        return kernels.sweep(self.points, self.offsets, self.left, self.right, *self.size)


def edges(segmentation: Segmentation) -> Edges:
    """The arcs between the segments of a partition, on pixel corners.

    Raises
    ------
    InlayError
        When masks overlap: flatten first.
    """
    if not segmentation.is_partition:
        raise InlayError("masks overlap, so they share no edges: `flatten()` the segmentation first")
    ids = segmentation.masks.paint(np.arange(len(segmentation)), fill=-1)
    return Edges(*kernels.arcs(ids), segmentation.size)


def from_edges(edges: Edges, *, like: Segmentation) -> Segmentation:
    """The rows of `like` with the masks that the arcs bound; always a partition.

    Unmoved arcs give `like` back. Otherwise full extents grow to contain what is now seen, and stated boxes
    and areas, which described the old masks, are dropped.

    Raises
    ------
    InlayError
        When the arcs are of another image size, or name rows that `like` has not.
    """
    if edges.size != like.size:
        raise InlayError(f"edges of an image of {edges.size} pixels do not fit segments of {like.size}")
    sides = np.concatenate([edges.left, edges.right])
    if sides.size and (sides.min() < -1 or sides.max() >= len(like)):
        raise InlayError(f"the arcs name rows {sides.min()} .. {sides.max()}; there are {len(like)} segments")
    masks = Masks.from_ids(edges.ids(), len(like))
    if masks.equals(like.masks):
        return like
    amodal = None if like.amodal is None else like.amodal | masks
    return like.replace(masks=masks, amodal=amodal, stated_box=None, stated_area=None)
