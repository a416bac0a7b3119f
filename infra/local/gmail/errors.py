"""Refusals, in the words that Gmail and Google's OAuth server use for them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the wire. `body` is JSON unless the headers say otherwise."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Answer":
        """An answer that holds `content`."""
        return cls(status, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), headers or {})


class GmailError(Exception):
    """A refusal of Gmail itself.

    `reason` is the machine-readable word callers decide by, `retry_after_s` whole seconds for the Retry-After header.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: str | None = None,
        status: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.domain = domain
        self.location = location
        self.status = status or STATUS[code]
        self.details = details
        self.retry_after_s = retry_after_s

    def answer(self) -> Answer:
        """The body and headers that Google sends for it."""
        entry = {"message": self.message, "domain": self.domain, "reason": self.reason}
        if self.location:
            entry |= {"location": self.location, "locationType": "header"}
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "errors": [entry],
            "status": self.status,
        }
        if self.details:
            error["details"] = [dict(self.details)]
        headers = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.code == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
        return Answer.json({"error": error}, self.code, headers)


class OAuthError(Exception):
    """A refusal of the token endpoint (RFC 6749, section 5.2)."""

    def __init__(self, error: str, description: str, code: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.code = code

    def answer(self) -> Answer:
        """The body that Google sends for it."""
        return Answer.json({"error": self.error, "error_description": self.description}, self.code)


def bad_request(message: str) -> GmailError:
    """A call whose arguments Gmail can't read."""
    return GmailError(400, "invalidArgument", message)


def failed_precondition(message: str) -> GmailError:
    """A call that is well formed and still not possible as things stand."""
    return GmailError(400, "failedPrecondition", message, status="FAILED_PRECONDITION")


def not_found() -> GmailError:
    """No such message, draft, label or history: Gmail has one sentence for all."""
    return GmailError(404, "notFound", "Requested entity was not found.")


def unauthenticated() -> GmailError:
    """No access token, or one that is expired, revoked or unknown."""
    return GmailError(401, "authError", "Invalid Credentials", location="Authorization")


def insufficient_scope(method: str) -> GmailError:
    """A token that is good, for a method that its scope doesn't cover."""
    return GmailError(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        details={
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {"service": "gmail.googleapis.com", "method": f"gmail.users.{method}"},
        },
    )


def delegation_denied(address: str) -> GmailError:
    """A token of one mailbox used on another."""
    return GmailError(403, "forbidden", f"Delegation denied for {address}")
