from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, FormatError, SegmentClass
from inlay.formats import label_png
from inlay.formats.parts.label_maps import read_label_map, write_label_map

from .small_maps import folder, raw_png, semantic


def test_palette_maps_give_their_indices_and_not_their_colours(tmp_path):
    image = Image.new("P", (2, 1))
    image.putdata([0, 2])
    image.putpalette([9, 9, 9, 8, 8, 8, 7, 7, 7])
    folder(tmp_path, [[0, 2]])
    image.save(tmp_path / "labels" / "a.png")
    assert semantic(tmp_path) == [[0, 2]]


@pytest.mark.parametrize("value", [0, 1, 255, 256, 2047, 65535])
def test_16_bit_numbers_are_read_whole(tmp_path, value):
    classes = json.dumps({"classes": {"other": 7, "this": value}})
    folder(tmp_path, [[7, value]], classes, dtype=np.uint16)
    assert semantic(tmp_path) == [[0, 1]]


def test_1_bit_maps_hold_0_and_1(tmp_path):
    folder(tmp_path, [[0, 255, 255]], '{"classes": ["no", "yes"]}', mode="1")
    assert semantic(tmp_path) == [[0, 1, 1]]


@pytest.mark.parametrize(("bits", "line"), [(2, 0b00011011), (4, 0x12)])
def test_2_and_4_bit_grey_maps_are_not_stretched(tmp_path, bits, line):
    width = 8 // bits
    file = raw_png(tmp_path / "a.png", width, 1, bits, 0, bytes([0, line]))
    wanted = [(line >> shift) & (2**bits - 1) for shift in range(8 - bits, -1, -bits)]
    assert read_label_map(file).values.tolist() == [wanted]


def test_48_bit_colour_is_refused_because_it_would_be_cut_to_24(tmp_path):
    file = raw_png(tmp_path / "a.png", 1, 1, 16, 2, bytes(7))
    with pytest.raises(FormatError, match="16 bits for each colour channel"):
        read_label_map(file)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_jpeg_labels_are_refused_whatever_their_name(tmp_path, name):
    folder(tmp_path, [[0, 1]])
    (tmp_path / "labels" / "a.png").unlink()
    with (tmp_path / "labels" / name).open("wb") as file:
        Image.new("L", (8, 8), 2).save(file, "JPEG")
    with pytest.raises(FormatError, match="JPEG changes label values"):
        label_png.read(tmp_path)[0]


def test_transparent_labels_are_refused_with_the_pixel(tmp_path):
    rows = np.zeros((2, 2, 4), np.uint8)
    rows[..., 3] = 255
    rows[1, 0, 3] = 7
    folder(tmp_path, rows)
    with pytest.raises(FormatError, match=r"pixel \(0, 1\): alpha 7"):
        label_png.read(tmp_path)[0]


def test_numbers_are_never_wrapped_when_written(tmp_path):
    with pytest.raises(FormatError, match=r"pixel \(1, 0\): value 256 does not fit into 8 bits"):
        write_label_map(tmp_path / "a.png", np.array([[0, 256]]))


CAMVID = "64 128 64\tAnimal\n128 64 128\tRoad\n0 0 0\tVoid\n"


def test_colour_maps_are_decoded_by_exact_colours(tmp_path):
    folder(tmp_path, [[[128, 64, 128], [64, 128, 64], [0, 0, 0]]], None)
    (tmp_path / "label_colors.txt").write_text(CAMVID)
    label = label_png.read(tmp_path)[0].label()
    assert label.class_names == ("Animal", "Road", "Void")
    assert label.masks.paint(label.class_id, fill=-1).tolist() == [[1, 0, 2]]
    assert label.classes.is_void.tolist() == [False, False, True]


def test_an_unknown_colour_is_an_error_that_names_pixel_and_colour_and_never_the_nearest(tmp_path):
    folder(tmp_path, [[[64, 128, 64], [64, 128, 65]]], None)
    (tmp_path / "label_colors.txt").write_text(CAMVID)
    with pytest.raises(FormatError, match=r"a\.png: pixel \(1, 0\): colour \(64, 128, 65\)"):
        label_png.read(tmp_path)[0]


def test_a_grey_colour_is_that_of_a_class_before_it_is_a_number(tmp_path):
    folder(tmp_path, [[[1, 1, 1], [1, 1, 1]]], None)
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\na:9,9,9::\nb:7,7,7::\nc:1,1,1::\n"
    )
    assert semantic(tmp_path) == [[2, 2]]


def test_three_equal_channels_are_one_number_where_no_class_has_a_colour(tmp_path):
    folder(tmp_path, [[[1, 1, 1], [2, 2, 2]]])
    assert semantic(tmp_path) == [[1, 2]]


