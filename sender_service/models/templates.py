"""Campaign texts: Jinja2 in its sandbox, missing variables are errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from jinja2 import Template, TemplateSyntaxError, UndefinedError, meta, nodes

from sender_service.models.charging import check_attribute
from sender_service.models.filters import ATTRIBUTE_AT
from sender_service.models.metering import NamedFault, StepsSpent, TextFault, meter
from sender_service.models.missing_values import variables_at
from sender_service.models.sandbox import PushEnvironment, steps_of
from sender_service.models.template_words import describe_error, describe_syntax
from shared.errors import Rejected

PROFILE = "profile"
MAX_LOOP_DEPTH = 2
# Anything within anything. Compiling calls itself for each level.
MAX_TEMPLATE_DEPTH = 40
# What a push's text is made of. What isn't listed can call itself, grow without end, changes how
# others are read, or asks for a file: no push needs it.
ALLOWED: frozenset[type[nodes.Node]] = frozenset(
    {nodes.Add, nodes.And, nodes.Assign, nodes.Call, nodes.Compare, nodes.Concat, nodes.CondExpr,
     nodes.Const, nodes.Dict, nodes.Div, nodes.Filter, nodes.FloorDiv, nodes.For, nodes.Getattr,
     nodes.Getitem, nodes.If, nodes.Keyword, nodes.List, nodes.Mod, nodes.Mul, nodes.Name, nodes.Neg,
     nodes.Not, nodes.Operand, nodes.Or, nodes.Output, nodes.Pair, nodes.Pos, nodes.Slice, nodes.Sub,
     nodes.Template, nodes.TemplateData, nodes.Test, nodes.Tuple, nodes.With}
)  # fmt: skip
UNNAMED = "<template>"
_MISSING = re.compile(r"^'([^']+)' is undefined$|has no attribute '([^']+)'$")
KEPT_CHARACTERS = 500_000  # of compiled templates: some 60 bytes of memory each

KEPT_VERDICTS = 2_048  # more than a campaign has texts

_environment = PushEnvironment()
GLOBALS: Mapping[str, Any] = MappingProxyType(_environment.globals)


def check_template(source: str) -> str:
    """Return the source, if it is a template that comes to an end. Raises ValueError with the line."""
    fault = _fault_of(source) if is_template(source) else None
    if fault is not None:
        raise ValueError(fault)
    return source


@lru_cache(maxsize=KEPT_VERDICTS)
def _fault_of(source: str) -> str | None:
    """Return the template's error, or None. Cached: a worker thread may check it first."""
    try:
        tree = _environment.parse(source)
        _check_nodes(tree)
        meta.find_undeclared_variables(tree)  # names filters that there are not
        _check_loops(tree, MAX_LOOP_DEPTH)
    except TemplateSyntaxError as exc:
        return f"template, line {exc.lineno}: {describe_syntax(exc.message or '')}"
    except RecursionError:
        return "template: nested too deep"
    except ValueError as exc:
        return str(exc)
    return None


def precompile(sources: Iterable[str]) -> None:
    """Check templates and cache the results, in a worker thread: each takes up to 30 ms."""
    for source in sources:
        if is_template(source):
            _fault_of(source)


def is_template(source: str) -> bool:
    """Return whether the source contains Jinja2 syntax."""
    return "{{" in source or "{%" in source or "{#" in source


def _check_nodes(tree: nodes.Template) -> None:
    """Check every node before other code reads the tree. Raises ValueError."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        where = f"template, line {node.lineno}"
        if type(node) not in ALLOWED:
            raise ValueError(f"{where}: {type(node).__name__} is not for pushes")
        if depth > MAX_TEMPLATE_DEPTH:
            raise ValueError(f"{where}: nested too deep")
        if isinstance(node, nodes.Call | nodes.Filter | nodes.Test) and (
            node.dyn_args is not None or node.dyn_kwargs is not None
        ):
            raise ValueError(f"{where}: `*` and `**` are not for pushes")
        if isinstance(node, nodes.Filter) and node.name in ATTRIBUTE_AT:
            _check_attributes(node, where)
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]


def _check_attributes(node: nodes.Filter, where: str) -> None:
    at = ATTRIBUTE_AT[node.name]
    written = [option.value for option in node.kwargs if option.key == "attribute"]
    if at is not None:
        written += node.args[at : at + 1]
    for value in written:
        if not isinstance(value, nodes.Const):
            raise ValueError(f"{where}: {node.name}: attribute must be written out")
        try:
            check_attribute(value.value)
        except ValueError as exc:
            raise ValueError(f"{where}: {node.name}: {exc}") from None


def _check_loops(node: nodes.Node, deeper: int) -> None:
    for child in node.iter_child_nodes():
        loops = isinstance(child, nodes.For)
        if isinstance(child, nodes.For) and (deeper == 0 or child.recursive):
            raise ValueError(f"template, line {child.lineno}: at most {MAX_LOOP_DEPTH} loops deep")
        _check_loops(child, deeper - loops)


@dataclass(frozen=True)
class Compiled:
    """A source, ready to be rendered. `template` is None where it can't be compiled."""

    template: Template | None
    names: frozenset[str]  # the variables that it asks for
    steps: int  # of going through it once
    error: str = ""


