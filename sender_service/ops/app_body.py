"""Body of an app's `PUT`, and its stored form: secrets encrypted, keys as hashes."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

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
    AppContent,
    AppKey,
    Cap,
    KeyKind,
    LoginHash,
    OneSignalApp,
    ParameterWords,
    ScenarioLimits,
    SnippetConfig,
)
from shared.models.quiet_hours import QuietHours
from shared.models.sentences import described
from shared.models.wire import Wire
from shared.names import Login
from shared.nearest import did_you_mean
from shared.secrets import MASK, Vault

NO_TIME_ZONE = "need the app's timeZone: people whose own isn't known have its nights"
MIN_SECRET = 6  # shorter ones are guessed in no time; `app create` makes good ones
Key = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Secret = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=MIN_SECRET, max_length=512)
]
# A header carries it: a copied line break is stripped, other signs are refused.
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


class AppKeyRequest(Wire):
    """An app's key as received. `key` may be absent or masked where the app has this key already."""

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
    def _check_write_key(self) -> Self:
        """Check that a write key fits into a URL's path: Persoo's loader puts it there."""
        if self.kind == "write" and self.key is not None and not re.fullmatch(PUBLIC_KEY, self.key):
            raise ValueError("a write key has 1 to 48 letters, digits, or signs of _.~-")
        return self

    @model_validator(mode="after")
    def _check_key_length(self) -> Self:
        """Check the length of a server's or a stream's key, which is secret; pages show the others."""
        if (
            self.kind in ("server", "stream")
            and self.key is not None
            and len(self.key) < MIN_SECRET
        ):
            raise ValueError(f"a secret key has at least {MIN_SECRET} characters")
        return self


class OneSignalRequest(Wire):
    app_id: UuidText
    rest_api_key: ApiKey = MASK
    plan: Literal["free", "paid"] = "free"
    enabled: bool = True


class LoginHashRequest(Wire):
    required: bool = True
    secret: Secret | None = None


class AppRequest(Wire):
    """Body of `PUT /v1/apps/{app}`."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    enabled: bool = True
    one_signal: OneSignalRequest = Field(alias="oneSignal")
    keys: list[AppKeyRequest] = Field(default=[], max_length=32)
    origins: list[Origin] = Field(default=[], max_length=32)
    login_hash: LoginHashRequest = LoginHashRequest()
    allowed_logins: AllowedLogins = []
    snippet: SnippetConfig = SnippetConfig()
    control_group: float = Field(default=0, ge=0, lt=1)
    cap: Cap | None = None
    time_zone: TimeZone | None = None
    quiet_hours: QuietHours | None = None
    scenarios: ScenarioLimits = ScenarioLimits()
    masked_parameters: ParameterWords = list(MASKED_PARAMETERS)

    @field_validator("quiet_hours")
    @classmethod
    def _check_has_zone(cls, hours: QuietHours | None, info: ValidationInfo) -> QuietHours | None:
        """Check that it is known when it is night for people whose own time zone isn't."""
        if hours is None or hours.is_empty or info.data.get("time_zone", ...) is not None:
            return hours
        raise PydanticCustomError("app_time_zone_missing", NO_TIME_ZONE)

    @model_validator(mode="after")
    def _check_ids_differ(self) -> Self:
        if len({key.id for key in self.keys}) != len(self.keys):
            raise ValueError("keys: ids must differ")
        return self


class AppContentBuilder:
    """Builds an app's content from a request; a masked secret keeps its stored value."""

    def __init__(self, vault: Vault, before: App | None, request: AppRequest) -> None:
        self._vault = vault
        self._before = before
        self._request = request

    def build(self) -> AppContent:
        """Return the content. Raises InvalidPayload, which names the field."""
        request, given = self._request, self._request.one_signal
        kept = self._before.one_signal.rest_api_key if self._before else None
        key = self._encrypt(given.rest_api_key, kept, "oneSignal.restApiKey")
        return AppContent(
            name=request.name,
            enabled=request.enabled,
            one_signal=OneSignalApp(**{**dict(given), "rest_api_key": key}),
            keys=self.keys,
            origins=request.origins,
            login_hash=LoginHash(
                required=request.login_hash.required,
                secret=self._login_secret(request.login_hash),
            ),
            allowed_logins=request.allowed_logins,
            snippet=request.snippet,
            control_group=request.control_group,
            cap=request.cap,
            time_zone=request.time_zone,
            quiet_hours=request.quiet_hours,
            scenarios=request.scenarios,
            masked_parameters=request.masked_parameters,
        )

    def _login_secret(self, request: LoginHashRequest) -> str | None:
        """Return the secret to store: the present one, if any, where the request has none."""
        kept = self._before.login_hash.secret if self._before else None
        if request.secret is None:
            return kept
        return self._encrypt(request.secret, kept, "loginHash.secret")

    def _encrypt(self, plain: str, kept: str | None, field: str) -> str:
        if plain == MASK:
            if kept is None:
                raise invalid([absent(field, plain)])
            return kept
        # An unchanged secret keeps its ciphertext: an identical PUT makes no new version.
        return kept if kept and self._vault.decrypt(kept) == plain else self._vault.encrypt(plain)

    @cached_property
    def keys(self) -> list[AppKey]:
        """Return the app's keys, as hashes. Raises InvalidPayload, which names the field."""
        keys = [self._key(key) for key in self._request.keys]
        hook = self._request.snippet.webhook_key
        hashes = [key.hash for key in keys if key.kind == "webhook"]
        if hook is not None and self._vault.hash_key(hook) not in hashes:
            raise invalid([FieldError("body.snippet.webhookKey", "unknown_key", NOT_A_HOOK)])
        return keys

    def _key(self, key: AppKeyRequest) -> AppKey:
        if key.key is not None and key.key != MASK:
            return AppKey(id=key.id, kind=key.kind, hash=self._vault.hash_key(key.key))
        for known in self._before.keys if self._before else []:
            if (known.id, known.kind) == (key.id, key.kind):
                return known
        raise invalid([absent(f"keys.{key.id}.key", key.key)])
