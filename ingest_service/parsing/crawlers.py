"""Crawlers, recognized by their User-Agent: their events are stored, but make no profiles. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

# A crawler with a browser's User-Agent counts as a visitor. Not "headless": those are mostly shops'
# own tests. "cubot" makes phones.
_CRAWLER = re.compile(
    r"(?<!cu)bot\b|(?<!cu)bot[/_-]|crawl|spider|slurp|mediapartners|ia_archiver|archive\.org"
    r"|facebookexternalhit|inspectiontool|lighthouse|pagespeed|preview|prerender|pingdom|uptime",
    re.IGNORECASE,
)
MAX_AGENT = 1_024
KEPT_AGENTS = 4_096  # a shop's visitors have some hundreds


def is_crawler(user_agent: str) -> bool:
    return _is_crawler(user_agent[:MAX_AGENT])  # cut first, so that the cache is bounded


@lru_cache(KEPT_AGENTS)
def _is_crawler(user_agent: str) -> bool:
    return _CRAWLER.search(user_agent) is not None
