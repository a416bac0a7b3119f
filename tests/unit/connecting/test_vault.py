import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from shared.errors import KeyMissing
from shared.tokens import TokenVault, delegated, delegated_address

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


def _vault(*keys: str) -> TokenVault:
    return TokenVault(SecretStr(",".join(keys)))


def test_what_was_under_the_old_key_is_readable_with_the_new_one_alone_once_it_is_renewed() -> None:
    renewed = _vault(NEW, OLD).renewed(_vault(OLD).encrypt("1//token"))
    assert renewed is not None
    assert _vault(NEW).decrypt(renewed) == "1//token"
    with pytest.raises(KeyMissing):
        _vault(OLD).decrypt(renewed)


def test_what_is_under_the_first_key_stays_as_it_is() -> None:
    both = _vault(NEW, OLD)
    assert both.renewed(both.encrypt("1//token")) is None


def test_what_no_key_opens_is_not_renewed() -> None:
    with pytest.raises(KeyMissing):
        _vault(NEW, OLD).renewed(_vault(OTHER).encrypt("1//token"))


def test_a_delegated_mailbox_is_told_from_a_refresh_token() -> None:
    assert delegated_address(delegated("dana@firm.example")) == "dana@firm.example"
    assert delegated_address("1//delegated:dana@firm.example") is None
