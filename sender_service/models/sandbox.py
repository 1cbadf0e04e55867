"""The sandbox of push texts: Jinja2 with limits on size and steps.

Texts are rendered on the planner's event loop, with untrusted variables. So what makes a large value of
a small one is refused or limited (`"x".center(10**9)`, `a ~ a ~ a`, `[a, a]`, a loop in a loop). What
grows with its input is charged in steps (see `metering`).
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.compiler import operators as operators_of
from jinja2.runtime import Context, LoopContext
from jinja2.utils import pass_context

from sender_service.models.charging import CALL_STEPS
from sender_service.models.filters import (
    LAZY,
    TEXT_METHODS,
    offered_filters,
    offered_tests,
    short_range,
    short_text,
    to_text,
)
from sender_service.models.metering import CHARACTERS_A_STEP, NamedFault, TextFault, kind_of, meter
from sender_service.models.missing_values import (
    EACH,
    NamingEnvironment,
    NamingGenerator,
    go_through,
    path_of,
    require,
)

MAX_NUMBER = 1e15
LOOP_METHODS = frozenset({"changed", "cycle"})
FOR_EACH = LAZY | {"map"}
ITEM_STEPS = 20  # of a filter that does something for each
TURN_STEPS = 4  # of an empty loop
_DEAR = (
    nodes.Getattr,
    nodes.Getitem,
    nodes.Call,
    nodes.Filter,
    nodes.Test,
    nodes.Output,
    nodes.Compare,
)
DEAR_STEPS = 5
_BINOPS = MappingProxyType(
    {"+": operators.add, "-": operators.sub, "*": operators.mul, "/": operators.truediv,
     "//": operators.floordiv, "%": operators.mod}
)  # fmt: skip


def steps_of(tree: nodes.Node) -> int:
    """Count the steps of one pass through all nodes, whatever their values."""
    waiting, steps = [tree], 0
    while waiting:
        node = waiting.pop()
        steps += DEAR_STEPS if isinstance(node, _DEAR) else 1
        waiting += node.iter_child_nodes()
    return steps


class _Generator(NamingGenerator):
    """Generates the calls that charge for operations which the environment doesn't intercept."""

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:
        self.write("environment.concat_values((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Any) -> None:
        self._charged(super().visit_List, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Any) -> None:
        if node.ctx == "load":
            self._charged(super().visit_Tuple, node, frame)
        else:  # names that are set
            super().visit_Tuple(node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Any) -> None:
        self._charged(super().visit_Dict, node, frame)

    def visit_Compare(self, node: nodes.Compare, frame: Any) -> None:
        sides = (node.expr, *(operand.expr for operand in node.ops))
        if len(sides) == 2 and node.ops[0].op not in ("in", "notin") and _has_constant(sides):
            super().visit_Compare(node, frame)  # what is compared ends where the constant ends
            return
        self.write("(")
        self._charged(self.visit, node.expr, frame)
        for operand in node.ops:
            self.write(f" {operators_of[operand.op]} ")
            self._charged(self.visit, operand.expr, frame)
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Any) -> None:
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.cut(")
        self.visit(node.node, frame)
        for bound in (node.arg.start, node.arg.stop, node.arg.step):
            self.write(", ")
            self.visit(bound or nodes.Const(None), frame)
        self.write(")")

    def _output_child_pre(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        self.write(f"environment.show({path_of(node)!r}, ")

    def _output_child_post(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        self.write(")")

    def _charged(self, visit: Callable[[Any, Any], None], node: nodes.Expr, frame: Any) -> None:
        if isinstance(node, nodes.Const):
            visit(node, frame)
            return
        self.write("environment.charge_for(")
        visit(node, frame)
        self.write(")")


def _has_constant(sides: Iterable[nodes.Expr]) -> bool:
    return any(isinstance(side, nodes.Const) for side in sides)


@pass_context
def _not_constant(_: Context, value: object) -> object:
    """Keep Jinja2 from evaluating constants, uncounted, when it compiles. Never called."""
    return value


class PushEnvironment(NamingEnvironment):
    code_generator_class = _Generator
    intercepted_binops = frozenset(_BINOPS)

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=False, optimized=False, finalize=_not_constant
        )
        self.globals = {"range": short_range}
        self.filters: dict[str, Any] = {**offered_filters(), EACH: go_through}
        self.tests: dict[str, Any] = offered_tests()
        self.charge_for = meter.charge_for

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up a key before a method: `cart.items` is the cart's own."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    @staticmethod
    def show(path: str, value: object) -> str:
        try:
            return to_text(value)
        except TextFault as exc:
            raise NamedFault(f"{path}: {exc}" if path else str(exc)) from exc

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        return short_text(pieces)

    @staticmethod
    def concat_values(values: Iterable[object]) -> str:
        """Evaluate `a ~ b`, which Jinja2's sandbox doesn't intercept."""
        meter.charge(CALL_STEPS)
        return short_text(to_text(value) for value in values)

    @staticmethod
    def cut(value: Any, start: Any, stop: Any, step: Any) -> Any:
        """Evaluate `a[1:2]`, which Jinja2's sandbox doesn't intercept."""
        require(value)
        if not isinstance(value, str | list | tuple):
            raise TextFault(f"only texts and lists are cut, not {kind_of(value)}")
        meter.charge(
            CALL_STEPS + len(value) // (CHARACTERS_A_STEP if isinstance(value, str) else 1)
        )
        return value[slice(start, stop, step)]

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        require(called)
        owner = getattr(called, "__self__", None)
        name = getattr(called, "__name__", "")
        if called is not short_range and not (
            isinstance(owner, LoopContext) and name in LOOP_METHODS
        ):
            times = TEXT_METHODS.get(type(owner), {}).get(name)
            if times is None:
                raise TextFault("that can't be called")
            if times:
                meter.charge(times * meter.weigh(owner))
        if name in ("strip", "lstrip", "rstrip") and args:
            raise TextFault(f"{name} takes no argument")
        meter.charge(CALL_STEPS)
        for argument in args:
            meter.charge_for(argument)
        for key, argument in kwargs.items():
            if not key.startswith("_"):  # Jinja2's own
                meter.charge_for(argument)
        made = context.call(called, *args, **kwargs)
        return self.null(name=f"{name}()") if made is None else made

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Evaluate an operator on numbers, or `+` on texts. Raises TextFault."""
        # Not `"x" * 10**9`, nor a text's `"%999999999d" % 1`.
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            if operator == "+" and isinstance(left, str) and isinstance(right, str):
                meter.charge(meter.weigh(left) + meter.weigh(right))
                return short_text((left, right))
            require(left)
            require(right)
            raise TextFault("only numbers are multiplied, divided or added")
        result = _BINOPS[operator](left, right)
        if abs(result) > MAX_NUMBER and operator != "-":
            raise TextFault("a number is too large")
        return result

    def _generate(
        self, source: nodes.Template, name: Any, filename: Any, defer_init: bool = False
    ) -> str:
        for loop in list(source.find_all(nodes.For)):
            turn = TURN_STEPS + sum(steps_of(node) for node in (loop.target, *loop.body))
            turn += steps_of(loop.test) if loop.test is not None else 0
            loop.iter = self._each(loop.iter, turn, loop.lineno)
        for found in list(source.find_all(nodes.Filter)):
            if found.name in FOR_EACH and found.node is not None:
                found.node = self._each(found.node, ITEM_STEPS, found.lineno)
        return super()._generate(source, name, filename, defer_init)

    def _each(self, items: Any, steps: int, line: int) -> nodes.Filter:
        counted = nodes.Filter(
            items,
            EACH,
            [nodes.Const(steps)],
            [],
            None,
            None,
            lineno=line,
        )
        counted.set_environment(self)
        return counted
