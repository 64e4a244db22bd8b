"""Label maps: image files whose pixels are numbers or colours, read without changing a single one."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError, reason
from inlay.core.images import open_image

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".gif", ".bmp", ".tif", ".tiff", ".pgm", ".ppm")  # those that keep every value
_EXACT = frozenset({"PNG", "GIF", "BMP", "TIFF", "PPM"})
_NARROW = {2: 85, 4: 17}  # Pillow stretches 2- and 4-bit grey to 0 .. 255; this undoes it


@dataclass(frozen=True, eq=False)
class LabelMap:
    """The pixels of one label map as they are stored.

    Parameters
    ----------
    path
        The file, for messages.
    values
        (H, W) numbers, or (H, W, 3) uint8 colours.
    bits
        Bits of each number in the file: 1, 2, 4, 8, 16 or 32.
    palette
        (256, 3) uint8 colours of the numbers, where the file has a palette; rows it leaves out are -1.
    """

    path: Path
    values: NDArray[Any]
    bits: int
    palette: NDArray[np.int16] | None = None

    @property
    def is_coloured(self) -> bool:
        """Whether the pixels are colours, not numbers."""
        return self.values.ndim == 3

    def as_numbers(self) -> LabelMap:
        """The map itself, or the one number that the three channels of a grey colour image agree on."""
        if self.is_coloured and bool((self.values == self.values[..., :1]).all()):
            return LabelMap(self.path, np.ascontiguousarray(self.values[..., 0]), self.bits)
        return self

    def fail(self, at: NDArray[np.bool_], what: str) -> FormatError:
        """The error for the first pixel that `at` (H, W) marks; `{value}` in `what` becomes its value."""
        y, x = np.unravel_index(int(np.argmax(at)), at.shape)
        value = self.values[y, x]
        said = f"colour {tuple(value.tolist())}" if self.is_coloured else f"value {int(value)}"
        return FormatError(self.path, f"pixel ({x}, {y})", what.replace("{value}", said))


def read_label_map(path: Path, data: bytes | None = None) -> LabelMap:
    """The numbers or colours of a label map, exactly as stored.

    Palette images give their indices, not their colours; 1-, 2-, 4-, 8- and 16-bit grey give their numbers.

    Parameters
    ----------
    path
        The file.
    data
        The bytes of a map that lies inside the file, as in a table.

    Raises
    ------
    FormatError
        When the file is missing, broken, of a kind that changes values (JPEG), or has no whole numbers.
    """
    with open_image(path, data) as image:
        if image.format not in _EXACT:
            what = f"{image.format} changes label values when it compresses: export the labels again as PNG"
            raise FormatError(path, "", what)
        bits, colour_type = _png_depth(path, data) if image.format == "PNG" else (0, 0)
        if bits == 16 and colour_type not in (0, 3):
            what = "16 bits for each colour channel; label maps are 16-bit grey or 8-bit RGB"
            raise FormatError(path, "header", what)
        try:
            values = np.asarray(image)
        except Exception as error:  # the decoders of broken files raise whatever they stumble over
            what = f"the label map is broken or cut off ({reason(error)})"
            raise FormatError(path, "pixels", what) from None
        return _from_mode(path, image, values, bits)


def _from_mode(path: Path, image: Image.Image, values: NDArray[Any], bits: int) -> LabelMap:
    if image.mode == "1":
        return LabelMap(path, values.astype(np.uint8), 1)
    if image.mode == "L":
        return LabelMap(path, values // _NARROW[bits] if bits in _NARROW else values, bits or 8)
    if image.mode == "P":
        return LabelMap(path, values, bits or 8, _palette(image))
    if image.mode.startswith("I"):
        return LabelMap(path, values.astype(np.int32), 16 if image.mode.startswith("I;16") else bits or 32)
    if image.mode in ("RGBA", "LA", "PA"):
        values = _opaque(path, image)
    elif image.mode != "RGB":
        raise FormatError(path, "header", f"pixels of kind {image.mode}; label maps are grey, palette or RGB")
    return LabelMap(path, values, 8)


def _png_depth(path: Path, data: bytes | None) -> tuple[int, int]:
    """(bits, colour type) of a PNG, since Pillow narrows 16-bit colour and stretches 2-bit grey silently."""
    with path.open("rb") if data is None else io.BytesIO(data) as file:
        header = file.read(26)
    return header[24], header[25]


def _palette(image: Image.Image) -> NDArray[np.int16]:
    colours = np.asarray(image.getpalette() or [], np.int16).reshape(-1, 3)
    whole = np.full((256, 3), -1, np.int16)
    whole[: len(colours)] = colours
    return whole


def _opaque(path: Path, image: Image.Image) -> NDArray[np.uint8]:
    """Colours of an image whose alpha says nothing."""
    rgba = np.asarray(image.convert("RGBA"))
    clear = rgba[..., 3] != 255
    if clear.any():
        y, x = np.unravel_index(int(np.argmax(clear)), clear.shape)
        raise FormatError(
            path,
            f"pixel ({x}, {y})",
            f"alpha {rgba[y, x, 3]}: label maps are opaque; export them without transparency",
        )
    return rgba[..., :3]


def label_size(path: Path) -> tuple[int, int]:
    """(height, width) of a label map, from its header alone."""
    with open_image(path) as image:
        return image.height, image.width


def write_label_map(
    path: Path, values: NDArray[np.integer[Any]], colours: NDArray[np.uint8] | None = None, *, bits: int = 8
) -> None:
    """Write an (H, W) map as PNG: palette indices where (256, 3) `colours` are given, else grey.

    Raises
    ------
    FormatError
        When a value does not fit: numbers are never wrapped.
    """
    from PIL import Image

    limit = 2**bits - 1
    if values.size and not (int(values.min()) >= 0 and int(values.max()) <= limit):
        bad = (values < 0) | (values > limit)
        raise LabelMap(path, values, bits).fail(
            bad, f"{{value}} does not fit into {bits} bits (0 .. {limit})"
        )
    image = Image.fromarray(np.ascontiguousarray(values, np.uint8 if bits == 8 else np.uint16))
    if colours is not None:
        image.putpalette(colours.astype(np.uint8).tobytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "PNG", compress_level=4)
