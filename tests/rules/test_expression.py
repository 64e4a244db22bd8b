"""What an expression may say, and what it may not."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inlay.core.errors import InlayError
from inlay.rules.expression import read_expression


def keys(text, **parameters):
    return [reference.key for reference in read_expression(text, parameters).reads]


def test_an_expression_names_the_columns_it_reads_once_each():
    assert keys("a.class = 'car' AND surround > 0.5 AND surround < 1") == ["a.class", "surround"]
    assert keys("count('car') > 2 AND image.coverage < :share", share=0.5) == [
        "count('car')",
        "image.coverage",
    ]
    assert keys("parts_under(:px) > 0 OR NOT crowd", px=4) == ["parts_under('4')", "crowd"]


def test_a_parameter_is_a_literal_whatever_is_in_it():
    expression = read_expression("class = :name", {"name": "x' OR 'a' = 'a"})
    table = pl.DataFrame({"class": ["car", "x' OR 'a' = 'a"]})
    assert table.select(expression.compile()).to_series().to_list() == [False, True]


def test_the_limit_of_a_column_is_the_number_beside_it():
    assert read_expression("iou > 0.8", {}).limits == {"iou": 0.8}
    assert read_expression(":low <= area_px AND 3 > n_parts", {"low": 5}).limits == {
        "area_px": 5,
        "n_parts": 3,
    }
    assert read_expression("width + height > 5 AND area_px > 2 * width", {}).limits == {}


def test_words_beside_a_column_are_known_in_equations_and_lists():
    words = read_expression(
        "a.class IN ('car', 'bus') AND 'sky' = b.class AND starts_with(parent, 've')", {}
    ).words
    assert [(column.key, word) for column, word in words] == [
        ("a.class", "car"),
        ("a.class", "bus"),
        ("b.class", "sky"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "area_px > 5; DROP TABLE labels",
        "(SELECT max(area_px) FROM other) > 3",
        "area_px IN (SELECT 1)",
        "EXISTS (SELECT 1)",
        "sum(area_px) > 3",
        "row_number() OVER () > 3",
        "count(*) > 3",
        "other.area_px > 3",
        "a.b.c = 1",
        "area_px::int > 3",
        "area_px > /* */",
        "area_px @ 3",
        "`area_px` > 3",
        "",
        "   ",
        "area_px > :limit",
        "'unfinished",
    ],
)
def test_sql_that_leaves_its_row_is_refused(text):
    with pytest.raises(InlayError):
        read_expression(text, {}).compile()


def test_an_unknown_function_names_the_nearest_one():
    with pytest.raises(InlayError, match="did you mean 'greatest'"):
        read_expression("greates(width, height) > 3", {})


@pytest.mark.parametrize("text", ["(SELECT max(area_px) FROM other) > 3", "EXISTS (SELECT 1)"])
def test_a_query_within_a_rule_is_told_of_its_way_out(text):
    with pytest.raises(InlayError, match=r"one row at a time.*require_any"):
        read_expression(text, {})


def test_a_parameter_that_nobody_gave_is_told_how():
    with pytest.raises(InlayError, match=r"give it: params = \{ limit = 1 \}"):
        read_expression("area_px > :limit", {})


def test_an_unknown_parameter_names_the_nearest_one():
    with pytest.raises(InlayError, match="did you mean 'pixels'"):
        read_expression("area_px < :pixel", {"pixels": 3})


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab1.'\"():;<>=,-*/ \\\n:SELECTand", max_size=30))
@example("''<")
def test_any_text_is_read_or_refused_in_words(text):
    try:
        expression = read_expression(text, {}).compile()
    except InlayError:
        return
    assert set(expression.meta.root_names()) <= {
        reference.key for reference in read_expression(text, {}).reads
    }
