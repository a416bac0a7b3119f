"""OAuth refresh tokens at rest: encrypted with the first key, readable with each of them, so that keys can change."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.errors import KeyMissing, SettingsError


class TokenVault:
    """Encrypts and decrypts refresh tokens.

    `keys`: url-safe base64 Fernet keys of 32 bytes, comma separated, newest first. Raises SettingsError if one is none.
    """

    def __init__(self, keys: SecretStr) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.get_secret_value().split(",")])
        except ValueError:
            raise SettingsError("environment variable TOKEN_ENCRYPTION_KEYS is wrong: not Fernet keys") from None

    def encrypt(self, refresh_token: str) -> str:
        return self._fernet.encrypt(refresh_token.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Raises KeyMissing when no key opens it. The owner's permission is as good as before."""
        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken as error:
            raise KeyMissing("none of TOKEN_ENCRYPTION_KEYS opens the stored refresh token") from error
