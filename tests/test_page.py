"""Pages: self-contained, escaped, whole or not at all."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.core.images import data_uri
from inlay.page import (
    Html,
    bars,
    curve,
    figures,
    fold,
    grid,
    heatmap,
    legend,
    page,
    picture,
    section,
    table,
    text,
    write_page,
)

HOSTILE = "</td></style><script>alert(1)</script><img src=http://x/y onerror='a'>\"&"
EMPTY = {"meta", "link", "img", "br", "input"}


class Reader(HTMLParser):
    """Tags, attributes and words of a page; checks that every tag is closed in turn."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.open == []
    return reader


def everything(name):
    """A page with one of each, all named `name`."""
    photo = np.zeros((8, 8, 3), np.uint8)
    return page(
        name,
        section(
            name,
            figures({name: 0.5, "count": 12_000}),
            legend([name], [(1, 2, 3)], [4]),
            table([[name, 0.25, name], ["b", float("nan"), "0.5"]], (name, "x", "y"), caption=name),
            bars({name: 0.4, "none": float("nan")}, {name: (0.3, 0.6)}, caption=name),
            heatmap([[3, 1], [0, 0]], [name, "b"], caption=name),
            curve({name: [(0, 1), (1, 2), (2, float("nan"))]}, x=name, y=name),
            grid([picture(photo, name, name)]),
            fold(name, text(name)),
        ),
        intro=name,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=40).filter(lambda name: name not in ("count", "none", "b"))
    | st.just(HOSTILE)
)
def test_no_name_can_add_a_tag_to_a_page(name):
    plain, named = read(everything("plain")), read(everything(name))
    assert named.tags == plain.tags
    assert {key for key, _ in named.attributes} == {key for key, _ in plain.attributes}


def test_a_hostile_name_is_shown_as_it_is():
    reader = read(everything(HOSTILE))
    assert "".join(reader.words).count(HOSTILE) >= 10


def test_a_page_asks_for_nothing_from_outside():
    reader = read(everything("street"))
    for key, value in reader.attributes:
        if key in ("src", "href", "data", "action", "srcset"):
            assert value.startswith("data:")
    markup = everything("street")
    assert not re.search(r"url\(|@import|https?:", markup)
    assert "default-src 'none'" in markup


def test_a_page_serves_the_dark_the_narrow_and_the_blind():
    markup = everything("street")
    assert (
        "prefers-color-scheme: dark" in markup
        and 'name="viewport"' in markup
        and '<html lang="en">' in markup
    )
    reader = read(markup)
    images = [i for i, (key, value) in enumerate(reader.attributes) if key == "src"]
    assert images and all(any(key == "alt" and value for key, value in reader.attributes) for _ in images)
    assert ("scope", "row") in reader.attributes and ("scope", "col") in reader.attributes


def test_markup_of_our_own_passes_and_other_text_does_not():
    assert text(Html("<b>x</b>")) == "<b>x</b>"
    assert text("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
    assert "<b>x</b>" in table([[Html("<b>x</b>")]], ["a"])


@pytest.mark.parametrize(
    "value, words",
    [(0.12345, "0.1235"), (float("nan"), "–"), (1234567, "1\u202f234\u202f567"), (True, "True")],
)
def test_numbers_read_well(value, words):
    assert text(value) == words


def test_bars_are_as_long_as_their_values_and_stay_in_their_track():
    markup = bars({"a": 0.25, "b": 7.0, "c": float("nan")}, {"a": (-1.0, 0.5)})
    widths = re.findall(r'class="bar" width="([\d.]+)"', markup)
    assert widths == ["25.0", "100.0"]
    assert re.search(r'x1="0.0" x2="50.0"', markup)
    assert re.findall(r'class="bar" width="([\d.]+)"', bars({"a": 30.0}, top=60)) == ["50.0"]


def test_a_confusion_matrix_shows_shares_of_its_rows():
    markup = heatmap([[3, 1], [0, 0]], ["cat", "dog"])
    assert 'class="right strong" style="--share:0.750" title="3 (75.0 %)">75<' in markup
    assert 'class="wrong" style="--share:0.250" title="1 (25.0 %)">25<' in markup
    assert markup.count('class="nothing"') == 2


def test_a_curve_without_points_says_so():
    assert "no points" in curve({"a": [(0, float("nan"))]}, x="step", y="loss")
    assert "polyline" in curve({"a": [(3, 1)]}, x="step", y="loss")


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 8), (400, 500, 3), (1, 1, 3)])
def test_a_picture_in_a_page_is_the_picture(shape):
    from PIL import Image

    ramp = np.linspace(0, 255, int(np.prod(shape))).reshape(shape).astype(np.uint8)
    kind, data = data_uri(ramp).split(",")
    back = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert kind in ("data:image/png;base64", "data:image/jpeg;base64")
    assert back.shape == shape and np.abs(back.astype(int) - ramp).mean() < 3


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "page.html"
    assert write_page(path, "one") == path and path.read_text() == "one"

    def broken():
        yield "two"
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        write_page(path, broken())
    assert path.read_text() == "one" and list(path.parent.iterdir()) == [path]
    write_page(path, iter(["thr", "ee"]))
    assert path.read_text() == "three"
