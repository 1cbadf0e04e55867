"""What a push's text may do: Jinja2's sandbox, in which nothing grows and nothing takes long.

Texts are rendered on the planner's event loop, with variables that anybody may send. So what can make
a large thing of a small one (`"x".center(10**9)`, `a ~ a ~ a`, `[a, a]`, a loop in a loop) is refused or
bounded.
"""

from __future__ import annotations

import operator as operators
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
from jinja2 import StrictUndefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.filters import do_round, sync_do_map
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context

MAX_RANGE = 1_000  # a text has 200 characters
MAX_LENGTH = 20_000  # of what is put together on the way to them
MAX_NUMBER = 1e15
MAX_PRECISION = 15
# Of the processor: looked at after each filter and at each turn of a loop; seen: 0.0001.
RENDER_SECONDS = 0.2
# What is in none of these isn't there: of most filters an argument or a large variable makes a bomb.
FILTERS = frozenset(
    {"abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first",
     "float", "groupby", "int", "items", "last", "length", "list", "lower", "max", "min", "reject",
     "rejectattr", "reverse", "select", "selectattr", "sort", "string", "title", "truncate", "unique",
     "upper", "urlencode", "wordcount"}
)  # fmt: skip
NUMERIC = frozenset({"abs", "float", "int", "length", "round"})  # what `map` may do to each
METHODS: dict[type, frozenset[str]] = {
    dict: frozenset({"get", "items", "keys", "values"}),
    str: frozenset(
        {"capitalize", "count", "endswith", "find", "isdigit", "lower", "lstrip", "rstrip", "split",
         "startswith", "strip", "title", "upper"}
    ),
    list: frozenset({"count", "index"}),
}  # fmt: skip
FOR_EACH = frozenset({"map", "reject", "rejectattr", "select", "selectattr"})
EACH = "_each"
_BINOPS = {"*": operators.mul, "%": operators.mod, "+": operators.add}


class _Generator(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:
        """`a ~ b`, which no sandbox sees."""
        self.write("environment.together((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Any) -> None:
        self._bounded("small", super().visit_List, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Any) -> None:
        if node.ctx == "load":
            self._bounded("small", super().visit_Tuple, node, frame)
        else:  # names that are set
            super().visit_Tuple(node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Any) -> None:
        self._bounded("small", super().visit_Dict, node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Any) -> None:
        self._bounded("in_time", super().visit_Filter, node, frame)

    def _bounded(
        self, by: str, visit: Callable[[Any, Any], None], node: nodes.Expr, frame: Any
    ) -> None:
        self.write(f"environment.{by}(")
        visit(node, frame)
        self.write(")")


class PushEnvironment(ImmutableSandboxedEnvironment):
    code_generator_class = _Generator
    intercepted_binops = frozenset(_BINOPS)

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.deadline = 0.0
        self.globals = {"range": _short_range}
        self.filters = {name: self.filters[name] for name in FILTERS} | {
            EACH: self.each, "join": _join, "map": _map, "replace": _replace, "round": _round,
            "sum": _sum, "tojson": _to_json, "trim": _trim,
        }  # fmt: skip

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        return _short_text(pieces)

    @staticmethod
    def together(values: Iterable[object]) -> str:
        return _short_text(str(value) for value in values)

    def small(self, made: Any) -> Any:
        """What a template made of others: `[a, a]`, made of itself again and again, has a thousand
        million."""
        self.in_time(made)
        waiting, count = [made], 0
        while waiting:
            one = waiting.pop()
            if isinstance(one, list | tuple | dict):
                count += len(one)
                if count > MAX_LENGTH:
                    raise OverflowError(f"a list: at most {MAX_LENGTH} in it, and in what is in it")
                waiting.extend(one.values() if isinstance(one, dict) else one)
        return made

    def in_time(self, made: Any) -> Any:
        """What a filter made."""
        if time.thread_time() > self.deadline:
            raise OverflowError("a text: it takes too long")
        return made

    def start(self) -> None:
        """A text begins. One at a time: rendering never waits."""
        self.deadline = time.thread_time() + RENDER_SECONDS

    def each(self, items: Iterable[Any]) -> Iterator[Any]:
        """What a loop, or a filter that does something for each, goes through."""
        for item in items:
            yield self.in_time(item)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        owner = getattr(called, "__self__", None)
        name = getattr(called, "__name__", "")
        of_loop = isinstance(owner, LoopContext) and name in ("cycle", "changed")
        if called is not _short_range and not of_loop and name not in METHODS.get(type(owner), ()):
            raise TypeError("that can't be called")
        if name in ("strip", "lstrip", "rstrip") and args:
            raise TypeError(f"{name} takes no argument")
        return super().call(context, called, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Numbers only, but for `+`: not `"x" * 10**9`, nor a text's `"%999999999d" % 1`."""
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            if operator == "+" and isinstance(left, str) and isinstance(right, str):
                return _short_text((left, right))
            raise TypeError("only numbers are multiplied, divided or added")
        result = _BINOPS[operator](left, right)
        if abs(result) > MAX_NUMBER:
            raise OverflowError("a number is too large")
        return result

    def _generate(
        self, source: nodes.Template, name: Any, filename: Any, defer_init: bool = False
    ) -> str:
        for loop in list(source.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, EACH, [], [], None, None, lineno=loop.lineno)
            loop.iter.set_environment(self)
        for found in list(source.find_all(nodes.Filter)):
            if found.name in FOR_EACH and found.node is not None:
                found.node = nodes.Filter(found.node, EACH, [], [], None, None, lineno=found.lineno)
                found.node.set_environment(self)
        return super()._generate(source, name, filename, defer_init)


def _short_text(pieces: Iterable[str]) -> str:
    kept, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_LENGTH:
            raise OverflowError(f"a text: at most {MAX_LENGTH} characters")
        kept.append(piece)
    return "".join(kept)


def _short_range(*bounds: int) -> range:
    steps = range(*bounds)
    if len(steps) > MAX_RANGE:
        raise OverflowError(f"range: at most {MAX_RANGE}")
    return steps


def _join(values: Iterable[Any], between: object = "", attribute: str | None = None) -> str:
    def pieces() -> Iterator[str]:
        for index, value in enumerate(values):
            if index:
                yield str(between)
            yield str(value if attribute is None else value[attribute])

    return _short_text(pieces())


@pass_context
def _map(context: Context, values: Iterable[Any], *filters: str, **how: Any) -> Iterable[Any]:
    """Of each an attribute, or a number: other filters make something new of each."""
    if len(filters) > 1 or any(name not in NUMERIC for name in filters):
        raise TypeError("map takes attribute, or one of " + ", ".join(sorted(NUMERIC)))
    return sync_do_map(context, values, *filters, **how)


def _replace(text: object, old: object, new: object) -> str:
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MAX_LENGTH:
        raise OverflowError(f"a text: at most {MAX_LENGTH} characters")
    return text.replace(old, new)


def _round(number: float, precision: int = 0, method: Any = "common") -> float:
    if not -MAX_PRECISION <= precision <= MAX_PRECISION:
        raise OverflowError(f"round: at most {MAX_PRECISION} digits")
    return do_round(number, precision, method)


def _sum(values: Iterable[Any], attribute: str | None = None) -> float:
    total: float = 0
    for value in values:
        number = value if attribute is None else value[attribute]
        if not isinstance(number, int | float):
            raise TypeError("sum: of numbers only")
        total += number
    return total


def _to_json(value: object) -> str:
    return _short_text((orjson.dumps(value).decode(),))


def _trim(text: object) -> str:
    return str(text).strip()
