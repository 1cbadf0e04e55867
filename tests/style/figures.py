"""All figures of a checkout, language first, then structure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tests.style.constants import shared_names
from tests.style.docstrings import docstrings_of, find_articles, find_wrong_starts
from tests.style.finding import Figure, Finding, per
from tests.style.imports import (
    Graph,
    cycles,
    find_test_imports,
    import_graph,
    longest_chain,
    room_graph,
)
from tests.style.names import allowed_terms, find_old_words, find_replaced
from tests.style.prose import find_reporting_words
from tests.style.references import Tree, find_dead_references
from tests.style.routes import find_untyped_routes
from tests.style.sources import CODE, PACKAGES, SERVICES, Checkout
from tests.style.subscripts import counted, find_string_keys

Measure = Callable[[Checkout], Iterator[Figure]]


def measure(checkout: Checkout, measures: Iterable[Measure] | None = None) -> list[Figure]:
    """Return the figures of these measures, or of all."""
    chosen = (*LANGUAGE, *STRUCTURE) if measures is None else measures
    return [figure for each in chosen for figure in each(checkout)]


def _names(checkout: Checkout) -> Iterator[Figure]:
    terms = allowed_terms(checkout)
    for scope, packages in (("code", CODE), ("tests", ("tests",))):
        found = find_old_words(checkout.of(*packages), terms)
        yield Figure(f"names.{scope}", len({finding.text for finding in found}), found)
    for scope, packages in (("code", CODE), ("tests", ("tests",))):
        yield _count(f"replaced.{scope}", find_replaced(checkout.of(*packages)))


def _reporting_words(checkout: Checkout) -> Iterator[Figure]:
    for package in PACKAGES:
        sources = list(checkout.of(package))
        found = find_reporting_words(sources)
        lines = sum(source.line_count for source in sources)
        yield Figure(f"told.{package}", per(len(found), lines, 1_000), found)


def _docstrings(checkout: Checkout) -> Iterator[Figure]:
    for kind, find in (("docstrings", find_wrong_starts), ("articles", find_articles)):
        for package in PACKAGES:
            sources = checkout.python(package)
            found = find(sources)
            whole = sum(len(docstrings_of(source)) for source in sources)
            yield Figure(f"{kind}.{package}", per(len(found), whole, 100), found)


def _subscripts(checkout: Checkout) -> Iterator[Figure]:
    sources = counted(checkout.python(*SERVICES))
    found = find_string_keys(sources)
    lines = sum(source.line_count for source in sources)
    yield Figure("subscripts", per(len(found), lines, 100), found)


def _imports(checkout: Checkout) -> Iterator[Figure]:
    paths = {source.module: source.path for source in checkout.python(*SERVICES)}
    graph = import_graph(checkout.python(*SERVICES))

    def places(modules: list[str] | tuple[str, ...], text: str) -> list[Finding]:
        return [Finding(paths.get(m, m.replace(".", "/")), 1, text) for m in modules]

    for kind, each in (("modules", graph), ("rooms", room_graph(graph))):
        found = cycles(each)
        named = [
            f for c in found for f in places(c[:1], f"imports and is imported: {', '.join(c)}")
        ]
        yield Figure(f"cycles.{kind}", len(found), named)
    most = max(map(len, graph.values()), default=0)
    yield Figure("imports.most", most, _wide(graph, paths))
    chain = longest_chain(graph)
    yield Figure("imports.chain", len(chain), places(chain, "in the longest chain"))


def _wide(graph: Graph, paths: dict[str, str]) -> list[Finding]:
    """Return the ten modules that import most of ours."""
    widest = sorted(graph, key=lambda module: -len(graph[module]))[:10]
    return [Finding(paths[m], 1, f"imports {len(graph[m])} of our modules") for m in widest]


def _constants(checkout: Checkout) -> Iterator[Figure]:
    found = shared_names(checkout.python(*SERVICES))
    yield Figure("constants", len(found), [place for each in found.values() for place in each])


def _test_imports(checkout: Checkout) -> Iterator[Figure]:
    yield _count("test_imports", find_test_imports(checkout.python("tests")))


def _references(checkout: Checkout) -> Iterator[Figure]:
    tree = Tree.of(checkout.root) if checkout.names else None
    yield _count("references", [] if tree is None else find_dead_references(tree))


def _readme(checkout: Checkout) -> Iterator[Figure]:
    yield Figure("readme", len(checkout.text("README.md").split()))


def _routes(checkout: Checkout) -> Iterator[Figure]:
    yield _count("routes", find_untyped_routes(checkout.python(*SERVICES)))


def _count(key: str, found: list[Finding]) -> Figure:
    return Figure(key, len(found), found)


LANGUAGE: tuple[Measure, ...] = (_names, _reporting_words, _docstrings, _readme)
STRUCTURE: tuple[Measure, ...] = (
    _subscripts, _imports, _constants, _test_imports, _references, _routes,
)  # fmt: skip
