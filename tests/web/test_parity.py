"""What the browser's document makes of gestures, the server's makes of them too, pixel for pixel."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("pydantic")

from inlay.core.boxed import whole
from inlay.core.masks import Masks
from inlay.server import wire
from inlay.server.draft import Draft, apply

WEB = Path(__file__).resolve().parents[2] / "web"
ESBUILD = WEB / "node_modules" / ".bin" / "esbuild"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="no Node here"),
    pytest.mark.skipif(not ESBUILD.exists(), reason="no esbuild here: run npm ci in web/"),
]


def seen(draft):
    """All that two documents can differ in."""
    return {
        "tags": sorted(draft.image_tags),
        "order": draft.order,
        "facts": [draft.rows[key].facts.model_dump() for key in draft.order],
        "masks": [[draft.mask(key, part).to_runs() for part in ("visible", "hidden")] for key in draft.order],
    }


def drawn(document):
    """The server's draft of a document as JSON."""
    width, height = document["size"]
    draft = Draft((height, width), frozenset(range(5)), sorted(document["image_tags"]))
    for segment in map(wire.Segment.model_validate, document["segments"]):
        facts = wire.SegmentFacts.model_validate(segment.model_dump(exclude={"visible", "hidden"}))
        apply(
            draft, [wire.Create(op="create", segment=facts, above=draft.order[-1] if draft.order else None)]
        )
        for part, mask in (("visible", segment.visible), ("hidden", segment.hidden)):
            if mask is not None:
                draft.put(segment.key, part, whole([(mask.box, mask.runs.encode())], draft.size))
    return draft


def test_random_gestures_merged_and_undone_in_the_browser_mean_the_same_to_the_server(tmp_path):
    script = tmp_path / "gestures.mjs"
    bundle = ["--bundle", "--platform=node", "--format=esm", "--log-level=error", f"--outfile={script}"]
    subprocess.run([str(ESBUILD), "bench/gestures.ts", *bundle], cwd=WEB, check=True)
    lines = subprocess.run([NODE, str(script), "25"], capture_output=True, text=True, check=True).stdout
    gestures = 0
    for number, case in enumerate(map(json.loads, lines.splitlines())):
        draft = drawn(case["before"])
        for sent in case["gestures"]:
            apply(draft, wire.Gesture.model_validate(sent).ops)
            gestures += 1
        assert seen(draft) == seen(drawn(case["after"])), f"case {number}"
        stack = [draft.mask(key) for key in draft.order]
        owned = Masks.concat(stack).union() if stack else Masks.empty(draft.size, 1)
        assert owned.area()[0] == sum(mask.area()[0] for mask in stack)
    assert gestures > 60
