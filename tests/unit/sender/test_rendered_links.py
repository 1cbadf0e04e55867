"""Links and white space of a rendered push: what is refused, and what stays."""

from __future__ import annotations

import pytest

from shared.errors import Rejected
from tests.unit.sender.builders import made_variant, rendered, rendered_content


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
            rendered(made_variant(contents=texts), t=text)


@pytest.mark.parametrize("text", ["a\x00b", "a\x07", "\x1b[1m", "a\x1fb", "a\x7f"])
def test_f14_controls_are_refused(text: str) -> None:
    with pytest.raises((Rejected, ValueError), match="control character"):
        rendered(made_variant(contents={"en": "{{ t }}"}), t=text)


def test_f14_blanks_that_bind_stay() -> None:
    assert (
        rendered_content({"en": " 1\u00a0234,50\u202f€ \n za\tvše "}, "en")
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
            made_variant(url=url)
        with pytest.raises(Rejected) as caught:
            rendered(made_variant(url="{{ u }}"), u=url)
        assert caught.value.code == "bad_variables"


@pytest.mark.parametrize(
    "url",
    ["https://shop.cz", "https://kůň.cz/č", "http://localhost:8099/x", "https://[::1]:8443/", "https://1.2.3.4/",
     "https://shop.cz/?u=https://other.cz", "https://shop.cz:65535", "https://http/x", "https://a-b.cz./"],
)  # fmt: skip
def test_f8_links_that_are_good(url: str) -> None:
    assert rendered(made_variant(url="{{ u }}"), u=f" \n{url}\n")["url"] == url


@pytest.mark.parametrize("field", ["url", "icon", "image"])
@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//shop.example", "shop.example", "https://", "http:/x",
     "ftp://shop.example", "https://[", "https://x/" + "y" * 2_000],
)  # fmt: skip
def test_links_are_http(field: str, url: str) -> None:
    with pytest.raises(Rejected):
        rendered(made_variant(**{field: "{{ u }}"}), u=url)


def test_button_links_are_http_too() -> None:
    for field in ("url", "icon"):
        with pytest.raises(Rejected):
            button = {"id": "x", "text": "y", field: "{{ u }}"}
            rendered(made_variant(buttons=[button]), u="javascript:alert(1)")


def test_link_may_be_written_carelessly() -> None:
    assert (
        rendered(made_variant(url=" HTTPS://shop.example/{{ p }} "), p="a")["url"]
        == "HTTPS://shop.example/a"
    )
