"""Origins in the form that browsers send in `Origin`, which is compared letter by letter. Pure."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

ORIGIN_EXAMPLE = "an origin is like https://shop.example"
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_ORIGIN = 300
# What the schema says; names in other letters, and IPv6 addresses, are taken beyond it.
_LABEL = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?"
ORIGIN_PATTERN = rf"^https?://{_LABEL}(\.{_LABEL}){{0,5}}(:[1-9][0-9]{{0,3}})?/?$"
_LABEL_OF_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER = re.compile(r"([0-9]+|0[xX][0-9a-fA-F]*)\Z")
_ODD = re.compile(r"[\x00-\x20\x7f\\\s]")


def to_origin(text: str) -> str:
    """Return scheme, host and port in the browsers' form. Raises ValueError with the reason."""
    text = text.strip()
    if text == "null":
        raise ValueError("`null` is what sandboxed frames and files send: it is no shop's")
    if "*" in text:
        raise ValueError(f"wildcards aren't supported: list each origin; {ORIGIN_EXAMPLE}")
    if _ODD.search(text) or len(text) > MAX_ORIGIN:
        raise ValueError(ORIGIN_EXAMPLE)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ValueError(f"{ORIGIN_EXAMPLE}: this one's host or port is none") from exc
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ValueError(ORIGIN_EXAMPLE)
    _check_bare(text, parts)
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{_host(parts, host)}{suffix}"


def _check_bare(text: str, parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise ValueError(f"an origin has no user name nor password; {ORIGIN_EXAMPLE}")
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError(f"an origin has no path, query nor fragment; {ORIGIN_EXAMPLE}")
    if parts.port == 0:
        raise ValueError("port 0 is none")


def _host(parts: SplitResult, host: str) -> str:
    if "[" in parts.netloc:
        try:
            return f"[{IPv6Address(host).compressed}]"
        except AddressValueError as exc:
            raise ValueError("the address in brackets is no IPv6 address") from exc
    if not host.isascii():
        host = _to_ascii(host)
    labels = host.removesuffix(".").split(".")
    if not all(map(_LABEL_OF_HOST.match, labels)) or len(host) > 253 or is_no_address(host):
        raise ValueError(f"the host can't be one; {ORIGIN_EXAMPLE}")
    return host


def is_no_address(host: str) -> bool:
    """Return whether it ends in a number, so that browsers take it for IPv4, and isn't that."""
    host = host.removesuffix(".")
    if not _NUMBER.match(host.rpartition(".")[2]):
        return False
    try:
        IPv4Address(host)
    except AddressValueError:
        return True
    return False


def _to_ascii(host: str) -> str:
    """Return the host's `xn--` form, by the browsers' rules. Raises ValueError."""
    try:
        return idna.encode(host, uts46=True, transitional=False).decode()
    except idna.IDNAError as exc:
        raise ValueError("the host has letters that no host has") from exc
