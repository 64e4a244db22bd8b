"""Guards: what every request is held to before a route sees it, and every answer before it leaves."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inlay.server.settings import Settings

DEPTH = 40  # of JSON; deeper nesting exhausts the stack of parsers
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guards:
    """An ASGI application around another one: host names, sizes of bodies, depth of JSON, headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith("/api"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        if _host(headers.get("host", "")) not in self._settings.answers_to:
            words = "this name is none of the studio's: open the address it printed, or set INLAY_HOSTS"
            await _refuse(guarded, 421, words)
            return
        if headers.get("content-type", "").split(";")[0].strip() == "application/octet-stream":
            await self._app(scope, receive, guarded)
            return
        body = await _read(receive, self._settings.max_body, headers)
        if body is None:
            await _refuse(guarded, 413, f"the body has more than {self._settings.max_body} bytes")
        elif _depth(body) > DEPTH:
            await _refuse(guarded, 400, f"the JSON is nested more than {DEPTH} deep")
        else:
            await self._app(scope, _replay(body, receive), guarded)


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header[1:].split("]")[0].lower()
    return header.rsplit(":", 1)[0].lower() if ":" in header else header.lower()


async def _read(receive: Receive, most: int, headers: Headers) -> bytes | None:
    """The whole body; None when it is too long, at once where its length is told."""
    told = headers.get("content-length", "0")
    if not told.isdecimal() or int(told) > most:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _depth(body: bytes) -> int:
    """The deepest nesting of brackets outside strings."""
    if body.count(b"[") + body.count(b"{") <= DEPTH:
        return 0
    letters = np.frombuffer(_without_strings(body), np.uint8)
    step = np.isin(letters, np.frombuffer(b"[{", np.uint8)).astype(np.int32)
    step -= np.isin(letters, np.frombuffer(b"]}", np.uint8))
    return int(np.cumsum(step).max(initial=0))


def _without_strings(body: bytes) -> bytes:
    parts = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    return b"".join(parts[::2])


async def _refuse(send: Send, status: int, words: str) -> None:
    body = json.dumps({"error": words, "where": None}).encode()
    headers: list[Any] = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
