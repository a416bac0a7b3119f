"""/_sim/: what only tests and the local stack may ask for. Bodies are checked as strictly as Gmail's own."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.gmail.consent import Person
from infra.local.gmail.errors import GmailError, bad_request, not_found
from infra.local.gmail.faults import CallFault, PlannedFault, PlannedPushFault, PushFault
from infra.local.gmail.load import load
from infra.local.gmail.mailboxes import FIRST_HISTORY_ID, LARGEST_HISTORY_ID, Mailbox
from infra.local.gmail.mailstore import parse_id
from infra.local.gmail.push import PushMode
from infra.local.gmail.quota import PROFILES
from infra.local.gmail.simulator import SentAs, Simulator

T = TypeVar("T")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewMailbox(_Body):
    """A mailbox to make. A first history id of one's own shows how ids of another size are borne."""

    address: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    first_history_id: int = Field(default=FIRST_HISTORY_ID, ge=1, le=LARGEST_HISTORY_ID - 2**40)


class CallFaultPlan(_Body):
    """The next `count` calls, of one method or mailbox when given, go wrong."""

    kind: Literal["429", "403", "500", "503", "timeout", "slow", "malformed", "reset"]
    count: int = Field(default=1, ge=1)
    method: str | None = None
    address: str | None = None
    delay_ms: int = Field(default=0, ge=0)
    retry_after_s: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def slow_by_how_much(self) -> Self:
        """A slow answer needs its delay."""
        if self.kind == "slow" and not self.delay_ms:
            raise ValueError("slow needs delay_ms")
        return self


class PushFaultPlan(_Body):
    """The next `count` pushes go wrong."""

    kind: Literal["push_drop", "push_duplicate", "push_delay", "push_reorder"]
    count: int = Field(default=1, ge=1)
    delay_ms: int = Field(default=1_000, ge=0)


class HistoryLag(_Body):
    """history.list answers as of so many milliseconds ago, until told otherwise."""

    kind: Literal["history_lag"]
    delay_ms: int = Field(ge=0)


class MailboxFault(_Body):
    """Something that happens to one mailbox now."""

    kind: Literal["revoke_token", "expire_access_tokens", "expire_history", "expire_watch", "watch_elsewhere"]
    address: str
    before: int | None = Field(default=None, description="expire_history: the oldest id that stays good")


class Vanish(_Body):
    """A message that is listed from now on and can't be read."""

    kind: Literal["vanish"]
    address: str
    message_id: str


Fault = Annotated[CallFaultPlan | PushFaultPlan | HistoryLag | MailboxFault | Vanish, Field(discriminator="kind")]
_FAULT: TypeAdapter[CallFaultPlan | PushFaultPlan | HistoryLag | MailboxFault | Vanish] = TypeAdapter(Fault)


class Settings(_Body):
    """What may be changed while running; what isn't given stays."""

    push_mode: PushMode | None = None
    exact_filter: bool | None = None
    history_id_as_text: bool | None = None
    sent_as: SentAs | None = None
    latency_ms: float | None = Field(default=None, ge=0)
    jitter_ms: float | None = Field(default=None, ge=0)
    batch_parallel: int | None = Field(default=None, ge=1)
    token_lifetime_s: float | None = Field(default=None, ge=0)
    quota_profile: Literal["2026", "legacy", "unmetered"] | None = None
    person: Person | None = Field(default=None, description="What people do on the consent screen.")


class LetIn(_Body):
    """Domains of mailboxes."""

    domains: set[str]


class LoadRequest(_Body):
    """The mbox file to load, by its path on this machine."""

    path: Path


