"""Each dataset of the corpus, in every format: all comes back, or what does not is named before."""

from __future__ import annotations

import pytest

from inlay import InlayError, LossError, plugins
from inlay import formats as all_formats

from .comparing import ALWAYS, differences, used
from .corpus import CORPUS


@pytest.mark.parametrize("name", plugins.names("formats"))
def test_a_format_gives_the_corpus_back_or_names_what_it_would_lose(name, tmp_path):
    keeps = plugins.load("formats", name).KEEPS
    wrong = {}
    for title, make in CORPUS.items():
        dataset, out = make(tmp_path / "images" / title), tmp_path / title
        try:
            receipt = all_formats.write(dataset, out, to=name)
        except LossError:
            assert used(dataset) - keeps, title
            continue
        except InlayError as error:  # a fixed list of classes, or more segments than there are numbers
            assert name in str(error) or "hold" in str(error), error
            continue
        told = {loss.fact for loss in receipt.losses}
        lost = differences(all_formats.read(out, like=dataset), dataset) & ((used(dataset) - told) | ALWAYS)
        if lost:
            wrong[title] = sorted(lost)
    assert not wrong
