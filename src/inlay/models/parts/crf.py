"""Dense CRF (Krähenbühl and Koltun 2011): class logits drawn to the edges of the image they are of.

Each pixel asks every other one, those near it most (`near`), and those near it of its colour (`alike`); some
mean-field iterations settle it. Small images are solved exactly; larger ones by a separable Gaussian and a
permutohedral lattice (Adams et al. 2010), whose time and memory grow with the pixels only. As in the authors'
program the kernels are normalised symmetrically, and a pixel's own say is part of what it hears.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError

Floats = NDArray[np.float32]
Filter = Callable[[Floats], Floats]  # (K, H, W) -> what each pixel hears of each class, the same shape
EXACT = 4096  # pixels of an image whose kernels are held whole: two matrices of 64 MB
LENGTHS = 6  # the spatial Gaussian ends after so many standard deviations


@dataclass(frozen=True)
class CRF:
    """Settings of a dense CRF; weights and lengths as DeepLab v2 has them.

    Parameters
    ----------
    iterations
        Of the mean field.
    near, near_pixels
        Weight of the pixels around, and the standard deviation of their distance.
    alike, alike_pixels, alike_grey
        Weight of the pixels of like colour, the standard deviations of their distance, and of the colour in
        grey values.
    """

    iterations: int = 5
    near: float = 3.0
    near_pixels: float = 3.0
    alike: float = 4.0
    alike_pixels: float = 60.0
    alike_grey: float = 5.0

    def __post_init__(self) -> None:
        if self.iterations < 0 or min(self.near_pixels, self.alike_pixels, self.alike_grey) <= 0:
            raise InlayError(f"{self}: the iterations must be 0 or more, the standard deviations positive")


def refined(logits: Floats, image: NDArray[np.uint8], crf: CRF, *, exact: bool | None = None) -> Floats:
    """(K, H, W) log probabilities after the mean field.

    Parameters
    ----------
    logits
        (K, H, W) of the classes.
    image
        (H, W, 3).
    exact
        Whether every pair of pixels is looked at; default: in images of up to 4096 pixels.
    """
    unary = log_softmax(logits.astype(np.float32))
    height, width = logits.shape[1:]
    exact = height * width <= EXACT if exact is None else exact
    make = exact_filters if exact else fast_filters
    near, alike = (normalised(each, (height, width)) for each in make(image, crf))
    settled = unary
    for _ in range(crf.iterations):
        shares = np.exp(settled)
        settled = log_softmax(unary + crf.near * near(shares) + crf.alike * alike(shares))
    return settled


def log_softmax(logits: Floats) -> Floats:
    """(K, H, W) log probabilities."""
    shifted = logits - logits.max(0)
    result: Floats = shifted - np.log(np.exp(shifted).sum(0))
    return result


def normalised(kernel: Filter, size: tuple[int, int]) -> Filter:
    """The kernel K as D K D, D being one over the root of its row sums."""
    sums = kernel(np.ones((1, *size), np.float32))
    scale: Floats = (1.0 / np.sqrt(np.maximum(sums, 1e-12))).astype(np.float32)

    def filtered(values: Floats) -> Floats:
        result: Floats = scale * kernel(scale * values)
        return result

    return filtered


def exact_filters(image: NDArray[np.uint8], crf: CRF) -> tuple[Filter, Filter]:
    """The near and the alike kernel, each as a matrix of all pairs."""
    near, alike = _features(image, crf)
    return _exact(near), _exact(alike)


def _features(image: NDArray[np.uint8], crf: CRF) -> tuple[Floats, Floats]:
    """(N, 2) and (N, 5): places, and places and colours, in units of their standard deviations."""
    places = np.indices(image.shape[:2], np.float32).reshape(2, -1).T
    colours = image.reshape(-1, 3).astype(np.float32)
    alike = np.hstack([places / crf.alike_pixels, colours / crf.alike_grey])
    return places / np.float32(crf.near_pixels), alike.astype(np.float32)


def _exact(features: Floats) -> Filter:
    squares = (features**2).sum(1)
    distance = squares[:, None] + squares - 2 * features @ features.T
    kernel = np.exp(-0.5 * np.maximum(distance, 0))
    return lambda values: (values.reshape(len(values), -1) @ kernel).reshape(values.shape)


def fast_filters(image: NDArray[np.uint8], crf: CRF) -> tuple[Filter, Filter]:
    """The near kernel as two passes of a Gaussian, and the alike one through a lattice."""
    reach = int(np.ceil(LENGTHS * crf.near_pixels))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / crf.near_pixels) ** 2)

    def near(values: Floats) -> Floats:
        blurred = [cv2.sepFilter2D(each, -1, bell, bell, borderType=cv2.BORDER_CONSTANT) for each in values]
        return np.stack(blurred).astype(np.float32)

    lattice = Lattice(_features(image, crf)[1])

    def alike(values: Floats) -> Floats:
        return lattice.blur(values.reshape(len(values), -1).T).T.reshape(values.shape)

    return near, alike


class Lattice:
    """A permutohedral lattice around points: blurs values that lie on them by a Gaussian of variance one.

    A point has a share in the d + 1 corners of the simplex around it; corners are blurred with their
    neighbours along each of the d + 1 directions.

    Parameters
    ----------
    points
        (N, d) features.
    """

    def __init__(self, points: Floats) -> None:
        from scipy.sparse import csr_matrix

        count, d = points.shape
        keys, shares = corners(points)
        low = keys.min((0, 1)) - d - 1
        radix = keys.max((0, 1)) + d + 2 - low
        if float(np.prod(radix.astype(float))) >= 2**62:
            raise InlayError("the colours and places of the CRF are too finely graded: raise its deviations")
        steps = np.cumprod(np.concatenate([[1], radix[:-1]])).astype(np.int64)
        packed = ((keys - low) * steps).sum(2)
        own, place = np.unique(packed, return_inverse=True)
        rows = np.arange(count + 1) * (d + 1)
        shape = (count, len(own))
        self._shares: Any = csr_matrix((shares.ravel(), place.reshape(-1), rows), shape=shape)
        self._back: Any = self._shares.T.tocsr()
        moves = [-steps.sum() + (steps[j] * (d + 1) if j < d else 0) for j in range(d + 1)]
        self._beside = [(_found(own, own + move), _found(own, own - move)) for move in moves]

    def blur(self, values: Floats) -> Floats:
        """(N, K) values on the points -> the same shape."""
        corner: Floats = self._back @ values
        empty = np.zeros((1, corner.shape[1]), np.float32)
        for one, other in self._beside:
            wide = np.concatenate([corner, empty])
            corner = corner + 0.5 * (wide[one] + wide[other])
        result: Floats = self._shares @ corner
        return result


def _found(own: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of keys among the sorted own ones; one beyond the last for those that are not there."""
    place = np.searchsorted(own, wanted)
    place[own[np.minimum(place, len(own) - 1)] != wanted] = len(own)
    return place


