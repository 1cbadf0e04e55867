"""Proofs of logins: a browser presents an HMAC that the shop's server made."""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Any, NamedTuple

from ingest_service.projector.person_ids import PersonIds
from shared.errors import FieldError, Rejected
from shared.models.app import App
from shared.models.event import Source
from shared.secrets import Vault

log = logging.getLogger("carillon.ingest")

UNPROVEN = FieldError(
    "data.login",
    "login_unproven",
    "is left out, the visitor stays anonymous: data.loginHash isn't the login's HMAC-SHA256 in hex",
)


class Identified(NamedTuple):
    """An `identify`'s data for the log, and the warning where its login was left out."""

    data: dict[str, Any]
    warning: FieldError | None


class LoginProof:
    """Checks `loginHash`, the HMAC-SHA256 (hex) of the login under the app's secret."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._people = PersonIds(vault.derive("person"))
        self._secrets: dict[str, bytes] = {}  # by their sealed form: decrypting costs too much

    def apply(self, app: App, source: Source, data: dict[str, Any], proof: Any) -> Identified:
        """Add `proven`, and leave out a login that lacks a required proof. A server key is a proof.

        `claimed` is the person id of a login left out. For the projector it ends the earlier login
        of the browser, since another person may use it now.
        """
        login = data.get("login")
        if source == "server" or (login and self._is_proven(app, login, proof)):
            return Identified({**data, "proven": True}, None)
        kept = {**data, "proven": False}
        if not login or not app.login_hash.required:
            return Identified(kept, None)
        kept["claimed"] = self._people.of_login(app.id, kept.pop("login"))
        return Identified(kept, UNPROVEN)

    def _is_proven(self, app: App, login: str, proof: Any) -> bool:
        sealed = app.login_hash.secret
        if sealed is None or not proof:  # without a secret no login is proven
            return False
        try:
            secret = self._secret(sealed)
        except Rejected as exc:  # the operators' mistake; the other events of a batch are good
            log.error("login secret unreadable", extra={"code": exc.code})
            return False
        expected = hmac.new(secret, login.encode(), hashlib.sha256)
        given = proof.lower() if isinstance(proof, str) and proof.isascii() else ""
        return hmac.compare_digest(given, expected.hexdigest())

    def _secret(self, sealed: str) -> bytes:
        if sealed not in self._secrets:
            self._secrets[sealed] = self._vault.decrypt(sealed).encode()
        return self._secrets[sealed]
