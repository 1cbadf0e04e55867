"""Who may say who somebody is: where an app requires it, a browser must prove a login."""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Any

from shared.errors import InvalidPayload, Rejected
from shared.models.app import App
from shared.secrets import Vault

log = logging.getLogger("carillon.ingest")


class LoginProof:
    """Checks `loginHash`, the HMAC-SHA256 (hex) of the login under the app's secret."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._secrets: dict[str, bytes] = {}  # by their sealed form: decrypting costs too much

    def check(self, app: App, login: str, proof: Any) -> None:
        """Raises InvalidPayload where a proof is required and this isn't one."""
        if not app.login_hash.required:
            return
        sealed = app.login_hash.secret
        if sealed is None or not self._is_proof(sealed, login, proof):  # without a secret: nobody's
            raise InvalidPayload(
                "data.loginHash: this app requires the login's HMAC", code="login_hash"
            )

    def _is_proof(self, sealed: str, login: str, proof: Any) -> bool:
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
