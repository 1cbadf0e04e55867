"""Tests that everything that Jinja2 and Python offer a text has been looked at.

Texts get what a new version adds only when it is written down here as allowed.
"""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import filters, nodes
from jinja2 import tests as jinja_tests
from jinja2.runtime import LoopContext

from sender_service.models.filters import TEXT_METHODS
from sender_service.models.missing_values import EACH
from sender_service.models.sandbox import LOOP_METHODS, PushEnvironment
from sender_service.models.templates import ALLOWED, check_template, render
from shared.errors import Rejected


def _words(text: str) -> set[str]:
    return set(text.split())


OFFERED_FILTERS = _words(
    "abs capitalize count d default dictsort e escape filesizeformat first float groupby int items join"
    " last length list lower map max min reject rejectattr replace reverse round select selectattr sort"
    " string sum title tojson trim truncate unique upper urlencode wordcount"
)
OURS = {"date", "money", "number", "plural"}
# They make a large thing of a small argument, mark up HTML, or read differently each time.
REFUSED_FILTERS = _words(
    "attr batch center forceescape format indent pprint random safe slice striptags urlize wordwrap"
    " xmlattr"
)
OFFERED_TESTS = _words(
    "!= < <= == > >= boolean callable defined divisibleby eq equalto escaped even false filter float ge"
    " greaterthan gt in integer iterable le lessthan lower lt mapping ne none number odd sameas sequence"
    " string test true undefined upper"
)
OFFERED_METHODS: dict[type, set[str]] = {
    str: _words(
        "capitalize count endswith find isdigit lower lstrip rstrip split startswith strip title"
        " upper"
    ),
    list: {"count", "index"},
    dict: {"get", "items", "keys", "values"},
}
REFUSED_METHODS: dict[type, set[str]] = {
    str: _words(
        "casefold center encode expandtabs format format_map index isalnum isalpha isascii isdecimal"
        " isidentifier islower isnumeric isprintable isspace istitle isupper join ljust maketrans partition"
        " removeprefix removesuffix replace rfind rindex rjust rpartition rsplit splitlines swapcase"
        " translate zfill"
    ),
    list: _words("append clear copy extend insert pop remove reverse sort"),
    dict: _words("clear copy fromkeys pop popitem setdefault update"),
    tuple: {"count", "index"},
    range: {"count", "index", "start", "step", "stop"},
    int: _words(
        "as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag is_integer numerator"
        " real to_bytes"
    ),
    float: _words("as_integer_ratio conjugate fromhex hex imag is_integer real"),
}
REFUSED_NODES = _words(
    "AssignBlock BinExpr Block Break CallBlock ContextReference Continue DerivedContextReference"
    " EnvironmentAttribute EvalContextModifier Expr ExprStmt Extends ExtensionAttribute FilterBlock"
    " FromImport Helper Import ImportedName Include InternalName Literal Macro MarkSafe"
    " MarkSafeIfAutoescape NSRef OverlayScope Pow Scope ScopedEvalContextModifier Stmt UnaryExpr"
    " _FilterTestCommon"
)


def _node_types(of: type[nodes.Node] = nodes.Node) -> set[type[nodes.Node]]:
    below: set[type[nodes.Node]] = set(of.__subclasses__())
    return below.union(*(_node_types(one) for one in below))


def test_a3_every_filter_is_looked_at() -> None:
    assert set(PushEnvironment().filters) == OFFERED_FILTERS | OURS | {EACH}
    assert set(filters.FILTERS) == OFFERED_FILTERS | REFUSED_FILTERS


def test_a3_every_test_is_looked_at() -> None:
    assert set(PushEnvironment().tests) == OFFERED_TESTS == set(jinja_tests.TESTS)


def test_a3_every_kind_of_node_is_looked_at() -> None:
    allowed = {node.__name__ for node in ALLOWED}
    assert allowed.isdisjoint(REFUSED_NODES)
    assert allowed | REFUSED_NODES == {node.__name__ for node in _node_types()}


@pytest.mark.parametrize("owner", [str, list, dict, tuple, range, int, float])
def test_a3_every_method_is_looked_at(owner: type) -> None:
    # A later Python's may be missing here: what isn't offered is refused anyway.
    offered = OFFERED_METHODS.get(owner, set())
    assert set(TEXT_METHODS.get(owner, {})) == offered
    public = {name for name in dir(owner) if not name.startswith("_")}
    assert offered <= public
    assert public <= offered | REFUSED_METHODS.get(owner, set())


VALUES: dict[str, Any] = {"str": "ab", "list": [1], "dict": {"a": 1}, "int": 7, "float": 1.5}


@pytest.mark.parametrize(
    ("name", "method"),
    [(of.__name__, name) for of, names in REFUSED_METHODS.items() for name in sorted(names)
     if of.__name__ in VALUES],
)  # fmt: skip
def test_a3_other_methods_can_not_be_called(name: str, method: str) -> None:
    with pytest.raises(Rejected):
        render("{{ x." + method + "() }}", {"x": VALUES[name]})


def test_a3_globals_and_the_loop_are_looked_at() -> None:
    assert set(PushEnvironment().globals) == {"range"}
    offered = {name for name in dir(LoopContext) if not name.startswith("_")}
    assert {*LOOP_METHODS, "depth", "first", "index", "index0", "last", "length", "nextitem", "previtem",
            "revindex", "revindex0"} == offered - {"depth0"}  # fmt: skip


@pytest.mark.parametrize(
    "source",
    ["{{ x|batch(3)|list }}", "{% autoescape true %}{{ x }}{% endautoescape %}", "{{ x|sort(**y) }}",
     "{{ x|sort(*y) }}", "{{ x.get(*y) }}", "{{ x|sort(attribute=y) }}", "{{ x|sort(false, false, y) }}",
     "{{ x|map(attribute=y)|list }}", "{{ x|sum(y) }}", "{{ x|groupby(y) }}", "{{ x|selectattr(y) }}",
     "{{ x|min(attribute=y) }}", "{{ x|max(false, y) }}", "{{ x|unique(attribute=y) }}",
     "{{ x|join('', y) }}", "{{ x|sort(attribute='" + "a." * 9 + "') }}",
     "{{ x|sort(attribute='" + "a" * 65 + "') }}", "{% set n.s = 1 %}"],
)  # fmt: skip
def test_a3_what_has_no_bound_is_refused_when_it_is_put(source: str) -> None:
    with pytest.raises(ValueError, match="template"):
        check_template(source)


@pytest.mark.parametrize(
    "source",
    ["{{ x|sort(attribute=y)|first }}", "{{ x|sum(attribute=y) }}", "{{ x|map(attribute=y)|first }}",
     "{{ x|groupby(y)|first }}", "{{ x|selectattr(y)|first }}", "{{ x|max(attribute=y) }}",
     "{{ x|join('', attribute=y) }}", "{{ x|unique(attribute=y)|first }}"],
)  # fmt: skip
def test_a3_a_long_attribute_is_refused_in_what_is_stored_too(source: str) -> None:
    with pytest.raises(Rejected):
        render(source, {"x": [{"a": 1}, {"a": 2}], "y": "0," * 2_000})
