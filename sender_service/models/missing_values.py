"""Values that a text asks for and that aren't there: each knows the variable it stands for.

`null` is missing like a key that isn't there: shown, or given to a filter, it is an error that names the
variable, and `default` helps. Conditions alone take it as they take `none`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError
from jinja2.idtracking import VAR_LOAD_PARAMETER
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sender_service.models.metering import NamedFault, StepsSpent, TextFault, kind_of, meter

EACH = "_each"  # the filter that everything gone through passes
DEFAULT_FILTERS = frozenset({"d", "default"})
DEFINED_TESTS = frozenset({"defined", "undefined"})
MAX_PATH = 80  # characters of a variable in a message
MAX_VARIABLES = 3  # variables that a message names, where it isn't known which of them is meant
WRONG_KIND = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


class Null(StrictUndefined):
    """A variable that is `null`: missing, but a condition may ask for it."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return other is None or isinstance(other, Null)

    def __ne__(self, other: object) -> bool:  # type: ignore[override]
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(None)


def path_of(node: nodes.Node | None) -> str:
    """Return `profile.viewed[0].item` as it is written, where a variable is meant; else nothing.

    What is worked out while rendering is `[…]`: no value is in it.
    """
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Filter) and node.name == EACH:
        return path_of(node.node)
    if not isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Filter | nodes.Call):
        return ""
    before = path_of(node.node)
    return f"{before}{_step_of(node)}"[:MAX_PATH] if before else ""


def _step_of(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f".{node.attr}"
    if isinstance(node, nodes.Filter):
        return f"|{node.name}"
    if isinstance(node, nodes.Call):
        return "()"
    key = (
        node.arg.value
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const)
        else None
    )
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"
    return f"[{key}]" if type(key) is int else "[…]"


def variables_at(tree: nodes.Template, line: int | None) -> list[str]:
    """Return the first variables of a line, as far as they are written there."""
    found: dict[str, None] = {}
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop(0)
        path = path_of(node) if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Name) else ""
        if not path:
            waiting[:0] = node.iter_child_nodes()
        elif node.lineno == line and getattr(node, "ctx", "load") == "load":
            found[path] = None
    return list(found)[:MAX_VARIABLES]


class NamingGenerator(CodeGenerator):
    """Writes which variable is meant into each look-up, filter and test."""

    def visit_Name(self, node: nodes.Name, frame: Any) -> None:
        if node.ctx != "load":
            super().visit_Name(node, frame)
            return
        ref = frame.symbols.ref(node.name)
        load = frame.symbols.find_load(ref)
        is_given = load is not None and load[0] == VAR_LOAD_PARAMETER
        if not is_given or self.parameter_is_undeclared(ref):
            self.write(f"(undefined(name={node.name!r}) if {ref} is missing else ")
        else:
            self.write("(")
        self.write(f"environment.null(name={node.name!r}) if {ref} is None else {ref})")

    def visit_Getattr(self, node: nodes.Getattr, frame: Any) -> None:
        self._look_up("getattr", node, frame)
        self.write(f", {node.attr!r})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Any) -> None:
        self._look_up("getitem", node, frame)
        self.write(", ")
        self.visit(node.arg, frame)
        self.write(")")

    def _look_up(self, how: str, node: nodes.Getattr | nodes.Getitem, frame: Any) -> None:
        path = path_of(node) or _step_of(node).lstrip(".")
        self.write(f"environment.look_up(environment.{how}, {path!r}, ")
        self.visit(node.node, frame)

    @contextmanager
    def _filter_test_common(
        self, node: nodes.Filter | nodes.Test, frame: Any, is_filter: bool
    ) -> Iterator[None]:
        functions = self.filters if is_filter else self.tests
        function = functions[node.name]
        named = "apply" if is_filter else "ask"
        functions[node.name] = (
            f"environment.about(environment.{named}, {path_of(node.node)!r}, {node.name!r}, {function})"
        )
        with super()._filter_test_common(node, frame, is_filter):
            functions[node.name] = function  # what is within has a path of its own
            yield


class NamingEnvironment(ImmutableSandboxedEnvironment):
    """Functions that the generated code calls, to name the variable that is meant."""

    null = Null
    about = staticmethod(partial)

    def look_up(self, find: Callable[[Any, Any], Any], path: str, owner: Any, key: Any) -> Any:
        """Return an entry; what is missing in what is missing is the first that is missing."""
        if isinstance(owner, StrictUndefined):
            return owner
        found = None if owner is None else find(owner, key)
        if found is None:
            return Null(name=path)
        if isinstance(found, StrictUndefined) and found._undefined_exception is not SecurityError:
            return self.undefined(name=path)
        return found

    def apply(
        self, path: str, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Call a filter. Raises UndefinedError, NamedFault, StepsSpent."""
        at = _value_at(function)
        value, label = args[at], path if name == EACH else f"{path}|{name}" if path else name
        if isinstance(value, StrictUndefined) and name not in DEFAULT_FILTERS:
            require(value)
        try:
            made = function(*args, **kwargs)
        except (StepsSpent, NamedFault):
            raise
        except TextFault as exc:
            raise _named(label, str(exc).removeprefix(f"{name}: ")) from exc
        except WRONG_KIND as exc:
            more = " with these arguments" if len(args) > at + 1 or kwargs else ""
            raise _named(label, f"can't be applied to {kind_of(value)}{more}") from exc
        if name in DEFAULT_FILTERS or made is not None and not isinstance(made, StrictUndefined):
            return made
        return Null(name=label) if made is None else self.undefined(name=label)

    def ask(
        self, path: str, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Call a test. Raises UndefinedError, NamedFault, StepsSpent."""
        at = _value_at(function)
        if isinstance(args[at], Null) and name not in DEFINED_TESTS:
            args = (*args[:at], None, *args[at + 1 :])
        try:
            return function(*args, **kwargs)
        except (StepsSpent, NamedFault):
            raise
        except WRONG_KIND as exc:
            why = str(exc) if isinstance(exc, TextFault) else "can't be asked"
            raise _named(f"{path} is {name}".strip(), f"{why}, of {kind_of(args[at])}") from exc


def require(value: object) -> None:
    """Raises UndefinedError, which names what is missing."""
    if isinstance(value, StrictUndefined):
        str(value)


def go_through(items: Any, steps: int) -> Iterator[Any]:
    """Go through a list, at so many steps a turn. Raises TextFault, StepsSpent."""
    if not isinstance(items, Iterable):
        raise TextFault(f"a list is expected, not {kind_of(items)}")
    return meter.each(items, steps)


def _value_at(function: Callable[..., Any]) -> int:
    return 1 if hasattr(function, "jinja_pass_arg") else 0


def _named(label: str, why: str) -> NamedFault:
    return NamedFault(f"{label}: {why}" if label else why)
