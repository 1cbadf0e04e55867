"""/docs: the OpenAPI document as one plain page, without scripts and without anybody else's files."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import orjson
from fastapi import FastAPI, Response

Node = dict[str, Any]

DOCUMENTED_METHODS = ("get", "put", "post", "patch", "delete")
DOCS_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .25rem 0; } details > :not(summary) { margin-left: 1.2rem; }
pre { background: #f3f3f3; padding: .6rem; overflow-x: auto; font-size: 13px; }
td, th { text-align: left; vertical-align: top; padding: 0 .8rem .2rem 0; }
b { display: inline-block; min-width: 4rem; }
"""


def add_docs_page(app: FastAPI) -> None:
    """Serve /docs. Which addresses may see it, `shared.http.responses.PrivatePaths` decides."""
    page = b""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        nonlocal page
        page = page or render_page(app.openapi()).encode()
        return Response(page, headers=DOCS_HEADERS, media_type="text/html; charset=utf-8")


def render_page(document: Node) -> str:
    info, schemas = document["info"], document.get("components", {}).get("schemas", {})
    title = escape(f"{info['title']} {info['version']}")
    routes = [
        _route(path, method, operation, schemas)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in DOCUMENTED_METHODS
    ]
    shapes = [
        f'<details id="{escape(name)}"><summary>{escape(name)}</summary>{_json(schema)}</details>'
        for name, schema in sorted(schemas.items())
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{_text(info.get('description'))}"
        f'<p>For tools: <a href="/openapi.json">/openapi.json</a></p>'
        f"<h2>Routes</h2>{''.join(routes)}<h2>Shapes</h2>{''.join(shapes)}</html>"
    )


def _route(path: str, method: str, operation: Node, schemas: Node) -> str:
    parts = [_text(operation.get("description")), _parameters(operation.get("parameters", []))]
    if "requestBody" in operation:
        parts.append(f"<h4>Body</h4>{_content(operation['requestBody'], schemas)}")
    for status, answer in operation.get("responses", {}).items():
        heading = escape(f"{status} {answer.get('description', '')}")
        parts.append(f"<h4>{heading}</h4>{_content(answer, schemas)}")
    line = f"<b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
    return f"<details><summary>{line}</summary>{''.join(parts)}</details>"


def _parameters(parameters: list[Node]) -> str:
    rows = [
        f"<tr><td><code>{escape(one['name'])}</code><td>{escape(one['in'])}"
        f"<td>{'required' if one.get('required') else ''}<td>{escape(one.get('description', ''))}"
        f"<td><code>{escape(_dump(one.get('schema', {})))}</code>"
        for one in parameters
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _content(holder: Node, schemas: Node) -> str:
    return "".join(
        f"<p><code>{escape(media)}</code> {_shape_links(content.get('schema', {}))}</p>"
        + "".join(_json(example) for example in _examples(content, schemas))
        for media, content in holder.get("content", {}).items()
    )


def _examples(content: Node, schemas: Node) -> Iterator[Any]:
    """Yield those of the body itself, else those of its shape."""
    schema = content.get("schema", {})
    for holder in (content, schema, schemas.get(_name_of(schema), {})):
        examples = holder.get("examples", [])
        named = examples.values() if isinstance(examples, dict) else ()
        found = [one.get("value") for one in named] or list(examples)
        found += [holder["example"]] if "example" in holder else []
        if found:
            yield from found
            return


def _shape_links(schema: Node) -> str:
    """Link the shapes that this one names, at whatever depth."""
    names = dict.fromkeys(_references(schema))
    links = (f'<a href="#{escape(name)}">{escape(name)}</a>' for name in names)
    return ", ".join(links) or escape(str(schema.get("type", "")))


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _name_of(schema)
        for one in schema.values():
            yield from _references(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from _references(one)


def _name_of(schema: Node) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _text(text: str | None) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in (text or "").split("\n\n") if part)


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _json(value: Any) -> str:
    return f"<pre>{escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())}</pre>"
