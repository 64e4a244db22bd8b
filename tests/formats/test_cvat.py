"""CVAT: masks along the rows of their box, the stack by z_order, tracks that end, XML that is not trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import cvat, cvat_video

SQUARE = "2,1;6,1;6,4;2,4"


def images(root: Path, shapes: str, *, size: str = 'width="12" height="8"', meta: str = "") -> Path:
    text = f'<annotations><version>1.1</version>{meta}<image id="0" name="a.png" {size}>{shapes}</image>'
    (root / "annotations.xml").write_text(text + "</annotations>", "utf-8")
    return root


def label_of(root: Path, shapes: str, **how: str) -> Segmentation:
    return cvat.read(images(root, shapes), **how)[0].label()


def polygon(label: str = "car", points: str = SQUARE, **more: object) -> str:
    words = " ".join(f'{key}="{value}"' for key, value in more.items())
    return f'<polygon label="{label}" points="{points}" {words}/>'


def test_a_mask_is_run_lengths_along_the_rows_of_its_box_and_starts_with_background(tmp_path):
    label = label_of(tmp_path, '<mask label="a" rle="1, 3, 2" left="4" top="5" width="3" height="2"/>')
    assert np.argwhere(label.masks.decode()[0]).tolist() == [[5, 5], [5, 6], [6, 4]]


def test_polygons_are_filled_up_to_pixel_edges_as_cvat_exports_them(tmp_path):
    assert label_of(tmp_path, polygon()).masks.area().tolist() == [12]
    assert label_of(tmp_path, polygon(), reader="opencv").masks.area().tolist() == [20]


def test_the_stack_follows_z_order_and_where_that_is_equal_the_file(tmp_path):
    shapes = polygon("a", z_order=2) + polygon("b", z_order=-1) + polygon("c", z_order=2)
    assert label_of(tmp_path, shapes).class_names == ("b", "a", "c")


def test_shapes_of_one_label_and_group_are_one_segment(tmp_path):
    far = "8,1;10,1;10,3;8,3"
    shapes = polygon(group_id=5) + polygon(points=far, group_id=5) + polygon("dog", group_id=5) + polygon()
    label = label_of(tmp_path, shapes)
    assert label.masks.area().tolist() == [16, 12, 12]
    assert label.instance_id.tolist() == [5, 5, 3]


def test_a_polygon_of_background_on_top_is_the_hole_that_people_draw_with_it(tmp_path):
    around, inside = "1,1;9,1;9,7;1,7", "3,3;5,3;5,5;3,5"
    shapes = polygon("background", inside, z_order=1) + polygon("car", around, z_order=0)
    label = label_of(tmp_path, shapes)
    assert label.class_names == ("car", "background")
    assert label.flatten().masks.area().tolist() == [48 - 4, 4]
    assert len(label.flatten().masks[0].holes()[0]) == 1


def test_boxes_have_no_pixels_unless_they_are_turned_and_ellipses_have(tmp_path):
    sides = 'xtl="2" ytl="1" xbr="6" ybr="5"'
    shapes = f'<box label="a" {sides}/><box label="b" {sides} rotation="45"/>'
    shapes += '<ellipse label="c" cx="6" cy="4" rx="3" ry="2"/>'
    label = label_of(tmp_path, shapes)
    assert label.masks.area().tolist() == [0, 12, 20]
    assert label.boxes()[0].tolist() == [2, 1, 6, 5]
    assert label.masks.box()[2].tolist() == [3, 2, 9, 6]


def test_occluded_attributes_and_tags_of_the_image_are_kept(tmp_path):
    attributes = '<attribute name="far">true</attribute><attribute name="near">false</attribute>'
    attributes += '<attribute name="colour">red</attribute>'
    shapes = f'<polygon label="a" points="{SQUARE}" occluded="1">{attributes}</polygon><tag label="night"/>'
    label = label_of(tmp_path, shapes)
    assert label.tags == (frozenset({"occluded", "far", "colour=red"}),)
    assert label.image_tags == {"night"}


def test_lines_points_and_skeletons_are_left_out_and_counted(tmp_path):
    shapes = '<polyline label="a" points="1,2;3,4"/><points label="a" points="1,2"/><skeleton label="s"/>'
    assert cvat.read(images(tmp_path, shapes)).left_out == {"polyline": 1, "points": 1, "skeleton": 1}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotations><image name="a"/></annotations>', "no CVAT file"),
        ("<annotations><image name='a'>" + "<a>" * 100 + "</annotations>", "nested deeper than 64"),
        ("<annotations><image name='a' width='9' height='9'>", "line 1: not XML"),
        ('<annotations><image name="a" width="9" height="nine"/></annotations>', "height='nine' is no num"),
        ('<annotations><image name="a" width="99999999" height="99999999"/></annotations>', "1 to 500000000"),
        ('<annotations><image name="a"/></annotations>', "neither height and width nor an image"),
    ],
)
def test_a_broken_file_is_named_with_its_place(tmp_path, text, what):
    (tmp_path / "annotations.xml").write_text(text)
    with pytest.raises(FormatError, match=what):
        list(cvat.read(tmp_path))


def test_an_entity_bomb_behind_a_long_comment_is_refused(tmp_path):
    bomb = "<!--" + " " * 300_000 + '--><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">]><annotations/>'
    (tmp_path / "annotations.xml").write_text(bomb)
    with pytest.raises(FormatError):
        cvat.read(tmp_path / "annotations.xml")
    (tmp_path / "annotations.xml").write_text("<!--<annotations><image -->" + bomb)
    with pytest.raises(FormatError, match="a document type is not read"):
        cvat.read(tmp_path / "annotations.xml")


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        (polygon(points="1,2;x,4"), "shape 1: expected"),
        (polygon(points="1,2;3"), "shape 1: expected"),
        (
            '<mask label="a" rle="1,2" left="0" top="0" width="3" height="2"/>',
            "cover 3 pixels",
        ),
        ('<mask label="a" rle="-1,7" left="0" top="0" width="3" height="2"/>', "run lengths cover"),
        ('<mask label="a" rle="6" left="0" top="0" width="99999" height="99999"/>', "at most 500000000"),
        ('<mask label="a" rle="a" left="0" top="0" width="3" height="2"/>', "not a list of whole numbers"),
        ('<box label="a" xtl="1" ytl="2" xbr="3"/>', "ybr=None is no number"),
        ('<ellipse label="a" cx="1" cy="2" rx="-3" ry="1"/>', "radii -3.0, 1.0 are below 0"),
    ],
)
def test_a_broken_shape_is_named_with_its_image(tmp_path, shape, what):
    with pytest.raises(FormatError, match=f"image 'a.png' .*{what}"):
        label_of(tmp_path, shape)


def test_what_we_write_for_images_is_a_polygon_where_it_is_exact_and_a_mask_elsewhere(tmp_path):
    ring = np.pad(np.ones((1, 4, 4), bool), ((0, 0), (1, 1), (1, 1)))
    holed = ring.copy()
    holed[0, 2:4, 2:4] = False
    label = Segmentation(Classes.of("a"), Masks.encode(np.concatenate([ring, holed])), [0, 0], [1, 2])
    all_formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o", to="cvat")
    text = (tmp_path / "o" / "annotations.xml").read_text()
    assert text.count("<polygon") == 1
    assert 'rle="0, 5, 2, 2, 2, 5"' in text
    assert cvat.read(tmp_path / "o")[0].label().equals(label)


def film(
    root: Path, tracks: str, *, task: str = "<start_frame>0</start_frame><stop_frame>3</stop_frame>"
) -> Path:
    size = "<original_size><width>12</width><height>8</height></original_size>"
    meta = f"<meta><task><name>v</name><mode>interpolation</mode>{task}{size}</task></meta>"
    (root / "annotations.xml").write_text(f"<annotations>{meta}{tracks}</annotations>")
    return root


def test_a_track_is_seen_until_it_is_outside_and_its_number_links_the_frames(tmp_path):
    shapes = "".join(
        polygon(frame=frame, outside=outside) for frame, outside in ((0, 0), (1, 0), (2, 1), (3, 0))
    )
    dataset = cvat_video.read(film(tmp_path, f'<track id="4" label="car">{shapes}</track>'))
    assert dataset.names == tuple(f"v/frame_{frame:06d}" for frame in range(4))
    assert [len(sample.label()) for sample in dataset] == [1, 1, 0, 1]
    assert [sample.frame for sample in dataset] == [0, 1, 2, 3]
    assert {sample.group for sample in dataset} == {"v"}
    assert dataset[3].label().instance_id.tolist() == [5]


def test_frames_between_key_frames_are_not_invented_but_counted(tmp_path):
    track = (
        '<track id="0" label="car">' + polygon(frame=0, outside=0) + polygon(frame=3, outside=0) + "</track>"
    )
    dataset = cvat_video.read(film(tmp_path, track))
    assert [len(sample.label()) for sample in dataset] == [1, 0, 0, 1]
    assert dataset.left_out == {"frames between key frames": 2}


def test_a_frame_filter_says_which_frames_there_are(tmp_path):
    task = "<start_frame>10</start_frame><stop_frame>16</stop_frame><frame_filter>step=3</frame_filter>"
    assert [sample.frame for sample in cvat_video.read(film(tmp_path, "", task=task))] == [10, 13, 16]


def test_a_written_track_that_disappears_is_outside_from_there_on(tmp_path):
    classes = Classes.of("car")
    stack = np.zeros((1, 6, 9), bool)
    stack[0, 1:4, 2:6] = True
    there = Segmentation(classes, Masks.encode(stack), [0], [7])
    samples = [Sample(f"v/{k}", None, there if k != 1 else there[:0], group="v", frame=k) for k in range(4)]
    all_formats.write(Dataset.of(samples), tmp_path / "o", to="cvat_video")
    text = (tmp_path / "o" / "v" / "annotations.xml").read_text()
    assert text.count("<track") == 1
    assert text.count('outside="1"') == 1
    again = cvat_video.read(tmp_path / "o")
    assert [len(sample.label()) for sample in again] == [1, 0, 1, 1]
    assert again["v/3"].label().equals(there)


def test_real_files_are_read(shared):
    folder = shared / "data/formats/cvat_xml"
    assert all_formats.sniff(folder / "for_images") == ["cvat"]
    assert all_formats.sniff(folder / "for_video") == ["cvat_video"]
    dataset = cvat.read(folder / "for_images")
    first = dataset["img0"]
    assert first.label().tags[0] == {"occluded", "a1", "a2=v3", "a3=0003", "a4=2.4"}
    assert first.label().boxes().tolist() == [[0, 2, 4, 4]]
    assert dataset.left_out["skeleton"] == 2
    film_of = cvat_video.read(folder / "for_video")
    assert list(film_of.names) == [f"v1/frame_{frame:06d}" for frame in (10, 13, 16, 19)]
    assert film_of[0].label().class_names == ("II",)


def test_images_of_a_subset_are_found_in_its_folder(tmp_path):
    (tmp_path / "images" / "train").mkdir(parents=True)
    Image.new("RGB", (12, 8)).save(tmp_path / "images" / "train" / "a.png")
    dataset = cvat.read(images(tmp_path, polygon(), size='width="12" height="8" subset="train"'))
    assert dataset[0].image == tmp_path / "images" / "train" / "a.png"
    assert dataset.splits == {"a": "train"}
