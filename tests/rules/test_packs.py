"""Every pack is proven by its own pictures, and says nothing much about clean labels."""

from __future__ import annotations

import pytest

from inlay import scenes
from inlay.rules import check, pack_names, read_rules, test_rules
from inlay.rules.rule import SCOPES

# what no tiny picture can show: they need dozens of segments, people, or images
BEYOND_PICTURES = {"rare-class", "annotator-style", "unlike-its-kind", "hair-band"}


@pytest.mark.parametrize("pack", pack_names())
def test_a_pack_judges_its_own_pictures_as_it_says(pack):
    result = test_rules([pack])
    assert not result.failed, str(result)
    assert set(result.without) <= BEYOND_PICTURES


@pytest.mark.parametrize("pack", pack_names())
def test_every_rule_with_a_picture_has_one_in_which_it_fires(pack):
    for rule in read_rules([pack]):
        assert not rule.examples or any(not example.passes for example in rule.examples), rule.id


def test_packs_ask_in_every_scope():
    scopes = {rule.scope for rule in read_rules(pack_names())}
    assert scopes == set(SCOPES)


@pytest.mark.parametrize("kind", ["street", "cells", "parts"])
def test_exact_labels_have_fewer_than_two_findings_an_image(kind):
    dataset = scenes.make(kind, 8, size=(180, 240), seed=2)
    packs = ("schema", "geometry", "partition", "logic", "occlusion", "sequence")
    findings = [finding for finding in check(dataset, packs=packs) if finding.severity != "info"]
    assert len(findings) < 2 * len(dataset), [str(finding) for finding in findings]
    assert not [finding for finding in findings if finding.severity == "error"]
