"""Registration of a browser as the SDK does it: v15 players, and later changes of v15 and v16."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from deploy.local.sandbox.answers import desk_for, json_response, read_object, sandbox_of
from deploy.local.sandbox.errors import refuse
from deploy.local.sandbox.models import Browser, Desk, Json, User
from deploy.local.sandbox.rows import browser_row, user_row
from deploy.local.sandbox.state import anonymous_user_id, put_browser, put_user, set_subscribed

DEVICE_KINDS = {5: "ChromePush", 7: "SafariLegacyPush", 8: "FirefoxPush", 17: "SafariPush"}
DEVICE_TYPES = {kind: number for number, kind in DEVICE_KINDS.items()}
OPTED_OUT = -2
NO_PERMISSION = 0


async def create_player(request: Request) -> Response:
    """Create a v15 player. A known token brings its id back."""
    body = await read_object(request)
    desk = desk_for(request, body.get("app_id"))
    token = body.get("identifier")
    id_ = desk.tokens.get(token) if isinstance(token, str) else None
    if id_ is None:
        kind = DEVICE_KINDS.get(_integer(body, "device_type", 5), "ChromePush")
        id_ = str(uuid4())
        user = User(anonymous_user_id(id_), desk.app.id)
        subscription = {**body, "type": kind, "token": token}
        browser = new_browser(desk, user, subscription, sdk="v15", id_=id_)
        await _store(request, browser, user)
    return json_response({"success": True, "id": id_})


async def view_player(request: Request) -> Response:
    desk, browser = _find(request, request.query_params.get("app_id"))
    return json_response(
        {
            "id": browser.id,
            "identifier": browser.token,
            "device_type": DEVICE_TYPES.get(browser.kind, 5),
            "language": browser.language,
            "notification_types": browser.notification_types,
            "invalid_identifier": not browser.subscribed,
            "session_count": 1,
            "tags": desk.users[browser.user_id].properties.get("tags", {})
            if browser.user_id in desk.users
            else {},
        }
    )


async def update_player(request: Request) -> Response:
    body = await read_object(request)
    desk, browser = _find(request, body.get("app_id"))
    await change(request, desk, browser, body | {"token": body.get("identifier")})
    return json_response({"success": True})


async def view_subscription(request: Request) -> Response:
    _, browser = _find(request, request.path_params["app_id"])
    return json_response({"subscription": subscription_view(browser)})


async def update_subscription(request: Request) -> Response:
    body = await read_object(request)
    desk, browser = _find(request, request.path_params["app_id"])
    changes = body.get("subscription")
    if not isinstance(changes, dict):
        raise refuse(400, "subscription must be an object")
    await change(request, desk, browser, changes)
    return json_response({"subscription": subscription_view(browser)})


async def change(request: Request, desk: Desk, browser: Browser, changes: Json) -> None:
    sandbox = sandbox_of(request)
    types = read_types(changes, browser.notification_types)
    left = set_subscribed(desk, browser, types)
    if isinstance(changes.get("token"), str):
        browser.token = changes["token"]
        desk.tokens[changes["token"]] = browser.id
    await sandbox.store.write([browser_row(browser)])
    if left:
        sandbox.delivery.events.put(desk, browser, None, "unsubscribed")


def read_types(changes: Json, present: int) -> int:
    """Return `notification_types`; where it is absent, the value that `enabled` means."""
    enabled = changes.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise refuse(400, "enabled must be true or false")
    types = _integer(changes, "notification_types", present if enabled is None else 1)
    if enabled is False and types > 0:
        return OPTED_OUT
    return types


def new_browser(desk: Desk, user: User, subscription: Json, *, sdk: str, id_: str) -> Browser:
    token, kind = subscription.get("token"), subscription.get("type")
    language = subscription.get("language")
    types = read_types(subscription, 1)
    browser = Browser(
        id=id_,
        app_id=desk.app.id,
        user_id=user.id,
        sdk=sdk,
        subscribed=types > 0,
        notification_types=types,
        auto=False,  # a page that registers itself acts by itself
        token=token if isinstance(token, str) else None,
        kind=kind if isinstance(kind, str) else "ChromePush",
        language=language if isinstance(language, str) else "en",
    )
    put_user(desk, user)
    put_browser(desk, browser)
    return browser


def subscription_view(browser: Browser) -> Json:
    return {
        "id": browser.id,
        "app_id": browser.app_id,
        "type": browser.kind,
        "token": browser.token or "",
        "enabled": browser.subscribed,
        "notification_types": browser.notification_types,
    }


async def _store(request: Request, browser: Browser, user: User) -> None:
    await sandbox_of(request).store.write([user_row(user), browser_row(browser)])


def _find(request: Request, app_id: object) -> tuple[Desk, Browser]:
    id_, state = request.path_params["id"].lower(), sandbox_of(request).state
    desk = desk_for(request, app_id) if app_id is not None else state.desk_of_browser(id_)
    browser = desk.browsers.get(id_) if desk else None
    if desk is None or browser is None:
        raise refuse(404, "No user with this id found")
    return desk, browser


def _integer(body: Json, name: str, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise refuse(400, f"{name} must be a number")
    return value
