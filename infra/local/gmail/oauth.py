"""Tokens: the refresh token that the app holds, the access tokens made from it, and the mailbox owner's own."""

import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.gmail.consent import READONLY_SCOPE, ConsentScreen
from infra.local.gmail.errors import OAuthError, unauthenticated
from infra.local.gmail.mailboxes import Mailbox, Mailboxes
from infra.local.gmail.service_account import GRANT_TYPE, ServiceAccount

_BEARER = "Bearer"
OWNER_LIFETIME_S = 86_400
_DELEGATION = "delegation"
CLIENT_ID = "tenths-local.apps.googleusercontent.com"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a valid access token speaks for. An owner may do everything and isn't counted against the app's quota."""

    mailbox: Mailbox
    owner: bool
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person's consent gives the app."""

    refresh_token: str
    client_id: str
    client_secret: str


class Tokens:
    """Issues, checks and revokes. `lifetime_s` is that of the app's access tokens; it may be changed while running."""

    def __init__(self, database: sqlite3.Connection, mailboxes: Mailboxes, lifetime_s: float) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self.lifetime_s = lifetime_s
        self._valid: dict[str, Caller] = {}
        with database:
            database.execute(
                "insert into client (id, secret) select ?, ? where not exists (select 1 from client)",
                (CLIENT_ID, f"GOCSPX-{secrets.token_urlsafe(21)}"),
            )
        self._client = database.execute("select id, secret from client").fetchone()
        self.consent = ConsentScreen(mailboxes, self._client["id"])
        self.service_account = ServiceAccount(database, mailboxes)

    def app(self) -> dict[str, str]:
        """The one app's credentials."""
        return {"client_id": self._client["id"], "client_secret": self._client["secret"]}

    def grant(self, mailbox: Mailbox) -> Grant:
        """A new refresh token for the app."""
        grant = Grant(f"1//{secrets.token_urlsafe(48)}", self._client["id"], self._client["secret"])
        with self._database:
            self._database.execute(
                "insert into refresh_token (token, mailbox) values (?, ?)", (grant.refresh_token, mailbox.id)
            )
        return grant

    def owner_token(self, mailbox: Mailbox) -> str:
        """An access token of the person whose mailbox it is, good for a day."""
        return self._issue(mailbox, None, OWNER_LIFETIME_S)

    def exchange(self, form: Mapping[str, str], url: str) -> dict[str, Any]:
        """The token endpoint's answer to a form. `url`: its own. Raises OAuthError."""
        if form.get("grant_type") == GRANT_TYPE:
            mailbox = self.service_account.mailbox(form.get("assertion", ""), url)
            answer = self._answer(mailbox, _DELEGATION)
            del answer["scope"]  # Google doesn't tell it here
            return answer
        if (form.get("client_id"), form.get("client_secret")) != (self._client["id"], self._client["secret"]):
            raise OAuthError("invalid_client", "Unauthorized", 401)
        kind = form.get("grant_type", "")
        match kind:
            case "refresh_token":
                return self._refresh(form)
            case "authorization_code":
                return self._redeem(form)
        raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {kind}")

    def _refresh(self, form: Mapping[str, str]) -> dict[str, Any]:
        if not form.get("refresh_token"):
            raise OAuthError("invalid_request", "Missing required parameter: refresh_token")
        row = self._database.execute("select * from refresh_token where token = ?", (form["refresh_token"],)).fetchone()
        if row is None or row["revoked"]:
            raise OAuthError("invalid_grant", "Token has been expired or revoked.")
        return self._answer(self._mailboxes.by_id(row["mailbox"]), row["token"])

    def _redeem(self, form: Mapping[str, str]) -> dict[str, Any]:
        consent = self.consent.redeem(form)
        known = self._database.execute(
            "select 1 from refresh_token where mailbox = ? and not revoked", (consent.mailbox.id,)
        ).fetchone()
        refresh_token = self.grant(consent.mailbox).refresh_token
        answer = self._answer(consent.mailbox, refresh_token, consent.scope)
        # As with Google: who doesn't ask for offline access gets no refresh token, nor does who has had one from the
        # person and doesn't ask for consent once more.
        lasting = consent.offline and (consent.prompted or not known)
        return answer | {"refresh_token": refresh_token} if lasting else answer

    def _answer(self, mailbox: Mailbox, refresh_token: str, scope: str = READONLY_SCOPE) -> dict[str, Any]:
        return {
            "access_token": self._issue(mailbox, refresh_token, self.lifetime_s),
            "expires_in": int(self.lifetime_s),
            "scope": scope,
            "token_type": _BEARER,
        }

    def revoke(self, token: str) -> None:
        """Ends what the person has let the app do, by any token of it: also the app's other tokens for the mailbox."""
        row = self._database.execute(
            "select mailbox from refresh_token where token = ?1 and not revoked"
            " union select mailbox from access_token where token = ?1 and refresh_token <> ?2",
            (token, _DELEGATION),
        ).fetchone()
        if row is None:
            raise OAuthError("invalid_token", "Token expired or revoked")
        self.revoke_all(self._mailboxes.by_id(row["mailbox"]))

    def permissions(self) -> dict[str, int]:
        """The mailboxes that the app may read by their owners' leave, and how many refresh tokens it has for each."""
        rows = self._database.execute(
            "select mailbox, count(*) as total from refresh_token where not revoked group by mailbox"
        )
        return {self._mailboxes.by_id(row["mailbox"]).address: row["total"] for row in rows}

    def let_in(self, domains: set[str]) -> None:
        """These domains' administrators let the service account in, and no others."""
        self.service_account.domains = domains
        with self._database:
            self._database.execute("delete from access_token where refresh_token = ?", (_DELEGATION,))
        self._valid.clear()

    def revoke_all(self, mailbox: Mailbox) -> None:
        """What happens when the person removes the app in their account: nothing it holds works any more."""
        with self._database:
            self._database.execute("update refresh_token set revoked = 1 where mailbox = ?", (mailbox.id,))
            self._database.execute(
                "delete from access_token where mailbox = ? and refresh_token <> ?", (mailbox.id, _DELEGATION)
            )
        self._valid.clear()

    def expire_all(self, mailbox: Mailbox) -> None:
        """Ends the app's access tokens at once, as an hour would; its refresh token stays good."""
        with self._database:
            self._database.execute(
                "delete from access_token where mailbox = ? and refresh_token is not null", (mailbox.id,)
            )
        self._valid.clear()

    def caller(self, authorization: str | None) -> Caller:
        """Whose token an Authorization header holds. Raises GmailError 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != _BEARER.lower() or not token:
            raise unauthenticated()
        caller = self._valid.get(token) or self._read(token)
        if caller.expires_ms <= time.time() * 1000:
            self._valid.pop(token, None)
            raise unauthenticated()
        self._valid[token] = caller
        return caller

    def _read(self, token: str) -> Caller:
        row = self._database.execute("select * from access_token where token = ?", (token,)).fetchone()
        if row is None:
            raise unauthenticated()
        return Caller(self._mailboxes.by_id(row["mailbox"]), row["refresh_token"] is None, row["expires_ms"])

    def _issue(self, mailbox: Mailbox, refresh_token: str | None, lifetime_s: float) -> str:
        token = f"ya29.{secrets.token_urlsafe(64)}"
        now = int(time.time() * 1000)
        with self._database:
            self._database.execute("delete from access_token where expires_ms < ?", (now,))
            self._database.execute(
                "insert into access_token (token, mailbox, refresh_token, expires_ms) values (?, ?, ?, ?)",
                (token, mailbox.id, refresh_token, now + int(lifetime_s * 1000)),
            )
        return token