def test_a_colour_map_without_a_class_list_is_refused_with_the_list_to_write(tmp_path):
    folder(tmp_path, [[[128, 64, 128], [64, 128, 64]]], None)
    with pytest.raises(FormatError) as caught:
        label_png.read(tmp_path)
    message = str(caught.value)
    content = message[message.index("{") :]
    (tmp_path / "classes.json").write_text(content)
    assert semantic(tmp_path) == [[1, 0]]


def test_a_palette_whose_order_contradicts_the_class_colours_is_refused(tmp_path):
    classes = '{"classes": [{"name": "a", "colour": [1, 1, 1]}, {"name": "b", "colour": [2, 2, 2]}]}'
    folder(tmp_path, [[0, 1]], classes)
    image = Image.new("P", (2, 1))
    image.putdata([0, 1])
    image.putpalette([2, 2, 2, 1, 1, 1])
    image.save(tmp_path / "labels" / "a.png")
    with pytest.raises(FormatError, match=r"value 0 has the colour that classes.json gives to id 1"):
        label_png.read(tmp_path)[0]


def test_a_reordered_palette_is_read_by_its_colours_where_its_indices_are_no_classes(tmp_path):
    entries = [{"name": "a", "id": 7, "colour": [1, 1, 1]}, {"name": "b", "id": 9, "colour": "#020202"}]
    folder(tmp_path, [[0, 1]], json.dumps(entries))
    image = Image.new("P", (2, 1))
    image.putdata([0, 1])
    image.putpalette([2, 2, 2, 1, 1, 1])
    image.save(tmp_path / "labels" / "a.png")
    assert semantic(tmp_path) == [[1, 0]]


def test_a_value_outside_the_class_list_names_file_pixel_value_limit_and_way_out(tmp_path):
    folder(tmp_path, [[0, 1], [14, 2]])
    with pytest.raises(FormatError) as caught:
        label_png.read(tmp_path)[0]
    for word in ("a.png", "pixel (0, 1)", "value 14", "ids 0 .. 2", '"unlabelled": 14'):
        assert word in str(caught.value)


def test_255_is_nobody_in_a_map_of_several_classes(tmp_path):
    folder(tmp_path, [[0, 255, 2]])
    assert semantic(tmp_path) == [[0, -1, 2]]


def test_255_in_a_map_of_two_classes_is_not_guessed(tmp_path):
    folder(tmp_path, [[0, 255]], '{"classes": ["background", "vessel"]}')
    with pytest.raises(FormatError, match='"unlabelled": 255'):
        label_png.read(tmp_path)[0]
    (tmp_path / "classes.json").write_text('{"classes": {"background": 0, "vessel": 255}}')
    assert semantic(tmp_path) == [[0, 1]]
    (tmp_path / "classes.json").write_text('{"classes": ["background", "vessel"], "unlabelled": 255}')
    assert semantic(tmp_path) == [[0, -1]]


@pytest.mark.parametrize("top", [1, 255])
def test_maps_of_two_values_without_a_class_list_are_masks(tmp_path, top):
    folder(tmp_path, [[0, top]], None)
    dataset = label_png.read(tmp_path)
    assert dataset.classes.names == ("background", "foreground")
    assert semantic(tmp_path) == [[0, 1]]


def test_16_bit_maps_without_a_class_list_are_instances_of_one_class(tmp_path):
    folder(tmp_path, [[0, 1, 3], [2, 2, 3]], None, dtype=np.uint16)
    label = label_png.read(tmp_path)[0].label()
    assert label.class_names == ("object",) * 3
    assert label.instance_id.tolist() == [1, 2, 3]
    assert label.is_thing.all()
    assert label.masks.area().tolist() == [1, 2, 2]


def test_16_bit_maps_with_large_gaps_may_be_class_times_1000_and_are_not_guessed(tmp_path):
    folder(tmp_path, [[0, 26001, 26002]], None, dtype=np.uint16)
    with pytest.raises(FormatError, match=r"class \* 1000.*\"labels\": \"instance\""):
        label_png.read(tmp_path)


def test_8_bit_maps_of_several_values_without_a_class_list_say_both_ways_out(tmp_path):
    folder(tmp_path, [[0, 1, 2]], None)
    with pytest.raises(FormatError) as caught:
        label_png.read(tmp_path)
    assert '{"labels": "instance"}' in str(caught.value)
    assert '{"classes": {"class 0": 0, "class 1": 1, "class 2": 2}}' in str(caught.value)
    (tmp_path / "classes.json").write_text('{"labels": "instance"}')
    assert label_png.read(tmp_path)[0].label().masks.area().tolist() == [1, 1]


