from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation, SegmentClass
from inlay.formats import voc
from inlay.formats.parts.voc_classes import palette_colour
from inlay.formats.parts.voc_xml import Listed, read_page, write_page

from .random_datasets import random_dataset
from .small_maps import png, stored

PALETTE = [channel for number in range(256) for channel in palette_colour(number)]


def maps(root: Path, classes: Any, objects: Any = None, xml: str = "", name: str = "a") -> Segmentation:
    """The label that two maps and an XML file give."""
    for kind, rows in (("SegmentationClass", classes), ("SegmentationObject", objects)):
        if rows is not None:
            (root / kind).mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(np.array(rows, np.uint8))
            image.putpalette(PALETTE)
            image.save(root / kind / f"{name}.png")
    if xml:
        (root / "Annotations").mkdir(parents=True, exist_ok=True)
        (root / "Annotations" / f"{name}.xml").write_text(f"<annotation>{xml}</annotation>")
    return voc.read(root)[name].label()


def listed(name: str, *box: float, more: str = "") -> str:
    sides = "".join(f"<{side}>{value}</{side}>" for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box))
    return f"<object><name>{name}</name>{more}<bndbox>{sides}</bndbox></object>"


def test_the_palette_is_that_of_the_challenge():
    assert [palette_colour(i) for i in (0, 1, 2, 15, 20, 255)] == [
        *((0, 0, 0), (128, 0, 0), (0, 128, 0)),
        *((192, 128, 128), (0, 64, 128), (224, 224, 192)),
    ]


def test_0_is_the_stuff_class_background_and_255_is_nobody(tmp_path):
    label = maps(tmp_path, [[0, 255, 15]], [[0, 255, 1]])
    assert label.class_names == ("background", "person")
    assert label.classes[0].kind == "stuff"
    assert label.masks.area().tolist() == [1, 1]


def test_the_class_of_an_object_is_that_of_most_of_its_pixels(tmp_path):
    label = maps(tmp_path, [[15, 15, 7, 7, 255]], [[1, 1, 1, 2, 255]])
    assert label.class_names == ("person", "car")
    assert label.masks.area().tolist() == [3, 1]
    assert label.instance_id.tolist() == [1, 2]
    with pytest.raises(FormatError, match=r"object 3: has no pixel with a class"):
        maps(tmp_path, [[255, 15]], [[3, 1]])


def test_things_without_an_object_number_are_crowds(tmp_path):
    label = maps(tmp_path, [[15, 15, 7]], [[1, 0, 0]])
    assert label.class_names == ("car", "person", "person")
    assert label.crowd.tolist() == [True, True, False]
    assert maps(tmp_path / "b", [[15, 0]]).crowd.tolist() == [False, True]


def test_maps_of_colours_are_read_as_maps_of_numbers(tmp_path):
    for kind, numbers in (("SegmentationClass", [15, 0, 255]), ("SegmentationObject", [2, 0, 255])):
        png(tmp_path / kind / "a.png", [[palette_colour(number) for number in numbers]])
    label = voc.read(tmp_path)[0].label()
    assert label.class_names == ("background", "person")
    assert label.masks.area().tolist() == [1, 1]
    png(tmp_path / "SegmentationClass" / "a.png", [[(1, 2, 3)] * 3])
    with pytest.raises(FormatError, match=r"pixel \(0, 0\): colour \(1, 2, 3\)"):
        voc.read(tmp_path)[0]


def test_a_labelmap_gives_names_and_colours(tmp_path):
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nnut:9,8,7::\n"
    )
    png(tmp_path / "SegmentationClass" / "a.png", [[(9, 8, 7), (0, 0, 0)]])
    classes = voc.read(tmp_path).classes
    assert classes.names == ("background", "nut")
    assert classes.is_thing.tolist() == [False, True]
    assert voc.read(tmp_path)[0].label().semantic().tolist() == [[1, 0]]


def test_a_class_number_outside_the_list_names_its_pixel(tmp_path):
    with pytest.raises(FormatError, match=r"a\.png: pixel \(1, 0\): value 21 is no class.* ids 0 \.\. 20"):
        maps(tmp_path, [[0, 21]])


def test_xml_gives_tags_and_boxes_count_from_1_to_the_last_pixel(tmp_path):
    flags = "<truncated>1</truncated><occluded>0</occluded><difficult>1</difficult><pose>Left</pose>"
    xml = listed("person", 2, 1, 3, 1, more=flags)
    label = maps(tmp_path, [[0, 15, 15]], [[0, 1, 1]], xml)
    assert label.tags == (frozenset(), {"truncated", "difficult", "pose=Left"})
    assert label.stated_box is None  # (2, 1) .. (3, 1) are exactly the two pixels
    label = maps(tmp_path, [[0, 15, 15]], [[0, 1, 1]], listed("person", 2, 1, 4, 1))
    assert label.boxes().tolist() == [[0, 0, 1, 1], [1, 0, 4, 1]]


