"""What opens a mailbox, at rest: encrypted with the first key, readable with each of them, so that keys can change.

That is its owner's OAuth refresh token; or, where the administrator of a domain lets us in, just the mailbox's address.
Both lie in the same place and go the same ways: only who fetches access tokens has to know which it is.
"""

from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.errors import KeyMissing, SettingsError

# No refresh token of Google's begins like this.
_DELEGATED: Final = "delegated:"


def delegated(address: str) -> str:
    """What stands in the place of a refresh token for a mailbox that is entered by delegation."""
    return f"{_DELEGATED}{address}"


def delegated_address(secret: str) -> str | None:
    """The mailbox's address, where it is entered by delegation; None: it is a refresh token."""
    return secret.removeprefix(_DELEGATED) if secret.startswith(_DELEGATED) else None


class TokenVault:
    """Encrypts and decrypts what opens mailboxes.

    `keys`: url-safe base64 Fernet keys of 32 bytes, comma separated, newest first. Raises SettingsError if one is none.
    """

    def __init__(self, keys: SecretStr) -> None:
        try:
            each = [Fernet(key.strip()) for key in keys.get_secret_value().split(",")]
        except ValueError:
            raise SettingsError("environment variable TOKEN_ENCRYPTION_KEYS is wrong: not Fernet keys") from None
        self._newest = each[0]
        self._fernet = MultiFernet(each)

    def encrypt(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Raises KeyMissing when no key opens it. The owner's permission is as good as before."""
        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken as error:
            raise KeyMissing("none of TOKEN_ENCRYPTION_KEYS opens the stored refresh token") from error

    def renewed(self, encrypted: str) -> str | None:
        """The same under the first key; None where it is so already. Raises KeyMissing."""
        try:
            self._newest.decrypt(encrypted.encode())
        except InvalidToken:
            return self.encrypt(self.decrypt(encrypted))
        return None
