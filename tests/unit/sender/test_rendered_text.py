"""Tests of which text a person reads, and what a text and a link must have in them."""

from __future__ import annotations

import pytest

from shared.errors import Rejected
from tests.unit.sender.texts import content_of, push_of, variant_of

CHINESE = {"en": "Hello", "zh-Hans": "你好", "zh-Hant": "您好"}


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh-CN", "你好"), ("zh-SG", "你好"), ("zh", "你好"), ("zh-Hans-CN", "你好"), ("zh_CN", "你好"),
     ("ZH-cn", "你好"), ("zh-TW", "您好"), ("zh-HK", "您好"), ("zh-Hant", "您好"), ("zh-hant-hk", "您好"),
     ("zh-MO", "您好"), ("ja", "Hello")],
)  # fmt: skip
def test_f17_chinese_is_read_in_its_script(language: str, text: str) -> None:
    assert content_of(CHINESE, language) == text


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
    assert content_of({"en": "en", "pt": "pt", "pt-BR": "BR"}, language) == text


def test_f17_a_region_of_chinese_comes_before_its_script() -> None:
    texts = {**CHINESE, "zh-HK": "喂", "zh": "中"}
    assert [content_of(texts, name) for name in ("zh-HK", "zh-TW", "zh-CN")] == [
        "喂",
        "您好",
        "你好",
    ]
    assert content_of({"en": "Hello", "zh": "中"}, "zh-TW") == "中"


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
            push_of(variant_of(contents=texts), t=text)


@pytest.mark.parametrize("text", ["a\x00b", "a\x07", "\x1b[1m", "a\x1fb", "a\x7f"])
def test_f14_controls_are_refused(text: str) -> None:
    with pytest.raises((Rejected, ValueError), match="control character"):
        push_of(variant_of(contents={"en": "{{ t }}"}), t=text)


def test_f14_blanks_that_bind_stay() -> None:
    assert (
        content_of({"en": " 1\u00a0234,50\u202f€ \n za\tvše "}, "en")
        == "1\u00a0234,50\u202f€ za vše"
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
            variant_of(url=url)
        with pytest.raises(Rejected) as caught:
            push_of(variant_of(url="{{ u }}"), u=url)
        assert caught.value.code == "bad_variables"


@pytest.mark.parametrize(
    "url",
    ["https://shop.cz", "https://kůň.cz/č", "http://localhost:8099/x", "https://[::1]:8443/", "https://1.2.3.4/",
     "https://shop.cz/?u=https://other.cz", "https://shop.cz:65535", "https://http/x", "https://a-b.cz./"],
)  # fmt: skip
def test_f8_links_that_are_good(url: str) -> None:
    assert push_of(variant_of(url="{{ u }}"), u=f" \n{url}\n").url == url
