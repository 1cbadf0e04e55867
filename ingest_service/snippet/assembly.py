"""The snippet's text: the files of `js/` in one function, with the app's configuration. Pure."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson

from shared.identity_values import PATTERN, is_placeholder
from shared.models.app import App

SNIPPET_VERSION = "1.3.0"  # sent as context.sdk; raise it with every change that a page can see
SDK_URL = "https://cdn.onesignal.com/sdks/web/v16/OneSignalSDK.page.js"
JS = Path(__file__).with_name("js")

Flavour = Literal["carillon", "persoo", "actions", "check"]

_PARTS = (
    "00-where", "10-guard", "20-store", "30-visitor", "35-reported", "37-person", "40-queue", "45-send",
    "50-layer", "60-onesignal", "70-api",
)  # fmt: skip
FILES: dict[Flavour, tuple[str, ...]] = {
    "carillon": (*_PARTS, "90-carillon"),
    "persoo": (*_PARTS, "90-persoo"),
    "actions": ("actions",),
    "check": ("check", "check-onesignal"),
}

# Sufficient for the sources: none of their strings has two slashes between blanks (tested).
_COMMENT = re.compile(r"[ \t]*(?:^|(?<=[ \t]))//(?=[ \n]).*$", re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)
# No other word of the sources, no property and no string, is in such capitals (tested).
_CONSTANT = re.compile(r"^const ([A-Z][A-Z0-9_]+) =", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")

# A failure of the script must not look like the page's own error in its console: even the start is
# guarded.
_FRAME = """\
/*! Carillon {version}, {name} */
(function (config) {{
"use strict";
try {{
{body}
}} catch (error) {{
  console.warn("carillon", error);
}}
}})({config});
"""


def assemble(flavour: Flavour, app: App, key: str) -> str:
    """Return the script for pages that use this write key."""
    configure = check_configuration if flavour == "check" else configuration
    return _frame(flavour, configure(app, key))


def assemble_refusal(code: str, message: str) -> str:
    """Return the check script for a refused key: it names the reason, and checks all else."""
    return _frame("check", {"version": SNIPPET_VERSION, "code": code, "message": message})


def _frame(flavour: Flavour, config: dict[str, Any]) -> str:
    return _FRAME.format(
        version=SNIPPET_VERSION,
        name=f"{flavour}.js" if flavour != "carillon" else "snippet.js",
        body=_body(flavour),
        config=_literal(config),
    )


def configuration(app: App, key: str) -> dict[str, Any]:
    """Return the app's configuration for browsers, which is public; unset values are left out."""
    values = {
        "version": SNIPPET_VERSION,
        "key": key,
        "requireConsent": app.snippet.require_consent,
        "cookieDomain": app.snippet.cookie_domain,
        "masked": " ".join(app.masked_parameters),
        "nobody": PATTERN,
        "allowedLogins": [login for login in app.allowed_logins if is_placeholder(login)],
        **(_one_signal(app) if app.one_signal.enabled else {}),
    }
    return {name: value for name, value in values.items() if value}


def check_configuration(app: App, key: str) -> dict[str, Any]:
    """Return the public configuration that `carillon('check')` compares the page with."""
    values = configuration(app, key)
    values |= {
        "workerPath": "/" + app.snippet.worker_path.lstrip("/"),
        "provesLogins": app.login_hash.required,
        "hasLoginSecret": app.login_hash.secret is not None,
    }
    return {name: value for name, value in values.items() if name not in ("masked", "nobody")}


def _one_signal(app: App) -> dict[str, Any]:
    """Return the configuration of OneSignal.

    `loginToSdk`: pass logins to the SDK. `sdkUrl`: load the SDK from there. The worker's names are those
    of the SDK's `init`.
    """
    values = {
        "appId": app.one_signal.app_id,
        "webhookKey": app.snippet.webhook_key,
        "loginToSdk": app.snippet.login_to_one_signal,
    }
    if not app.snippet.load_one_signal:
        return values
    path = app.snippet.worker_path.lstrip("/")  # the SDK puts the slash before it
    scope = "/" + path[: path.rfind("/") + 1]
    worker = {"serviceWorkerPath": path, "serviceWorkerParam": {"scope": scope}}
    return {**values, "sdkUrl": app.snippet.sdk_url or SDK_URL, "worker": worker}


def etag_of(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


@cache
def _body(flavour: Flavour) -> str:
    sources = (JS.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in FILES[flavour])
    text = _BLANK_LINES.sub("\n", _COMMENT.sub("", "\n".join(sources))).strip()
    return shorten_constants(_INDENT.sub("", text))


def shorten_constants(text: str) -> str:
    """Rename constants of the outermost level to one or two characters: 0.25 KB less, compressed."""
    names = sorted(_CONSTANT.findall(text), key=lambda name: (-text.count(name), name))
    taken = set(re.findall(r"\w+", text))
    free = (name for name in _short_names() if name not in taken)
    short = dict(zip(names, free, strict=False))
    return re.sub(r"\b[A-Z][A-Z0-9_]+\b", lambda word: short.get(word[0], word[0]), text)


def _short_names() -> Iterator[str]:
    for digit in ("", *string.digits):
        yield from (capital + digit for capital in string.ascii_uppercase)


def _literal(value: Any) -> str:
    """Return JSON that is safe in any script, also in one within a page."""
    text = orjson.dumps(value).decode()
    for sign in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
