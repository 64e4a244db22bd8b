"""`inlay serve`: a trained model over HTTP."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inlay.core.errors import InlayError, MissingExtraError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from inlay.server.serving.limits import Limits
    from inlay.training.segmenting import Looking

SERVER: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "timeout_keep_alive": 10,
    "timeout_graceful_shutdown": 10,
    "h11_max_incomplete_event_size": 64 << 10,
}


def serve(
    run: Path,
    /,
    *,
    port: int = 8010,
    host: str = "127.0.0.1",
    hosts: str = "",
    device: str = "auto",
    batch: int = 8,
    tile: int | None = None,
    overlap: int | None = None,
    flips: bool = False,
    minimum_score: float | None = None,
    queue: int = 32,
    seconds: float = 120.0,
    max_megabytes: int = 64,
    max_megapixels: int = 200,
) -> int:
    """Answer HTTP: an image in, its segmentation in any format out.

    Example: `inlay serve runs/street`, then
    `curl --data-binary @photo.jpg 'http://127.0.0.1:8010/predict?to=coco'`

    Other machines reach it only with `--host 0.0.0.0`; then every request needs the token of INLAY_TOKEN, or
    one that is made and printed. Put a proxy with https before it.

    Parameters
    ----------
    run
        Run folder, ONNX file of `inlay export`, folder of a pretrained network, or hub:OWNER/NAME.
    port, host
        Where to listen.
    hosts
        Names under which clients address it (a proxy's), with commas between.
    device
        "cpu", "cuda", "cuda:1"; "auto" takes a GPU where there is one.
    batch
        Images of one size that wait are looked at together, up to so many.
    tile, overlap, flips, minimum_score
        As in `inlay predict`.
    queue
        Most images that wait; more are sent away with status 503.
    seconds
        Longest time from a request to its answer.
    max_megabytes, max_megapixels
        Largest image file, and image.
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn

        from inlay.server.serving.limits import Limits
        from inlay.server.settings import LOOPBACK
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "studio") from None
    from inlay.cli.console import words
    from inlay.training.segmenting import Looking

    if min(queue, seconds, max_megabytes, max_megapixels) <= 0 or not 0 <= port < 65536:
        raise InlayError(
            "--queue, --seconds, --max-megabytes and --max-megapixels are above 0; a port is < 65536"
        )
    token = os.environ.get("INLAY_TOKEN", "")
    if not token and host not in LOOPBACK:
        token = secrets.token_urlsafe(24)
    names = frozenset({*LOOPBACK, *words(hosts), host.lower()} - {"0.0.0.0", "::"})
    limits = Limits(
        names, token, max_megabytes << 20, max_megapixels * 1_000_000, queue=queue, seconds=seconds
    )
    app = _app(run, Looking(tile, overlap, flips, batch, minimum_score), limits, device)
    print(f"serving {run} at http://{host}:{port}/predict (Ctrl-C stops it)")
    if token and "INLAY_TOKEN" not in os.environ:
        print(f"token: {token} (INLAY_TOKEN chooses it; put a proxy with https before)", file=sys.stderr)
    sys.stdout.flush()
    uvicorn.run(app, host=host, port=port, **SERVER, limit_concurrency=4 * queue + 16)
    return 0


def _app(run: Path, looking: Looking, limits: Limits, device: str) -> FastAPI:
    """The application around the model of a run."""
    from inlay.server.serving.app import create_app
    from inlay.training.prediction import opened

    model = opened(run)
    segmenter = model.segmenter(device)
    return create_app(
        lambda images: segmenter.images(images, looking),
        model.classes,
        run.name,
        batch=looking.batch,
        limits=limits,
    )
