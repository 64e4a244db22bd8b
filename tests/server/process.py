"""`inlay label` as a user starts it, in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from inlay.client import Client, StudioError
from inlay.core.errors import InlayError


class Server:
    """`inlay label` as a process of its own."""

    def __init__(self, images: Path, folder: Path) -> None:
        run = "import sys; from inlay.cli import main; sys.exit(main())"
        options = ["--project", str(folder), "--no-browser", "--port", "18800"]
        command = [sys.executable, "-c", run, "label", str(images), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("studio: "):
            self.kill()
        assert line.startswith("studio: "), line
        self.link = re.search(r"http\S+", line)[0]

    def log_in(self) -> Client:
        until = time.monotonic() + 20
        while True:
            try:
                return Client(self.link)
            except StudioError:
                raise
            except InlayError:
                assert time.monotonic() < until
                time.sleep(0.05)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
