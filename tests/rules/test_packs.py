"""Every pack is proven by its own pictures, and says nothing much about clean labels."""

from __future__ import annotations

import pytest

from inlay import scenes
from inlay.rules import DEFAULT_PACKS, check, pack_names, read_rules
from inlay.rules.proof import holds
from inlay.rules.rule import SCOPES

# what no tiny picture can show: they need dozens of segments, people, or images
BEYOND_PICTURES = {
    "rare-class",
    "annotator-style",
    "unlike-its-kind",
    "hair-band",
    "numbers-shifted",
    "map-turned",
    "erased",
    "slip",
    "annotator-outlines",
    "annotator-size",
    "annotator-off-edge",
    "annotator-corners",
    "spur-of-plant",
} | {
    "missing-thing",
    "other-class",
    "unconfirmed",
}


def own_rules(pack):
    """The rules that stand in the pack itself, not those it extends."""
    return [rule for rule in read_rules([pack]) if rule.file == f"pack {pack}"]


@pytest.mark.parametrize("pack", pack_names())
def test_a_pack_judges_its_own_pictures_as_it_says(pack):
    for rule in own_rules(pack):
        for example in rule.examples:
            assert holds(rule, example), f"{rule.id}: {example.picture}"


@pytest.mark.parametrize("pack", pack_names())
def test_every_rule_that_a_picture_can_show_has_one_in_which_it_fires(pack):
    for rule in own_rules(pack):
        fires = any(not example.passes for example in rule.examples)
        assert fires != (rule.id in BEYOND_PICTURES), rule.id


def test_packs_ask_in_every_scope():
    scopes = {rule.scope for rule in read_rules(pack_names())}
    assert scopes == set(SCOPES)


@pytest.mark.parametrize(("kind", "most"), [("street", 1.9), ("cells", 0.3), ("parts", 0.9)])
def test_exact_labels_have_fewer_than_two_findings_an_image(kind, most):
    dataset = scenes.make(kind, 8, size=(180, 240), seed=2)
    findings = [finding for finding in check(dataset, packs=DEFAULT_PACKS) if finding.severity != "info"]
    assert len(findings) <= most * len(dataset), [str(finding) for finding in findings]
    assert not [finding for finding in findings if finding.severity == "error"]
