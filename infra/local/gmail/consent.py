"""Google's consent screen, and a person who agrees at once unless told otherwise: authorization code, PKCE."""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from infra.local.gmail.errors import OAuthError
from infra.local.gmail.mailboxes import Mailbox, Mailboxes

READONLY_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
CODE_LIFETIME_S = 600.0


@dataclass(frozen=True, slots=True)
class Consent:
    """What a code stands for until it is redeemed. `offline` asks for a refresh token, `prompted` for a new one."""

    mailbox: Mailbox
    redirect_uri: str
    code_challenge: str | None
    offline: bool
    prompted: bool
    scope: str
    expires_at: float


class Person(StrEnum):
    """What the person does whom the screen is shown to. `untick`: agrees, but not to what was asked for."""

    AGREE = "agree"
    UNTICK = "untick"
    DENY = "deny"


# What Google gives to whoever is told no more than who the person is.
_UNTICKED = "openid"


class ConsentScreen:
    """Gives codes, each good once and for ten minutes. They are forgotten with the process."""

    def __init__(self, mailboxes: Mailboxes, client_id: str) -> None:
        self._mailboxes = mailboxes
        self._client_id = client_id
        self._codes: dict[str, Consent] = {}
        self.person = Person.AGREE

    def answer(self, query: Mapping[str, str]) -> str:
        """Where the person is sent back to: with a code, or with `access_denied` when `login_hint` has no mailbox here.

        Raises OAuthError for what Google shows on a page of its own instead of sending anyone back.
        """
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self._client_id:
            raise OAuthError("invalid_client", "The OAuth client was not found.", 401)
        if not redirect_uri.startswith(("http://", "https://")) or "#" in redirect_uri:
            raise OAuthError("invalid_request", "Invalid parameter value for redirect_uri")
        if query.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "response_type must be code")
        if READONLY_SCOPE not in query.get("scope", "").split():
            raise OAuthError("invalid_scope", f"This app was given {READONLY_SCOPE} and nothing else")
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise OAuthError("invalid_request", "code_challenge_method must be S256")
        mailbox = self._mailboxes.find(query.get("login_hint", ""))
        sent_back = {"state": query["state"]} if "state" in query else {}
        if mailbox is None or self.person is Person.DENY:
            sent_back["error"] = "access_denied"
        else:
            scope = _UNTICKED if self.person is Person.UNTICK else READONLY_SCOPE
            sent_back |= {"code": f"4/{secrets.token_urlsafe(48)}", "scope": scope}
            self._codes[sent_back["code"]] = Consent(
                mailbox,
                redirect_uri,
                query.get("code_challenge"),
                query.get("access_type") == "offline",
                "consent" in query.get("prompt", "").split(),
                scope,
                time.monotonic() + CODE_LIFETIME_S,
            )
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(sent_back)}"

    def redeem(self, form: Mapping[str, str]) -> Consent:
        """What a code stood for. Raises OAuthError for one that is unknown, used, late, or somebody else's."""
        consent = self._codes.pop(form.get("code", ""), None)
        if consent is None or consent.expires_at < time.monotonic():
            raise OAuthError("invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != consent.redirect_uri:
            raise OAuthError("redirect_uri_mismatch", "Bad Request")
        if consent.code_challenge:
            verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if urlsafe_b64encode(verifier).rstrip(b"=").decode() != consent.code_challenge:
                raise OAuthError("invalid_grant", "Invalid code verifier.")
        return consent
