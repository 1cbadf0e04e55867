"""Events that name a login instead of a visitor: a shop's server may know nothing else of somebody.

Each login has a visitor for them, which no browser can have: its epoch opens under the login, and it
holds no player (docs/decisions/0064).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_service.parsing.field_notes import FieldNotes, validate_leniently
from ingest_service.parsing.input_model import InputModel
from ingest_service.projector.person_ids import LOGIN_VISITOR, PersonIds
from shared.errors import FieldError, InvalidPayload
from shared.events.registry import IDENTIFY, LOGOUT, ONESIGNAL, ONESIGNAL_WEBHOOK
from shared.identity_values import MESSAGE, is_placeholder
from shared.models.app import App
from shared.models.event import Source
from shared.names import Login
from shared.secrets import Vault

OF_BROWSERS = frozenset({LOGOUT, ONESIGNAL, ONESIGNAL_WEBHOOK})
RESERVED = f"an id that begins with {LOGIN_VISITOR} is Carillon's own"
NEEDS_SERVER = "needs a server key; under a write key an event names its visitorId"
NEEDS_BROWSER = "can't stand for visitorId here: an event of this type is a browser's"
DIFFERS = "differs from login, which the event names"


class NamedByLogin(InputModel):
    login: Login


class LoginVisitors:
    """Visitor ids of logins: keyed hashes, the same in all processes and after each start."""

    def __init__(self, people: PersonIds) -> None:
        self._people = people

    @classmethod
    def of(cls, vault: Vault) -> LoginVisitors:
        return cls(PersonIds(vault.derive("person")))

    def name_visitor(
        self, raw: Mapping[str, Any], app: App, source: Source
    ) -> tuple[dict[str, Any], str]:
        """Return the event with its login's visitor, and the login.

        Raises InvalidPayload, which doesn't repeat the login.
        """
        if source != "server":
            raise refusal("login", "login_needs_server_key", NEEDS_SERVER)
        given = {"login": raw["login"]}
        login = validate_leniently(
            NamedByLogin, given, FieldNotes(), needed=frozenset({"login"})
        ).login
        if is_placeholder(login, app.allowed_logins):
            raise refusal("login", "placeholder_login", MESSAGE)
        event = {key: value for key, value in raw.items() if key != "login"}
        return {**event, "visitorId": self._people.visitor_of_login(app.id, login)}, login


def names_login(raw: Any) -> bool:
    """Check whether an event names a login and no visitor."""
    is_event = isinstance(raw, dict)
    return is_event and raw.get("login") is not None and raw.get("visitorId") is None


def check_data(kind: str, data: Mapping[str, Any], login: str) -> None:
    """Check what an event that names a login is about. Raises InvalidPayload."""
    if kind in OF_BROWSERS:
        raise refusal("login", "login_needs_browser", NEEDS_BROWSER)
    if kind == IDENTIFY and data.get("login", login) != login:
        raise refusal("data.login", "login_differs", DIFFERS)


def refusal(field: str, code: str, message: str) -> InvalidPayload:
    """Return the error of one field."""
    error = FieldError(field, code, message)
    return InvalidPayload(f"{field}: {message}", code=code, errors=[error])
