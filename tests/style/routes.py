"""Routes of FastAPI without a response model. Streams, texts and empty answers need none."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tests.style.finding import Finding
from tests.style.sources import Source

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_NO_MODEL = frozenset({"Response", "JSONResponse", "HTMLResponse", "PlainTextResponse"})
_RAW = frozenset({"Response", "StreamingResponse"})
_NO_BODY = ("204", "304")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Route = tuple[ast.Call, Function | None]


def routes_of(source: Source) -> Iterator[Route]:
    """Yield each route's call (`router.get("/{send}")`), with its handler where the file has it."""
    functions = {n.name: n for n in source.nodes if isinstance(n, Function)}
    for node in source.nodes:
        if isinstance(node, Function):
            yield from ((call, node) for each in node.decorator_list if (call := _route(each)))
        elif isinstance(node, ast.Call) and node.args and (call := _route(node.func)):
            yield call, functions.get(ast.unparse(node.args[0]).rpartition(".")[2])


def _route(node: ast.expr) -> ast.Call | None:
    """Return the call if it makes a route: a method's name, a path first."""
    match node:
        case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str()), *_]):
            return node if method in _METHODS else None
        case _:
            return None


def has_model(call: ast.Call, handler: Function | None) -> bool:
    """Return whether `response_model` or the handler's return type is a model."""
    options = {str(each.arg): ast.unparse(each.value) for each in call.keywords}
    if options.get("response_model", "None") != "None":
        return True
    if options.get("status_code") in _NO_BODY or options.get("include_in_schema") == "False":
        return True
    if handler is None or handler.returns is None:
        return False
    name = ast.unparse(handler.returns).partition("[")[0]
    is_model = name == "Items" or (name.endswith("Response") and name not in _NO_MODEL)
    return is_model or _is_raw(handler)


def _is_raw(handler: Function) -> bool:
    """Return whether the handler makes its answer itself: a stream, or a text that isn't JSON."""
    calls = (n.func for n in ast.walk(handler) if isinstance(n, ast.Call))
    return any(isinstance(call, ast.Name) and call.id in _RAW for call in calls)


def find_untyped_routes(sources: Iterable[Source]) -> list[Finding]:
    return sorted(
        Finding(source.path, call.lineno, ast.unparse(call).splitlines()[0][:90])
        for source in sources
        for call, handler in routes_of(source)
        if not has_model(call, handler)
    )
