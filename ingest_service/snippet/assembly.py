"""The snippet's text: the files of `js/` in one function, with the app's configuration. Pure."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson

from shared.models.app import App

VERSION = "1.2.0"  # told as context.sdk; raise it with every change of what a page can see
SDK_URL = "https://cdn.onesignal.com/sdks/web/v16/OneSignalSDK.page.js"
JS = Path(__file__).with_name("js")

Flavour = Literal["carillon", "persoo", "actions"]

_PARTS = (
    "00-where", "10-guard", "20-store", "30-visitor", "35-told", "40-queue", "45-send", "50-layer",
    "60-onesignal", "70-api",
)  # fmt: skip
FILES: dict[Flavour, tuple[str, ...]] = {
    "carillon": (*_PARTS, "90-carillon"),
    "persoo": (*_PARTS, "90-persoo"),
    "actions": ("actions",),
}

# Only what the sources have: no string of theirs has two slashes between blanks (a test looks).
_COMMENT = re.compile(r"[ \t]*(?:^|(?<=[ \t]))//(?=[ \n]).*$", re.MULTILINE)
_INDENT = re.compile(r"^( +)\1", re.MULTILINE)  # half of it is as readable
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")

# What a script of ours can't do is no reason for a message in the page's console to look like
# the page's own error: even the start is guarded.
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
    """The script for pages that use this write key."""
    return _FRAME.format(
        version=VERSION,
        name=f"{flavour}.js" if flavour != "carillon" else "snippet.js",
        body=_body(flavour),
        config=_literal(configuration(app, key)),
    )


def configuration(app: App, key: str) -> dict[str, Any]:
    """What a browser may know of an app, which is what anybody may know; what isn't set is left out."""
    told = {
        "version": VERSION,
        "key": key,
        "requireConsent": app.snippet.require_consent,
        "cookieDomain": app.snippet.cookie_domain,
        "masked": " ".join(app.masked_parameters),
        **(_one_signal(app) if app.one_signal.enabled else {}),
    }
    return {name: value for name, value in told.items() if value}


def _one_signal(app: App) -> dict[str, Any]:
    """`tellLogin`: hand logins to the SDK. `sdkUrl`: load it from there. The worker's names are those
    of the SDK's `init`."""
    told = {
        "appId": app.one_signal.app_id,
        "webhookKey": app.snippet.webhook_key,
        "tellLogin": app.snippet.login_to_one_signal,
    }
    if not app.snippet.load_one_signal:
        return told
    path = app.snippet.worker_path.lstrip("/")  # the SDK puts the slash before it
    scope = "/" + path[: path.rfind("/") + 1]
    worker = {"serviceWorkerPath": path, "serviceWorkerParam": {"scope": scope}}
    return {**told, "sdkUrl": app.snippet.sdk_url or SDK_URL, "worker": worker}


def etag_of(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


@cache
def _body(flavour: Flavour) -> str:
    sources = (JS.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in FILES[flavour])
    text = _BLANK_LINES.sub("\n", _COMMENT.sub("", "\n".join(sources))).strip()
    return _INDENT.sub(r"\1", text)


def _literal(value: Any) -> str:
    """JSON that can stand in any script, also one that is written into a page."""
    text = orjson.dumps(value).decode()
    for sign in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