def test_xml_objects_find_theirs_by_place_and_else_by_box(tmp_path):
    tags = [
        f"<attributes><attribute><name>{i}</name><value>true</value></attribute></attributes>" for i in "pq"
    ]
    first, second = listed("car", 1, 1, 1, 1, more=tags[0]), listed("car", 2, 1, 3, 1, more=tags[1])
    rows = [[7, 7, 7]], [[1, 2, 2]]
    assert maps(tmp_path, *rows, first + second).tags == ({"p"}, {"q"})
    assert maps(tmp_path, *rows, second + first).tags == ({"p"}, {"q"})


def test_xml_objects_without_pixels_stay_as_boxes(tmp_path):
    label = maps(tmp_path, [[15, 15]], [[1, 1]], listed("person", 1, 1, 2, 1) + listed("cat", 1, 1, 1, 1))
    assert label.class_names == ("person", "cat")
    assert label.masks.area().tolist() == [2, 0]
    assert label.stated_box.tolist() == [[0, 0, 2, 1], [0, 0, 1, 1]]
    size = "<size><width>4</width><height>3</height></size>"
    alone = maps(tmp_path / "b", None, None, size + listed("cat", 1, 1, 1, 1))
    assert alone.size == (3, 4)
    assert alone.masks.area().tolist() == [0]


def test_parts_of_objects_are_left_out_and_counted(tmp_path):
    more = "<part><name>head</name></part>" * 2
    maps(tmp_path, [[15]], [[1]], listed("person", 1, 1, 1, 1, more=more))
    assert dict(voc.read(tmp_path).left_out) == {"object parts": 2}


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><annotation>&y;</annotation>'
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (BOMB, "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/hostname"><annotation/>', "document type"),
        ("", "line 1: not XML"),
        ("<annotation>", "not XML"),
        ("<html/>", "<annotation>"),
        ("<annotation>&bomb;</annotation>", "not XML"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "not XML"),
        ("<annotation><object/></annotation>", "object 1: has no <name>"),
        ("<annotation><size><width>x</width></size></annotation>", "size: 'x' is not a number"),
        (f"<annotation>{listed('cat', 1, 2, 3)[:-19]}</annotation>", "not XML"),
        (f"<annotation>{listed('cat', 1e12, 2, 3, 4)}</annotation>", "no place in an image"),
        (f"<annotation>{listed('dragon', 1, 2, 3, 4)}</annotation>", "class 'dragon'"),
    ],
)
def test_broken_and_hostile_xml_is_one_line_that_names_it(tmp_path, text, what):
    maps(tmp_path, [[0]], [[0]], "<size/>")
    (tmp_path / "Annotations" / "a.xml").write_text(text)
    with pytest.raises(FormatError) as caught:
        voc.read(tmp_path)[0]
    assert "a.xml" in str(caught.value)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_xml_file_of_many_megabytes_is_not_read(tmp_path):
    with (tmp_path / "a.xml").open("wb") as file:
        file.truncate(17_000_000)
    with pytest.raises(FormatError, match="17000000 bytes are over the limit"):
        read_page(tmp_path / "a.xml")


def test_a_directory_in_the_place_of_an_xml_file_is_named(tmp_path):
    with pytest.raises(FormatError, match="directory"):
        read_page(tmp_path)


@settings(max_examples=many(60), deadline=None)
@given(
    st.lists(
        st.builds(
            Listed,
            st.text("aé☃ <&>'\"", min_size=1).map(str.strip).filter(bool),
            st.tuples(*[st.integers(-9, 9) | st.floats(1e-9, 1e6)] * 4),
            st.frozensets(
                st.sampled_from(["truncated", "difficult", "pose=Left", "a b", "<x>", "k=v", "action=run"])
            ),
            st.booleans(),
            number=st.none() | st.integers(0, 9),
        ),
        max_size=4,
    )
)
def test_what_is_written_to_xml_is_read_back(tmp_path_factory, objects):
    path = tmp_path_factory.mktemp("xml") / "a.xml"
    write_page(path, "a.jpg", (3, 4), objects)
    page = read_page(path)
    assert page.size == (3, 4)
    assert page.objects == tuple(objects)


def test_characters_that_xml_cannot_hold_are_refused(tmp_path):
    with pytest.raises(InlayError, match="XML cannot hold"):
        write_page(tmp_path / "a.xml", "a.jpg", (1, 1), [Listed("a\x00", None)])


def test_split_lists_come_first_and_trainval_only_fills_up(tmp_path):
    for name in "abcd":
        png(tmp_path / "JPEGImages" / f"{name}.jpg", np.zeros((1, 1, 3)))
    maps(tmp_path, [[0]], name="a")
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "trainval.txt").write_text("a\nb\nc\n")
    (lists / "val.txt").write_text("b\n")
    dataset = voc.read(tmp_path)
    assert dict(dataset.splits) == {"a": "trainval", "b": "val", "c": "trainval"}
    assert dataset.names == ("a", "b", "c")
    (lists / "val.txt").write_text("# comment\n\nmissing\n")
    with pytest.raises(FormatError, match=r"val\.txt: line 3: there is no image 'missing'"):
        voc.read(tmp_path)


