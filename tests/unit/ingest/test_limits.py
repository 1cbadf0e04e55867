"""Token buckets and crawlers, by themselves."""

from __future__ import annotations

import pytest

from ingest_service.api.client_networks import name_networks
from ingest_service.api.rate_limits import KEPT_BUCKETS, TokenBuckets
from ingest_service.parsing.crawlers import is_crawler
from tests.support.clocks import ManualClock


def bucket_pair() -> tuple[TokenBuckets, ManualClock]:
    clock = ManualClock()
    return TokenBuckets(per_second=2, burst=4, monotonic=clock.monotonic), clock


def test_a_bucket_fills_at_its_rate_up_to_its_burst() -> None:
    buckets, clock = bucket_pair()
    assert buckets.seconds_until("a", 4) == 0
    buckets.take("a", 4)
    assert buckets.seconds_until("a", 1) == 0.5
    clock.advance(0.5)
    assert buckets.seconds_until("a", 1) == 0
    clock.advance(1_000)
    buckets.take("a", 5)
    assert buckets.seconds_until("a", 1) == 1.0
    assert buckets.seconds_until("b", 1) == 0


def test_a4_a_bucket_owes_one_burst_at_most() -> None:
    buckets, clock = bucket_pair()
    buckets.take("a", 500)
    assert buckets.seconds_until("a", 1) == 2.5
    clock.advance(2.5)
    assert buckets.seconds_until("a", 1) == 0


def test_more_than_a_burst_waits_for_a_full_bucket() -> None:
    buckets, clock = bucket_pair()
    buckets.take("a", 1)
    assert buckets.seconds_until("a", 500) == 0.5
    assert buckets.seconds_until("a", 500, paid=1) == 0  # it paid for its head already


def test_memory_is_bounded_and_forgets_the_full_first() -> None:
    clock = ManualClock()
    buckets = TokenBuckets(per_second=1, burst=2, monotonic=clock.monotonic)
    for number in range(KEPT_BUCKETS):
        buckets.take(f"old{number}", 1)
    clock.advance(1)  # all of them are full again
    buckets.take("new", 1)
    assert len(buckets._buckets) == 1
    for number in range(3 * KEPT_BUCKETS):
        buckets.take(f"busy{number}", 100)
    assert len(buckets._buckets) <= KEPT_BUCKETS


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("8.8.8.8", ("8.8.8.8",)),
        ("8.8.8.8:4711", ("8.8.8.8",)),
        ("::ffff:8.8.8.8", ("8.8.8.8",)),
        ("::ffff:808:808", ("8.8.8.8",)),
        ("2a00:1450:1:2::1", ("2a00:1450:1:2::/64", "2a00:1450:1::/48")),
        ("[2a00:1450:1:2:ffff::1]:443", ("2a00:1450:1:2::/64", "2a00:1450:1::/48")),
        ("2a00:1450:1:3::1%eth0", ("2a00:1450:1:3::/64", "2a00:1450:1::/48")),
        ("unknown", ("unknown",)),
        ("8.8.8.8 " * 10_000, ("unknown",)),
    ],
)
def test_a4_an_address_has_one_name(address: str, networks: tuple[str, ...]) -> None:
    assert name_networks(address) == networks


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; SeznamBot/4.0; +https://o-seznam.cz/napoveda/)",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
        "Mediapartners-Google",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "Mozilla/5.0 (X11; Linux x86_64) Chrome/149.0.0.0 Safari/537.36 Chrome-Lighthouse",
        "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    ],
)
def test_crawlers(agent: str) -> None:
    assert is_crawler(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0",
        "Mozilla/5.0 (Linux; Android 15; CUBOT X70) AppleWebKit/537.36 Chrome/149.0 Mobile",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/149.0.0.0 Safari/537.36",
    ],
)
def test_visitors(agent: str) -> None:
    assert not is_crawler(agent)
