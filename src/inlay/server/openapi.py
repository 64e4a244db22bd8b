"""Prints the OpenAPI document that types the front end: `python -m inlay.server.openapi`."""

from __future__ import annotations

import json
import sys

from inlay.server.app import routed


def document() -> str:
    """The OpenAPI document as JSON in a stable order."""
    return json.dumps(routed().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
