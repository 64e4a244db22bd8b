"""`inlay predict`: segment images with a trained model."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from inlay.cli.console import open_images, progress_bar


def predict(
    run: Path,
    images: Path,
    /,
    *,
    out: Path,
    stuff: Path | None = None,
    stuff_area: int = 4096,
    to: str = "native",
    split: str | None = None,
    minimum_score: float | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    flips: bool = False,
    refine: int = 0,
    batch: int | None = None,
    device: str = "auto",
    lossy: bool = False,
    overwrite: bool = False,
) -> int:
    """Segment a folder of images, or the images of a dataset, and write the result in any format.

    Example: `inlay predict runs/street photos --out predictions --to coco`

    Parameters
    ----------
    run
        Run folder, ONNX file of `inlay export`, folder of a pretrained network, or hub:OWNER/NAME.
    images
        Folder of images, one image, or a dataset.
    out
        File or folder to write.
    stuff
        Run folder or ONNX file of a second model: its stuff is put behind the things of RUN, and no pixel
        belongs to two segments. Things need a score of 0.5 then, unless `--minimum-score` says otherwise.
    stuff_area
        With --stuff: least pixels that a class of stuff has.
    to
        Format to write.
    split
        Only this split of a dataset.
    minimum_score
        Leave out segments below this score.
    tile
        Largest side of what the model sees at once, pixels: larger images are cut into overlapping tiles and
        put together without a seam. Default: images over 4 megapixels in tiles of 1024.
    overlap
        Pixels that tiles share: the size of a usual object (default 192).
    flips
        Look at mirrored images too and take the mean: surer, at twice the time.
    refine
        Rounds in which a dense CRF draws classes of pixels to the edges in the image: 5 is usual.
    batch
        Images or tiles of one size at once (default: 8 on a GPU, else 1).
    device
        "cpu", "cuda", "cuda:1"; "auto" takes a GPU where there is one.
    lossy
        Write even where the format cannot hold everything.
    overwrite
        Replace what lies at OUT.
    """
    from inlay.formats import write
    from inlay.training import predict as run_model
    from inlay.training.panoptic import predict_panoptic

    model = partial(predict_panoptic, run, stuff, stuff_area=stuff_area) if stuff else partial(run_model, run)
    dataset = model(
        open_images(images, split=split),
        minimum_score=minimum_score,
        tile=tile,
        overlap=overlap,
        flips=flips,
        refine=refine,
        batch=batch,
        device=device,
    )
    with progress_bar("predicting") as progress:
        receipt = write(dataset, out, to=to, lossy=lossy, overwrite=overwrite, progress=progress)
    print(receipt)
    return 0
