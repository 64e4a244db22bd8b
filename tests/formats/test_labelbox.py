"""Labelbox: masks beside the export or in it, never fetched; answers as tags; one label of several."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import FormatError, Segmentation
from inlay import formats as all_formats
from inlay.formats.parts.pieces import png_of

SIZE = (6, 8)
PIXELS = np.zeros(SIZE, bool)
PIXELS[1:4, 2:7] = True
ADDRESS = "https://api.labelbox.com/api/v1/projects/p/annotations/f1/index/1/mask"


def row(*objects: dict, labels: int = 1, **more: object) -> dict:
    found = {"annotations": {"objects": objects, "classifications": []}}
    return {
        "data_row": {"id": "d1", "external_id": "a.jpg", "row_data": "https://x.y/z.jpg"},
        "media_attributes": {"height": SIZE[0], "width": SIZE[1]},
        "projects": {"p": {"name": "P", "labels": [found] * labels}},
        **more,
    }


def export(root: Path, *rows: dict) -> Path:
    root.mkdir(exist_ok=True)
    (root / "export.ndjson").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return root


def label_of(root: Path, *objects: dict, **how: str) -> Segmentation:
    return all_formats.read(export(root, row(*objects)), "labelbox", **how)[0].label()


def thing(**more: object) -> dict:
    return {"feature_id": "f1", "name": "car", "value": "car", **more}


def masked(**mask: object) -> dict:
    return thing(annotation_kind="ImageSegmentationMask", mask=mask)


def put(root: Path, name: str, pixels: np.ndarray = PIXELS) -> None:
    (root / "masks").mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(root / "masks" / name)


def test_an_address_is_never_fetched_and_the_error_says_where_to_put_the_mask(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("somebody asked the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(FormatError, match=r"line 1 objects\[0\].mask: .*put them into masks/f1.png") as error:
        label_of(tmp_path, masked(url=ADDRESS))
    assert ADDRESS in str(error.value)


@pytest.mark.parametrize("name", ["f1.png", "mask.png"])
def test_a_mask_beside_the_export_is_found_by_its_object_or_the_end_of_its_address(tmp_path, name):
    put(tmp_path, name)
    assert np.array_equal(label_of(tmp_path, masked(url=ADDRESS)).masks.decode()[0], PIXELS)


@pytest.mark.parametrize("kind", ["png", "data uri"])
def test_a_mask_may_stand_in_the_line_itself(tmp_path, kind):
    text = base64.b64encode(png_of(PIXELS)).decode()
    mask = {"png": text} if kind == "png" else {"url": f"data:image/png;base64,{text}"}
    assert np.array_equal(label_of(tmp_path, masked(**mask)).masks.decode()[0], PIXELS)


@pytest.mark.parametrize("kind", ["grey", "colour", "opaque", "clear"])
def test_masks_are_read_whatever_kind_of_picture_they_are(tmp_path, kind):
    grey = PIXELS * np.uint8(255)
    alpha = grey if kind == "clear" else np.full(SIZE, 255, np.uint8)
    colour = np.dstack([np.full(SIZE, 7, np.uint8) if kind == "clear" else grey] * 3)
    picture = {"grey": grey, "colour": colour}.get(kind, np.dstack([colour, alpha]))
    put(tmp_path, "f1.png", picture)
    assert np.array_equal(label_of(tmp_path, masked(url=ADDRESS)).masks.decode()[0], PIXELS)


def test_objects_of_a_composite_are_told_apart_by_their_colours(tmp_path):
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[0, :3], picture[4:, 5:] = (9, 8, 7), (9, 8, 6)
    put(tmp_path, "d1.png", picture)
    both = [
        thing(composite_mask={"url": "https://x.y/composite/index/1", "color_rgb": colour})
        for colour in ([9, 8, 7], [9, 8, 6], [1, 1, 1])
    ]
    assert label_of(tmp_path, *both).masks.area().tolist() == [3, 6, 0]


def test_polygons_are_filled_and_boxes_are_not(tmp_path):
    corners = [{"x": x, "y": y} for x, y in ((1, 1), (5, 1), (5, 4), (1, 4), (1, 1))]
    box = {"top": 1.5, "left": 2, "height": 3, "width": 4}
    items = [
        thing(annotation_kind="ImagePolygon", polygon=corners),
        thing(annotation_kind="ImageBoundingBox", bounding_box=box),
    ]
    label = label_of(tmp_path, *items)
    assert label.masks.area().tolist() == [12, 0]
    assert label.boxes()[1].tolist() == [2, 1.5, 6, 4.5]
    assert label_of(tmp_path, *items, reader="opencv").masks.area().tolist() == [20, 0]


def test_answers_are_tags_also_those_inside_others(tmp_path):
    inner = {"name": "how", "text_answer": {"content": "half"}}
    answers = [
        {"name": "occluded", "radio_answer": {"name": "yes", "classifications": [inner]}},
        {"name": "state", "checklist_answers": [{"name": "wet"}, {"name": "old"}]},
    ]
    box = {"top": 1, "left": 2, "height": 3, "width": 4}
    label = label_of(tmp_path, thing(bounding_box=box, classifications=answers, confidence=0.5))
    assert label.tags == (frozenset({"occluded=yes", "how=half", "state=wet", "state=old"}),)
    assert label.score is not None
    assert label.score.tolist() == [0.5]


def test_the_benchmark_is_read_of_several_labels_and_the_rest_is_counted(tmp_path):
    mine, theirs = (
        thing(name=name, bounding_box=dict.fromkeys(("top", "left", "height", "width"), 2)) for name in "ab"
    )
    best = {"annotations": {"objects": [mine]}, "label_details": {"is_benchmark_reference": True}}
    other = {"annotations": {"objects": [theirs]}}
    point = {**thing(annotation_kind="ImagePoint"), "point": {"x": 1, "y": 1}}
    rows = [
        row() | {"projects": {"p": {"labels": [other]}, "q": {"labels": [best]}}},
        row(point, data_row={"id": "d2", "external_id": "b.jpg"}),
        row(labels=0, data_row={"id": "d3", "external_id": "c.jpg"}),
    ]
    dataset = all_formats.read(export(tmp_path, *rows))
    assert dataset[0].label().class_names == ("a",)
    assert dict(dataset.left_out) == {"further labels": 1, "ImagePoint": 1}
    assert len(dataset[1].label()) == 0
    assert dataset[2].segmentation is None


def test_the_split_of_the_metadata_is_the_split(tmp_path):
    fields = [{"schema_name": "split", "value": [{"schema_name": "valid"}]}]
    assert all_formats.read(export(tmp_path, row(metadata_fields=fields))).splits == {"a": "val"}


def test_a_list_of_data_rows_is_read_as_their_lines_are(tmp_path):
    (tmp_path / "export.json").write_text(json.dumps([row(), row(data_row={"id": "d2", "global_key": "b"})]))
    assert all_formats.read(tmp_path / "export.json").names == ("a", "b")


@pytest.mark.parametrize("url", ["../../secret.png", "/etc/secret.png", "masks/../../secret.png"])
def test_no_file_outside_the_folder_is_read_as_a_mask(tmp_path, url):
    put(tmp_path, "../secret.png")
    with pytest.raises(FormatError, match="no file below the folder"):
        label_of(tmp_path / "export", masked(url=url))


@pytest.mark.parametrize(
    ("item", "what"),
    [
        (masked(png="AAAA"), "no image"),
        (masked(png=base64.b64encode(png_of(PIXELS[:3])).decode()), "8x3 pixels; the image has 8x6"),
        (masked(png=base64.b64encode(png_of(np.ones((900, 900), bool))).decode()), "over the limit of 48"),
        (thing(polygon=[{"x": 1e300, "y": 1}]), r"objects\[0\].polygon"),
        (thing(bounding_box={"top": "1", "left": 1, "height": 1, "width": 1}), "line 1 .*Expected"),
    ],
)
def test_broken_objects_are_refused_with_line_and_place(tmp_path, item, what):
    with pytest.raises(FormatError, match=what) as error:
        label_of(tmp_path, item)
    assert "line 1" in str(error.value)


def test_a_broken_line_is_named(tmp_path):
    export(tmp_path, row())
    with (tmp_path / "export.ndjson").open("a") as file:
        file.write('{"data_row": {"id": 3')
    with pytest.raises(FormatError, match="line 2"):
        all_formats.read(tmp_path)
