"""Hugging Face: shards and image folders, maps and objects, names of classes from wherever they stand."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats

SIZE = (4, 6)
PICTURE = pl.Struct({"bytes": pl.Binary, "path": pl.String})
VALUES = np.zeros(SIZE, np.uint8)
VALUES[0], VALUES[2:, 3:] = 1, 255
NAMES = {"0": "background", "1": "car", "2": "dog"}

OBJECTS = pl.Struct(
    {"id": pl.List(pl.Int64), "bbox": pl.List(pl.List(pl.Float64)), "category": pl.List(pl.Int64)}
)


def encoded(pixels: np.ndarray, kind: str = "PNG", **how: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **how)
    return buffer.getvalue()


PHOTO = encoded(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8), "JPEG")


def shard(
    root: Path, rows: list[dict], schema: dict | None = None, name: str = "data/train-00000-of-00001"
) -> Path:
    path = root / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    types = {"image": PICTURE, "label": PICTURE} if schema is None else schema
    pl.DataFrame(rows, types).write_parquet(path, row_group_size=2)
    return root


def picture(data: bytes | None, path: str | None = None) -> dict:
    return {"bytes": data, "path": path}


def named(root: Path, names: object = NAMES) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "id2label.json").write_text(json.dumps(names))
    return root


def semantic(root: Path, values: np.ndarray = VALUES) -> Path:
    return shard(root, [{"image": picture(PHOTO), "label": picture(encoded(values))}])


def test_a_map_of_classes_is_named_by_id2label_and_255_is_nobody(tmp_path):
    dataset = all_formats.read(semantic(named(tmp_path)))
    assert dataset.names == ("train/000000",)
    assert dataset.splits == {"train/000000": "train"}
    label = dataset[0].label()
    assert label.class_names == ("background", "car")
    assert np.array_equal(label.semantic(), VALUES)
    assert [item.kind for item in dataset.classes] == ["stuff"] * 3
    assert np.array_equal(dataset[0].pixels(), np.asarray(Image.open(io.BytesIO(PHOTO))))


def objects(root: Path) -> Path:
    cell = {"id": [5, 6], "bbox": [[1.0, 1.0, 2.5, 3.0], [0.0, 0.0, 6.0, 4.0]], "category": [1, 2]}
    row = {"image": picture(PHOTO), "objects": cell}
    return shard(root, [row], {"image": PICTURE, "objects": OBJECTS})


def card(root: Path, *features: dict) -> None:
    front = yaml.safe_dump({"dataset_info": {"features": list(features)}})
    (root / "README.md").write_text(f"---\n{front}---\n# A card\n")


@pytest.mark.parametrize("where", ["card", "card with numbers", "shard", "classes.json"])
def test_names_of_classes_are_found_wherever_they_stand(tmp_path, where):
    objects(tmp_path)
    names = list(NAMES.values())
    if where == "classes.json":
        (tmp_path / "classes.json").write_text(json.dumps(names))
    elif where == "shard":
        path = tmp_path / "data" / "train-00000-of-00001.parquet"
        feature = {"category": {"feature": {"_type": "ClassLabel", "names": names}, "_type": "Sequence"}}
        stored = {"info": {"features": {"image": {"_type": "Image"}, "objects": feature}}}
        pl.read_parquet(path).write_parquet(path, metadata={"huggingface": json.dumps(stored)})
    else:
        label = {"class_label": {"names": NAMES if "numbers" in where else names}}
        inner = [{"name": "category", "dtype": label}]
        card(tmp_path, {"name": "objects", "sequence": inner})
    dataset = all_formats.read(tmp_path, "huggingface")
    assert dataset.classes.names == tuple(names)
    assert dataset[0].label().class_names == ("car", "dog")


def test_the_names_of_another_column_are_not_those_of_the_map(tmp_path):
    semantic(tmp_path)
    scenes = {"class_label": {"names": ["beach", "street", "forest"]}}
    card(tmp_path, {"name": "label", "dtype": "image"}, {"name": "scene_category", "dtype": scenes})
    with pytest.raises(FormatError, match="nothing names the classes of column 'label'"):
        all_formats.read(tmp_path)


def test_numbers_without_names_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(
        FormatError, match=r"nothing names the classes of column 'label': write .*id2label.json"
    ):
        all_formats.read(semantic(tmp_path))


def test_a_value_without_a_name_is_refused_with_row_and_pixel(tmp_path):
    values = VALUES.copy()
    values[1, 4] = 7
    with pytest.raises(FormatError, match=r"row 0 label pixel \(4, 1\): value 7 is no class"):
        all_formats.read(semantic(named(tmp_path), values))[0]


def test_a_label_that_is_a_photograph_is_refused(tmp_path):
    root = shard(named(tmp_path), [{"image": picture(PHOTO), "label": picture(PHOTO)}])
    with pytest.raises(FormatError, match=r"row 0 label.*JPEG changes label values"):
        all_formats.read(root)[0]


@pytest.mark.parametrize("nested", [True, False])
def test_colours_are_ids_where_segments_are_listed(tmp_path, nested):
    ids = np.zeros((*SIZE, 3), np.uint8)
    ids[0], ids[2:, :2] = (1, 2, 0), (7, 0, 1)
    segments = [{"id": 513, "category_id": 1, "iscrowd": 0}, {"id": 65543, "category_id": 2, "iscrowd": 1}]
    fields = {"id": pl.Int64, "category_id": pl.Int64, "iscrowd": pl.Int64}
    kind: object = pl.List(pl.Struct(fields))
    cell: object = segments
    if not nested:
        kind = pl.Struct({name: pl.List(each) for name, each in fields.items()})
        cell = {name: [item[name] for item in segments] for name in fields}
    row = {"image": picture(PHOTO), "label": picture(encoded(ids)), "segments_info": cell}
    label = all_formats.read(
        shard(named(tmp_path), [row], {"image": PICTURE, "label": PICTURE, "segments_info": kind})
    )[0].label()
    assert label.class_names == ("car", "dog")
    assert label.masks.area().tolist() == [6, 4]
    assert label.crowd.tolist() == [False, True]
    assert label.source_id is not None
    assert label.source_id.tolist() == [513, 65543]


def test_boxes_of_objects_have_no_pixels(tmp_path):
    dataset = all_formats.read(objects(named(tmp_path)))
    assert dataset[0].label().boxes().tolist() == [[1, 1, 3.5, 4], [0, 0, 6, 4]]
    assert dataset[0].label().masks.area().tolist() == [0, 0]
    assert [item.kind for item in dataset.classes] == ["stuff", "thing", "thing"]


@pytest.mark.parametrize("kind", ["string", "polygons"])
def test_objects_with_pixels_come_before_the_map(tmp_path, kind):
    stack = np.zeros((2, *SIZE), bool)
    stack[0, 1:3, 1:4], stack[1, 2:, 2:] = True, True
    runs = [text.decode() for text in Masks.encode(stack).to_strings()]
    rings = [[[1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]], [[2.0, 2.0, 6.0, 2.0, 6.0, 4.0, 2.0, 4.0]]]
    text = kind == "string"
    inner = pl.String if text else pl.List(pl.List(pl.Float64))
    fields = {"segmentation": pl.List(inner), "category": pl.List(pl.String)}
    cell = {"segmentation": runs if text else rings, "category": ["dog", "cat"]}
    row = {"image": picture(PHOTO), "label": picture(encoded(VALUES)), "objects": cell}
    schema = {"image": PICTURE, "label": PICTURE, "objects": pl.Struct(fields)}
    dataset = all_formats.read(shard(tmp_path, [row], schema))
    assert dataset.classes.names == ("dog", "cat")
    assert np.array_equal(dataset[0].label().masks.decode(), stack)


def test_splits_are_what_shards_are_called_and_rows_are_found_in_all_of_them(tmp_path):
    rows = [
        {"image": None, "label": picture(encoded(np.full(SIZE, i % 3, np.uint8))), "image_id": f"n{i}.jpg"}
        for i in range(40)
    ]
    schema = {"image": PICTURE, "label": PICTURE, "image_id": pl.String}
    named(tmp_path)
    for name, part in {
        "train-00000-of-00002": rows[:19],
        "train-00001-of-00002": rows[19:36],
        "validation-00000-of-00001": rows[36:],
    }.items():
        shard(tmp_path, part, schema, f"data/{name}")
    dataset = all_formats.read(tmp_path)
    assert dataset.names == tuple(f"n{i}" for i in range(40))
    assert [dataset.splits[name] for name in ("n0", "n35", "n36")] == ["train", "train", "val"]
    for i in (39, 0, 18, 19, 35, 36):
        assert dataset[f"n{i}"].label().semantic()[0, 0] == i % 3


def test_rows_of_one_name_are_called_by_their_numbers(tmp_path):
    row = {"image": picture(PHOTO), "label": picture(encoded(VALUES)), "id": 3}
    schema = {"image": PICTURE, "label": PICTURE, "id": pl.Int64}
    assert all_formats.read(shard(named(tmp_path), [row, row], schema)).names == (
        "train/000000",
        "train/000001",
    )


def test_further_pictures_are_counted_and_rows_without_a_map_are_unlabelled(tmp_path):
    row = {"image": picture(PHOTO), "label": None, "depth": picture(encoded(VALUES))}
    dataset = all_formats.read(
        shard(named(tmp_path), [row], dict.fromkeys(("image", "label", "depth"), PICTURE))
    )
    assert dict(dataset.left_out) == {"column depth": 1}
    assert dataset[0].segmentation is None


def folder(root: Path, line: dict, **files: np.ndarray) -> Path:
    (root / "train").mkdir(parents=True)
    (root / "train" / "a.jpg").write_bytes(PHOTO)
    for name, values in files.items():
        Image.fromarray(values).save(root / "train" / f"{name}.png")
    (root / "train" / "metadata.jsonl").write_text(json.dumps(line) + "\n")
    return root


def test_an_image_folder_is_read_with_its_masks(tmp_path):
    root = folder(named(tmp_path), {"file_name": "a.jpg", "mask_file_name": "m.png"}, m=VALUES)
    dataset = all_formats.read(root)
    assert dataset.names == ("train/a",)
    assert dataset.splits == {"train/a": "train"}
    assert np.array_equal(dataset[0].label().semantic(), VALUES)
    assert dataset[0].image == tmp_path / "train" / "a.jpg"


def test_an_image_folder_with_a_table_of_commas_is_read(tmp_path):
    root = folder(named(tmp_path), {"file_name": "a.jpg"}, m=VALUES)
    (root / "train" / "metadata.jsonl").unlink()
    (root / "train" / "metadata.csv").write_text("file_name,label_file_name\na.jpg,m.png\n")
    assert np.array_equal(all_formats.read(root)[0].label().semantic(), VALUES)


def test_an_image_folder_is_read_with_its_objects(tmp_path):
    line = {"file_name": "a.jpg", "objects": {"bbox": [[1, 1, 2, 2]], "categories": [1]}}
    assert all_formats.read(folder(named(tmp_path), line))[0].label().boxes().tolist() == [[1, 1, 3, 3]]


@pytest.mark.parametrize(
    "name", ["../../secret.png", "/etc/secret.png", "C:/secret.png", "x/../../secret.png"]
)
def test_no_file_outside_the_folder_is_read(tmp_path, name):
    Image.fromarray(VALUES).save(tmp_path / "secret.png")
    root = folder(named(tmp_path / "set"), {"file_name": "a.jpg", "mask_file_name": name})
    with pytest.raises(FormatError, match=r"line 1: file '.*secret.png' is not below the folder"):
        all_formats.read(root)[0]
    shard(named(tmp_path / "other"), [{"image": picture(None, name), "label": picture(encoded(VALUES))}])
    with pytest.raises(FormatError, match=r"row 0: file '.*secret.png' is not below the folder"):
        all_formats.read(tmp_path / "other")[0]


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ({"id": [1], "bbox": [[0.0, 0.0, 1.0]], "category": [1]}, r"row 0 objects\[0\].bbox"),
        ({"id": [1], "bbox": [[0.0, float("nan"), 1.0, 1.0]], "category": [1]}, "'nan' is no number"),
        ({"id": [1], "bbox": [[0.0, 0.0, 1e300, 1.0]], "category": [1]}, r"row 0 objects\[0\].bbox"),
        ({"id": [1], "bbox": [[0.0, 0.0, 1.0, 1.0]], "category": [99]}, "class 99 has no name"),
        ({"id": [1, 2], "bbox": [[0.0, 0.0, 1.0, 1.0]], "category": [1]}, "lists of different lengths"),
    ],
)
def test_broken_objects_are_refused_with_their_row(tmp_path, cell, what):
    root = shard(
        named(tmp_path), [{"image": picture(PHOTO), "objects": cell}], {"image": PICTURE, "objects": OBJECTS}
    )
    with pytest.raises(FormatError, match=what):
        all_formats.read(root)[0]


def test_a_card_that_refers_to_itself_without_end_is_read_once(tmp_path):
    lines = ["v0: &v0 [x, x]", *(f"v{i}: &v{i} [*v{i - 1}, *v{i - 1}]" for i in range(1, 60))]
    features = "dataset_info: {features: [{name: objects, sequence: *v59}]}"
    objects(tmp_path)
    (tmp_path / "README.md").write_text("---\n" + "\n".join([*lines, features]) + "\n---\n")
    with pytest.raises(FormatError, match="nothing names the classes"):
        all_formats.read(tmp_path)


def test_what_we_write_has_the_names_and_types_that_the_library_expects(tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO)
    stack = np.zeros((2, *SIZE), bool)
    stack[0, :2], stack[1, 1:] = True, True
    label = Segmentation(Classes.of("car", "dog"), Masks.encode(stack), [0, 1], [1, 2])
    samples = [Sample("a", photo, label, "train"), Sample("b", photo, label, "val")]
    all_formats.write(Dataset.of(samples), tmp_path / "out", to="huggingface")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert files == [
        "README.md",
        "data/train-00000-of-00001.parquet",
        "data/validation-00000-of-00001.parquet",
        "id2label.json",
    ]
    row = pl.read_parquet(tmp_path / "out" / "data" / "train-00000-of-00001.parquet").row(0, named=True)
    assert row["image"] == {"bytes": PHOTO, "path": "a.jpg"}
    assert np.asarray(Image.open(io.BytesIO(row["label"]["bytes"]))).tolist() == [[0] * 6] + [[1] * 6] * 3
    assert row["objects"]["bbox"] == [[0, 0, 6, 2], [0, 1, 6, 3]]
    front = yaml.safe_load((tmp_path / "out" / "README.md").read_text().split("---")[1])
    assert [each["name"] for each in front["dataset_info"]["features"]] == list(row)
    assert front["configs"][0]["data_files"][0] == {"split": "train", "path": "data/train-*"}
    assert json.loads((tmp_path / "out" / "id2label.json").read_text()) == {"0": "car", "1": "dog"}
    again = all_formats.read(tmp_path / "out")
    assert again["b"].label().masks.equals(label.masks)
    assert again.splits == {"a": "train", "b": "val"}


def test_without_objects_the_map_that_we_wrote_tells_the_classes(tmp_path):
    label = Segmentation.from_semantic(VALUES.astype(int) % 3, Classes.of("sky", "car", "dog", kind="stuff"))
    all_formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "out", to="huggingface")
    path = tmp_path / "out" / "data" / "train-00000-of-00001.parquet"
    pl.read_parquet(path).drop("objects").write_parquet(path)
    again = all_formats.read(tmp_path / "out")[0].label()
    assert np.array_equal(again.semantic(), label.semantic())