def corners(points: Floats) -> tuple[NDArray[np.int64], Floats]:
    """(N, d + 1, d) keys of the corners of the simplex around each point, and (N, d + 1) shares in them."""
    count, d = points.shape
    # onto the plane in d + 1 dimensions whose coordinates sum to zero, where the blur has a variance of one
    scale = (d + 1) * np.sqrt(2 / 3) / np.sqrt(np.arange(1, d + 1) * np.arange(2, d + 2))
    scaled = points.astype(np.float64) * scale
    after = np.cumsum(scaled[:, ::-1], 1)[:, ::-1]  # of each coordinate and those behind it
    plane = np.zeros((count, d + 1))
    plane[:, :d] = after
    plane[:, 1:] -= np.arange(1, d + 1) * scaled
    # the nearest point whose coordinates are multiples of d + 1, and the order of what is left
    base = np.round(plane / (d + 1)).astype(np.int64) * (d + 1)
    excess = base.sum(1) // (d + 1)
    order = np.argsort(-(plane - base), 1, kind="stable")
    rank = np.empty((count, d + 1), np.int64)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(d + 1), (count, d + 1)), 1)
    rank += excess[:, None]
    base += (d + 1) * ((rank < 0).astype(np.int64) - (rank > d))
    rank = rank % (d + 1)
    left = (plane - base) / (d + 1)
    ordered = np.zeros((count, d + 1))
    np.put_along_axis(ordered, rank, left, 1)  # falling
    shares = np.empty((count, d + 1))
    shares[:, 1:] = (ordered[:, :-1] - ordered[:, 1:])[:, ::-1]
    shares[:, 0] = 1 - shares[:, 1:].sum(1)
    step = np.arange(d + 1)
    move = step[:, None] - (d + 1) * (step[None] > d - step[:, None])  # of corner k, by rank
    keys = base[:, None, :d] + move.T[rank[:, :d]].transpose(0, 2, 1)
    return keys, shares.astype(np.float32)
