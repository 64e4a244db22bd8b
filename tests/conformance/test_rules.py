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
from inlay.rules.columns import KINDS, inputs, vocabulary
from inlay.rules.expression import Reference
from inlay.rules.gathered import Gathered
from inlay.rules.late import LateTables
from inlay.rules.measure import Plan, arranged, bare, measure_tables
from inlay.rules.tables import DatasetTable, ImageTable, PairTable, UnknownError

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


ARGUMENTS = {  # of the columns that take one, by the name of their parameter
    "": None,
    "class_name": "cell",
    "column": "area_px",
    "concept": "sky",
    "key": "odd",
    "score": "0.5",
    "side": "left",
    "word": "odd",
}


def reference(column):
    whole = column.takes == "column" and column.scope == "image"
    return Reference("", column.name, "coverage" if whole else ARGUMENTS.get(column.takes, "4"))


def _of(scope, columns):
    return {bare(each): column for each, column in columns.items() if column.scope == scope}


def table_of(column, stack):
    """The table of a column: of one image, or of a video of two, with all that its module reads."""
    truth = label(stack)
    pixels = np.zeros((*stack.shape[1:], 3), np.uint8)
    image = ImageTable(Sample("x", pixels, truth), truth.replace(score=np.full(len(truth), 0.9)))
    if not column.late:
        return {"segment": image.segments, "pair": PairTable.of(image.segments), "image": image}[column.scope]
    needs = inputs(vocabulary(), column, reference(column))
    parts = []
    for frame in (0, 1):
        sample = image.sample.replace(name=f"x{frame}", group="g", frame=frame)
        plan = Plan({}, {scope: _of(scope, needs) for scope in ("segment", "image", "pair")}, needs)
        parts.append(arranged(sample, measure_tables(sample, plan), plan, classes=truth.classes).gathered)
    census = DatasetTable.empty(truth.classes).count(truth).count(truth)
    return LateTables(Gathered.concat(parts), census).table(column.scope)


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
    for name, stack in STACKS.items():
        table = table_of(column, stack)
        try:
            values = column(table, reference(column))
        except UnknownError:
            continue
        if values is None:
            continue
        if column.scope == "image" and not column.late:
            assert type(values) is SCALARS[column.kind], name
        else:
            assert len(values) == len(table), name
            assert np.asarray(values).dtype.kind in DTYPES[column.kind], name
        assert column.kind in KINDS.values()


@pytest.mark.parametrize("column", [each for each in COLUMNS if each.region], ids=lambda column: column.name)
def test_a_region_is_one_mask_of_the_size_of_the_image(column):
    for stack in STACKS.values():
        table = table_of(column, stack)
        for row in range(1 if column.scope == "image" else len(table)):
            try:
                region = column.pixels(table, row, reference(column))
            except UnknownError:
                continue
            assert (len(region), region.size) == (1, stack.shape[1:])


@pytest.mark.parametrize("pack", pack_names())
def test_a_pack_is_read_and_its_examples_hold(pack):
    result = try_rules((pack,))
    assert result.tests or pack == "predictions"  # a picture has nobody's prediction beside it
    assert str(result.failed) == "()"
    for rule in read_rules((pack,)):
        assert rule.message[0] not in ". "
        assert not rule.message.endswith(".")


def test_every_family_of_columns_is_found():
    families = {inspect.getmodule(column.measure).__name__.rsplit(".", 1)[-1] for column in COLUMNS}
    assert families == set(plugins.names("rules.columns"))
