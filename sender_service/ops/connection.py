"""Test of an app's connection to its provider, and of its login proof."""

from __future__ import annotations

from sender_service.models.login_proof import UNREADABLE, check_login_proof
from sender_service.ops.responses.apps import ConnectionResponse
from sender_service.ops.responses.base import WarningResponse
from sender_service.providers.base import Providers
from shared.errors import FieldError, Rejected
from shared.models.app import App
from shared.providers import DEFAULT_PROVIDER
from shared.secrets import Vault


class ConnectionTest:
    """Asks the app's provider for it, under the stored key."""

    def __init__(self, providers: Providers, vault: Vault) -> None:
        self._providers = providers
        self._vault = vault

    async def check(self, app: App) -> ConnectionResponse:
        """Return the provider's answer, and warnings. Raises nothing: a failure is a result."""
        found = await self._providers[DEFAULT_PROVIDER].check_connection(app)
        return ConnectionResponse(
            result=found.result,
            message=found.message,
            players=found.players,
            messageable_players=found.messageable_players,
            warnings=[
                WarningResponse(field=each.field, code=each.code, message=each.message)
                for each in self._check_login_proof(app)
            ],
        )

    def _check_login_proof(self, app: App) -> list[FieldError]:
        proof = app.login_hash
        found = check_login_proof(required=proof.required, has_secret=proof.secret is not None)
        if proof.secret is not None:
            try:
                self._vault.decrypt(proof.secret)
            except Rejected:
                found.append(UNREADABLE)
        return found
