"""A variant becomes a push in a person's language, or bad_variables."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.push import Push, PushButton
from sender_service.models.templates import check_template, render
from sender_service.planner.rendering import Renderer
from shared.errors import Rejected
from tests.support.builders import profile
from tests.unit.sender.texts import content_of, push_of, variant_of


@pytest.mark.parametrize(
    ("language", "text"),
    [("de-AT", "Servus"), ("de", "Hallo"), ("de-CH", "Hallo"), ("DE", "Hallo"), ("fr", "Hello"),
     ("en", "Hello"), (None, "Hello"), ("", "Hello")],
)  # fmt: skip
def test_language_falls_back(language: str | None, text: str) -> None:
    assert content_of({"en": "Hello", "de": "Hallo", "de-AT": "Servus"}, language) == text


def test_all_fields() -> None:
    push = push_of(
        variant_of(
            headings={"en": "For {{ name }}"}, icon="https://cdn.example/{{ name }}.png",
            image="https://cdn.example/i.png", data={"k": [1]},
            buttons=[{"id": "go", "text": "Go, {{ name }}", "url": "https://shop.example/go",
                      "icon": "https://cdn.example/b.png"}, {"id": "no", "text": "No"}],
        ),
        name="Zoe",
    )  # fmt: skip
    go = PushButton("go", "Go, Zoe", "https://shop.example/go", "https://cdn.example/b.png")
    assert push == Push(
        title="For Zoe",
        text="Come and see",
        url="https://shop.example/",
        icon="https://cdn.example/Zoe.png",
        image="https://cdn.example/i.png",
        buttons=(go, PushButton("no", "No")),
        data={"k": [1]},
    )


def test_own_variables_override_shared_ones() -> None:
    of = variant_of(contents={"en": "{{ a }}{{ b }}"})
    body = push_of(of, shared={"a": "1", "b": "2"}, b="3")
    assert body.text == "13"


def test_profile_is_ours_and_shows_no_personal_data() -> None:
    renderer = Renderer({"profile": "theirs"})
    seen = profile("p", basket={"total": 9}, email="jane@shop.example", login="jane")
    of = variant_of(contents={"en": "{{ profile.basket.total }}"})
    assert renderer.render(of, seen, {"profile": "own"}).text == "9"
    for field in ("email", "login", "_id", "players", "visitors"):
        with pytest.raises(Rejected):
            renderer.render(variant_of(contents={"en": "{{ profile." + field + " }}"}), seen, {})


def test_white_space_is_folded() -> None:
    assert content_of({"en": " Hi \n\n  you\t"}, "en") == "Hi you"


@pytest.mark.parametrize("field", ["headings", "contents"])
def test_texts_have_200_characters(field: str) -> None:
    assert push_of(variant_of(**{field: {"en": "{{ t }}"}}), t="ü" * 200)
    for text in ("ü" * 201, "", "  "):
        with pytest.raises(Rejected) as caught:
            push_of(variant_of(**{field: {"en": "{{ t }}"}}), t=text)
        assert caught.value.code == "bad_variables"


def test_half_a_character_is_no_text() -> None:
    # It would be no JSON either: seen as a 500 of previews and test pushes.
    half = "{{ '\\ud800' }}"
    for fields in ({"contents": {"en": half}}, {"url": "https://shop.example/" + half}):
        with pytest.raises(Rejected) as caught:
            push_of(variant_of(**fields))
        assert caught.value.code == "bad_variables"


@pytest.mark.parametrize("field", ["url", "icon", "image"])
@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//shop.example", "shop.example", "https://", "http:/x",
     "ftp://shop.example", "https://[", "https://x/" + "y" * 2_000],
)  # fmt: skip
def test_links_are_http(field: str, url: str) -> None:
    with pytest.raises(Rejected):
        push_of(variant_of(**{field: "{{ u }}"}), u=url)


def test_button_links_are_http_too() -> None:
    for field in ("url", "icon"):
        with pytest.raises(Rejected):
            button = {"id": "x", "text": "y", field: "{{ u }}"}
            push_of(variant_of(buttons=[button]), u="javascript:alert(1)")


def test_link_may_be_written_carelessly() -> None:
    assert (
        push_of(variant_of(url=" HTTPS://shop.example/{{ p }} "), p="a").url
        == "HTTPS://shop.example/a"
    )


def test_one_body_for_everyone_whose_texts_are_the_same() -> None:
    renderer = Renderer({"a": 1})
    of = variant_of(contents={"en": "{{ a }}"})
    bodies = [renderer.render(of, profile(f"p{i}", language="en"), {}) for i in range(3)]
    assert bodies[0] is bodies[1] is bodies[2]
    assert renderer.render(of, profile("p", language="en"), {"a": 2}).text == "2"


def test_language_and_variant_are_part_of_what_is_the_same() -> None:
    renderer = Renderer({})
    texts = {"en": "Hello", "de": "Hallo"}
    german = renderer.render(variant_of(contents=texts), profile("p", language="de"), {})
    english = renderer.render(variant_of(contents=texts), profile("q", language="en"), {})
    other = renderer.render(
        variant_of(id="b", contents={"en": "B"}), profile("q", language="en"), {}
    )
    assert [b.text for b in (german, english, other)] == ["Hallo", "Hello", "B"]


@pytest.mark.parametrize("where", ["headings", "contents", "url", "icon", "image", "buttons"])
def test_text_that_asks_for_the_profile_is_everybodys_own(where: str) -> None:
    source = "https://shop.example/{{ profile.basket.total }}"
    value: Any = source
    if where in ("headings", "contents"):
        value = {"en": source}
    if where == "buttons":
        value = [{"id": "x", "text": source}]
    renderer, of = Renderer({}), variant_of(**{where: value})
    bodies = [renderer.render(of, profile("p", basket={"total": n}), {}) for n in (1, 2)]
    assert bodies[0] != bodies[1]


def test_what_does_not_render_does_not_render_twice_either() -> None:
    renderer = Renderer({})
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            renderer.render(variant_of(contents={"en": "{{ gone }}"}), profile("p"), {})
        assert caught.value.code == "bad_variables"


@pytest.mark.parametrize("text", ['{{ "%999999999d" % 1 }}', '{{ "a"|center(999999999) }}'])
def test_a_text_is_never_padded_to_a_gigabyte(text: str) -> None:
    with pytest.raises((Rejected, ValueError)):
        render(check_template(text), {})


PIECES = st.sampled_from(
    ["{{ ", " }}", "{% for x in ", " %}", "{% endfor %}", "{% if ", "{% endif %}", "{% set y = ",
     "name", "items", "profile", ".price", "[0]", "()", "|upper", "|join(',')", "|round", "|nothing",
     " * ", " % ", " ~ ", " is defined", "range(9)", "'a'", "1", "-1", "{#", "#}", "{% raw %}", "\n"]
)  # fmt: skip
VARIABLES = st.dictionaries(
    st.sampled_from(["name", "items", "profile"]),
    st.none() | st.text(max_size=5) | st.integers() | st.lists(st.integers(), max_size=3),
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12), VARIABLES)
def test_any_template_is_refused_or_comes_to_a_text(
    pieces: list[str], variables: dict[str, object]
) -> None:
    source = "".join(pieces)
    try:
        check_template(source)
    except ValueError:
        return
    with suppress(Rejected):
        assert isinstance(render(source, variables), str)
