"""Settings: where the studio keeps its things, whom it answers, and how much it takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FOLDER = ".inlay"


@dataclass(frozen=True)
class Settings:
    """Settings of one server.

    Parameters
    ----------
    folder
        Where the studio keeps its database, secret, caches and exports.
    database
        SQLAlchemy URL; empty: SQLite in `folder`.
    roots
        Folders (or fsspec URLs) of images; projects are made of nothing outside them.
    host, port
        Where to listen; other machines reach it only when `host` says so.
    hosts
        Further names under which browsers may address the server: a proxy's.
    secure
        Whether browsers reach it by https alone: cookies then travel no other way.
    max_body, max_upload
        Most bytes of a JSON body and of an uploaded file.
    max_unpacked, max_entries
        Most bytes and files that an uploaded archive may unpack to.
    max_pixels
        Most pixels of an image that is decoded.
    decode_seconds, decode_memory
        Limits of the process that decodes an image; seconds, bytes.
    logins
        Attempts to log in that a minute allows one address.
    heavy
        Imports and exports that one person may have waiting.
    """

    folder: Path
    database: str = ""
    roots: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8008
    hosts: tuple[str, ...] = ()
    secure: bool = False
    max_body: int = 32 << 20
    max_upload: int = 4 << 30
    max_unpacked: int = 16 << 30
    max_entries: int = 1_000_000
    max_pixels: int = 200_000_000
    decode_seconds: float = 60.0
    decode_memory: int = 6 << 30
    logins: int = 10
    heavy: int = 4

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        if not self.database:
            return f"sqlite:///{self.folder.absolute() / 'studio.db'}"
        for short in ("postgresql://", "postgres://"):
            if self.database.startswith(short):
                return "postgresql+psycopg://" + self.database.removeprefix(short)
        return self.database

    @property
    def answers_to(self) -> frozenset[str]:
        """The names in a Host header that are ours; another one is a page that plays us (DNS rebinding)."""
        return frozenset({*LOOPBACK, self.host, *self.hosts} - {"0.0.0.0", "::", ""})


def from_environment(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings of a folder with what INLAY_DATABASE, INLAY_HOSTS and INLAY_SECURE say."""
    said = os.environ if environment is None else environment
    hosts = tuple(name.strip() for name in said.get("INLAY_HOSTS", "").split(",") if name.strip())
    return Settings(
        folder, said.get("INLAY_DATABASE", ""), hosts=hosts, secure=said.get("INLAY_SECURE", "") == "1"
    )
