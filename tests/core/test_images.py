"""One way in for images, whatever their files hold."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from inlay import FormatError
from inlay.core.images import image_size, list_images, open_image, read_image

ROWS, COLUMNS = 24, 40
RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (ROWS, COLUMNS, 3)).astype(np.uint8)
GREY = RNG.integers(0, 256, (ROWS, COLUMNS)).astype(np.uint8)


@pytest.fixture
def saved(tmp_path):
    """Writes an image and gives its path."""

    def save(image, name="image.png", **options):
        Image.Image.save(image, tmp_path / name, **options)
        return tmp_path / name

    return save


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp", "a.ppm"])
def test_pixels_come_as_they_were_written(saved, name):
    path = saved(Image.fromarray(COLOURS), name, **({"lossless": True} if name == "a.webp" else {}))
    pixels = read_image(path)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert np.array_equal(pixels, COLOURS)


def test_grey_and_palette_images_become_colour(saved):
    assert np.array_equal(read_image(saved(Image.fromarray(GREY))), GREY[..., None].repeat(3, axis=2))
    palette = Image.fromarray(COLOURS).quantize(16)
    assert np.array_equal(read_image(saved(palette)), np.asarray(palette.convert("RGB")))
    bits = Image.fromarray(GREY > 99)
    assert np.array_equal(read_image(saved(bits))[..., 0], np.where(GREY > 99, 255, 0))


def test_cmyk_images_become_colour(saved):
    smooth = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    smooth[:, :20] = (200, 30, 30)
    path = saved(Image.fromarray(smooth).convert("CMYK"), "a.jpg", quality=95)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
    pixels = read_image(path)
    assert np.abs(pixels[:, :16].astype(int) - smooth[:, :16]).max() < 12
    assert pixels[:, 24:].max() < 12


def test_deep_images_are_scaled_to_their_own_range(saved):
    deep = np.linspace(1000, 5095, ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(np.uint16)
    for name in ("a.png", "a.tif"):
        pixels = read_image(saved(Image.fromarray(deep), name))
        assert pixels.min() == 0
        assert pixels.max() == 255
        assert np.abs(pixels[..., 0] - (deep - 1000.0) / 4095 * 255).max() <= 1
    flat = np.full((3, 3), 40000, np.uint16)
    assert np.ptp(read_image(saved(Image.fromarray(flat)))) == 0


def test_float_images_with_holes_in_them_are_read(saved):
    values = np.linspace(0, 1, ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(np.float32)
    values[0, 0], values[0, 1] = np.nan, np.inf
    pixels = read_image(saved(Image.fromarray(values), "a.tif"))
    assert pixels.max() == 255


def test_transparent_pixels_lie_on_white(saved):
    rgba = np.dstack([COLOURS, np.full((ROWS, COLUMNS), 255, np.uint8)])
    rgba[:5, :, 3] = 0
    pixels = read_image(saved(Image.fromarray(rgba)))
    assert (pixels[:5] == 255).all()
    assert np.array_equal(pixels[5:], COLOURS[5:])
    grey = Image.fromarray(np.dstack([GREY, np.zeros_like(GREY)]), "LA")
    assert (read_image(saved(grey, "b.png")) == 255).all()
    palette = Image.fromarray(COLOURS).quantize(4)
    assert (read_image(saved(palette, "c.png", transparency=0)) == 255).any()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return {"exif": exif}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_their_exif_says(saved, orientation):
    upright = [
        COLOURS, COLOURS[:, ::-1], COLOURS[::-1, ::-1], COLOURS[::-1],
        COLOURS.transpose(1, 0, 2), COLOURS.transpose(1, 0, 2)[:, ::-1],
        COLOURS[::-1, ::-1].transpose(1, 0, 2), COLOURS.transpose(1, 0, 2)[::-1],
    ][orientation - 1]  # fmt: skip
    path = saved(Image.fromarray(COLOURS), **turned(orientation))
    pixels = read_image(path)
    assert np.array_equal(pixels, upright)
    assert image_size(path) == pixels.shape[:2]


def test_an_image_that_was_labelled_unturned_stays_unturned(saved):
    path = saved(Image.fromarray(COLOURS), **turned(6))
    assert read_image(path, (COLUMNS, ROWS)).shape == (COLUMNS, ROWS, 3)
    assert np.array_equal(read_image(path, (ROWS, COLUMNS)), COLOURS)


def test_the_size_of_an_image_is_that_of_its_label(saved):
    path = saved(Image.fromarray(COLOURS))
    assert read_image(path, (ROWS, COLUMNS)).shape == (ROWS, COLUMNS, 3)
    with pytest.raises(FormatError, match=f"{COLUMNS}x{ROWS}, its label 9x5"):
        read_image(path, (5, 9))


def test_a_suffix_that_lies_does_no_harm(saved):
    path = saved(Image.fromarray(COLOURS), "photo.jpg", format="PNG")
    assert np.array_equal(read_image(path), COLOURS)


def refused(path):
    with pytest.raises(FormatError) as error:
        read_image(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_file_is_refused(tmp_path):
    assert "there is no such image file" in refused(tmp_path / "nowhere.png")


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.png"
    path.write_bytes(b"")
    assert "the file is empty" in refused(path)


def test_a_file_that_is_no_image_is_refused(tmp_path):
    path = tmp_path / "words.png"
    path.write_text("not pixels")
    assert "not an image; readable kinds are" in refused(path)


def test_a_folder_is_refused(tmp_path):
    refused(tmp_path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif", "a.webp", "a.gif"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_that_breaks_off_is_refused(saved, name, share):
    path = saved(Image.fromarray(COLOURS), name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(path)


def test_a_file_with_flipped_bytes_is_read_or_refused(saved):
    for name in ("a.png", "a.jpg", "a.bmp", "a.tif", "a.webp"):
        path = saved(Image.fromarray(COLOURS), name)
        data = bytearray(path.read_bytes())
        for seed in range(40):
            rng = np.random.default_rng(seed)
            broken = bytearray(data)
            for place in rng.integers(0, len(data), 6):
                broken[place] = rng.integers(256)
            path.write_bytes(broken)
            try:
                size = image_size(path)
                pixels = read_image(path)
            except FormatError:
                continue
            assert pixels.shape == (*size, 3)


def test_an_image_that_claims_more_pixels_than_any_memory_holds_is_refused(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = tmp_path / "bomb.png"
    for side in (30_000, 2_000_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
        assert "tile" in refused(path)


def test_images_of_a_folder_are_listed_without_hidden_ones(tmp_path):
    for name in ("b/2.png", "a.JPG", "b/1.png", ".hidden/c.png", "notes.txt", ".d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path)] == [
        "a.JPG", "b/1.png", "b/2.png"
    ]  # fmt: skip


def test_an_opened_image_knows_its_size_before_it_is_read(saved):
    path = saved(Image.fromarray(COLOURS), "a.jpg")
    with open_image(path) as image:
        assert (image.height, image.width) == (ROWS, COLUMNS)
