"""Uses of the secret key: encryption at rest, keyed hashes, derived keys."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken

from shared.errors import Rejected

MASK = "masked"


class Vault:
    """Encryption of secrets that must be read again, hashes of those that must only be recognised.

    Each purpose gets a key of its own (HMAC of the purpose under the secret key).
    """

    def __init__(self, secret_key: str) -> None:
        self._secret = secret_key.encode()
        self._fernet = Fernet(base64.urlsafe_b64encode(self.derive("at-rest")))
        self._hash_key = self.derive("key-hash")

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes that only this purpose uses."""
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()

    def encrypt(self, plain: str) -> str:
        return self._fernet.encrypt(plain.encode()).decode()

    def decrypt(self, sealed: str) -> str:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as exc:
            raise Rejected(
                "a stored secret was encrypted under another CARILLON_SECRET_KEY",
                code="secret_unreadable",
            ) from exc

    def hash_key(self, key: str) -> str:
        """Return what is stored of an API key: enough to recognise it, useless to a reader."""
        return hmac.new(self._hash_key, key.encode(), hashlib.sha256).hexdigest()
