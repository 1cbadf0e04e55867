"""What a `PUT` of an app may say, and how it is stored: secrets sealed, keys as hashes."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from sender_service.models.origins import ORIGIN_PATTERN, to_origin
from sender_service.models.trigger import Name, UuidText
from sender_service.ops.app_secrets import NOT_A_HOOK, absent, invalid
from shared.errors import FieldError
from shared.locales import known_time_zone, known_time_zones
from shared.models.app import (
    MASKED_PARAMETERS,
    MAX_ALLOWED_LETTERS,
    PUBLIC_KEY,
    App,
    KeyKind,
    ParameterWords,
    SnippetConfig,
)
from shared.models.cap import Cap
from shared.models.sentences import described
from shared.models.wire import Wire
from shared.mongo.client import Document
from shared.names import Login
from shared.nearest import did_you_mean
from shared.secrets import MASK, Vault

MIN_SECRET = 6  # shorter ones are guessed in no time; `app create` makes good ones
Key = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Secret = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=MIN_SECRET, max_length=512)
]
# It stands in a header: what was copied with a line break is taken without, other letters can't be right.
ApiKey = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        pattern=described(
            r"^[\x21-\x7e]{1,512}$",
            "must be the key as OneSignal shows it: 1 to 512 letters, digits or signs, no blanks,"
            " as os_v2_app_…",
        ),
    ),
]


Origin = Annotated[
    str, AfterValidator(to_origin), Field(json_schema_extra={"pattern": ORIGIN_PATTERN})
]


def _check_letters(logins: list[str]) -> list[str]:
    if sum(map(len, logins)) > MAX_ALLOWED_LETTERS:
        raise ValueError(f"they may have {MAX_ALLOWED_LETTERS} letters together")
    return logins


AllowedLogins = Annotated[list[Login], Field(max_length=32), AfterValidator(_check_letters)]


def _time_zone(name: str) -> str:
    """Return the zone's own spelling, whatever the case was. Raises ValueError."""
    known = known_time_zone(name)
    if known is None:
        raise ValueError(
            f"is no time zone, as Europe/Prague is{did_you_mean(name, known_time_zones())}"
        )
    return known


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_time_zone)]


class KeyIn(Wire):
    """`key` may be left out, or masked, for one that is there already."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"kind": {"const": "write"}}},
            "then": {"properties": {"key": {"pattern": PUBLIC_KEY}}},
        }
    )

    id: Name
    kind: KeyKind
    key: Key | None = None

    @model_validator(mode="after")
    def _can_stand_in_a_page(self) -> Self:
        """A write key is a step of the path that Persoo's loader asks for."""
        if self.kind == "write" and self.key is not None and not re.fullmatch(PUBLIC_KEY, self.key):
            raise ValueError("a write key has 1 to 48 letters, digits, or signs of _.~-")
        return self

    @model_validator(mode="after")
    def _is_not_guessed(self) -> Self:
        """A server's or a stream's key is secret; the others stand in pages."""
        if (
            self.kind in ("server", "stream")
            and self.key is not None
            and len(self.key) < MIN_SECRET
        ):
            raise ValueError(f"a secret key has at least {MIN_SECRET} characters")
        return self


class OneSignalIn(Wire):
    app_id: UuidText
    rest_api_key: ApiKey = MASK
    plan: Literal["free", "paid"] = "free"
    enabled: bool = True


class LoginHashIn(Wire):
    required: bool = True
    secret: Secret | None = None


class AppIn(Wire):
    """What `PUT` takes."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    enabled: bool = True
    one_signal: OneSignalIn = Field(alias="oneSignal")
    keys: list[KeyIn] = Field(default=[], max_length=32)
    origins: list[Origin] = Field(default=[], max_length=32)
    login_hash: LoginHashIn = LoginHashIn()
    allowed_logins: AllowedLogins = []
    snippet: SnippetConfig = SnippetConfig()
    control_group: float = Field(default=0, ge=0, lt=1)
    cap: Cap | None = None
    time_zone: TimeZone | None = None
    masked_parameters: ParameterWords = list(MASKED_PARAMETERS)

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        if len({key.id for key in self.keys}) != len(self.keys):
            raise ValueError("keys: ids must differ")
        return self


class AppDocumentBuilder:
    """Turns what came in into what is stored; a masked secret stays what it was."""

    def __init__(self, vault: Vault, before: Document | None) -> None:
        self._vault = vault
        self._before = None if before is None else App.model_validate(before)

    def content(self, given: AppIn) -> Document:
        """Raises InvalidPayload, naming the field."""
        before = self._before
        kept = before.one_signal.rest_api_key if before else None
        return {
            "name": given.name,
            "enabled": given.enabled,
            "oneSignal": {
                **given.one_signal.document(),
                "restApiKey": self._seal(
                    given.one_signal.rest_api_key, kept, "oneSignal.restApiKey"
                ),
            },
            "keys": self._keys(given),
            "origins": given.origins,
            "loginHash": {
                "required": given.login_hash.required,
                "secret": self._login_secret(given.login_hash),
            },
            "allowedLogins": given.allowed_logins,
            "snippet": given.snippet.document(),
            "controlGroup": given.control_group,
            "cap": None if given.cap is None else given.cap.document(),
            "timeZone": given.time_zone,
            "maskedParameters": given.masked_parameters,
        }

    def _login_secret(self, given: LoginHashIn) -> str | None:
        """Return the secret that is stored: one left out stays what it was, if there is any."""
        kept = self._before.login_hash.secret if self._before else None
        if given.secret is None:
            return kept
        return self._seal(given.secret, kept, "loginHash.secret")

    def _seal(self, plain: str, kept: str | None, field: str) -> str:
        if plain == MASK:
            if kept is None:
                raise invalid([absent(field, plain)])
            return kept
        # The same secret stays as it was sealed: an identical PUT makes no new version.
        return kept if kept and self._vault.decrypt(kept) == plain else self._vault.encrypt(plain)

    def _keys(self, given: AppIn) -> list[Document]:
        keys = [self._key(key) for key in given.keys]
        hook = given.snippet.webhook_key
        hashes = [key["hash"] for key in keys if key["kind"] == "webhook"]
        if hook is not None and self._vault.hash_key(hook) not in hashes:
            raise invalid([FieldError("body.snippet.webhookKey", "unknown_key", NOT_A_HOOK)])
        return keys

    def _key(self, key: KeyIn) -> Document:
        if key.key is not None and key.key != MASK:
            return {"id": key.id, "kind": key.kind, "hash": self._vault.hash_key(key.key)}
        for known in self._before.keys if self._before else []:
            if (known.id, known.kind) == (key.id, key.kind):
                return known.document()
        raise invalid([absent(f"keys.{key.id}.key", key.key)])