def test_a_development_kit_of_one_year_is_found(tmp_path):
    maps(tmp_path / "VOCdevkit" / "VOC2012", [[0]])
    assert voc.sniff(tmp_path)
    assert voc.sniff(tmp_path / "VOCdevkit")
    assert len(voc.read(tmp_path)) == 1
    maps(tmp_path / "VOCdevkit" / "VOC2007", [[0]])
    assert not voc.sniff(tmp_path)
    with pytest.raises(FormatError, match="of one VOC year"):
        voc.read(tmp_path)


@settings(max_examples=many(60), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_was_written_is_read_back(tmp_path_factory, seed):
    dataset = random_dataset(seed, voc.KEEPS)
    root = tmp_path_factory.mktemp("out") / "o"
    voc.write(dataset, root)
    again = voc.read(root)
    assert voc.sniff(root)
    assert again.classes == dataset.classes
    assert set(again.names) == set(dataset.names)
    assert dict(again.splits) == dict(dataset.splits)
    for sample in dataset:
        mine = again[sample.name]
        assert np.array_equal(mine.pixels(), sample.pixels())
        assert (mine.segmentation is None) == (sample.segmentation is None)
        if sample.segmentation is not None:  # stuff comes back before the objects
            assert sorted(_facts(sample.label())) == sorted(_facts(mine.label()))


def _facts(label: Segmentation) -> list[tuple[Any, ...]]:
    tags = [sorted(words) for words in label.tags]
    boxes = label.boxes().tolist()
    return list(zip(label.class_names, label.masks.to_strings(), label.crowd.tolist(), tags, boxes))


def test_boxes_are_read_back(tmp_path):
    classes = Classes.of("car", "cat")
    masks = Masks.encode(np.array([[[1, 1, 0]], [[0, 0, 0]]]))
    label = Segmentation(classes, masks, [0, 1], [1, 2], stated_box=[[0.25, 0, 2, 1], [1, 0, 2.5, 1]])
    voc.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o")
    again = voc.read(tmp_path / "o")[0].label()
    assert again.class_names == ("car", "cat")
    assert again.masks.equals(masks)
    assert np.array_equal(again.stated_box, label.stated_box)


def test_maps_have_the_palette_and_0_for_what_is_no_object(tmp_path):
    classes = Classes(
        (SegmentClass("car"), SegmentClass("background", "stuff"), SegmentClass("cat", colour=(1, 2, 3)))
    )
    label = Segmentation.from_panoptic(np.array([[1, 2, 3, 0]]), [(1, 1), (2, 2), (3, 0)], classes)
    voc.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o")
    assert stored(tmp_path / "o/SegmentationClass/a.png") == ("P", [[0, 2, 1, 255]])
    assert stored(tmp_path / "o/SegmentationObject/a.png") == ("P", [[0, 1, 2, 255]])
    with Image.open(tmp_path / "o/SegmentationClass/a.png") as image:
        colours = np.asarray(image.convert("RGB")).tolist()
    assert colours == [[[0, 0, 0], [1, 2, 3], [128, 0, 0], [224, 224, 192]]]
    assert "cat:1,2,3::" in (tmp_path / "o/labelmap.txt").read_text()


def test_300_objects_are_refused_and_never_wrapped(tmp_path):
    masks = Masks.from_ids(np.arange(300).reshape(15, 20), 300)
    label = Segmentation(Classes.of("nut"), masks, np.zeros(300), np.arange(1, 301))
    with pytest.raises(InlayError, match="300 objects; a map of 8 bits holds 254"):
        voc.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o")


def test_300_classes_are_refused(tmp_path):
    classes = Classes.of(*map(str, range(300)))
    with pytest.raises(InlayError, match="254 classes, not 300"):
        voc.write(Dataset.of([], classes), tmp_path / "o")


def test_maps_of_two_sizes_are_an_error_with_both(tmp_path):
    with pytest.raises(FormatError, match="2x1; its class map has 1x1"):
        maps(tmp_path, [[0]], [[0, 0]])


def test_foreign_folders_are_not_recognised(tmp_path):
    assert not voc.sniff(tmp_path)
    assert not voc.sniff(tmp_path / "missing")
    (tmp_path / "Annotations").mkdir()
    assert not voc.sniff(tmp_path)


def test_real_exports_are_read(shared):
    dataset = voc.read(shared / "data/formats/pascal_voc")
    label = dataset["2011_000025"].label()
    assert label.class_names == ("_background_", "bus", "bus", "car")
    assert label.masks.area().tolist() == [62013, 102450, 15781, 7256]
    assert dataset["2011_000025"].pixels().shape == (*label.size, 3)


def test_the_example_of_another_tool_is_read(shared):
    dataset = voc.read(shared / "data/formats/pascal_voc_synthetic/voc_dataset1")
    assert dict(dataset.splits) == {"2007_000001": "train", "2007_000002": "test"}
    label = dataset["2007_000001"].label()
    assert label.class_names == ("bicycle", "cat", "person")
    assert label.tags[1] == {"truncated"}
    assert label.boxes()[1].tolist() == [0, 1, 3, 4]
    page = read_page(shared / "data/formats/pascal_voc_synthetic/voc_dataset1/Annotations/2007_000001.xml")
    assert page.size == (10, 20)
