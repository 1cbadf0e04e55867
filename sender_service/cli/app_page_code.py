"""Code that a shop pastes: the snippet, lines for its own OneSignal init, the worker file."""

from __future__ import annotations

from html import escape

import orjson

_SNIPPET = """\
<script>
window.carillon = window.carillon || function () {{ (carillon.q = carillon.q || []).push(arguments); }};
</script>
<script async src="{src}"></script>
"""
_WEBHOOKS = """\
var oneSignalWebHookURL = {url};
OneSignalDeferred.push((OneSignal) => OneSignal.init({{
  appId: {app},
  webhooks: {{
    cors: false,
    "notification.willDisplay": oneSignalWebHookURL,   // v15: "notification.displayed"
    "notification.clicked": oneSignalWebHookURL,
    "notification.dismissed": oneSignalWebHookURL,
  }},
}}));
"""


def snippet_tags(ingest: str, write_key: str) -> str:
    """Return the tags for `<head>`; `ingest` is the address that browsers use."""
    return _SNIPPET.format(src=escape(f"{ingest.rstrip('/')}/v1/snippet.js?key={write_key}"))


def worker_file(sdk_worker: str) -> str:
    """Return the worker file, which loads OneSignal's from `sdk_worker`."""
    return f"importScripts({_literal(sdk_worker)});\n"


def webhook_lines(ingest: str, webhook_key: str, onesignal_app: str) -> str:
    """Return the lines that a page adds to its own OneSignal `init`."""
    url = f"{ingest.rstrip('/')}/v1/webhooks/onesignal/{webhook_key}"
    return _WEBHOOKS.format(url=_literal(url), app=_literal(onesignal_app))


def _literal(text: str) -> str:
    return orjson.dumps(text).decode().replace("<", "\\u003c")
