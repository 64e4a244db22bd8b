"""Every pack and every measured column keeps its contract."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules import pack_names, read_rules
from inlay.rules import test_rules as try_rules
from inlay.rules.columns import KINDS, vocabulary
from inlay.rules.expression import Reference
from inlay.rules.tables import DatasetTable, ImageTable, PairTable

COLUMNS = sorted(vocabulary().values(), key=lambda column: (column.scope, column.name))
DTYPES = {"number": "f", "integer": "iu", "boolean": "b", "word": "O"}
SCALARS = {"number": float, "integer": int, "boolean": bool, "word": str}


def label(stack):
    """Things and stuff that overlap, touch, hide one another; one of them empty."""
    count = len(stack)
    classes = Classes.of("cell", "dust", "void").with_kinds({"dust": "stuff", "void": "void"})
    class_id = np.arange(count) % 3
    tags = tuple(frozenset({"odd"}) if row % 2 else frozenset() for row in range(count))
    return Segmentation(
        classes, Masks.encode(stack), class_id, np.where(class_id == 0, np.arange(count) + 1, 0), tags=tags
    )


def tables(stack):
    image = ImageTable(Sample("x", np.zeros((*stack.shape[1:], 3), np.uint8), label(stack)))
    census = DatasetTable.empty(label(stack).classes).count(label(stack))
    return {
        "segment": image.segments,
        "pair": PairTable.of(image.segments),
        "image": image,
        "dataset": census,
    }


STACKS = {
    "random": np.random.default_rng(1).random((5, 9, 11)) < 0.4,
    "blocks": (np.random.default_rng(2).random((4, 3, 4)) < 0.5).repeat(5, axis=1).repeat(4, axis=2),
    "empty": np.zeros((3, 4, 4), np.bool_),
    "none": np.zeros((0, 4, 4), np.bool_),
    "one pixel": np.ones((2, 1, 1), np.bool_),
}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.scope}.{column.name}")
def test_a_column_says_what_it_measures_and_gives_one_value_a_row(column):
    assert column.explains.endswith((".", '"'))
    argument = {"": None, "pixels": "4", "class_name": "cell", "word": "odd"}[column.takes]
    for name, stack in STACKS.items():
        table = tables(stack)[column.scope]
        values = column(table, Reference("", column.name, argument))
        if values is None:
            continue
        if column.scope == "image":
            assert type(values) is SCALARS[column.kind], name
        else:
            assert len(values) == len(table), name
            assert np.asarray(values).dtype.kind in DTYPES[column.kind], name
        assert column.kind in KINDS.values()


@pytest.mark.parametrize("column", [each for each in COLUMNS if each.region], ids=lambda column: column.name)
def test_a_region_is_one_mask_of_the_size_of_the_image(column):
    argument = "4" if column.takes else None
    for stack in STACKS.values():
        table = tables(stack)[column.scope]
        for row in range(1 if column.scope == "image" else len(table)):
            region = column.pixels(table, row, Reference("", column.name, argument))
            assert (len(region), region.size) == (1, stack.shape[1:])


@pytest.mark.parametrize("pack", pack_names())
def test_a_pack_is_read_and_its_examples_hold(pack):
    result = try_rules((pack,))
    assert result.tests
    assert str(result.failed) == "()"
    for rule in read_rules((pack,)):
        assert rule.message[0] not in ". "
        assert not rule.message.endswith(".")


def test_every_family_of_columns_is_found():
    families = {inspect.getmodule(column.measure).__name__.rsplit(".", 1)[-1] for column in COLUMNS}
    assert families == set(plugins.names("rules.columns"))
