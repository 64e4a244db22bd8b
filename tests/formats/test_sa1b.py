"""SA-1B: masks without classes, nested and overlapping, with what made them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inlay import Dataset, FormatError, Masks, Sample, formats


def published(folder, **more):
    """A file as it is published: two masks, one inside the other."""
    stack = np.zeros((2, 5, 6), bool)
    stack[0, :4, :4], stack[1, 1:3, 1:3] = True, True
    masks = Masks.encode(stack)
    annotations = [
        {
            "bbox": [0, 0, 4, 4],
            "area": 16,
            "segmentation": {"size": [5, 6], "counts": runs.decode()},
            "predicted_iou": 0.9 + i / 100,
            "point_coords": [[1.5, 2]],
            "crop_box": [0, 0, 6, 5],
            "id": 500 + i,
            "stability_score": 0.97,
        }
        for i, runs in enumerate(masks.to_strings())
    ]
    image = {"image_id": 1, "width": 6, "height": 5, "file_name": "sa_1.jpg"}
    (folder / "sa_1.json").write_text(json.dumps({"image": image, "annotations": annotations, **more}))
    return masks


def test_a_published_file_gives_nested_masks_in_the_order_of_the_file_with_scores_and_ids(tmp_path):
    masks = published(tmp_path)
    assert formats.sniff(tmp_path) == ["sa1b"]
    assert formats.sniff(tmp_path / "sa_1.json") == ["sa1b"]
    label = formats.read(tmp_path)["sa_1"].label()
    assert label.masks.equals(masks)
    assert label.class_names == ("object", "object")
    assert label.score.tolist() == [0.9, 0.91]
    assert label.source_id.tolist() == [500, 501]
    assert label.tags[0] == {"stability_score=0.97", "point_coords=[[1.5,2]]", "crop_box=[0,0,6,5]"}


def test_what_made_a_mask_is_written_back_where_it_stood(tmp_path):
    published(tmp_path)
    formats.write(formats.read(tmp_path), tmp_path / "out", to="sa1b")
    first = json.loads((tmp_path / "out" / "sa_1.json").read_text())["annotations"][0]
    assert (first["stability_score"], first["point_coords"]) == (0.97, [[1.5, 2]])
    assert first["bbox"] == [0, 0, 4, 4]
    assert first["inlay"]["tags"] == []


def test_run_lengths_of_another_size_are_refused_with_their_place(tmp_path):
    published(tmp_path)
    text = (tmp_path / "sa_1.json").read_text().replace('"height": 5', '"height": 7')
    (tmp_path / "sa_1.json").write_text(text)
    with pytest.raises(FormatError, match=r"sa_1.json: annotations\[0\].segmentation.size"):
        formats.read(tmp_path)["sa_1"]


def test_a_number_that_no_table_holds_is_refused_with_its_place(tmp_path):
    published(tmp_path)
    text = (tmp_path / "sa_1.json").read_text().replace('"id": 501', f'"id": {2**64}')
    (tmp_path / "sa_1.json").write_text(text)
    with pytest.raises(FormatError, match=r"sa_1.json: annotations\[1\].id"):
        formats.read(tmp_path)["sa_1"]


def test_a_word_that_only_looks_like_a_fact_stays_a_word(tmp_path):
    published(tmp_path)
    label = formats.read(tmp_path)["sa_1"].label()
    label = label.replace(tags=(frozenset({"stability_score=high", "crop_box"}), frozenset()))
    formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "out", to="sa1b")
    assert formats.read(tmp_path / "out")["a"].label().tags == label.tags
