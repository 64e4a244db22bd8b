"""Decoding: pictures are read by processes of their own, with limits on time and memory.

A file made to exhaust or break a decoder takes such a process down, never the server.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from inlay.server.refusals import Refused
from inlay.server.settings import Settings

WORKERS = 2


class Decoders:
    """Processes that turn image files into what a browser shows; started when they are needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._free: list[_Decoder] = []
        self._places = threading.Semaphore(WORKERS)
        self._lock = threading.Lock()

    def picture(self, source: Path, target: Path, side: int | None) -> dict[str, Any]:
        """Write an upright picture; its media type and size.

        Raises
        ------
        Refused
            With 422 when the file is no image, is too large, or takes too long.
        """
        return self._asked({"source": str(source), "target": str(target), "side": side})

    def pixels(self, source: Path, target: Path) -> None:
        """Write the upright pixels of an image as a NumPy file.

        Raises
        ------
        Refused
            With 422 when the file is no image, is too large, or takes too long.
        """
        self._asked({"source": str(source), "target": str(target), "raw": True})

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._one() as decoder:
            answer = decoder.ask(
                {**request, "pixels": self._settings.max_pixels}, self._settings.decode_seconds
            )
        if "error" in answer:
            raise Refused(422, str(answer["error"]))
        return answer

    @contextmanager
    def _one(self) -> Iterator[_Decoder]:
        with self._places:
            with self._lock:
                decoder = self._free.pop() if self._free else _Decoder(self._settings.decode_memory)
            yield decoder
            with self._lock:
                if decoder.alive:
                    self._free.append(decoder)

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            for decoder in self._free:
                decoder.end()
            self._free.clear()


class _Decoder:
    def __init__(self, memory: int) -> None:
        command = [sys.executable, "-m", "inlay.server.decoder", str(memory)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.alive = True

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        stdin, stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            line = self._line(stdout, time.monotonic() + seconds)
        except OSError:
            line = b""
        if line.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.end()
        return {
            "error": f"the image takes more than {seconds:g} s or too much memory to decode; tile it first"
        }

    def _line(self, stdout: IO[bytes], until: float) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([stdout], [], [], max(0.0, until - time.monotonic()))
            part = stdout.read1(65536) if ready else b""  # type: ignore[attr-defined]
            if not part:
                return b""
            line += part
        return line

    def end(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
