"""Google's token endpoint, and the one that takes permissions back (RFC 6749, 5; RFC 7009)."""

from collections.abc import Mapping
from typing import Final

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from shared.errors import AppRefused, GmailUnavailable, OverQuota
from shared.gmail.errors import retry_after

_USELESS: Final = "invalid_token"


class TokenAnswer(BaseModel):
    """What a grant comes to. `scope`: what may be done with it, words apart by spaces."""

    access_token: SecretStr
    expires_in: float = 3600.0
    refresh_token: SecretStr | None = None
    scope: str = ""


class _Refusal(BaseModel):
    error: str = ""
    error_description: str = ""


class GrantRefused(Exception):
    """The endpoint's own word for why not. Whoever asked knows what it means for them; it goes no further."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"token endpoint: answered {status} {error}")
        self.error = error
        self.description = description


class TokenEndpoint:
    """Asks for tokens. Lives with the process."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self.url = url

    async def ask(self, form: Mapping[str, str]) -> TokenAnswer:
        """Once. Raises GrantRefused, GmailUnavailable or OverQuota."""
        answer = await _post(self._http, self.url, form, "token endpoint")
        try:
            if answer.is_success:
                return TokenAnswer.model_validate_json(answer.content)
            refusal = _Refusal.model_validate_json(answer.content)
        except ValidationError:
            raise GmailUnavailable(f"token endpoint: answered {answer.status_code} with no such body") from None
        raise GrantRefused(answer.status_code, refusal.error, refusal.error_description)


async def revoke(http: httpx.AsyncClient, url: str, token: str) -> None:
    """Give a permission back; one that has ended already is no error. Raises GmailUnavailable, OverQuota, AppRefused.

    Google takes it for all that the person has let this app do, so it ends every other token of the same account too.
    """
    answer = await _post(http, url, {"token": token}, "revocation endpoint")
    if answer.is_success:
        return
    try:
        refusal = _Refusal.model_validate_json(answer.content).error
    except ValidationError:
        raise GmailUnavailable(f"revocation endpoint: answered {answer.status_code} with no such body") from None
    if refusal != _USELESS:
        raise AppRefused(f"revocation endpoint: answered {answer.status_code}; check OAUTH_REVOCATION_ENDPOINT")


async def _post(http: httpx.AsyncClient, url: str, form: Mapping[str, str], name: str) -> httpx.Response:
    try:
        answer = await http.post(url, data=dict(form))
    except httpx.HTTPError as error:
        raise GmailUnavailable(f"{name}: {type(error).__name__}") from error
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise OverQuota(f"{name}: too many requests", retry_after=retry_after(answer.headers))
    if answer.status_code >= 500:
        raise GmailUnavailable(f"{name}: answered {answer.status_code}")
    return answer
