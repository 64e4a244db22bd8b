"""`inlay check --agreement`: figures, pages, honeypots, and a consensus that leaves what people drew."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inlay import read
from inlay.cli import main
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats import write

CLASSES = Classes.of("cell", "dust")


def drawn(folder, name, *, shift=0, class_id=(0, 1), images=("a", "b")):
    """The path of a COCO file of one person, whose first segment lies `shift` pixels off."""
    stack = np.zeros((2, 40, 60), np.bool_)
    stack[0, 5:30, 5 + shift : 30 + shift] = stack[1, 10:30, 40:55] = True
    label = Segmentation(CLASSES, Masks.encode(stack), list(class_id), [1, 2])
    path = folder / f"{name}.json"
    write(Dataset.of([Sample(image, None, label) for image in images], CLASSES), path, to="coco", lossy=True)
    return path


@pytest.fixture
def people(tmp_path):
    return [
        drawn(tmp_path, "anna"),
        drawn(tmp_path, "ben", shift=1),
        drawn(tmp_path, "carl", shift=5, class_id=(0, 0)),
    ]


def run(*words):
    return main(["check", *map(str, words)])


def test_agreement_is_printed_by_pair_person_and_class(people, capsys):
    assert run("--agreement", *people) == 0
    shown = capsys.readouterr().out
    for words in ("anna - ben", "carl - all others", "SQ", "RQ", "boundary IoU", "PQ of class", "dust"):
        assert words in shown


def test_the_figures_are_written_in_full_and_drawn_on_a_page(people, tmp_path, capsys):
    figures, page = tmp_path / "f.json", tmp_path / "p.html"
    truth = drawn(tmp_path, "truth", images=("b",))
    assert run(*people, "--agreement", "--honeypots", truth, "--report", figures, "--page", page) == 0
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["honeypots"]["anna"]["pq"] == 1.0 and found["honeypots"]["anna"]["images"] == 1
    assert found["honeypots"]["carl"]["pq"] < found["honeypots"]["ben"]["pq"] < 1.0
    assert ["cell", "dust", 4] in found["confused"]
    assert {tuple(each["people"]) for each in found["pairs"]} == {
        ("anna", "ben"),
        ("anna", "carl"),
        ("ben", "carl"),
    }
    shown = page.read_text(encoding="utf-8")
    for words in ("Known truth", "human ceiling", "Confusion", "carl", "least agreed on"):
        assert words in shown


@pytest.mark.parametrize("by", ["majority", "staple"])
def test_the_consensus_is_a_dataset_of_its_own(by, people, tmp_path, capsys):
    before = [path.read_bytes() for path in people]
    assert run("--agreement", *people, "--consensus", tmp_path / "all.json", "--by", by) == 0
    agreed = read(tmp_path / "all.json")
    assert len(agreed) == 2
    names = [agreed.classes.names[row] for row in agreed[0].label().class_id]
    assert sorted(names) == ["cell", "dust"]
    assert [path.read_bytes() for path in people] == before


def test_a_consensus_over_somebodys_labels_is_refused(people, capsys):
    assert run("--agreement", *people, "--consensus", people[1]) == 2
    assert "holds what somebody drew" in capsys.readouterr().err


def test_what_does_not_go_together_is_refused_in_words(people, tmp_path, capsys):
    assert run(*people) == 2
    assert "did you mean --agreement?" in capsys.readouterr().err
    assert run(people[0], "--consensus", tmp_path / "all.json") == 2
    assert "go with --agreement" in capsys.readouterr().err
    assert run("--agreement", people[0]) == 2
    assert "two people or more" in capsys.readouterr().err
    assert run("--agreement", *people, "--report", tmp_path / "f.pdf") == 2
    assert ".json or .html" in capsys.readouterr().err
    assert run("--agreement", people[0], people[0]) == 2
    assert "given twice" in capsys.readouterr().err
    other = drawn(tmp_path, "other", images=("z",))
    assert run("--agreement", *people, "--honeypots", other) == 2
    assert "names must agree" in capsys.readouterr().err
