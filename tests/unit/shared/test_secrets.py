"""The vault: each purpose its own key, nothing readable without the secret."""

from __future__ import annotations

import pytest

from shared.errors import Rejected
from shared.secrets import Vault

VAULT = Vault("a secret key of at least 32 characters")
OTHER = Vault("another secret key of 32 characters..")


@pytest.mark.parametrize("plain", ["", "os_v2_app_key", "Schlüssel ✓"])
def test_sealed_is_read_again(plain: str) -> None:
    sealed = VAULT.encrypt(plain)
    assert plain == "" or plain not in sealed
    assert VAULT.decrypt(sealed) == plain


def test_sealing_twice_shows_nothing() -> None:
    assert VAULT.encrypt("key") != VAULT.encrypt("key")


@pytest.mark.parametrize(
    "sealed", [OTHER.encrypt("key"), "", "nonsense", "ü"], ids=["foreign", "empty", "nonsense", "ü"]
)
def test_foreign_or_broken_is_refused(sealed: str) -> None:
    with pytest.raises(Rejected) as caught:
        VAULT.decrypt(sealed)
    assert caught.value.code == "secret_unreadable"


def test_key_hash_is_keyed_and_stable() -> None:
    assert VAULT.hash_key("wk_demo") == Vault("a secret key of at least 32 characters").hash_key(
        "wk_demo"
    )
    assert VAULT.hash_key("wk_demo") != VAULT.hash_key("wk_demp")
    assert VAULT.hash_key("wk_demo") != OTHER.hash_key("wk_demo")


def test_purposes_have_keys_of_their_own() -> None:
    keys = {VAULT.derive("push-tag"), VAULT.derive("at-rest"), OTHER.derive("push-tag")}
    assert len(keys) == 3 and all(len(key) == 32 for key in keys)
