"""App: a web shop with its OneSignal app, as both services read it from MongoDB."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field

from shared.models.quiet_hours import QuietHours
from shared.models.sentences import described, text_like
from shared.models.wire import Wire

KeyKind = Literal["write", "server", "webhook", "stream"]
AppState = Literal["active", "stopped"]
# Of keys that stand in a page, in its script and in the addresses that it calls.
PUBLIC_KEY = described(
    r"^[A-Za-z0-9_.~-]{1,48}$",
    "must be a key of 1 to 48 letters, digits, or any of _ . ~ -, as hk_live_1",
)


# Words of query parameters whose values are secrets, or addresses of a person: pages' URLs are kept
# without them. Lower-case letters: a name is split at humps and at everything else.
MAX_MASKED_LETTERS = 300  # the words are part of the snippet, which stays small
MASKED_PARAMETERS = (
    "token", "accesstoken", "code", "key", "apikey", "password", "passwd", "passwort", "heslo", "pass",
    "pwd", "secret", "email", "mail", "phone", "tel", "mobile", "session", "sessionid", "jsessionid",
    "phpsessid", "sessid", "sid", "sig", "signature", "hash", "auth", "otp", "pin", "jwt",
)  # fmt: skip
MAX_ALLOWED_LETTERS = 128  # of `allowed_logins` together, for the same reason
ParameterWord = Annotated[
    str, text_like(r"^[a-z]{2,32}$", "must have 2 to 32 small letters, as token")
]


def _check_length(words: list[str]) -> list[str]:
    if sum(map(len, words)) > MAX_MASKED_LETTERS:
        raise ValueError(f"the words may have {MAX_MASKED_LETTERS} letters together")
    return words


ParameterWords = Annotated[list[ParameterWord], Field(max_length=64), AfterValidator(_check_length)]


class Cap(Wire):
    """Limit of `count` pushes a person in any `days` days, of an app or of one campaign.

    Pushes of every send count to which a cap applied. With a cap of the app that is all marketing.
    """

    count: int = Field(ge=1, le=30)
    days: float = Field(gt=0, le=90)

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.days)


class ScenarioLimits(Wire):
    """Limits of an app's scenarios: of pushes a person, and of digests of the catalogue."""

    # Between two scenario pushes to one person; 0: none.
    gap_minutes: int = Field(default=60, strict=True, ge=0, le=1440)
    # Between two looks at what changed in the catalogue.
    digest_minutes: int = Field(default=30, strict=True, ge=1, le=60)


class AppKey(Wire):
    """Key of an app. `hash` is the vault's keyed hash; the key itself is stored nowhere."""

    id: str
    kind: KeyKind
    hash: str


class OneSignalApp(Wire):
    """OneSignal's app. `rest_api_key` is encrypted; `plan` sets the rate limit (docs/onesignal.md B)."""

    app_id: str
    rest_api_key: str
    plan: Literal["free", "paid"] = "free"
    enabled: bool = True


class LoginHash(Wire):
    """Proof of logins. With `required` an unproven login is left out. Without a secret none is proven."""

    required: bool = True
    secret: str | None = None  # encrypted


WorkerPath = Annotated[
    str,
    text_like(
        r"^[A-Za-z0-9_./~-]{1,64}$",
        "must be a path of at most 64 letters, digits, or any of _ . / ~ -,"
        " as /OneSignalSDKWorker.js",
    ),
]
SdkUrl = Annotated[
    str,
    text_like(
        r"^(https?://|/)[A-Za-z0-9_./~:?=&%+-]{0,80}$",
        "must be an address of at most 80 letters after its https:// or /, without quotes or blanks,"
        " as https://cdn.shop.example/sdk.js",
    ),
]
CookieDomain = Annotated[
    str,
    text_like(
        r"^[A-Za-z0-9.-]{1,64}$",
        "must be a domain of at most 64 letters, as shop.example",
    ),
]


class SnippetConfig(Wire):
    """Settings of the browser snippet. All of them are public (docs/browser.md).

    Each is bounded: the script that holds them stays below 8 KB. `webhook_key` is the app's webhook key
    in plain text. Keys are stored as hashes only, but pages must name this one to OneSignal's worker.
    """

    load_one_signal: bool = Field(default=True, alias="loadOneSignal")
    worker_path: WorkerPath = "/OneSignalSDKWorker.js"
    webhook_key: Annotated[str, Field(pattern=PUBLIC_KEY)] | None = None
    sdk_url: SdkUrl | None = None
    login_to_one_signal: bool = True  # docs/decisions/0013
    require_consent: bool = False
    cookie_domain: CookieDomain | None = None


class AppContent(Wire):
    """Content of an app, which operators put. Secrets are encrypted, keys are hashes."""

    name: str
    enabled: bool = True
    one_signal: OneSignalApp = Field(alias="oneSignal")
    keys: list[AppKey] = []
    origins: list[str] = []
    login_hash: LoginHash = LoginHash()
    allowed_logins: list[
        str
    ] = []  # real ones that look like placeholders (shared/identity_values.py)
    snippet: SnippetConfig = SnippetConfig()
    control_group: float = 0  # share of people who get no marketing at all, to compare with
    cap: Cap | None = None  # over all marketing of the app
    time_zone: str | None = None  # of people whose own isn't known
    quiet_hours: QuietHours | None = None  # of campaigns without
    scenarios: ScenarioLimits = ScenarioLimits()
    masked_parameters: ParameterWords = list(MASKED_PARAMETERS)


class NotSending(NamedTuple):
    """Reason why an app sends nothing."""

    code: str
    message: str


class App(AppContent):
    """App as stored. `state` "stopped": OneSignal refused the key or disabled the app, until `resume`."""

    id: str = Field(alias="_id")
    version: int
    state: AppState = "active"
    stopped_because: str | None = None
    providers: dict[str, dict[str, Any]] = {}  # configuration of other push providers, by name

    @property
    def is_sending(self) -> bool:
        """Return whether anything may be released or called for the app."""
        return self.why_not_sending() is None

    def why_not_sending(self) -> NotSending | None:
        """Return the reason why the app sends nothing; None while it sends."""
        if not self.enabled:
            return NotSending("app_disabled", "the app is switched off")
        if not self.one_signal.enabled:
            return NotSending("onesignal_disabled", "OneSignal is switched off for the app")
        if self.state != "active":
            because = f": {self.stopped_because}" if self.stopped_because else ""
            return NotSending("app_stopped", f"app stopped{because}")
        return None
