"""A variant becomes OneSignal's fields in a person's language, or bad_variables."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender_service.models.campaign import Variant
from sender_service.models.templates import check_template, render
from sender_service.planner.rendering import Renderer
from shared.errors import Rejected
from tests.unit.sender.builders import profile, variant


def _variant(**fields: Any) -> Variant:
    return Variant.model_validate(variant(**fields))


def _body(
    of: Variant, language: str | None = "en", shared: Any = None, **own: Any
) -> dict[str, Any]:
    return Renderer(shared or {}).body(of, profile("p", language=language), own)


def _content(texts: dict[str, str], language: str | None) -> str:
    text: str = _body(_variant(contents=texts), language)["contents"]["en"]
    return text


@pytest.mark.parametrize(
    ("language", "text"),
    [("de-AT", "Servus"), ("de", "Hallo"), ("de-CH", "Hallo"), ("DE", "Hallo"), ("fr", "Hello"),
     ("en", "Hello"), (None, "Hello"), ("", "Hello")],
)  # fmt: skip
def test_language_falls_back(language: str | None, text: str) -> None:
    assert _content({"en": "Hello", "de": "Hallo", "de-AT": "Servus"}, language) == text


CHINESE = {"en": "Hello", "zh-Hans": "你好", "zh-Hant": "您好"}


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh-CN", "你好"), ("zh-SG", "你好"), ("zh", "你好"), ("zh-Hans-CN", "你好"), ("zh_CN", "你好"),
     ("ZH-cn", "你好"), ("zh-TW", "您好"), ("zh-HK", "您好"), ("zh-Hant", "您好"), ("zh-hant-hk", "您好"),
     ("zh-MO", "您好"), ("ja", "Hello")],
)  # fmt: skip
def test_f17_chinese_is_read_in_its_script(language: str, text: str) -> None:
    assert _content(CHINESE, language) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt-br", "BR"),
        ("pt_BR", "BR"),
        ("PT", "pt"),
        ("pt-PT", "pt"),
        ("pt-BR-x-1", "BR"),
        ("de_AT", "en"),
    ],
)
def test_f17_languages_are_compared_without_case_the_longest_first(
    language: str, text: str
) -> None:
    assert _content({"en": "en", "pt": "pt", "pt-BR": "BR"}, language) == text


def test_f17_a_region_of_chinese_comes_before_its_script() -> None:
    texts = {**CHINESE, "zh-HK": "喂", "zh": "中"}
    assert [_content(texts, name) for name in ("zh-HK", "zh-TW", "zh-CN")] == ["喂", "您好", "你好"]
    assert _content({"en": "Hello", "zh": "中"}, "zh-TW") == "中"


def test_all_fields() -> None:
    body = _body(
        _variant(
            headings={"en": "For {{ name }}"}, icon="https://cdn.example/{{ name }}.png",
            image="https://cdn.example/i.png", data={"k": [1]},
            buttons=[{"id": "go", "text": "Go, {{ name }}", "url": "https://shop.example/go",
                      "icon": "https://cdn.example/b.png"}, {"id": "no", "text": "No"}],
        ),
        name="Zoe",
    )  # fmt: skip
    assert body == {
        "headings": {"en": "For Zoe"},
        "contents": {"en": "Come and see"},
        "url": "https://shop.example/",
        "data": {"k": [1]},
        "chrome_web_icon": "https://cdn.example/Zoe.png",
        "firefox_icon": "https://cdn.example/Zoe.png",
        "chrome_web_image": "https://cdn.example/i.png",
        "web_buttons": [
            {"id": "go", "text": "Go, Zoe", "url": "https://shop.example/go",
             "icon": "https://cdn.example/b.png"},
            {"id": "no", "text": "No"},
        ],
    }  # fmt: skip


def test_own_variables_override_shared_ones() -> None:
    of = _variant(contents={"en": "{{ a }}{{ b }}"})
    body = _body(of, shared={"a": "1", "b": "2"}, b="3")
    assert body["contents"]["en"] == "13"


def test_profile_is_ours_and_shows_no_personal_data() -> None:
    renderer = Renderer({"profile": "theirs"})
    seen = profile("p", basket={"total": 9}, email="jane@shop.example", login="jane")
    of = _variant(contents={"en": "{{ profile.basket.total }}"})
    assert renderer.body(of, seen, {"profile": "own"})["contents"]["en"] == "9"
    for field in ("email", "login", "_id", "players", "visitors"):
        with pytest.raises(Rejected):
            renderer.body(_variant(contents={"en": "{{ profile." + field + " }}"}), seen, {})


def test_white_space_is_folded() -> None:
    assert _content({"en": " Hi \n\n  you\t"}, "en") == "Hi you"


@pytest.mark.parametrize("field", ["headings", "contents"])
def test_texts_have_200_characters(field: str) -> None:
    assert _body(_variant(**{field: {"en": "{{ t }}"}}), t="ü" * 200)
    for text in ("ü" * 201, "", "  "):
        with pytest.raises(Rejected) as caught:
            _body(_variant(**{field: {"en": "{{ t }}"}}), t=text)
        assert caught.value.code == "bad_variables"


def test_half_a_character_is_no_text() -> None:
    """It would be no JSON either: seen as a 500 of previews and test pushes."""
    half = "{{ '\\ud800' }}"
    for fields in ({"contents": {"en": half}}, {"url": "https://shop.example/" + half}):
        with pytest.raises(Rejected) as caught:
            _body(_variant(**fields))
        assert caught.value.code == "bad_variables"


@pytest.mark.parametrize(
    "text",
    [
        "\u200b",
        "\u00ad\u200d",
        "\u00a0",
        "\u202f \u2003",
        "\u3000",
        "\ufeff",
        "\u2800",
        "\u3164",
        "\u2028",
    ],
)
def test_f14_a_text_of_blanks_is_empty(text: str) -> None:
    for texts in ({"en": text}, {"en": "{{ t }}"}):
        with pytest.raises((Rejected, ValueError), match="a text is empty"):
            _body(_variant(contents=texts), t=text)


@pytest.mark.parametrize("text", ["a\x00b", "a\x07", "\x1b[1m", "a\x1fb", "a\x7f"])
def test_f14_controls_are_refused(text: str) -> None:
    with pytest.raises((Rejected, ValueError), match="control character"):
        _body(_variant(contents={"en": "{{ t }}"}), t=text)


def test_f14_blanks_that_bind_stay() -> None:
    assert (
        _content({"en": " 1\u00a0234,50\u202f€ \n za\tvše "}, "en") == "1\u00a0234,50\u202f€ za vše"
    )


@pytest.mark.parametrize(
    "url",
    ["https://shop.cz/\nx", "https://shop.cz/a b", "https://shop.cz/\ta", "https://shop.cz/\u00a0", "https://./",
     "https://shop..cz/", "https://.cz/", "https://shop.cz:65536/", "https://shop.cz:0/", "https://shop.cz:x/",
     "https://https://shop.cz/", "http://http//shop.cz", "https://-/", "https://?x", "https://shop.cz/\x01"],
)  # fmt: skip
def test_f8_links_that_browsers_read_otherwise_are_refused(url: str) -> None:
    if not url.endswith("\u00a0"):  # blanks at the ends fall
        with pytest.raises(ValueError, match="link"):
            _variant(url=url)
        with pytest.raises(Rejected) as caught:
            _body(_variant(url="{{ u }}"), u=url)
        assert caught.value.code == "bad_variables"


@pytest.mark.parametrize(
    "url",
    ["https://shop.cz", "https://kůň.cz/č", "http://localhost:8099/x", "https://[::1]:8443/", "https://1.2.3.4/",
     "https://shop.cz/?u=https://other.cz", "https://shop.cz:65535", "https://http/x", "https://a-b.cz./"],
)  # fmt: skip
def test_f8_links_that_are_good(url: str) -> None:
    assert _body(_variant(url="{{ u }}"), u=f" \n{url}\n")["url"] == url


@pytest.mark.parametrize("field", ["url", "icon", "image"])
@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//shop.example", "shop.example", "https://", "http:/x",
     "ftp://shop.example", "https://[", "https://x/" + "y" * 2_000],
)  # fmt: skip
def test_links_are_http(field: str, url: str) -> None:
    with pytest.raises(Rejected):
        _body(_variant(**{field: "{{ u }}"}), u=url)


def test_button_links_are_http_too() -> None:
    for field in ("url", "icon"):
        with pytest.raises(Rejected):
            button = {"id": "x", "text": "y", field: "{{ u }}"}
            _body(_variant(buttons=[button]), u="javascript:alert(1)")


def test_link_may_be_written_carelessly() -> None:
    assert (
        _body(_variant(url=" HTTPS://shop.example/{{ p }} "), p="a")["url"]
        == "HTTPS://shop.example/a"
    )


def test_one_body_for_everybody_whose_texts_are_the_same() -> None:
    renderer = Renderer({"a": 1})
    of = _variant(contents={"en": "{{ a }}"})
    bodies = [renderer.body(of, profile(f"p{i}", language="en"), {}) for i in range(3)]
    assert bodies[0] is bodies[1] is bodies[2]
    assert renderer.body(of, profile("p", language="en"), {"a": 2})["contents"]["en"] == "2"


def test_language_and_variant_are_part_of_what_is_the_same() -> None:
    renderer = Renderer({})
    texts = {"en": "Hello", "de": "Hallo"}
    german = renderer.body(_variant(contents=texts), profile("p", language="de"), {})
    english = renderer.body(_variant(contents=texts), profile("q", language="en"), {})
    other = renderer.body(_variant(id="b", contents={"en": "B"}), profile("q", language="en"), {})
    assert [b["contents"]["en"] for b in (german, english, other)] == ["Hallo", "Hello", "B"]


@pytest.mark.parametrize("where", ["headings", "contents", "url", "icon", "image", "buttons"])
def test_text_that_asks_for_the_profile_is_everybodys_own(where: str) -> None:
    source = "https://shop.example/{{ profile.basket.total }}"
    value: Any = source
    if where in ("headings", "contents"):
        value = {"en": source}
    if where == "buttons":
        value = [{"id": "x", "text": source}]
    renderer, of = Renderer({}), _variant(**{where: value})
    bodies = [renderer.body(of, profile("p", basket={"total": n}), {}) for n in (1, 2)]
    assert bodies[0] != bodies[1]


def test_what_does_not_render_does_not_render_twice_either() -> None:
    renderer = Renderer({})
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            renderer.body(_variant(contents={"en": "{{ gone }}"}), profile("p"), {})
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
