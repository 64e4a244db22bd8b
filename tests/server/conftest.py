"""A studio over a few drawn images, answering on a port of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inlay.client import Client

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from PIL import Image

from inlay.server import running
from inlay.server.settings import Settings
from inlay.server.store import people
from inlay.server.studio import open_studio

from .talking import SIZE


def draw_images(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    for number in range(count):
        pixels = rng.integers(0, 255, (*SIZE, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"frame{number}.png")
    return folder


class Running:
    """A studio that answers."""

    def __init__(self, studio, project_id, owner):
        self.studio, self.project_id, self.owner = studio, project_id, owner
        self.clients = []
        self.address = f"http://127.0.0.1:{studio.settings.port}"

    def log_in(self, name: str | None = None, role: str | None = None) -> Client:
        """A client of a person, who becomes a member with `role`."""
        studio = self.studio
        with studio.database.writing() as db:
            user_id = self.owner if name is None else people.find_user(db, name) or people.new_user(db, name)
            if role is not None:
                people.join(db, self.project_id, user_id, role)
        self.clients.append(Client(running.link(studio, user_id)))
        return self.clients[-1]

    def project(self, client: Client):
        return client.request("GET", f"/api/projects/{self.project_id}")


@contextmanager
def run_studio(images: Path, folder: Path, database: str = "", **changes):
    settings = replace(Settings(folder, database, (str(images),), port=0, logins=10_000), **changes)
    settings, listener = running.free_port(settings)
    studio = open_studio(settings)
    server = running.server_of(studio)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        project_id, owner = running.prepare(studio, str(images))
        studio.workers.wait()
        wait_for_port(studio.settings.port)
        found = Running(studio, project_id, owner)
        yield found
        for client in found.clients:
            client.close()
    finally:
        studio.events.close()
        server.should_exit = True
        thread.join(10)
        studio.close()
        listener.close()


def wait_for_port(port: int, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < until, "the studio does not answer"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def postgres_cluster():
    """Address of a PostgreSQL server of our own, in a folder its user may enter: not of pytest."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL on this machine: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="inlay-postgres-"))
    run_as = _other_user(folder)
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [*run_as, programs / "initdb", "-D", data, "-U", "inlay", "-A", "trust", "-N"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    start = [
        *run_as,
        programs / "pg_ctl",
        "-D",
        data,
        "-w",
        "-t",
        "300",
        "-l",
        data / "log",
        "-o",
        options,
        "start",
    ]
    subprocess.run(start, check=True, capture_output=True, cwd=folder)
    yield f"postgresql://inlay@127.0.0.1:{port}/postgres"
    subprocess.run(
        [*run_as, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], capture_output=True, cwd=folder
    )
    shutil.rmtree(folder, ignore_errors=True)


def postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = shutil.which("initdb")
    programs = [file for file in ([Path(path)] if path else []) + found if (file.parent / "pg_ctl").is_file()]
    return programs[-1].parent if programs else None


def _other_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: what to put before its commands."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


@pytest.fixture
def postgres(postgres_cluster):
    """Address of an empty database."""
    import psycopg

    name = f"studio_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres_cluster.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
def images(tmp_path) -> Path:
    return draw_images(tmp_path / "photos")


@pytest.fixture(params=["sqlite", "postgresql"])
def studio(request, images, tmp_path):
    """A studio, on each database."""
    database = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with run_studio(images, tmp_path / "kept", database) as found:
        yield found


@pytest.fixture
def small_studio(images, tmp_path):
    """A studio on SQLite, where the database is not the point."""
    with run_studio(images, tmp_path / "kept") as found:
        yield found
