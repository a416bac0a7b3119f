"""What Supabase's API gateway makes of the `apikey` header, before PostgREST verifies whatever token is left.

| apikey      | Authorization                     | PostgREST sees            |
| ----------- | --------------------------------- | ------------------------- |
| none, other | anything                          | nothing: 401              |
| publishable | none, or the same key as Bearer   | no token: role anon       |
| secret      | none, or the same key as Bearer   | our own service_role token |
| either      | any other                         | that token, to be verified |
"""

import hmac
import time
from collections.abc import Sequence
from datetime import timedelta

from infra.local.tokens import ProjectKeys

_SERVICE_TOKEN_LIFETIME = timedelta(hours=1)
_RENEW_SECONDS_BEFORE = 300.0


class KeyRefused(Exception):
    """No or a wrong API key. The message is for the caller's developer."""


class ApiKeys:
    """The table above for one project's keys."""

    def __init__(self, keys: ProjectKeys) -> None:
        self._keys = keys
        self._publishable = keys.publishable_key.encode()
        self._secret = keys.secret_key.encode()
        self._service_authorization = b""
        self._service_renewal = 0.0

    def admitted(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers to pass on; names are lower case. Raises KeyRefused.

        The API key stays here, and so does any header that names a role: only a verified token gives one.
        """
        given = {value for name, value in headers if name == b"apikey"}
        authorizations = {value for name, value in headers if name == b"authorization"}
        if not given:
            raise KeyRefused("no API key: send the project's publishable or secret key in the apikey header")
        if len(given) > 1 or len(authorizations) > 1:
            raise KeyRefused("the apikey or Authorization header is there more than once")
        key = given.pop()
        authorization = authorizations.pop() if authorizations else b""
        if hmac.compare_digest(key, self._secret):
            authorization = self._service() if _is_absent_or(key, authorization) else authorization
        elif hmac.compare_digest(key, self._publishable):
            authorization = b"" if _is_absent_or(key, authorization) else authorization
        else:
            raise KeyRefused("this is not one of the project's API keys")
        passed = [
            (name, value)
            for name, value in headers
            if name not in (b"apikey", b"authorization") and b"role" not in name
        ]
        return [*passed, (b"authorization", authorization)] if authorization else passed

    def _service(self) -> bytes:
        if time.monotonic() >= self._service_renewal:
            token = self._keys.service_token(_SERVICE_TOKEN_LIFETIME)
            self._service_authorization = f"Bearer {token}".encode()
            self._service_renewal = time.monotonic() + _SERVICE_TOKEN_LIFETIME.total_seconds() - _RENEW_SECONDS_BEFORE
        return self._service_authorization


def _is_absent_or(key: bytes, authorization: bytes) -> bool:
    scheme, _, credential = authorization.strip().partition(b" ")
    return not scheme or (scheme.lower() == b"bearer" and hmac.compare_digest(credential.strip(), key))
