"""The application of a served model."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.server.decoding import Decoders
from inlay.server.refusals import Refused
from inlay.server.serving.answers import written
from inlay.server.serving.doorway import Doorway
from inlay.server.serving.limits import Limits
from inlay.server.serving.meter import Meter
from inlay.server.serving.waiting import Waiting
from inlay.server.settings import Settings

log = logging.getLogger("inlay.serving")
Segment = Callable[[list[NDArray[np.uint8]]], list[Segmentation]]


def create_app(
    segment: Segment, classes: Classes, name: str, *, batch: int = 1, limits: Limits | None = None
) -> FastAPI:
    """The application around a model.

    Parameters
    ----------
    segment
        From images of one size to their segmentations; called from one thread.
    classes
        That it knows.
    name
        Of the model, for those who ask.
    batch
        Images that it looks at together.
    """
    from inlay import __version__

    limits = limits or Limits()
    meter = Meter()
    waiting = Waiting(segment, batch=batch, most=limits.queue, seen=meter.batch)
    decoders = Decoders(
        Settings(
            Path(),
            max_pixels=limits.max_pixels,
            decode_seconds=limits.seconds,
            decode_memory=limits.decode_memory,
        )
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        waiting.close()
        decoders.close()

    app = FastAPI(
        title=f"Inlay: {name}", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.waiting = waiting

    @app.get("/health")
    def health() -> Response:
        """Whether the model answers, what it is and which classes it knows."""
        state = {"ready": waiting.alive, "model": name, "waiting": len(waiting)}
        rows = [{"name": row.name, "kind": row.kind} for row in classes.rows]
        return JSONResponse({**state, "classes": rows}, 200 if waiting.alive else 503)

    @app.get("/metrics")
    def metrics() -> Response:
        """Figures for Prometheus."""
        return PlainTextResponse(meter.text(len(waiting)))

    @app.post("/predict")
    async def predict(request: Request, to: str = "coco", *, lossy: bool = False) -> Response:
        """Segment the image in the body; `to` names the format of the answer."""
        until = time.monotonic() + limits.seconds
        body = await _body(request, limits)

        def answer() -> Response:
            image = _pixels(decoders, body)
            found = waiting.ask(image, until - time.monotonic())
            meter.segments(len(found))
            file = written(image, found, to, lossy=lossy, most=limits.max_answer)
            headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
            return Response(file.content, media_type=file.kind, headers=headers)

        return await run_in_threadpool(answer)

    for kind, told in ANSWERS.items():
        app.add_exception_handler(kind, told)
    app.add_middleware(Doorway, limits=limits, meter=meter)
    return app


async def _body(request: Request, limits: Limits) -> bytes:
    """The whole body, within its limits of bytes and time."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.seconds):
            async for part in request.stream():
                size += len(part)
                if size > limits.max_body:
                    raise Refused(413, f"the body has more than {limits.max_body} bytes")
                parts.append(part)
    except TimeoutError:
        raise Refused(408, "the image did not arrive in time") from None
    if not size:
        raise Refused(422, "there is no image: send the bytes of its file as the body")
    return b"".join(parts)


def _pixels(decoders: Decoders, body: bytes) -> NDArray[np.uint8]:
    """The upright pixels of an image file, decoded in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="inlay-serve-") as folder:
        source, target = Path(folder) / "image", Path(folder) / "pixels.npy"
        source.write_bytes(body)
        decoders.pixels(source, target)
        pixels: NDArray[np.uint8] = np.load(target)
        return pixels


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {"Retry-After": "5"} if error.status == 503 else None
    return JSONResponse({"error": error.words}, error.status, headers)


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return JSONResponse({"error": f"{first['loc'][-1]}: {first['msg']}"}, 422)


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = "there is no such route: POST an image to /predict" if error.status_code == 404 else error.detail
    return JSONResponse({"error": words}, error.status_code, error.headers)


def _broken(_: Request, error: Exception) -> Response:
    log.exception("a request broke", exc_info=error)
    return JSONResponse({"error": "the server broke on this; its log says where"}, 500)


ANSWERS: dict[Any, Any] = {
    Refused: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
    Exception: _broken,
}
