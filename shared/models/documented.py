"""What a model's JSON Schema says beyond its fields: formats, and rules across fields. It validates
nothing: whoever reads the schema is told what the model's own validators refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import WithJsonSchema

Schema = dict[str, Any]
Change = Callable[[Schema], None]

AS_UUID = WithJsonSchema({"type": "string", "format": "uuid"})
NULL = {"type": "null"}


def exactly_one(*names: str, **more: Any) -> Change:
    """For `json_schema_extra`: of these fields one is given."""

    def change(schema: Schema) -> None:
        for name in names:
            _never_null(schema["properties"][name])
        schema["oneOf"] = [{"required": [name]} for name in names]
        schema.update(more)

    return change


def given_or_absent(schema: Schema) -> None:
    """For `json_schema_extra`: a null is as good as nothing, so nothing has to be null."""
    for field in schema["properties"].values():
        _never_null(field)


def at_least_one(schema: Schema) -> None:
    """The same, where nothing at all says nothing."""
    given_or_absent(schema)
    schema["minProperties"] = 1


def _never_null(field: Schema) -> None:
    if NULL not in field.get("anyOf", []):
        return
    kinds = [kind for kind in field.pop("anyOf") if kind != NULL]
    field.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
    if field.get("default", ...) is None:
        del field["default"]
