"""Measures of imports, constants, routes and subscripts."""

from __future__ import annotations

import ast

from tests.style.constants import shared_names
from tests.style.imports import cycles, find_test_imports, import_graph, longest_chain, room_graph
from tests.style.routes import find_untyped_routes
from tests.style.sources import Source
from tests.style.subscripts import counted, find_string_keys


def test_string_keys_are_counted_but_of_types_and_in_stores() -> None:
    text = "a['b']; a[0]; a[b]; x: Literal['a']; c['d']['e']"
    sources = [
        Source(f"sender_service/{name}.py", text)
        for name in ("ops/a", "store/a", "pages/a", "models/page")
    ]
    assert [s.path for s in counted(sources)] == ["sender_service/ops/a.py"]
    assert len(find_string_keys(sources[:1])) == 3


def test_imports_make_cycles_and_chains() -> None:
    texts = {
        "shared/__init__": "",
        "shared/a": "from shared import b\nimport json",
        "shared/b": "import shared.kafka.c",
        "shared/kafka/c": "def f():\n    from shared.d import x",
        "shared/kafka/e": "",
        "shared/d": "from shared.kafka.e import x",
    }
    graph = import_graph(Source(f"{name}.py", text) for name, text in texts.items())
    assert graph["shared.kafka.c"] == {"shared.d"}
    assert cycles(graph) == []
    assert cycles(room_graph(graph)) == [("shared.d", "shared.kafka")]
    assert longest_chain(graph) == [
        "shared.a", "shared.b", "shared.kafka.c", "shared.d", "shared.kafka.e",
    ]  # fmt: skip


def test_a_knot_without_a_pair_is_one_cycle() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert cycles(graph) == [("a", "b", "c")]
    assert len(longest_chain(graph)) == 4


def test_imports_from_test_modules_are_found() -> None:
    text = (
        "from tests.unit.test_a import x\nfrom tests.unit import test_b\nfrom tests.world import y"
    )
    found = find_test_imports([Source("tests/unit/test_c.py", text)])
    assert [finding.line for finding in found] == [1, 2]


def test_constants_of_several_modules_are_found_but_type_variables() -> None:
    text = "T = TypeVar('T')\nKEPT: int = 1\n_OWN = 1\nKEPT = 2\ndef f():\n    INNER = 1"
    found = shared_names([Source("shared/a.py", text), Source("shared/b.py", text)])
    assert {name: [f.path for f in places] for name, places in found.items()} == {
        "KEPT": ["shared/a.py", "shared/b.py"]
    }


def test_routes_without_a_model_are_found() -> None:
    text = """
@router.get("/a")
async def a() -> dict[str, Any]: ...
@router.get("/b")
async def b() -> Items[SendResponse]: ...
@router.get("/c", response_model=SendResponse)
async def c() -> Any: ...
@router.get("/d")
async def d() -> Response:
    return StreamingResponse(x)
@router.delete("/e", status_code=204)
async def e() -> None: ...
router.post("/f", status_code=202)(self.a)
router.post("/g")(self.g)
async def g() -> SendResponse: ...
client.get("/h")
"""
    found = find_untyped_routes([Source("sender_service/ops/a.py", text)])
    assert [ast.literal_eval(f.text.split("(")[1].split(",")[0].rstrip(")")) for f in found] == [
        "/a", "/f",
    ]  # fmt: skip
