"""User model of the v16 SDK: users, their identity and their subscriptions."""

from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from deploy.local.sandbox.answers import desk_for, json_response, read_object, sandbox_of
from deploy.local.sandbox.errors import Refusal, refuse
from deploy.local.sandbox.models import Browser, Desk, Json, User
from deploy.local.sandbox.registration import new_browser, subscription_view
from deploy.local.sandbox.rows import browser_row, user_row
from deploy.local.sandbox.state import put_browser, put_user

SUBSCRIPTIONS_MAX = 20
RESTRICTED_IDS = frozenset({"0"})  # what scripts send of visitors that have none


async def create_user(request: Request) -> Response:
    """Create a user, or update the one with a known alias or token."""
    body = await read_object(request)
    desk = desk_for(request, request.path_params["app_id"])
    identity, properties = _object(body, "identity"), _object(body, "properties")
    subscriptions = [] if body.get("subscriptions") is None else body["subscriptions"]
    is_list = isinstance(subscriptions, list) and all(
        isinstance(item, dict) for item in subscriptions
    )
    if not is_list or len(subscriptions) > SUBSCRIPTIONS_MAX:
        raise refuse(400, f"subscriptions must be an array of at most {SUBSCRIPTIONS_MAX} objects")
    aliases = _read_aliases(identity)
    known = next((desk.aliases[pair] for pair in aliases.items() if pair in desk.aliases), None)
    user = _known_or_new(desk, known)
    aliases.pop("onesignal_id", None)
    user.aliases |= aliases
    user.properties |= properties
    put_user(desk, user)
    browsers = [_subscribe(desk, user, item) for item in subscriptions]
    rows = [user_row(user), *(browser_row(browser) for browser in browsers)]
    await sandbox_of(request).store.write(rows)
    return json_response(_view(user, browsers), 200 if known else 201)


async def view_user(request: Request) -> Response:
    desk, user = _find(request)
    ids = desk.user_browsers.get(user.id, [])
    return json_response(_view(user, [desk.browsers[id_] for id_ in ids]))


async def update_user(request: Request) -> Response:
    desk, user = _find(request)
    properties = _object(await read_object(request), "properties")
    tags = {**user.properties.get("tags", {}), **_object(properties, "tags")}
    user.properties |= properties | ({"tags": tags} if tags else {})
    await sandbox_of(request).store.write([user_row(user)])
    return json_response({"properties": user.properties}, 202)


async def update_identity(request: Request) -> Response:
    """Log a user in. Answers 409 when another user has the alias."""
    desk, user = _find(request)
    given = _object(await read_object(request), "identity")
    aliases = _read_aliases(given)
    taken = {
        label: alias
        for label, alias in aliases.items()
        if desk.aliases.get((label, alias), user.id) != user.id
    }
    if taken:
        raise _conflict(taken)
    user.aliases |= aliases
    put_user(desk, user)
    await sandbox_of(request).store.write([user_row(user)])
    return json_response({"identity": _identity(user)})


async def add_subscription(request: Request) -> Response:
    desk, user = _find(request)
    browser = _subscribe(desk, user, _object(await read_object(request), "subscription"))
    await sandbox_of(request).store.write([user_row(user), browser_row(browser)])
    return json_response({"subscription": subscription_view(browser)}, 202)


def _known_or_new(desk: Desk, known: str | None) -> User:
    if known is None:
        return User(str(uuid4()), desk.app.id)
    return desk.users.get(known) or User(known, desk.app.id)


def _subscribe(desk: Desk, user: User, subscription: Json) -> Browser:
    token = subscription.get("token")
    known = desk.tokens.get(token) if isinstance(token, str) else None
    id_ = subscription.get("id")
    if isinstance(id_, str) and id_ in desk.browsers:
        known = id_
    if known is None:
        return new_browser(desk, user, subscription, sdk="v16", id_=str(uuid4()))
    browser = desk.browsers[known]
    desk.user_browsers[browser.user_id].remove(browser.id)  # it moves to who is here now
    browser.user_id = user.id
    desk.user_browsers.setdefault(user.id, []).append(browser.id)
    put_browser(desk, browser)
    return browser


def _find(request: Request) -> tuple[Desk, User]:
    desk = desk_for(request, request.path_params["app_id"])
    label, alias = request.path_params["label"], request.path_params["alias"]
    known = desk.aliases.get((label, alias))
    if known is None:
        raise Refusal(404, {"errors": [{"code": "user-1", "title": "User not found"}]})
    return desk, _known_or_new(desk, known)


def _view(user: User, browsers: list[Browser]) -> Json:
    return {
        "properties": user.properties,
        "identity": _identity(user),
        "subscriptions": [subscription_view(browser) for browser in browsers],
    }


def _identity(user: User) -> dict[str, str]:
    return {"onesignal_id": user.id, **user.aliases}


def _conflict(taken: dict[str, str]) -> Refusal:
    title = "One or more Aliases claimed by another User"
    error = {"code": "user-2", "title": title, "meta": {"conflicting_aliases": taken}}
    return Refusal(409, {"errors": [error]})


def _read_aliases(given: Json) -> dict[str, str]:
    """Return the aliases. Raises Refusal for external ids that OneSignal never accepts."""
    aliases = {str(label): str(alias) for label, alias in given.items() if alias is not None}
    if aliases.get("external_id") in RESTRICTED_IDS:
        raise refuse(400, f"external_id {aliases['external_id']} is restricted")
    return aliases


def _object(body: Json, name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(400, f"{name} must be an object")
    return value
