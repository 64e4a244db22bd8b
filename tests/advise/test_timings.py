"""Measured times as a file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.advise import Timing, read_timings, write_timings
from inlay.advise.cost import MODES
from inlay.cli import main
from inlay.core.errors import InlayError
from inlay.formats import write
from inlay.scenes import make

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
SECONDS = st.floats(min_value=1e-3, max_value=1e6)


@settings(max_examples=60)
@given(names=st.lists(WORDS, min_size=1, max_size=6, unique=True), data=st.data())
def test_times_that_were_written_are_read_again(names, data):
    places = st.integers(0, len(names) - 1)
    timings = data.draw(st.lists(st.builds(Timing, places, st.sampled_from(MODES), SECONDS), max_size=8))
    assert read_timings(write_timings(timings, names), "t.csv", names) == timings


def test_an_image_is_found_by_the_last_part_of_its_path_where_that_is_clear():
    text = "seconds,mode,sample\n5,boxes,photos/a\n6,boxes,b\n"
    assert [each.place for each in read_timings(text, "t.csv", ["b", "a"])] == [1, 0]
    with pytest.raises(InlayError, match="sample 'photos/a' is not in the labelled images"):
        read_timings(text, "t.csv", ["b", "one/a", "two/a"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no column 'sample'"),
        ("sample,seconds\na,3\n", "header: there is no column 'mode'; wanted are sample, mode, seconds"),
        ("sample,mode,seconds\nb,boxes,3\n", "line 2: sample 'b' is not in the labelled images"),
        ("sample,mode,seconds\na,outlines,3\n", "line 2: there is no mode 'outlines'; there are semantic"),
        ("sample,mode,seconds\na,boxes,long\n", "line 2: seconds: 'long' is not a time above 0"),
        ("sample,mode,seconds\na,boxes,-3\n", "line 2: seconds: '-3' is not a time above 0"),
        ("sample,mode,seconds\na\n", "line 2: there is no mode ''"),
    ],
    ids=["empty", "column", "sample", "mode", "word", "negative", "short"],
)
def test_a_table_of_times_that_cannot_be_read_names_its_line(text, words):
    with pytest.raises(InlayError) as caught:
        read_timings(text, "t.csv", ["a"])
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_command_prices_by_the_times_and_wants_the_images_that_they_are_of(tmp_path, capsys):
    cells = make("cells", 20, size=(32, 32))
    write(cells, tmp_path / "cells", to="native")
    times = tmp_path / "times.csv"
    times.write_text(write_timings([Timing(k, "instance", 60.0 + k) for k in range(20)], cells.names))
    command = ["advise", "cost", "--images", "90", "--wage", "18", "--timings", str(times)]
    assert main([*command, str(tmp_path / "cells"), "--mode", "instance"]) == 0
    assert "measured on 20 images" in capsys.readouterr().out
    assert main([*command, "--objects", "3,4"]) != 0
    assert "--timings are of labelled images" in capsys.readouterr().err
