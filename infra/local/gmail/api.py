"""Gmail's methods: which path is which, who may call it, what it costs, who answers it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from infra.local.gmail.call import Call
from infra.local.gmail.drafts import Drafts
from infra.local.gmail.errors import (
    Answer,
    GmailError,
    OAuthError,
    bad_request,
    delegation_denied,
    insufficient_scope,
    not_found,
    unauthenticated,
)
from infra.local.gmail.fields import apply_mask, parse_mask
from infra.local.gmail.messages import Messages
from infra.local.gmail.oauth import Caller
from infra.local.gmail.service_account import ACCOUNT
from infra.local.gmail.simulator import Simulator
from infra.local.gmail.users import Users

# What the metadata server gives to whoever runs on this machine.
METADATA_TOKEN = "ya29.the-account-that-functions-run-as"  # noqa: S105  # nosec B105  a simulator's

_PATH = re.compile(r"(?P<upload>/upload)?/gmail/v1/users/(?P<user>[^/]+)/(?P<rest>.+)")

Handler = Callable[[Call], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, alone or out of a batch. `path` has its query; header names are lower case."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Method:
    """One of Gmail's methods. One that isn't `readonly` is refused to the app, whose scope is gmail.readonly."""

    name: str
    verb: str
    path: re.Pattern[str]
    handler: Handler
    readonly: bool


@dataclass(frozen=True, slots=True)
class Routed:
    """A request whose method and mailbox owner are known, before anyone asked if it may."""

    method: Method
    user: str
    ids: tuple[str, ...]
    upload: bool
    query: Mapping[str, list[str]]


class GmailApi:
    """Answers requests. Nothing here waits."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._methods = tuple(_methods(Messages(simulator), Drafts(simulator), Users(simulator)))

    def route(self, request: Request) -> Routed | None:
        """The method that a request calls; None when there is no such method."""
        path, _, query = request.path.partition("?")
        found = _PATH.fullmatch(path)
        if not found:
            return None
        for method in self._methods:
            if method.verb == request.verb and (ids := method.path.fullmatch(found["rest"])):
                return Routed(
                    method,
                    unquote(found["user"]),
                    tuple(map(unquote, ids.groups())),
                    bool(found["upload"]),
                    parse_qs(query, keep_blank_values=True),
                )
        return None

    def answer(self, request: Request) -> Answer:
        """Whatever Gmail would answer, refusals included."""
        routed = self.route(request)
        try:
            if routed is None:
                raise not_found()
            caller = self._admit(routed, request.headers.get("authorization"))
            content = routed.method.handler(
                Call(
                    caller.mailbox,
                    routed.ids,
                    routed.query,
                    request.headers.get("content-type", ""),
                    request.body,
                    routed.upload,
                )
            )
            if content is None:
                return Answer(204, b"")
            mask = routed.query.get("fields")
            return Answer.json(apply_mask(content, parse_mask(mask[-1])) if mask else content)
        except GmailError as refusal:
            self._simulator.refused[f"{routed.method.name if routed else 'nothing'} {refusal.code}"] += 1
            return refusal.answer()

    def address(self, request: Request) -> str:
        """Whose mailbox a request's token opens; empty when it opens none."""
        try:
            return self._simulator.tokens.caller(request.headers.get("authorization")).mailbox.address
        except GmailError:
            return ""

    def _admit(self, routed: Routed, authorization: str | None) -> Caller:
        """Token, mailbox, scope, planned refusals, quota: in this order. Raises GmailError."""
        name = routed.method.name
        self._simulator.calls[name] += 1
        caller = self._simulator.tokens.caller(authorization)
        address = caller.mailbox.address
        if routed.user.lower() not in {"me", address}:
            raise delegation_denied(routed.user)
        if not routed.method.readonly and not caller.owner:
            raise insufficient_scope(name)
        self._simulator.faults.refuse(name, address)
        if not caller.owner:
            self._simulator.quota.spend(address, name)
        return caller


def _methods(messages: Messages, drafts: Drafts, users: Users) -> list[Method]:
    def method(name: str, verb: str, path: str, handler: Handler, *, readonly: bool = False) -> Method:
        return Method(name, verb, re.compile(path.replace("{id}", "([^/]+)")), handler, readonly)

    return [
        method("messages.get", "GET", "messages/{id}", messages.get, readonly=True),
        method("history.list", "GET", "history", users.history, readonly=True),
        method("messages.list", "GET", "messages", messages.list, readonly=True),
        method("messages.attachments.get", "GET", "messages/{id}/attachments/{id}", messages.attachment, readonly=True),
        method("getProfile", "GET", "profile", users.profile, readonly=True),
        method("watch", "POST", "watch", users.watch, readonly=True),
        method("stop", "POST", "stop", users.stop, readonly=True),
        method("labels.list", "GET", "labels", users.labels, readonly=True),
        method("labels.get", "GET", "labels/{id}", users.label, readonly=True),
        method("labels.create", "POST", "labels", users.create_label),
        method("messages.send", "POST", "messages/send", messages.send),
        method("messages.import", "POST", "messages/import", messages.import_),
        method("messages.insert", "POST", "messages", messages.insert),
        method("messages.batchModify", "POST", "messages/batchModify", messages.batch_modify),
        method("messages.batchDelete", "POST", "messages/batchDelete", messages.batch_delete),
        method("messages.modify", "POST", "messages/{id}/modify", messages.modify),
        method("messages.trash", "POST", "messages/{id}/trash", messages.trash),
        method("messages.untrash", "POST", "messages/{id}/untrash", messages.untrash),
        method("messages.delete", "DELETE", "messages/{id}", messages.delete),
        method("drafts.list", "GET", "drafts", drafts.list, readonly=True),
        method("drafts.get", "GET", "drafts/{id}", drafts.get, readonly=True),
        method("drafts.create", "POST", "drafts", drafts.create),
        method("drafts.send", "POST", "drafts/send", drafts.send),
        method("drafts.update", "PUT", "drafts/{id}", drafts.update),
        method("drafts.delete", "DELETE", "drafts/{id}", drafts.delete),
    ]


def exchange_token(simulator: Simulator, form: Mapping[str, str], url: str) -> Answer:
    """POST /token."""
    try:
        return Answer.json(simulator.tokens.exchange(form, url), headers={"Cache-Control": "no-store"})
    except OAuthError as refusal:
        simulator.refused[f"token {refusal.error}"] += 1
        return refusal.answer()


def ask_consent(simulator: Simulator, query: Mapping[str, str]) -> Answer:
    """GET /o/oauth2/v2/auth."""
    try:
        return Answer(302, b"", {"Location": simulator.tokens.consent.answer(query)})
    except OAuthError as refusal:
        return refusal.answer()


def sign_jwt(simulator: Simulator, account: str, authorization: str | None, body: bytes) -> Answer:
    """POST /v1/projects/-/serviceAccounts/{account}:signJwt, of IAM."""
    if authorization != f"Bearer {METADATA_TOKEN}":
        return unauthenticated().answer()
    if account != ACCOUNT:
        return not_found().answer()
    sign = simulator.tokens.service_account.signed
    try:
        return Answer.json({"keyId": "1", "signedJwt": sign(json.loads(body)["payload"])})
    except (ValueError, TypeError, KeyError):
        return bad_request("payload: not a JSON object").answer()


def revoke_token(simulator: Simulator, form: Mapping[str, str]) -> Answer:
    """POST /revoke."""
    try:
        simulator.tokens.revoke(form.get("token", ""))
    except OAuthError as refusal:
        return refusal.answer()
    return Answer.json({})
