"""The stage: pieces put back to front, their picture, and the exact truth about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.scenes.drawing.shapes import Field, Shape

Colour = tuple[float, float, float]  # red, green, blue in 0 .. 1
Paint = Colour | Callable[[Field, Field, Field], NDArray[np.float32]]  # of x, y and the distance: (h, w, 3)
Window = tuple[slice, slice]
LEAST_SEEN = 12  # pixels of a thing: what shows less is taken off the stage before it is painted


@dataclass(frozen=True)
class Layer:
    """One coat of paint of a piece.

    Parameters
    ----------
    opacity
        1 hides what is under it.
    soft
        Width of its edge in pixels; 1 is sharp, more is a shadow or a glow.
    owns
        Whether its pixels belong to the piece; shadows, glows and details do not.
    inside
        Painted only where the piece already is: windows, stripes, shine.
    """

    shape: Shape
    paint: Paint
    opacity: float = 1.0
    soft: float = 1.0
    owns: bool = True
    inside: bool = False


@dataclass(frozen=True)
class Piece:
    """A thing made of layers; its full extent is all that its owning layers cover."""

    name: str
    layers: Sequence[Layer]
    instance: int = 0
    crowd: bool = False


@dataclass(frozen=True)
class Backdrop:
    """Stuff known pixel by pixel: its full extent, and the picture of it."""

    name: str
    mask: NDArray[np.bool_]  # (H, W)
    colours: NDArray[np.float32]  # (H, W, 3)


@dataclass(frozen=True)
class _Coat:
    """A layer on the pixels it can touch."""

    layer: Layer
    window: Window
    distance: Field


def perform(
    pieces: Sequence[Piece | Backdrop], classes: Classes, size: tuple[int, int]
) -> tuple[NDArray[np.float32], Segmentation]:
    """(H, W, 3) float32 in 0 .. 1, not yet developed, and the exact segmentation of it.

    A thing that shows fewer than `LEAST_SEEN` pixels is left out of both. Things that reach the image border
    are tagged truncated, things of which something is hidden occluded.
    """
    coats = [_coats(piece, size) if isinstance(piece, Piece) else [] for piece in pieces]
    extents = [
        piece.mask if isinstance(piece, Backdrop) else _extent(own, size)
        for piece, own in zip(pieces, coats, strict=True)
    ]
    kept = _seen(pieces, extents, size)
    canvas = np.zeros((*size, 3), np.float32)
    for place in kept:
        piece = pieces[place]
        if isinstance(piece, Backdrop):
            np.copyto(canvas, piece.colours, where=piece.mask[..., None])
        else:
            _paint(canvas, coats[place])
    truth = _truth([pieces[place] for place in kept], [extents[place] for place in kept], classes, size)
    return canvas, truth


def _coats(piece: Piece, size: tuple[int, int]) -> list[_Coat]:
    found = []
    for layer in piece.layers:
        window = _window(layer.shape, layer.soft, size)
        if window is not None:
            rows, columns = window
            y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5)
            x = np.arange(columns.start, columns.stop, dtype=np.float32)[None] + np.float32(0.5)
            found.append(_Coat(layer, window, layer.shape.distance(x, y)))
    return found


def _window(shape: Shape, margin: float, size: tuple[int, int]) -> Window | None:
    x0, y0, x1, y1 = shape.box
    left, top = max(0, int(np.floor(x0 - margin))), max(0, int(np.floor(y0 - margin)))
    right, bottom = min(size[1], int(np.ceil(x1 + margin))), min(size[0], int(np.ceil(y1 + margin)))
    return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _extent(coats: Sequence[_Coat], size: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(size, np.bool_)
    for coat in coats:
        if coat.layer.owns:
            mask[coat.window] |= coat.distance <= 0
    return mask


def _seen(
    pieces: Sequence[Piece | Backdrop], extents: Sequence[NDArray[np.bool_]], size: tuple[int, int]
) -> list[int]:
    """Places of the pieces that stay on the stage."""
    front = np.full(size, -1, np.int32)
    for place, mask in enumerate(extents):
        front[mask] = place
    seen = np.bincount(front[front >= 0], minlength=len(pieces))
    least = [1 if isinstance(piece, Backdrop) or piece.instance == 0 else LEAST_SEEN for piece in pieces]
    return [place for place in range(len(pieces)) if seen[place] >= least[place]]


def _paint(canvas: NDArray[np.float32], coats: Sequence[_Coat]) -> None:
    covered = np.zeros(canvas.shape[:2], np.float32) if any(coat.layer.inside for coat in coats) else None
    for coat in coats:
        layer, window = coat.layer, coat.window
        share = np.clip(np.float32(0.5) - coat.distance / np.float32(layer.soft), 0, 1)
        if covered is not None and layer.owns:
            covered[window] = np.maximum(covered[window], share)
        if covered is not None and layer.inside:
            share = share * covered[window]
        if layer.opacity != 1:
            share *= np.float32(layer.opacity)
        rows, columns = window
        under = canvas[window]
        if callable(layer.paint):
            y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5)
            x = np.arange(columns.start, columns.stop, dtype=np.float32)[None] + np.float32(0.5)
            colours = layer.paint(x, y, coat.distance)
        else:
            colours = np.array(layer.paint, np.float32)
        under += share[..., None] * (colours - under)


def _truth(
    pieces: Sequence[Piece | Backdrop],
    extents: Sequence[NDArray[np.bool_]],
    classes: Classes,
    size: tuple[int, int],
) -> Segmentation:
    amodal = Masks.concat([Masks.encode(mask) for mask in extents]) if extents else Masks.empty(size)
    seen = Masks.from_ids(amodal.paint(np.arange(len(amodal)), fill=-1), len(amodal))
    class_id = np.array([classes.row(piece.name) for piece in pieces], np.int32)
    thing = classes.is_thing[class_id]
    x0, y0, x1, y1 = amodal.box().T
    truncated = thing & ((x0 == 0) | (y0 == 0) | (x1 == size[1]) | (y1 == size[0]))
    occluded = thing & (seen.area() < amodal.area())
    tags = tuple(
        frozenset(word for word, holds in (("truncated", cut), ("occluded", hidden)) if holds)
        for cut, hidden in zip(truncated, occluded)
    )
    things = [piece if isinstance(piece, Piece) else None for piece in pieces]
    return Segmentation(
        classes,
        seen,
        class_id,
        np.array([piece.instance if piece else 0 for piece in things], np.int32),
        crowd=np.array([piece.crowd if piece else False for piece in things], np.bool_),
        tags=tags,
        amodal=amodal,
    )
