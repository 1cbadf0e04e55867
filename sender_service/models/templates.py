"""Campaign texts: Jinja2 in its sandbox, missing variables are errors."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Template, TemplateSyntaxError, meta, nodes

from sender_service.models.sandbox import PushEnvironment
from shared.errors import Rejected

PROFILE = "profile"
MAX_LOOP_DEPTH = 2
# Anything within anything. Working out a chain of n filters takes n^3: 0.05 s for 50, 9 s for 300.
MAX_DEPTH = 40
# What can call itself, grow without end or asks for a file: no push needs it.
REFUSED: tuple[type[nodes.Node], ...] = (
    nodes.Macro, nodes.CallBlock, nodes.Pow, nodes.Block, nodes.AssignBlock, nodes.FilterBlock,
    nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends,
)  # fmt: skip

_environment = PushEnvironment()


def check_template(source: str) -> str:
    """The source, if it is a template that comes to an end. Raises ValueError with the line."""
    try:
        tree = _environment.parse(source)
        _check_nodes(tree)
        meta.find_undeclared_variables(tree)  # names filters that there are not
    except TemplateSyntaxError as exc:
        raise ValueError(f"template, line {exc.lineno}: {exc.message}") from exc
    except RecursionError as exc:
        raise ValueError("template: nested too deep") from exc
    _check_loops(tree, MAX_LOOP_DEPTH)
    return source


def is_template(source: str) -> bool:
    """Does it read otherwise than it is written?"""
    return any(mark in source for mark in ("{{", "{%", "{#"))


def _check_nodes(tree: nodes.Template) -> None:
    """Before anything else looks at it: what is made of constants alone is worked out then."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, REFUSED):
            raise ValueError(
                f"template, line {node.lineno}: {type(node).__name__} is not for pushes"
            )
        if depth > MAX_DEPTH:
            raise ValueError(f"template, line {node.lineno}: nested too deep")
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]


def _check_loops(node: nodes.Node, deeper: int) -> None:
    for child in node.iter_child_nodes():
        loops = isinstance(child, nodes.For)
        if isinstance(child, nodes.For) and (deeper == 0 or child.recursive):
            raise ValueError(f"template, line {child.lineno}: at most {MAX_LOOP_DEPTH} loops deep")
        _check_loops(child, deeper - loops)


@lru_cache(maxsize=4_096)
def _compile(source: str) -> Template:
    return _environment.from_string(source)


@lru_cache(maxsize=4_096)
def variables_of(source: str) -> frozenset[str]:
    """The names a template asks for: without `profile` it reads the same for everybody."""
    return frozenset(meta.find_undeclared_variables(_environment.parse(source)))


def render(source: str, context: dict[str, object]) -> str:
    """Raises Rejected (bad_variables), naming what failed but no value."""
    try:
        template = _compile(source)
        _environment.start()
        return template.render(context)
    except Exception as exc:  # a template can raise anything its variables' types can
        detail = exc.message if isinstance(exc, TemplateSyntaxError) else type(exc).__name__
        raise Rejected(f"template: {detail}", code="bad_variables") from exc