class _Kept:
    """A cache of compiled templates, limited by their total length; the oldest are dropped first.

    Worker threads add, the event loop reads.
    """

    def __init__(self, characters: int) -> None:
        self._room = characters
        self._by_source: dict[str, Compiled] = {}
        self._adding = threading.Lock()

    def __contains__(self, source: str) -> bool:
        return source in self._by_source

    def get(self, source: str) -> Compiled:
        found = self._by_source.get(source)
        return self._add(source) if found is None else found

    def _add(self, source: str) -> Compiled:
        made = _compile(source)
        with self._adding:
            if source not in self._by_source:
                self._by_source[source] = made
                self._room -= len(source)
            while self._room < 0 and len(self._by_source) > 1:
                oldest = next(iter(self._by_source))
                del self._by_source[oldest]
                self._room += len(oldest)
        return made


_kept = _Kept(KEPT_CHARACTERS)


def _compile(source: str) -> Compiled:
    try:
        tree = _environment.parse(source)
        names, steps = frozenset(meta.find_undeclared_variables(tree)), steps_of(tree)
        return Compiled(_environment.from_string(tree), names, steps)
    except TemplateSyntaxError as exc:
        return Compiled(None, frozenset(), 0, describe_syntax(exc.message or ""))
    except (RecursionError, SyntaxError, ValueError) as exc:  # a compiler that has its own bounds
        return Compiled(None, frozenset(), 0, type(exc).__name__)


def is_compiled(source: str) -> bool:
    """Return whether it can be rendered without compiling. Compiling takes up to 20 µs a character."""
    return not is_template(source) or source in _kept


def compile_source(source: str) -> None:
    """Compile and cache a source that will be rendered, in a worker thread."""
    _kept.get(source)


def variables_of(source: str) -> frozenset[str]:
    """Return the variables of a template. A text without `profile` is the same for all people."""
    return _kept.get(source).names if is_template(source) else frozenset()


def render(source: str, context: Mapping[str, object]) -> str:
    """Render a text with a new step limit. Raises Rejected (bad_variables) without values."""
    meter.start()
    return render_more(source, {**GLOBALS, **context})


def render_more(source: str, context: dict[str, Any]) -> str:
    """Render with the remaining steps; the context includes GLOBALS. Raises Rejected like `render`."""
    if not is_template(source):
        return source
    compiled = _kept.get(source)
    if compiled.template is None:
        raise Rejected(f"template: {compiled.error}", code="bad_variables")
    try:
        meter.charge(compiled.steps)
        own = compiled.template.new_context(context, shared=True)
        return _environment.concat(compiled.template.root_render_func(own))
    except Exception as exc:  # a template can raise anything its variables' types can
        line = _line_of(compiled.template, exc)
        reason = _reason(exc, source, line)
        detail = f"line {line}: {reason}" if line else reason
        raise Rejected(detail, code="bad_variables") from exc


def _line_of(template: Template, error: Exception) -> int | None:
    """Return the template's line that failed, or None."""
    found, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == UNNAMED:
            found = template.get_corresponding_lineno(step.tb_lineno)
        step = step.tb_next
    return found


def _reason(error: Exception, source: str, line: int | None) -> str:
    """Return the failure in words for the text's author, without values."""
    if isinstance(error, NamedFault | StepsSpent):
        return str(error)
    if isinstance(error, UndefinedError):
        name = _MISSING.search(error.message or "")
        if name is not None and (name[1] or name[2] in source):  # the first are paths of ours
            return f"{name[1] or name[2]} is missing"
    names = ", ".join(_variables_at(source, line))
    what = str(error) if isinstance(error, TextFault) else describe_error(error)
    return f"{what} ({names})" if names else what


@lru_cache(maxsize=256)
def _variables_at(source: str, line: int | None) -> list[str]:
    return variables_at(_environment.parse(source), line)
