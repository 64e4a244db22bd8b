"""`inlay click`: one segment of an image by clicks, a box, a line or a mask to mend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from inlay.core.errors import InlayError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inlay.click import Candidate, State

Several = Annotated[tuple[str, ...], Parameter(consume_multiple=True)]


def click(
    image: Path,
    /,
    *,
    out: Path,
    points: Several = (),
    box: str | None = None,
    scribble: Several = (),
    mask: Path | None = None,
    text: str | None = None,
    engine: str = "classical",
    candidate: int = 1,
    picture: Path | None = None,
) -> int:
    """Segment what a click shows, and write its mask as a PNG: 255 inside, 0 outside.

    Example: `inlay click street.jpg --points 320,240 300,400,- --out mask.png --picture seen.png`

    Parameters
    ----------
    image
        Image file.
    out
        PNG file to write.
    points
        Clicks `x,y` in the segment, and `x,y,-` beside it, in pixels from the upper left corner.
    box
        Box around the segment, `x0,y0,x1,y1`.
    scribble
        Points `x,y` of a line inside the segment.
    mask
        Mask to mend: an image of the same size, 0 outside.
    text
        Name of the thing, "a red car", instead of all these: for engines that read (SAM 3).
    engine
        "classical", "network", "sam", the file or run folder of a trained network, the folder of a pretrained
        one (SAM, SAM-HQ, SAM 2, SAM 3), or `hub:OWNER/NAME` to fetch such a folder.
    candidate
        Which of the masks found: 1 is the likeliest.
    picture
        Draw the mask and the clicks over the image, as a PNG.
    """
    from PIL import Image

    from inlay.click import load
    from inlay.core.images import read_image
    from inlay.core.staging import staged

    pixels = read_image(image)
    clicks = [_click(text) for text in points]
    state = load(engine).embed(pixels)
    if text is None:
        found = state.mask(
            clicks,
            box=None if box is None else _numbers(box, 4, "--box"),
            scribble=[_numbers(point, 2, "--scribble") for point in scribble],
            mask=None if mask is None else read_image(mask).max(2) > 0,
        )
    elif clicks or box or scribble or mask:
        raise InlayError("--text stands alone: leave out the other prompts, or the text")
    else:
        found = _named(state, engine, text)
    if not 1 <= candidate <= len(found):
        raise InlayError(f"--candidate is {candidate}; the engine found {len(found)} for this prompt")
    chosen = found[candidate - 1]
    with staged(out) as part:
        Image.fromarray(chosen.mask.astype("uint8") * 255).save(part, "PNG")
    if picture:
        with staged(picture) as part:
            Image.fromarray(draw_clicks(pixels, chosen.mask, clicks)).save(part, "PNG")
    area = int(chosen.inside.sum())
    print(f"{out}: {area} pixels, predicted IoU {chosen.score:.2f}, candidate {candidate} of {len(found)}")
    return 0


def _named(state: State, engine: str, text: str) -> list[Candidate]:
    find = getattr(state, "find", None)
    if find is None:
        raise InlayError(f"--text: the engine {engine!r} reads no text; SAM 3 does")
    found: list[Candidate] = find(text)
    return found


def _click(text: str) -> tuple[float, float, bool]:
    place, _, sign = text.rpartition(",")
    negative = sign.strip() == "-"
    x, y = _numbers(place if negative else text, 2, "--points")
    return x, y, not negative


def _numbers(text: str, count: int, option: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        form = "x0,y0,x1,y1" if count == 4 else "x,y (or x,y,- beside the segment)"
        raise InlayError(f"{option} {text!r}: write {form}")
    return numbers


def draw_clicks(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], clicks: Sequence[tuple[float, float, bool]]
) -> NDArray[Any]:
    """The image with the mask over it, and a dot for each click: green inside, red outside."""
    import numpy as np
    from PIL import Image, ImageDraw

    from inlay.core.classes import Classes, SegmentClass
    from inlay.core.masks import Masks
    from inlay.core.overlay import draw, line_width
    from inlay.core.segmentation import Segmentation

    classes = Classes((SegmentClass("segment", "thing", colour=(255, 170, 0)),))
    one = Segmentation(classes, Masks.encode(mask[None]), np.zeros(1, np.int32), np.ones(1, np.int32))
    drawing = Image.fromarray(draw(pixels, one, names=False))
    pen, radius = ImageDraw.Draw(drawing), 3 * line_width(mask.shape) + 1
    for x, y, positive in clicks:
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, fill=(40, 190, 90) if positive else (220, 50, 50), outline=(255, 255, 255))
    return np.asarray(drawing)