def test_masks_that_were_resized_or_compressed_are_refused_until_a_threshold_is_set(tmp_path):
    folder(tmp_path, [[0, 3, 130, 255]], None)
    with pytest.raises(FormatError, match='"threshold": 128'):
        label_png.read(tmp_path)
    (tmp_path / "classes.json").write_text('{"classes": ["background", "defect"], "threshold": 128}')
    assert semantic(tmp_path) == [[0, 0, 1, 1]]


def test_8_bit_instance_maps_that_use_every_number_have_wrapped(tmp_path):
    rows = np.arange(256).reshape(16, 16)
    folder(tmp_path, rows, '{"labels": "instance"}')
    with pytest.raises(FormatError, match="further instances have wrapped"):
        label_png.read(tmp_path)[0]


def test_zero_may_be_a_class_or_nobody_as_the_list_says(tmp_path):
    folder(tmp_path, [[0, 1]], '{"classes": {"a": 1, "b": 2, "c": 3}, "unlabelled": [0]}')
    assert semantic(tmp_path) == [[-1, 0]]


@pytest.mark.parametrize("nobody", [7, 254])
def test_nobody_may_have_any_number_and_zero_be_the_first_class(tmp_path, nobody):
    folder(tmp_path, [[0, 1, nobody]], json.dumps({"classes": {"a": 0, "b": 1}, "unlabelled": [nobody]}))
    assert semantic(tmp_path) == [[0, 1, -1]]


def test_another_dataset_gives_classes_to_bare_maps(tmp_path):
    folder(tmp_path, [[10, 20]], None)
    classes = Classes((SegmentClass("a", source_id=20), SegmentClass("b", "stuff", source_id=10)))
    dataset = label_png.read(tmp_path, like=Dataset.of([], classes))
    assert dataset.classes == classes
    assert dataset[0].label().class_names == ("a", "b")


@pytest.mark.parametrize("name", ["void", "Void", "unlabeled", "Unlabelled", "ignore", "__ignore__"])
def test_a_class_that_is_called_void_is_void(tmp_path, name):
    folder(tmp_path, [[0, 1]], json.dumps({"classes": ["sky", name]}))
    assert label_png.read(tmp_path).classes.is_void.tolist() == [False, True]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("classes.csv", "id,name,train_pixels\n0,sky,5\n3,road,6\n"),
        ("class_dict.csv", "name,r,g,b\nsky,1,2,3\n,4,5,6\n"),
        ("_classes.csv", "Pixel Value, Class\n0, sky\n3, road\n"),
        ("classes.txt", "sky\nroad\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nsky:1,2,3::\nroad:4,5,6::\n"),
        ("dataset_meta.json", '{"label_map": {"0": "sky", "3": "road"}}'),
    ],
)
def test_usual_class_lists_are_read(tmp_path, file, text):
    folder(tmp_path, [[0, 0]], None)
    (tmp_path / file).write_text(text)
    classes = label_png.read(tmp_path).classes
    assert len(classes) == 2
    assert classes.names[0] == "sky"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1"),
        ("{", "line 1"),
        ("3", "labels"),
        ("[]", "classes"),
        ('{"classes": [3]}', "classes[0]"),
        ('{"classes": ["a", "a"]}', "'a'"),
        ('{"classes": {"a": 1, "b": "x"}}', "classes[1].id"),
        ('{"classes": [{"name": "a", "id": 1}, {"name": "b", "id": 1}]}', "id 1 is already"),
        ('{"classes": [{"name": "a", "kind": "tree"}]}', "kind"),
        ('{"classes": [{"name": "a", "colour": [1, 2, 300]}]}', "colour"),
        ('{"classes": ["a"], "unlabeled": 3}', "unlabeled"),
        ('{"labels": "panoptic"}', "panoptic"),
        ("[" * 100_000, "deep"),
        ("\x00\x01", "line 1"),
    ],
)
def test_a_broken_class_list_is_named_with_its_place(tmp_path, text, where):
    folder(tmp_path, [[0, 0]], text)
    with pytest.raises(FormatError) as caught:
        label_png.read(tmp_path)
    assert "classes.json" in str(caught.value)
    assert where in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_class_list_in_another_encoding_is_named(tmp_path):
    folder(tmp_path, [[0, 0]], None)
    (tmp_path / "classes.txt").write_bytes("Straße".encode("latin-1"))
    with pytest.raises(FormatError, match=r"classes\.txt: byte 4: not UTF-8"):
        label_png.read(tmp_path)


def test_a_map_that_claims_more_than_memory_holds_is_refused(tmp_path, monkeypatch):
    """A broken length of a chunk lets Pillow ask for gigabytes at once."""
    from PIL import PngImagePlugin

    def load_end(self):
        raise MemoryError

    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "map.png")
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_end", load_end)
    with pytest.raises(FormatError, match=r"map\.png: pixels.*broken or cut off \(MemoryError\)"):
        read_label_map(tmp_path / "map.png")
