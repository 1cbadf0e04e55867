"""A campaign is checked before it is stored; its templates can reach nothing and take no time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sender_service.models.campaign import CampaignBody
from sender_service.models.templates import check_template, render, variables_of
from shared.errors import InvalidPayload, Rejected
from shared.models.wire import validate
from tests.support.builders import variant


def _body(*variants: dict[str, Any], **fields: Any) -> CampaignBody:
    return validate(
        CampaignBody, {"name": "Welcome", "variants": list(variants) or [variant()], **fields}
    )


def test_smallest_campaign_has_the_defaults() -> None:
    body = _body()
    assert body.location == "PushNotificationLocation" and body.enabled
    assert body.policy.browsers == "all" and body.policy.holdout == 0
    assert body.variants[0].weight == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"location": "Elsewhere"}, "location"),
        ({"variants": []}, "variants"),
        ({"variants": [variant()] * 2}, "body"),
        ({"variants": [variant(weight=0)]}, "body"),
        ({"variants": [variant(weight=-1)]}, "variants.0.weight"),
        ({"variants": [variant(weight=float("nan"))]}, "variants.0.weight"),
        ({"variants": [variant(id="a b")]}, "variants.0.id"),
        ({"variants": [variant(headings={})]}, "variants.0"),
        ({"variants": [variant(contents={"de": "Hallo"})]}, "variants.0"),
        ({"variants": [variant(contents={"en": ""})]}, "variants.0.contents.en"),
        (
            {"variants": [variant(contents={"en": "x", "german": "x"})]},
            "variants.0.contents.german",
        ),
        ({"variants": [variant(contents={"en": "{{ broken"})]}, "variants.0.contents.en"),
        ({"variants": [variant(contents={"en": "x" * 2_001})]}, "variants.0.contents.en"),
        ({"variants": [variant(url="")]}, "variants.0.url"),
        ({"variants": [variant(buttons=[{"id": "x", "text": "y"}] * 3)]}, "variants.0.buttons"),
        ({"variants": [variant(buttons=[{"id": "", "text": "y"}])]}, "variants.0.buttons.0.id"),
        ({"variants": [variant(data={"carillon": "mine"})]}, "variants.0"),
        ({"variants": [variant(data={"x": "y" * 1_600})]}, "variants.0"),
        ({"variants": [variant(data={"x": float("nan")})]}, "variants.0.data"),
        ({"policy": {"holdout": 1}}, "policy.holdout"),
        ({"policy": {"browsers": "some"}}, "policy.browsers"),
        ({"policy": {"ttlSeconds": 2_419_201}}, "policy.ttlSeconds"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        _body(**fields)
    assert [e.field for e in caught.value.errors] == [named]


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ [].append(1) }}",
        "{{ x.__init__.__globals__ }}",
        "{{ self.__init__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{% for i in range(100001) %}x{% endfor %}",
        "{{ range(1000000000)|list }}",
        "{{ missing }}",
        "{{ x.missing }}",
        "{{ 1 / 0 }}",
        "{{ x() }}",
    ],
)
def test_what_a_text_may_not_do_is_bad_variables(source: str) -> None:
    check_template(source)
    began = time.monotonic()
    with pytest.raises(Rejected) as caught:
        render(source, {"x": {}})
    assert caught.value.code == "bad_variables"
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "source",
    [
        "{{ x",
        "{% nonsense %}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{% call f() %}{% endcall %}",
        "{% include 'other' %}",
        "{% import 'other' as o %}",
        "{% from 'other' import o %}",
        "{% extends 'other' %}",
        "{{ 9 ** 9 ** 9 }}",
        "{% for a in x recursive %}{{ loop(x) }}{% endfor %}",
        "{% for a in x %}{% if a %}"
        + "{% for b in a %}" * 2
        + "{% endfor %}" * 2
        + "{% endif %}{% endfor %}",
        "{{ " + "(" * 900 + ")" * 900 + " }}",
    ],
)
def test_what_has_no_end_or_no_sense_is_refused_on_arrival(source: str) -> None:
    with pytest.raises(ValueError, match="template"):
        check_template(source)


def _nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels - 1):
        data = {"a": data}
    return data


def test_f16_data_is_no_deeper_than_a_webhook_may_bring_it_back() -> None:
    assert _body(variant(data=_nested(6)))
    with pytest.raises(InvalidPayload, match="data"):
        _body(variant(data=_nested(7)))


def test_longest_loops_allowed_are_short() -> None:
    source = "{% for a in range(1000) %}{% for b in range(15) %}{% endfor %}{% endfor %}x"
    began = time.monotonic()
    assert render(check_template(source), {}) == "x"
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ name }}", "Hi Zoë"),
        ("{{ name if n > 1 else 'you' }} {{ n * 2.5 }}", "Zoë 5"),
        ("{% for i in items %}{{ i.id }}{% if not loop.last %}, {% endif %}{% endfor %}", "a, b"),
        ("{{ items|map(attribute='id')|join('+') }}", "a+b"),
        ("{{ missing|default('x') }}", "x"),
        ("{{ evil }}", "{{ 7 * 7 }}"),  # variables are text, never templates
    ],
)
def test_ordinary_texts(source: str, text: str) -> None:
    context = {"name": "Zoë", "n": 2, "items": [{"id": "a"}, {"id": "b"}], "evil": "{{ 7 * 7 }}"}
    assert render(check_template(source), context) == text


def test_failure_names_no_value() -> None:
    with pytest.raises(Rejected) as caught:
        render("{{ person.email.name }}", {"person": {"email": "jane@shop.example"}})
    assert "jane" not in caught.value.message


def test_variables_of_a_text_are_known() -> None:
    source = "{% set p = profile %}{{ p.basket }}{% for i in items %}{{ i }}{% endfor %}"
    assert variables_of(source) == {"profile", "items"}
