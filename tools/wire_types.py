"""Prints TypeScript types of the OpenAPI document: `python tools/wire_types.py > web/src/schema.d.ts`."""

from __future__ import annotations

import json
import sys
from typing import Any

Schema = dict[str, Any]
HEAD = "/** Made by `python tools/wire_types.py` from the server's OpenAPI document: do not edit. */\n"
PLAIN = ("number", "null", "boolean", "string")
METHODS = ("get", "post", "put", "patch", "delete")


def type_of(schema: Schema) -> str:
    """The TypeScript type of a JSON schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(type_of(part) for part in schema[key]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    return _plain(schema)


def _plain(schema: Schema) -> str:
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" in schema:
            return f"readonly [{', '.join(type_of(part) for part in schema['prefixItems'])}]"
        inner = type_of(schema.get("items", {}))
        return f"readonly ({inner})[]" if " " in inner else f"readonly {inner}[]"
    if kind == "object":
        if "properties" in schema:
            return "{ " + " ".join(_fields(schema)) + " }"
        extra = schema.get("additionalProperties")
        if "propertyNames" in schema:
            return f"Readonly<Partial<Record<{type_of(schema['propertyNames'])}, {type_of(extra or {})}>>>"
        return f"Readonly<Record<string, {type_of(extra) if isinstance(extra, dict) else 'unknown'}>>"
    return "number" if kind == "integer" else str(kind) if kind in PLAIN else "unknown"


def _fields(schema: Schema) -> list[str]:
    needed = set(schema.get("required", ()))
    return [
        f"readonly {name}{'' if name in needed else '?'}: {type_of(field)};"
        for name, field in schema.get("properties", {}).items()
    ]


def interface(name: str, schema: Schema) -> str:
    """One named type."""
    words = f"/** {schema['description'].splitlines()[0]} */\n" if "description" in schema else ""
    if "properties" not in schema and schema.get("type") == "object":
        return f"{words}export type {name} = Readonly<Record<string, never>>;\n"
    if "properties" not in schema:
        return f"{words}export type {name} = {type_of(schema)};\n"
    lines = "".join(f"  {field}\n" for field in _fields(schema))
    return f"{words}export interface {name} {{\n{lines}}}\n"


def route(path: str, method: str, operation: Schema) -> str:
    """One line of the table of routes: what goes in, what comes back."""
    body = operation.get("requestBody", {}).get("content", {})
    json_body = body.get("application/json", {}).get("schema")
    sent = type_of(json_body) if json_body else "Blob" if body else "undefined"
    query = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    asked = "; ".join(f"{p['name']}{'' if p.get('required') else '?'}: {type_of(p['schema'])}" for p in query)
    good = next((answer for code, answer in operation["responses"].items() if code.startswith("2")), {})
    content = good.get("content", {}).get("application/json", {}).get("schema")
    back = type_of(content) if content else "undefined"
    query_type = f"{{ {asked} }}" if asked else "Record<never, never>"
    return f'  "{method.upper()} {path}": {{ body: {sent}; query: {query_type}; answer: {back} }};\n'


def typescript(document: Schema) -> str:
    """All types and the table of routes."""
    schemas = {
        name: schema
        for name, schema in sorted(document["components"]["schemas"].items())
        if name not in ("HTTPValidationError", "ValidationError")
    }
    types = "".join("\n" + interface(name, schema) for name, schema in schemas.items())
    routes = "".join(
        route(path, method, operations[method])
        for path, operations in sorted(document["paths"].items())
        for method in METHODS
        if method in operations
    )
    return f"{HEAD}{types}\n/** What each route takes and gives. */\nexport interface Routes {{\n{routes}}}\n"


if __name__ == "__main__":
    from inlay.server.openapi import document

    sys.stdout.write(typescript(json.loads(document())))
