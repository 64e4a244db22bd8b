"""A thousand segments in the real page: all of them saved, and the memory stays where it was."""

from __future__ import annotations

CEILING = 60 << 20  # bytes of the page's heap, garbage taken out
DRAW = """(count) => {
    for (let i = 0; i < count; i++) {
        const [x, y] = [(i % 40) * 4, Math.floor(i / 40) * 4];
        inlay.editor.select([]);
        inlay.editor.draw("box", {box: [x, y, x + 4, y + 4], bits: new Uint8Array(16).fill(1)});
    }
}"""


def test_a_thousand_segments_are_drawn_saved_and_changed_within_the_memory_they_need(desk):
    page = desk.page
    desk.press("0")
    page.evaluate(DRAW, 1000)
    assert desk.same().segments() == 1000
    before = heap(page)
    desk.press("b")
    for row in range(10, 110, 10):  # strokes across forty segments each
        desk.press("Escape")
        desk.drag((2, row), (150, row + 3))
        desk.press("Control+z")
    assert desk.same().segments() == 1000
    page.evaluate("() => { for (let i = 0; i < 50; i++) { inlay.editor.undo(); inlay.editor.redo(); } }")
    assert desk.same().segments() == 1000
    after = heap(page)
    assert after < CEILING and after - before < CEILING / 4, (before, after)
    assert desk.reload().segments() == 1000


def heap(page) -> float:
    """Bytes that the page's scripts hold."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in metrics(devtools)}
    devtools.detach()
    return found["JSHeapUsedSize"]


def metrics(devtools):
    devtools.send("Performance.enable")
    return devtools.send("Performance.getMetrics")["metrics"]
