"""A push's text can do what pushes need, and neither fill the memory nor hold up the loop."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import psutil
import pytest

from sender_service.models.templates import check_template, render
from shared.errors import Rejected

MANY = list(range(20_000))
LONG = "y" * 300_000
BLOCKS = "".join(
    f"{{% block b{n} %}}{{{{ self.b{n + 1}() }}}}{{{{ self.b{n + 1}() }}}}{{% endblock %}}"
    for n in range(20)
)
DISTINCT = list(range(100_000))  # what a trigger has room for
GROWN = "{% set a = [a, a, a, a, a, a, a, a] %}" * 12
ROOM = 512 * 1024**2  # more than any push's text needs
SECONDS = 2.0  # of the processor: without a bound each of these takes longer, or the memory


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Limit memory, so that a mistake fails a test and not the machine."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 10**9 }}",
        "{{ 'x'.center(300000000)|length }}",
        "{{ 'x'.ljust(300000000)|length }}",
        "{{ '{:300000000d}'.format(1)|length }}",
        "{{ long.replace('y', 'z' ~ long)|length }}",
        "{{ long|replace('y', 'yyyyyyyyyyyyyyyyyyyy')|length }}",
        "{{ many|join(long)|length }}",
        "{{ many|batch(30000000, 1)|list|length }}",
        "{{ many|slice(30000000)|list|length }}",
        "{{ many|map('string')|map('replace', '', long)|list|length }}",
        "{{ many|tojson(indent=100000)|length }}",
        "{{ lipsum(n=5000)|length }}",
        "{{ 1|round(30000000, 'ceil') }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 24 + "{{ a|length }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 24 + "{{ a|length }}",
        "{% set a = 9 %}" + "{% set a = a * a %}" * 24 + "{{ a > 1 }}",
        "{% set a %}xxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 24 + "{{ a|length }}",
        "{% set n = namespace(s='x') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% for a in many %}{% for b in many %}{% if a < 0 %}x{% endif %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}" + "z" * 1_500 + "{% endfor %}{% endfor %}",
        BLOCKS + "{% block b20 %}{% endblock %}",
        "{{ 9**99999999 }}",
        "{% set a = [1, 1] %}" + GROWN + "{{ a }}",
        "{% set a = [1, 1] %}" + GROWN + "{{ a|tojson }}",
        "{% set a = (1, 1) %}" + GROWN.replace("[", "(").replace("]", ")") + "{{ [a]|unique|list|length }}",
        "{% set a = [1, 1] %}" + GROWN.replace("[a", "{1: [a").replace("]", "]}") + "{{ a|string|length }}",
        "{% set a = [1, 1] %}{% set b = [1, 1] %}" + GROWN + GROWN.replace("a", "b") + "{{ a == b }}",
        "{{ distinct|select('in', distinct)|list|length }}",
        "{{ distinct|reject('in', distinct)|list|length }}",
        "{{ distinct|map('abs')|select('in', distinct)|list|length }}",
        "{{ distinct|sort(reverse=true)|sort|length }}" * 40,
        "{{ distinct" + "|sort" * 300 + "|length }}",
    ],
    ids=lambda source: source[:50],
)  # fmt: skip
def test_no_text_is_a_bomb(source: str) -> None:
    began = time.thread_time()
    with pytest.raises((Rejected, ValueError)):
        render(check_template(source), {"many": MANY, "long": LONG, "distinct": DISTINCT})
    assert time.thread_time() - began < SECONDS


@pytest.mark.parametrize(
    "source",
    ["{{ ''.__class__ }}", "{{ range.__globals__ }}", "{{ self.__init__ }}", "{{ many.append(1) }}",
     "{{ ('' |attr('format'))(1) }}", "{{ cycler.__init__.__globals__ }}", "{{ many.clear() }}",
     "{{ [1]|map('attr', '__class__')|list }}", "{{ [1]|map(attribute='__class__')|join }}"],
)  # fmt: skip
def test_no_text_gets_out(source: str) -> None:
    with pytest.raises((Rejected, ValueError)):
        render(check_template(source), {"many": [1]})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ items|map(attribute='price')|sum }} EUR", "12.5 EUR"),
        ("{{ items|sum(attribute='price')|round(1) }}", "12.5"),
        ("{{ items|map(attribute='name')|join(', ') }}", "Tea, Cup"),
        ("{{ items|join(' and ', attribute='name')|upper }}", "TEA AND CUP"),
        ("{% for i in items %}{{ loop.index }}. {{ i.name }}{{ ';' if not loop.last }}{% endfor %}",
         "1. Tea;2. Cup"),
        ("{% for i in items %}{{ loop.cycle('a', 'b') }}{% endfor %}", "ab"),
        ("{{ name.split(' ')[0].title() ~ '!' }}", "Ann!"),
        ("{{ name|replace(' ', '_')|trim }}", "ann_lee"),
        ("{{ items[0].get('name') + ' x' }}{{ 2 * 3 + 1 }}{{ 7 % 4 }}", "Tea x73"),
        ("{% for k, v in items[0].items() %}{{ k }}{% endfor %}", "nameprice"),
        ("{{ items[0]|tojson }}", '{"name":"Tea","price":4.5}'),
        ("{% for i in range(3) %}{% for j in range(3) %}{{ i * j }}{% endfor %}{% endfor %}", "000012024"),
        ("{{ (items|selectattr('price', 'gt', 5)|first).name }}", "Cup"),
        ("{{ ['1', '2']|map('int')|sum }}", "3"),
        ("{{ [name, items[0].name]|join(', ') }}", "ann lee, Tea"),
        ("{% set a, b = (name, 'x') %}{{ {'k': (a, b)}.k[1] ~ a }}", "xann lee"),
        ("{% for a, b in [(1, 2), (3, name)] %}{{ a }}{{ b }}{% endfor %}", "123ann lee"),
    ],
)  # fmt: skip
def test_what_pushes_need_is_there(source: str, text: str) -> None:
    items = [{"name": "Tea", "price": 4.5}, {"name": "Cup", "price": 8.0}]
    assert render(check_template(source), {"items": items, "name": "ann lee"}) == text
