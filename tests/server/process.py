"""`inlay label` as a user starts it, in a process of its own."""

from __future__ import annotations

import multiprocessing
import re
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from inlay.client import Client, StudioError
from inlay.core.errors import InlayError


class Server:
    """`inlay label` as a process of its own."""

    def __init__(self, images: Path, folder: Path) -> None:
        run = "import sys; from inlay.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", run, *_arguments(images, folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("studio: "):
            self.kill()
        assert line.startswith("studio: "), line
        self.link = _link(line)

    def log_in(self) -> Client:
        return _log_in(self.link)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


class Forked:
    """The same command in a process whose modules are loaded already: for many starts."""

    def __init__(self, images: Path, folder: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["inlay.cli", "inlay.server.running", "inlay.server.studio"])
        told, telling = context.Pipe(duplex=False)
        self.process = context.Process(target=_run, args=(telling, _arguments(images, folder)))
        self.process.start()
        telling.close()
        assert told.poll(120), "it says no address"
        self.link = _link(told.recv())
        told.close()

    def log_in(self) -> Client:
        return _log_in(self.link)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()


def _arguments(images: Path, folder: Path) -> list[str]:
    return ["label", str(images), "--project", str(folder), "--no-browser", "--port", "18800"]


def _run(telling: Connection, arguments: list[str]) -> None:
    from inlay.cli import main

    class Told:
        """Where the command prints: its lines go to the test."""

        def write(self, text: str) -> None:
            if text.startswith("studio: "):
                telling.send(text)

        def flush(self) -> None:
            """Nothing waits."""

        def isatty(self) -> bool:
            return False

    sys.stdout = Told()
    main(arguments)


def _link(line: str) -> str:
    return re.search(r"http\S+", line)[0]


def _log_in(link: str) -> Client:
    until = time.monotonic() + 20
    while True:
        try:
            return Client(link)
        except StudioError:
            raise
        except InlayError:
            assert time.monotonic() < until
            time.sleep(0.05)
