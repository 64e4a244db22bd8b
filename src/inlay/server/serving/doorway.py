"""The doorway: what a request must be before its image is looked at, and what every answer carries."""

from __future__ import annotations

import json
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inlay.server.serving.limits import Limits
from inlay.server.serving.meter import Meter

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
OPEN = ("/health",)  # needs no token: what watches a server has none


class Doorway:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, limits: Limits, meter: Meter) -> None:
        self._app, self._limits, self._meter = app, limits, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._meter.request(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(Headers(scope=scope), scope["path"])
        if refusal is None:
            await self._app(scope, receive, counted)
        else:
            await _refuse(counted, *refusal)

    def _refusal(self, headers: Headers, path: str) -> tuple[int, str] | None:
        if _host(headers.get("host", "")) not in self._limits.hosts:
            return 421, "this name is none of the server's: start it with --hosts NAME"
        if "origin" in headers:
            return 403, "pages of a browser are not served: ask from your own server"
        given = headers.get("authorization", "").removeprefix("Bearer ").encode()
        known = secrets.compare_digest(given, self._limits.token.encode())
        if self._limits.token and path not in OPEN and not known:
            return 401, "the token is missing or wrong: send `Authorization: Bearer TOKEN`"
        told = headers.get("content-length", "0")
        if not told.isdecimal() or int(told) > self._limits.max_body:
            return 413, f"the body has more than {self._limits.max_body} bytes"
        return None


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header[1:].split("]")[0].lower()
    return header.rsplit(":", 1)[0].lower()


async def _refuse(send: Send, status: int, words: str) -> None:
    kind = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if status == 401:
        kind.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": json.dumps({"error": words}).encode()})
