"""The process that decodes pictures: a JSON request a line in, an answer a line out. See `decoding`."""

from __future__ import annotations

import json
import resource
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from inlay.core.errors import InlayError
from inlay.core.images import image_size, open_image, read_image

SHOWN_AS_THEY_ARE = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
LOSSLESS = ("PNG", "BMP", "TIFF", "GIF", "PPM")


def picture(request: dict[str, Any]) -> dict[str, Any]:
    """Write the picture that is asked for; its media type and size."""
    source, target, side = Path(request["source"]), Path(request["target"]), request.get("side")
    height, width = image_size(source)
    if height * width > request["pixels"]:
        raise InlayError(
            f"{width}x{height} pixels are over the studio's limit of {request['pixels']}; tile it first"
        )
    if request.get("raw"):
        np.save(target, read_image(source))
        return {"size": [width, height]}
    with open_image(source) as image:
        kind, mode = image.format or "", image.mode
        still = getattr(image, "n_frames", 1) == 1
        upright = image.getexif().get(0x0112, 1) in (0, 1)
    small = side is None or max(height, width) <= side
    if small and kind in SHOWN_AS_THEY_ARE and mode in ("RGB", "L") and still and upright:
        shutil.copyfile(source, target)
        return {"type": SHOWN_AS_THEY_ARE[kind], "size": [width, height]}
    return _drawn(source, target, side, kind, (height, width))


def _drawn(source: Path, target: Path, side: int | None, kind: str, size: tuple[int, int]) -> dict[str, Any]:
    from PIL import Image

    image = Image.fromarray(read_image(source))
    if side is not None:
        image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    lossless = kind in LOSSLESS and side is None
    if lossless:
        image.save(target, "PNG", compress_level=1)
    else:
        image.save(target, "JPEG", quality=90)
    return {"type": "image/png" if lossless else "image/jpeg", "size": [size[1], size[0]]}


def main(memory: int) -> None:
    """Answer requests until there are no more."""
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # not every system knows each limit
            resource.setrlimit(what, (most, most))
    for line in sys.stdin:
        try:
            answer = picture(json.loads(line))
        except InlayError as error:
            answer = {"error": str(error).split(": ", 1)[-1]}
        except MemoryError:
            answer = {"error": "the image takes too much memory to decode; tile it first"}
        except Exception as error:  # decoders of broken files raise whatever they stumble over
            answer = {"error": f"the image cannot be decoded ({type(error).__name__})"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
