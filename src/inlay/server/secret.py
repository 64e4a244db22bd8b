"""Secrets: tokens, digests and passwords. Only digests are stored."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True)
class Secret:
    """The random key of one studio, made at its first start."""

    key: bytes

    @classmethod
    def of_folder(cls, folder: Path) -> Secret:
        """The key in a folder; a new one where there is none, readable by its owner alone."""
        path = folder / "secret"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
            if len(key) >= 32:
                return cls(key)
            path.unlink()  # the first start was cut off
            return cls.of_folder(folder)
        with os.fdopen(handle, "wb") as file:
            key = secrets.token_bytes(32)
            file.write(key)
        return cls(key)

    def sign(self, words: str) -> str:
        """A token that only this studio can make of some words."""
        return hmac.new(self.key, words.encode(), hashlib.sha256).hexdigest()[:40]

    @staticmethod
    def same(mine: str, theirs: str) -> bool:
        """Whether two tokens are the same, in constant time."""
        return hmac.compare_digest(mine.encode(), theirs.encode())


def new_token() -> str:
    """A token for a cookie or a link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """What is stored of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{hashlib.scrypt(password.encode(), salt=salt, **SCRYPT).hex()}"


def is_password(password: str, stored: str) -> bool:
    """Whether a password is the stored one; as slow where none is stored, so that time tells nothing."""
    salt, _, known = stored.partition(":")
    found = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt or "00" * 16), **SCRYPT).hex()
    return hmac.compare_digest(found, known) and bool(stored)
