"""Pixels of images: one way in, whatever the file holds."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError, reason

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm")
MAX_PIXELS = 500_000_000  # a bomb of a few kilobytes can claim more than any memory holds


def open_image(path: Path, data: bytes | None = None) -> Image.Image:
    """A Pillow image whose header has been read and whose size is sane.

    Parameters
    ----------
    path
        The file.
    data
        The bytes of an image that lies inside the file, as in a table.

    Raises
    ------
    FormatError
        When the file is missing, empty, no image, or claims more than `MAX_PIXELS`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bombs are refused below, broken tags are as good as none
            image = Image.open(path if data is None else io.BytesIO(data))
    except FileNotFoundError:
        raise FormatError(path, "", "there is no such image file") from None
    except UnidentifiedImageError:
        empty = not data if data is not None else path.stat().st_size == 0
        what = "the file is empty" if empty else f"not an image; readable kinds are {' '.join(SUFFIXES)}"
        raise FormatError(path, "", what) from None
    except Image.DecompressionBombError as error:
        raise FormatError(path, "header", f"{error}; tile the image first") from None
    except Exception as error:  # the decoders of broken files raise whatever they stumble over
        raise FormatError(path, "header", f"the image cannot be opened ({reason(error)})") from None
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise FormatError(
            path,
            "header",
            f"{image.width}x{image.height} pixels are over the limit of {MAX_PIXELS}; tile it first",
        )
    return image


def read_image(
    path: Path, size: tuple[int, int] | None = None, *, data: bytes | None = None
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 red, green, blue, turned as its EXIF orientation says.

    16-bit images are scaled to their own range; CMYK, palette, grey and transparent ones are converted
    (transparency on white). With `size` (height, width), an image whose *stored* pixels have that size while
    the turned ones have not is left unturned: its labels were drawn that way. `data` as for `open_image`.

    Raises
    ------
    FormatError
        When the file cannot be read, or has not the wanted `size`.
    """
    from PIL import ImageOps

    try:
        with open_image(path, data) as image, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            turned = ImageOps.exif_transpose(image)
            if size and (turned.height, turned.width) != size and (image.height, image.width) == size:
                turned = image
            pixels = _to_rgb(turned)
    except FormatError:
        raise
    except Exception as error:
        raise FormatError(path, "pixels", f"the image is broken or cut off ({reason(error)})") from None
    if size and pixels.shape[:2] != size:
        raise FormatError(
            path,
            "size",
            f"the image is {pixels.shape[1]}x{pixels.shape[0]}, its label {size[1]}x{size[0]} pixels",
        )
    return pixels


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith(("I", "F")):
        deep = np.nan_to_num(np.asarray(image, np.float64), posinf=0.0, neginf=0.0)
        low, high = float(deep.min()), float(deep.max())
        grey: NDArray[np.uint8] = ((deep - low) * (255.0 / max(high - low, 1e-12))).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"), np.float32)
        alpha = rgba[..., 3:] / 255.0
        blended: NDArray[np.uint8] = (rgba[..., :3] * alpha + 255.0 * (1.0 - alpha) + 0.5).astype(np.uint8)
        return blended
    return np.array(image.convert("RGB"))


def image_size(path: Path, *, data: bytes | None = None) -> tuple[int, int]:
    """(height, width) after EXIF orientation, from the header alone; `data` as for `open_image`."""
    with open_image(path, data) as image:
        try:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        except Exception as error:
            raise FormatError(path, "EXIF", f"the orientation is broken ({reason(error)})") from None
        return (image.width, image.height) if turned else (image.height, image.width)


def list_images(folder: Path) -> list[Path]:
    """Image files under a folder, in natural order of their paths; hidden ones left out."""
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    return sorted(found)


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """An (H, W, 3) or (H, W) uint8 image as text that a page can hold: PNG or JPEG, the smaller."""
    import base64

    from PIL import Image

    image, files = Image.fromarray(pixels), {}
    for kind, options in (("jpeg", {"quality": 86, "subsampling": 0}), ("png", {})):
        if kind == "jpeg" or pixels.shape[0] * pixels.shape[1] <= 1 << 16:
            buffer = io.BytesIO()
            image.save(buffer, kind, **options)
            files[kind] = buffer.getvalue()
    kind = min(files, key=lambda name: len(files[name]))
    return f"data:image/{kind};base64,{base64.b64encode(files[kind]).decode()}"
