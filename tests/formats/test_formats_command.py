"""`inlay formats`: the list, and one format in full."""

from __future__ import annotations

import pytest

from inlay import InlayError, plugins
from inlay.cli.formats import formats


def test_every_format_is_listed_with_what_it_cannot_hold(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert formats() == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert set(plugins.names("formats")) <= lines.keys()
    assert lines["native"].rstrip().endswith("-")
    assert "amodal, hidden" in lines["labelme"]
    assert "score" not in lines["coco"]


def test_one_format_says_all_of_itself(capsys):
    assert formats("yolo") == 0
    out = capsys.readouterr().out
    assert "data.yaml" in out
    assert "--reader" in out
    assert "cannot hold: instance_id, track, parts" in out


def test_a_format_that_is_none_is_corrected():
    with pytest.raises(InlayError, match="did you mean 'yolo'"):
        formats("yollo")
