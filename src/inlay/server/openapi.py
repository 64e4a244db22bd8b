"""Prints the OpenAPI document that types the front end: `python -m inlay.server.openapi`."""

from __future__ import annotations

import json
import sys

from inlay.server import forms
from inlay.server.app import routed


def document() -> str:
    """The OpenAPI document as JSON in a stable order; with events, though no route returns them."""
    found = routed().openapi()
    schemas = found["components"]["schemas"]
    schemas.setdefault("Event", forms.Event.model_json_schema(ref_template="#/components/schemas/{model}"))
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
