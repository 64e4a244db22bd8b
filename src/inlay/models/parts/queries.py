"""What mask transformers are built of: masks of queries, and their assignment to the segments of a target.

A query answers with a class, or none, and a mask (Cheng et al. 2021). In training each segment is given to
the query that fits it best, by the Hungarian method, and masks are compared at points (Cheng et al. 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.targets import VOID, Target

OVERSAMPLED = 3  # times as many points are tried, and the least certain ones of them learnt
UNCERTAIN = 0.75  # share of the points that are chosen so; the rest lie anywhere
CLASS, MASK, DICE = 2.0, 5.0, 5.0  # weights of the losses, and of the costs
NO_SEGMENT = 0.1  # weight of the class that means "no segment"


class Enlarge(nn.Module):
    """A map of twice the size (EoMT, Kerssies et al. 2025)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(width, width, 2, 2)
        self.depthwise = nn.Conv2d(width, width, 3, 1, 1, groups=width, bias=False)
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """(B, width, h, w), and features (B, width, 2 h, 2 w) if any -> (B, width, 2 h, 2 w)."""
        x = self.up(x) if beside is None else self.up(x) + beside
        x = self.depthwise(F.gelu(x))
        out: Tensor = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return out


class MaskOfQuery(nn.Sequential):
    """The vector that a query compares with those of pixels."""

    def __init__(self, width: int) -> None:
        inner = (nn.Linear(width, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
        super().__init__(*inner, nn.Linear(width, width))


def positions(size: tuple[int, int], width: int, like: Tensor) -> Tensor:
    """(1, width, h, w) waves along y and x, by which places of a map are told apart (Carion et al. 2020)."""
    count = width // 4
    scale = 1000 ** (-torch.arange(count, device=like.device, dtype=torch.float32) / max(count, 1))
    y, x = (torch.arange(side, device=like.device)[:, None] * scale for side in size)
    down, across = torch.cat([y.sin(), y.cos()], 1).T, torch.cat([x.sin(), x.cos()], 1).T
    whole = torch.cat([down[:, :, None].expand(-1, -1, size[1]), across[:, None, :].expand(-1, size[0], -1)])
    return whole[None].to(like.dtype)


@dataclass(frozen=True, eq=False)
class Segments:
    """The segments of a target that queries are to find.

    Parameters
    ----------
    target
        Of one image.
    class_id
        (M,) class row of each: first stuff (or every class, in a semantic task), then things.
    stuff
        How many of them are the pixels of a class.
    """

    target: Target
    class_id: Tensor
    stuff: int

    @classmethod
    def of(cls, target: Target, by_pixel: Tensor) -> Segments:
        """One for the pixels of each class where `by_pixel` (K,) is true, and one for each other thing."""
        seen = torch.unique(target.semantic)
        seen = seen[seen != VOID]
        stuff = seen[by_pixel[seen]]
        things = target.class_id[~by_pixel[target.class_id]]  # all of them, or none
        return cls(target, torch.cat([stuff, things]), len(stuff))

    def __len__(self) -> int:
        return len(self.class_id)

    def at(self, rows: Tensor, places: Tensor) -> Tensor:
        """(n, P) float: whether segments show pixels, which are numbered along the rows of the image."""
        target = self.target
        semantic, layers = target.semantic.flatten(), target.layers.flatten(1)
        is_stuff = (rows < self.stuff)[:, None]
        pixel = semantic[places] == self.class_id[rows][:, None]
        if len(target) == 0:
            return (pixel & is_stuff).float()
        thing = (rows - self.stuff).clamp(min=0)
        number = layers[target.layer_of[thing][:, None], places]
        return torch.where(is_stuff, pixel, number == (thing + 1)[:, None]).float()

    def known(self, places: Tensor) -> Tensor:
        """float of the shape of `places`: 0 at pixels of which nothing is said."""
        return (~self.target.ignored.flatten()[places]).float()


def sampled(maps: Tensor, places: Tensor, size: tuple[int, int], padded: tuple[int, int]) -> Tensor:
    """(N, C, P) what maps show at the middle of pixels.

    Parameters
    ----------
    maps
        (N, C, h, w) of a padded image.
    places
        (N, P): numbers of pixels along the rows of the image.
    size, padded
        (height, width) of the image, and of it with its padding.
    """
    x = ((places % size[1]).float() + 0.5) / padded[1] * 2 - 1
    y = ((places // size[1]).float() + 0.5) / padded[0] * 2 - 1
    grid = torch.stack([x, y], -1)[:, :, None]
    return F.grid_sample(maps, grid, padding_mode="border", align_corners=False)[..., 0]


def masks_of(vectors: Tensor, pixels: Tensor) -> Tensor:
    """(..., Q, h, w) mask logits of queries (..., Q, D) on a map (..., D, h, w)."""
    found = torch.matmul(vectors, pixels.flatten(-2))
    return found.reshape(*found.shape[:-1], *pixels.shape[-2:])


def assigned(
    logits: Tensor,
    vectors: Tensor,
    pixels: Tensor,
    segments: Segments,
    points: int,
    padded: tuple[int, int],
) -> Tensor:
    """(2, n) queries and the segments they are to find: the cheapest pairing.

    Parameters
    ----------
    logits
        (Q, K + 1), the last one "no segment".
    vectors, pixels
        (Q, D) and (D, h, w), whose products are the mask logits: they are taken at the points alone.
    """
    from scipy.optimize import linear_sum_assignment

    if len(segments) == 0:
        return torch.zeros(2, 0, dtype=torch.int64, device=logits.device)
    size = segments.target.semantic.shape[0], segments.target.semantic.shape[1]
    places = torch.randint(size[0] * size[1], (1, points), device=logits.device)
    found = vectors @ sampled(pixels[None], places, size, padded)[0]
    rows = torch.arange(len(segments), device=logits.device)
    known = segments.known(places)
    truth = segments.at(rows, places.expand(len(rows), -1)) * known
    share = found.sigmoid() * known
    count = known.sum().clamp(min=1)
    crossed = (F.softplus(-found) * known) @ truth.T + (F.softplus(found) * known) @ (known - truth).T
    both = 2 * share @ truth.T + 1
    dice = 1 - both / (share.sum(1)[:, None] + truth.sum(1)[None] + 1)
    cost = MASK * crossed / count + DICE * dice - CLASS * logits.softmax(-1)[:, segments.class_id]
    cost = torch.nan_to_num(cost, nan=1e6, posinf=1e6, neginf=-1e6)
    query, row = linear_sum_assignment(cost.cpu().numpy())
    return torch.stack([torch.from_numpy(query), torch.from_numpy(row)]).to(logits.device)


def mask_losses(
    masks: Tensor, segments: Segments, rows: Tensor, points: int, padded: tuple[int, int]
) -> Tensor:
    """(2,) sums over masks of cross entropy and 1 - Dice, at points of which most are the least certain.

    Parameters
    ----------
    masks
        (n, h, w) logits of the queries that are to find the segments `rows` (n,).
    """
    size = segments.target.semantic.shape[0], segments.target.semantic.shape[1]
    with torch.no_grad():
        tried = torch.randint(size[0] * size[1], (len(masks), OVERSAMPLED * points), device=masks.device)
        doubt = -sampled(masks[:, None], tried, size, padded)[:, 0].abs()
        doubt = doubt.masked_fill(segments.known(tried) == 0, -torch.inf)
        chosen = tried.gather(1, doubt.topk(int(UNCERTAIN * points), 1).indices)
        anywhere = torch.randint(size[0] * size[1], (len(masks), points - chosen.shape[1])).to(masks.device)
        places = torch.cat([chosen, anywhere], 1)
        known = segments.known(places)
        truth = segments.at(rows, places) * known
    found = sampled(masks[:, None], places, size, padded)[:, 0]
    crossed = F.binary_cross_entropy_with_logits(found, truth, known, reduction="none").sum(1)
    crossed = crossed / known.sum(1).clamp(min=1)
    share = found.sigmoid() * known
    dice = 1 - (2 * (share * truth).sum(1) + 1) / (share.sum(1) + truth.sum(1) + 1)
    return torch.stack([crossed.sum(), dice.sum()])
