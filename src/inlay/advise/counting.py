"""A page for a quick count: a click on each object of some images, and what labels cost follows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay import page
from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset

SIDE = 640  # pixels of the longer side of a picture on the page


def write_count_page(
    pool: Dataset, path: Path, *, sample: int = 12, wage: float = 18.0, seed: int = 0
) -> list[str]:
    """Write a page with images by lot to count objects in; gives their names.

    A click counts an object, a second one on its dot takes it away; a line drawn across an object measures
    it. The page makes the line for `inlay advise cost`.

    Raises
    ------
    InlayError
        When the pool has no image.
    """
    if not len(pool) or sample < 1:
        raise InlayError(f"{sample} images of {len(pool)} leave nothing to count in")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(pool))[:sample])
    names = [pool.names[place] for place in chosen]
    cards = [
        page.Html(f'<div class="count">{page.picture(_small(pool[name].pixels()), name, name)}</div>')
        for name in names
    ]
    line = page.Html(f'<pre id="line" data-images="{len(pool)}" data-wage="{wage:g}"></pre>')
    intro = (
        f"{len(names)} of {len(pool)} images, by lot. Click each object; click its dot to take it away. Draw "
        "a line across a few objects of usual size. An image without objects counts as well."
    )
    body = page.section("What you have counted", line) + page.grid(cards, width="24rem")
    page.write_page(path, page.page("Quick count", body, intro=intro, style=STYLE, script=SCRIPT))
    return names


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    return np.asarray(image)


STYLE = """
.count figure{position:relative;margin:0}.count img{width:100%;height:auto;display:block;cursor:crosshair}
.dot{position:absolute;width:14px;height:14px;margin:-7px;border-radius:50%;background:#e11d48;
border:2px solid #fff;padding:0;cursor:pointer}.count figcaption{padding:.4rem 0}
#line{white-space:pre-wrap;user-select:all;position:sticky;top:0}
"""

SCRIPT = """
const figures = [...document.querySelectorAll(".count figure")], sizes = [];
function tell() {
  const line = document.getElementById("line");
  const counts = figures.map((each) => each.querySelectorAll(".dot").length);
  figures.forEach((each, k) => {
    const caption = each.querySelector("figcaption");
    caption.dataset.name ??= caption.textContent;
    caption.textContent = `${caption.dataset.name}: ${counts[k]}`;
  });
  const size = sizes.length ? sizes.reduce((a, b) => a + b) / sizes.length : 0.1;
  line.textContent = `inlay advise cost --objects ${counts.join(",")} --size ${size.toFixed(3)} ` +
    `--images ${line.dataset.images} --wage ${line.dataset.wage}` +
    (sizes.length ? "" : "\\n(no size measured yet: 0.1 of the diagonal is a guess)");
}
for (const figure of figures) {
  const image = figure.querySelector("img");
  let start = null;
  image.draggable = false;
  image.addEventListener("pointerdown", (event) => { start = event; });
  image.addEventListener("pointerup", (event) => {
    if (!start) return;
    const box = image.getBoundingClientRect();
    const length = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
    if (length > 6) sizes.push(length / Math.hypot(box.width, box.height));
    else {
      const dot = document.createElement("button");
      dot.className = "dot"; dot.title = "take it away";
      dot.style.left = `${100 * (event.clientX - box.left) / box.width}%`;
      dot.style.top = `${event.clientY - box.top}px`;
      dot.addEventListener("click", () => { dot.remove(); tell(); });
      figure.append(dot);
    }
    start = null;
    tell();
  });
}
tell();
"""
