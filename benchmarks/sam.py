"""Processor time of click to segment with networks of the SAM family at their real sizes, on one core.

Weights are random: masks cover half of the image, which is the worst for large ones.

python benchmarks/sam.py                          # SAM 2 (Hiera tiny), images of 0.3 and 48 megapixels
python benchmarks/sam.py --kinds sam sam2
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

SIZES = ((480, 640), (6000, 8000))
CLICKS = 12


def written(kind: str, folder: Path) -> Path:
    """A folder with a network of the usual size and random weights."""
    import transformers

    classes = {"sam": "Sam", "sam_hq": "SamHQ", "sam2": "Sam2"}
    transformers.utils.logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = getattr(transformers, f"{classes[kind]}Config")()
        getattr(transformers, f"{classes[kind]}Model")(config).save_pretrained(folder)
    return folder


def measure(kind: str, place: Path) -> None:
    import torch

    from inlay.click.parts.embeddings import Embeddings
    from inlay.click.sam import Sam

    torch.set_num_threads(1)
    folder, kept = written(kind, place / kind), place / "kept"
    before = time.process_time()
    engine = Sam(folder, kind, Embeddings(kept))
    print(f"{kind}: opened in {time.process_time() - before:.1f} s")
    rng = np.random.default_rng(0)
    for height, width in SIZES:
        image = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
        seconds = []
        for _ in range(2):
            before = time.process_time()
            state = engine.embed(image)
            seconds.append(time.process_time() - before)
        bytes_kept = max(path.stat().st_size for path in kept.iterdir())
        clicks = []
        for x, y in rng.uniform((0, 0), (width, height), (CLICKS, 2)):
            before = time.process_time()
            state.mask(points=[(x, y, True)])
            clicks.append(1000 * (time.process_time() - before))
        print(
            f"  {width}x{height}: embedded in {seconds[0]:.1f} s, again from disk in {seconds[1]:.2f} s "
            f"({bytes_kept / 1e6:.1f} MB); click to masks {np.median(clicks):.0f} ms at the median, "
            f"{max(clicks):.0f} ms at most"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=["sam2"], choices=("sam", "sam_hq", "sam2"))
    kinds = parser.parse_args().kinds
    with tempfile.TemporaryDirectory() as place:
        for kind in kinds:
            measure(kind, Path(place))


if __name__ == "__main__":
    main()
