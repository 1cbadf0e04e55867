"""Rules that a model's JSON Schema states beyond its fields: formats, and rules across fields.

It validates nothing. It documents what the model's own validators refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import WithJsonSchema

Schema = dict[str, Any]
Change = Callable[[Schema], None]

AS_UUID = WithJsonSchema({"type": "string", "format": "uuid"})
NULL = {"type": "null"}
EXAMPLE_PLAYER_ID = "1dd608f2-c6a1-11e3-851d-000c2940e62c"
SCHEMA_REF_PREFIX = "#/components/schemas/"


def exactly_one(*names: str, **more: Any) -> Change:
    """Return a `json_schema_extra` by which one of these fields is given."""

    def change(schema: Schema) -> None:
        for name in names:
            _never_null(schema["properties"][name])
        schema["oneOf"] = [{"required": [name]} for name in names]
        schema.update(more)

    return change


def given_or_absent(schema: Schema) -> None:
    """Drop null from each field's types, as `json_schema_extra`: absent means the same."""
    for field in schema["properties"].values():
        _never_null(field)


def at_least_one(schema: Schema) -> None:
    """Require one of the fields, none of them null, as `json_schema_extra`."""
    given_or_absent(schema)
    schema["minProperties"] = 1


def _never_null(field: Schema) -> None:
    if NULL not in field.get("anyOf", []):
        return
    kinds = [kind for kind in field.pop("anyOf") if kind != NULL]
    field.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
    if field.get("default", ...) is None:
        del field["default"]
