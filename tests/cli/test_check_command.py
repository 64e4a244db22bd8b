"""`inlay check` as people call it: reports, baseline, waivers, fixes, and what does not go together."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from inlay import read
from inlay.cli import main
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats import write


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


@pytest.fixture
def labels(tmp_path):
    """A COCO file with a duplicate and a pinhole."""
    stack = np.zeros((3, 40, 60), np.bool_)
    stack[0, 5:30, 5:30] = stack[1, 5:30, 5:29] = True
    stack[0, 10:12, 10:12] = stack[1, 10:12, 10:12] = False
    stack[2, 32:39, 25:50] = True
    label = Segmentation(Classes.of("cell"), Masks.encode(stack), [0, 0, 0], [1, 2, 3])
    write(Dataset.of([Sample("a", None, label)]), tmp_path / "set", to="coco", lossy=True)
    (path,) = (tmp_path / "set").rglob("*.json")
    return path


def run(*words):
    return main(["check", *map(str, words)])


ALL = ("--pack", "schema,geometry,partition")


def test_reports_take_their_kind_from_their_names(labels, tmp_path, capsys):
    kinds = [
        tmp_path / f"f.{suffix}" for suffix in ("jsonl", "sarif", "xml", "json", "md", "csv", "html", "txt")
    ]
    assert run(labels, *ALL, *(word for kind in kinds for word in ("--report", kind))) == 1
    assert all(kind.stat().st_size for kind in kinds)
    assert run(labels, "--report", tmp_path / "f.pdf") == 2
    assert "its suffix names no report" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured(labels, tmp_path, capsys):
    assert run(labels, "--report", tmp_path / "f.jsonl", "--report", tmp_path / "f.pdf") == 2
    assert "its suffix names no report" in capsys.readouterr().err
    assert run(labels, "--page", tmp_path) == 2
    assert "is a folder" in capsys.readouterr().err
    assert not (tmp_path / "f.jsonl").exists()


def test_the_reports_are_written_though_nobody_reads_what_is_said(labels, tmp_path):
    code = "from inlay.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
    arguments = ("check", labels, *ALL, "--out", tmp_path / "f.jsonl")
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE) as listening:
        listening.stdout.close()
        assert listening.wait() == 1  # as without `| head`
    assert (tmp_path / "f.jsonl").read_text()


def test_a_baseline_makes_old_errors_pass_and_only_shrinks(labels, tmp_path, capsys):
    baseline = tmp_path / "baseline.jsonl"
    assert run(labels, *ALL, "--baseline", baseline) == 2
    assert "--update-baseline makes one" in capsys.readouterr().err
    assert run(labels, *ALL, "--baseline", baseline, "--update-baseline") == 0
    before = baseline.read_text()
    assert run(labels, *ALL, "--baseline", baseline, "--new-only") == 0
    assert "no findings" in capsys.readouterr().out
    lines = [line for line in before.splitlines() if '"duplicate"' not in line]
    baseline.write_text("".join(f"{line}\n" for line in lines))
    assert run(labels, *ALL, "--baseline", baseline, "--update-baseline") == 1
    assert "duplicate" not in baseline.read_text()


def test_waived_errors_pass(labels, tmp_path, capsys):
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('[[waiver]]\nrule = "duplicate"\nreason = "twins"\nuntil = 2999-01-01\n')
    assert run(labels, *ALL, "--waivers", waivers) == 0
    assert "waived: 1 (twins)" in capsys.readouterr().out
    waivers.write_text('[[waiver]]\nrule = "duplicate"\n')
    assert run(labels, *ALL, "--waivers", waivers) == 2
    assert "waiver 1: reason must be words" in capsys.readouterr().err


def test_fixes_are_written_and_can_be_taken_back(labels, tmp_path, capsys):
    before = read(labels)[0].label()
    assert run(labels, *ALL, "--preview", tmp_path / "preview.html") == 1
    assert read(labels)[0].label().equals(before)
    assert run(labels, *ALL, "--fix", "--fixed", tmp_path / "good.json") == 1
    told = capsys.readouterr().out
    assert "to take it back: inlay check" in told
    assert len(read(tmp_path / "good.json")[0].label()) == 2
    assert run(tmp_path / "good.json", "--pack", "partition") == 0
    undo = tmp_path / "good.json.undo.jsonl"
    assert run(tmp_path / "good.json", "--undo", undo, "--fixed", tmp_path / "back.json") == 0
    back = read(tmp_path / "back.json")[0].label()
    assert back.masks.equals(before.masks)
    assert back.source_id.tolist() == before.source_id.tolist()
    assert run(labels, "--undo", undo) == 2
    assert "changed since it was fixed" in capsys.readouterr().err


def test_a_file_is_mended_in_its_place(labels, tmp_path):
    assert run(labels, *ALL, "--fix") == 1
    assert run(labels, "--pack", "partition") == 0
    assert run(labels, "--undo", f"{labels}.undo.jsonl") == 0
    assert run(labels, "--pack", "partition") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--new-only",), "need a --baseline"),
        (("--update-baseline",), "need a --baseline"),
        (("--fixed", "x"), "goes with --fix"),
        (("--unsafe-fixes",), "goes with --fix"),
        (("--pack", "schemas"), "did you mean 'schema'"),
        (("--waivers", "gone.toml"), "cannot be read"),
        (("--undo", "gone.jsonl"), "cannot be read"),
        (("--to", "sarff", "--report", "x"), "did you mean 'sarif'"),
    ],
)
def test_what_does_not_go_together_is_said(labels, words, said, capsys):
    assert run(labels, *words) == 2
    assert said in capsys.readouterr().err


def test_a_folder_is_not_mended_in_its_place(labels, capsys):
    folder = labels.parent
    assert run(folder, "--fix") == 2
    assert "--fixed PATH" in capsys.readouterr().err


def test_the_cache_lies_where_it_is_told(labels, tmp_path):
    assert run(labels, "--no-cache") == 1
    assert not (tmp_path / "caches").exists()
    assert run(labels, "--cache-folder", tmp_path / "here") == 1
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["check.sqlite"]
    assert run(labels) == 1
    assert (tmp_path / "caches" / "inlay" / "check.sqlite").exists()


def test_findings_name_the_segments_of_the_file(labels, tmp_path):
    content = json.loads(labels.read_text())
    for number, annotation in enumerate(content["annotations"]):
        annotation["id"] = 70 + number
    labels.write_text(json.dumps(content))
    run(labels, *ALL, "--report", tmp_path / "f.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert next(line for line in lines if line["rule"] == "duplicate")["segments"] == [70, 71]


def test_what_is_usual_is_learnt_shown_and_frozen_into_a_rule_file(tmp_path, capsys):
    from inlay import scenes

    write(scenes.make("cells", 4, size=(100, 120)), tmp_path / "trusted", to="native")
    assert main(["check", str(tmp_path / "trusted"), "--learn", str(tmp_path / "usual.toml")]) == 0
    assert "median" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "trusted"), "--rules", str(tmp_path / "usual.toml")]) == 0


def test_out_follows_its_suffix_and_a_report_without_its_flag_is_told_so(labels, tmp_path, capsys):
    assert run(labels, *ALL, "--out", tmp_path / "page.html") == 1
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    assert run(labels, *ALL, "--out", tmp_path / "findings") == 1
    assert (tmp_path / "findings").read_text("utf-8").startswith('{"rule"')
    capsys.readouterr()
    assert run(labels, tmp_path / "two.xml", "--report", tmp_path / "one.md") == 2
    assert "Each report wants a --report of its own" in capsys.readouterr().err