class SimulatorRoutes:
    """The endpoints."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/_sim/app", self.app, methods=["GET"]),
            Route("/_sim/mailboxes", self.create_mailbox, methods=["POST"]),
            Route("/_sim/mailboxes/{address}/load", self.load, methods=["POST"]),
            Route("/_sim/faults", self.plan_fault, methods=["POST"]),
            Route("/_sim/faults", self.clear_faults, methods=["DELETE"]),
            Route("/_sim/settings", self.change_settings, methods=["PATCH"]),
            Route("/_sim/delegation", self.let_in, methods=["PUT"]),
            Route("/_sim/stats", self.stats, methods=["GET"]),
            Route("/_sim/stats", self.reset_stats, methods=["DELETE"]),
        ]

    async def app(self, request: Request) -> Response:
        """The app that is registered here: what each refresh token goes with, and its service account's key."""
        key = self._simulator.tokens.service_account.key(f"{request.base_url}token")
        return JSONResponse(self._simulator.tokens.app() | {"delegation_key": key})

    async def let_in(self, request: Request) -> Response:
        """The administrators of these domains let the app's service account in, and no others."""
        body = await _read(request, LetIn.model_validate_json)
        self._simulator.tokens.let_in(body.domains)
        return Response(status_code=204)

    async def create_mailbox(self, request: Request) -> Response:
        """A mailbox and what opens it. One that exists gets new tokens beside its old ones."""
        body = await _read(request, NewMailbox.model_validate_json)
        simulator = self._simulator
        mailbox = simulator.mailboxes.find(body.address)
        if mailbox is None:
            mailbox = simulator.mailboxes.create(body.address, body.first_history_id)
        grant = simulator.tokens.grant(mailbox)
        return JSONResponse(
            {
                "address": mailbox.address,
                "refresh_token": grant.refresh_token,
                "client_id": grant.client_id,
                "client_secret": grant.client_secret,
                "owner_access_token": simulator.tokens.owner_token(mailbox),
            },
            201,
        )

    async def load(self, request: Request) -> Response:
        """Reads an mbox into the mailbox; counts of sent, received and broken."""
        body = await _read(request, LoadRequest.model_validate_json)
        mailbox = self._mailbox(request.path_params["address"])
        try:
            loaded = await load(self._simulator.store, mailbox, body.path)
        except OSError as error:
            raise bad_request(f"{body.path}: {error.strerror}") from error
        return JSONResponse(asdict(loaded))

    async def plan_fault(self, request: Request) -> Response:
        """Plans what goes wrong, or lets it happen now."""
        simulator = self._simulator
        match await _read(request, _FAULT.validate_json):
            case CallFaultPlan() as plan:
                values = plan.model_dump() | {"kind": CallFault(plan.kind)}
                simulator.faults.plan(PlannedFault(**values))
            case PushFaultPlan() as plan:
                kind = PushFault(plan.kind.removeprefix("push_"))
                simulator.faults.plan_push(PlannedPushFault(kind, plan.count, plan.delay_ms))
            case HistoryLag(delay_ms=delay_ms):
                simulator.faults.history_lag_ms = delay_ms
            case Vanish(address=address, message_id=message_id):
                simulator.store.vanish(self._mailbox(address), parse_id(message_id))
            case MailboxFault() as fault:
                self._happen(fault)
        return JSONResponse({"pending": simulator.faults.pending()})

    async def clear_faults(self, _request: Request) -> Response:
        """Nothing planned, no lag."""
        self._simulator.faults.clear()
        return Response(status_code=204)

    async def change_settings(self, request: Request) -> Response:
        """Changes what is given; all settings as they are now."""
        given = await _read(request, Settings.model_validate_json)
        simulator = self._simulator
        push, behaviour = simulator.pushes.settings, simulator.behaviour
        if given.push_mode is not None:
            push.mode = given.push_mode
        if given.exact_filter is not None:
            push.exact_filter = given.exact_filter
        if given.history_id_as_text is not None:
            push.history_id_as_text = given.history_id_as_text
        if given.sent_as is not None:
            behaviour.sent_as = given.sent_as
        if given.latency_ms is not None:
            behaviour.latency_ms = given.latency_ms
        if given.jitter_ms is not None:
            behaviour.jitter_ms = given.jitter_ms
        if given.batch_parallel is not None:
            behaviour.batch_parallel = given.batch_parallel
        if given.token_lifetime_s is not None:
            simulator.tokens.lifetime_s = given.token_lifetime_s
        if given.quota_profile is not None:
            simulator.quota.profile = PROFILES[given.quota_profile]
        if given.person is not None:
            simulator.tokens.consent.person = given.person
        return JSONResponse(
            {
                "push_mode": push.mode,
                "exact_filter": push.exact_filter,
                "history_id_as_text": push.history_id_as_text,
                "sent_as": behaviour.sent_as,
                "latency_ms": behaviour.latency_ms,
                "jitter_ms": behaviour.jitter_ms,
                "batch_parallel": behaviour.batch_parallel,
                "token_lifetime_s": simulator.tokens.lifetime_s,
                "quota_profile": simulator.quota.profile.name,
                "person": simulator.tokens.consent.person,
            }
        )

    async def stats(self, _request: Request) -> Response:
        """What was called, what it cost, what was pushed, what is kept."""
        simulator = self._simulator
        rows = simulator.store.database.execute("select mailbox, count(*) as total from message group by mailbox")
        totals = {row["mailbox"]: row["total"] for row in rows}
        return JSONResponse(
            {
                "calls": dict(simulator.calls),
                "refused": dict(simulator.refused),
                "most_under_way": dict(simulator.under_way.most),
                "quota": simulator.quota.report(),
                "pushes": dict(simulator.pushes.counts),
                "messages": {mailbox.address: totals.get(mailbox.id, 0) for mailbox in simulator.mailboxes.all()},
                "faults_pending": simulator.faults.pending(),
                "faults_met": dict(simulator.faults.met),
                "watched": [mailbox.address for mailbox in simulator.mailboxes.all() if mailbox.watch],
                "permissions": simulator.tokens.permissions(),
            }
        )

    async def reset_stats(self, _request: Request) -> Response:
        """Counts from zero, quota windows included."""
        self._simulator.calls.clear()
        self._simulator.refused.clear()
        self._simulator.under_way.most.clear()
        self._simulator.pushes.counts.clear()
        self._simulator.quota.reset()
        return Response(status_code=204)

    def _mailbox(self, address: str) -> Mailbox:
        mailbox = self._simulator.mailboxes.find(address)
        if mailbox is None:
            raise not_found()
        return mailbox

    def _happen(self, fault: MailboxFault) -> None:
        mailbox = self._mailbox(fault.address)
        match fault.kind:
            case "revoke_token":
                self._simulator.tokens.revoke_all(mailbox)
            case "expire_access_tokens":
                self._simulator.tokens.expire_all(mailbox)
            case "expire_history":
                self._simulator.mailboxes.expire_history(mailbox, fault.before)
            case "expire_watch":
                self._simulator.mailboxes.set_watch(mailbox, None)
            case "watch_elsewhere":
                self._simulator.watched_elsewhere.add(mailbox.id)


async def _read(request: Request, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(await request.body())
    except ValidationError as error:
        raise bad_request("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())) from error


def refused(_request: Request, error: Exception) -> Response:
    """A refusal of these endpoints, in the form of Gmail's."""
    if not isinstance(error, GmailError):
        raise error
    answer = error.answer()
    return Response(answer.body, answer.status, media_type="application/json")
