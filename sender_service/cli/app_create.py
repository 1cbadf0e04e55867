"""`app create`: makes a web shop's app and keys, tests the connection, prints the pages' lines."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from dataclasses import dataclass
from html import escape
from typing import Any

from sender_service.cli.answers import Answer
from sender_service.cli.app_page_code import snippet_tags, webhook_lines, worker_file
from sender_service.cli.app_sdk import SdkSource, find_sdk
from sender_service.cli.ops import ApiError, OpsClient, add_command, path_of
from sender_service.models.app_keys import USES, make_key
from sender_service.ops.responses.apps import AppResponse, ConnectionResponse
from shared.environment import load_settings
from shared.models.app import KeyKind

IDS: dict[KeyKind, str] = {
    "write": "web",
    "server": "server",
    "webhook": "hook",
    "stream": "stream",
}
_WRITE: KeyKind = "write"
_WEBHOOK: KeyKind = "webhook"


def add_create_command(group: Any) -> None:
    parser: argparse.ArgumentParser = add_command(
        group, "create", _create, help="make one, with its keys, and print what its pages get",
        epilog="The REST API key is asked for, or read from the standard input: never an argument,"
        " which others on the machine could read.",
    )  # fmt: skip
    parser.add_argument("app", metavar="APP", help="its id: letters, digits, or any of _ . -")
    parser.add_argument("--name", required=True, help="as people call the shop")
    parser.add_argument("--onesignal-app-id", required=True, metavar="UUID")
    parser.add_argument(
        "--onesignal-key-stdin", action="store_true", help="read the REST API key from stdin"
    )
    parser.add_argument("--plan", choices=("free", "paid"), default="free", help="OneSignal's")
    parser.add_argument(
        "--origin", action="append", required=True, metavar="URL",
        help="of the shop's pages, like https://shop.example; again for more",
    )  # fmt: skip
    parser.add_argument(
        "--time-zone", default=None, metavar="ZONE", help="of people whose own isn't known"
    )
    parser.add_argument(
        "--ingest-url", default=None, metavar="URL",
        help="where browsers reach ingest; by default this machine's",
    )  # fmt: skip
    parser.add_argument(
        "--sdk-url", default=None, metavar="URL",
        help="where pages load OneSignal's SDK from; by default OneSignal, or the sandbox here",
    )  # fmt: skip


@dataclass(frozen=True)
class _Created:
    """An app that was made, and all that its operator gets once."""

    app: Answer[AppResponse]
    keys: dict[KeyKind, str]
    login_secret: str
    snippet: str
    webhooks: str
    worker: str

    def to_json(self, connection: Any) -> dict[str, Any]:
        return {
            "app": self.app.json,
            "keys": self.keys,
            "loginSecret": self.login_secret,
            "snippet": self.snippet,
            "webhooks": self.webhooks,
            "worker": self.worker,
            "connection": connection,
        }


async def _create(ops: OpsClient) -> None:
    options = ops.options
    keys = {kind: make_key(kind) for kind in IDS}
    login_secret = secrets.token_urlsafe(32)
    sdk = await find_sdk(ops)
    body = _body(options, (keys, login_secret, _rest_key(options)), sdk)
    headers = {"If-None-Match": "*"}
    path = path_of("apps", options.app)
    app = await ops.call(AppResponse, "PUT", path, json=body, headers=headers)
    created = _Created(
        app=app,
        keys=keys,
        login_secret=login_secret,
        snippet=snippet_tags(ingest_url(options), keys[_WRITE]),
        webhooks=webhook_lines(ingest_url(options), keys[_WEBHOOK], options.onesignal_app_id),
        worker=worker_file(sdk.worker_url),
    )
    if not options.json:
        # Before the next request: a failure must not lose the keys.
        ops.console.file.write(_page(options.app, created, sdk))
        ops.console.file.flush()
    path = path_of("apps", options.app, "test-connection")
    connection = await ops.call(ConnectionResponse, "POST", path)
    found = connection.body
    if options.json:
        ops.show_json(created.to_json(connection.json))
    else:
        ops.console.file.write(f"OneSignal: {found.message} ({found.result})\n")
    ops.warn(found.warnings)
    if found.result != "ok":
        again = f"`app test-connection {options.app}` asks again, `app put` corrects it"
        raise ApiError(409, f"the app is stored, but OneSignal does not take it: {again}")


def _rest_key(options: argparse.Namespace) -> str:
    """Read the REST API key from a terminal or the standard input. Raises ApiError."""
    if options.onesignal_key_stdin:
        key = sys.stdin.readline().strip()
    elif sys.stdin.isatty():
        key = getpass.getpass("OneSignal REST API key: ").strip()
    else:
        raise ApiError(400, "no terminal to ask for the REST API key: say --onesignal-key-stdin")
    if not key:
        raise ApiError(400, "the REST API key is empty")
    return key


def _body(
    options: argparse.Namespace, made: tuple[dict[KeyKind, str], str, str], sdk: SdkSource
) -> dict[str, Any]:
    keys, login_secret, rest_key = made
    snippet = {"webhookKey": keys[_WEBHOOK]}
    if sdk.page_url is not None:
        snippet |= {"sdkUrl": sdk.page_url}
    body = {
        "name": options.name,
        "oneSignal": {
            "appId": options.onesignal_app_id,
            "restApiKey": rest_key,
            "plan": options.plan,
        },
        "keys": [{"id": IDS[kind], "kind": kind, "key": key} for kind, key in keys.items()],
        "origins": options.origin,
        "loginHash": {"required": True, "secret": login_secret},
        "snippet": snippet,
    }
    return body if options.time_zone is None else {**body, "timeZone": options.time_zone}


def ingest_url(options: argparse.Namespace) -> str:
    if options.ingest_url is not None:
        return str(options.ingest_url)
    ingest = load_settings().ingest
    host = "127.0.0.1" if ingest.host in ("0.0.0.0", "::", "") else ingest.host
    return f"http://{host}:{ingest.port}"


def _page(app: str, created: _Created, sdk: SdkSource) -> str:
    width = max(map(len, IDS.values()))
    keys = "".join(
        f"  {IDS[kind]:{width}}  {key}  {USES[kind]}\n" for kind, key in created.keys.items()
    )
    return f"""\
The app {app} is stored. Its keys are shown this once; keep the secret ones where your secrets are:

{keys}
Login secret, under which your server proves logins (docs/browser.md, "Proving a login"):

  {created.login_secret}

1. Into <head> of every page:

{created.snippet}
2. At {_worker_url(created.app.body)}, served by the shop itself:

{created.worker}
3. Only where the page starts OneSignal itself: set snippet.loadOneSignal to false, and add to its init:

{created.webhooks}{_sdk_hint(sdk)}
4. Then open the shop, allow pushes, and look: carillon('profile') in the browser's console shows a
   playerID. A first push: docs/campaigns.md.

"""


def _sdk_hint(sdk: SdkSource) -> str:
    if sdk.page_url is None:
        return ""
    return f"""
   These lines load the SDK from {sdk.page_url}
   (docs/sandbox.md), not from OneSignal; another is given by --sdk-url. Such a page includes it so:

<script async src="{escape(sdk.page_url)}"></script>
"""


def _worker_url(app: AppResponse) -> str:
    return app.origins[0] + app.snippet.worker_path
