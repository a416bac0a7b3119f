"""A stack under load: what Locust saw of it, what its parts used, and what became of every email."""

import asyncio
import base64
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from infra.local.schedule import RHYTHM, keep_schedule, run_task
from infra.local.stack import ROOT
from tests.load.figures import by_endpoint, spread
from tests.load.generator import Seen, generate
from tests.load.meter import Used, cores, metered
from tests.load.plan import Client, Plan
from tests.performance.again import in_doubt
from tests.performance.firm import Firm, Lawyer
from tests.performance.sample import sent_mail, some
from tests.performance.scans import GMAIL, MODEL

FOLDER: Final = ROOT / ".local" / "load"
# After the last one was sent.
ON_RECORD_SECONDS: Final = 180.0
WARM_EMAILS: Final = 12
SEED: Final = 1

Result = dict[str, Any]


class Scene:
    """One scenario's stack. `broken` says what didn't hold."""

    def __init__(self, name: str, firm: Firm) -> None:
        self.name = name
        self.firm = firm
        self.broken: list[str] = []
        self.folder = FOLDER / name
        self.mail = sent_mail()  # what mail clients send
        self._result: Result = {"scenario": name}

    async def lawyers(self, number: int, emails: int = 0, *, reads: bool = True) -> list[Lawyer]:
        """So many, each with so many unread emails. reads: what they send is analysed."""
        mail = sent_mail()
        return [
            await self.firm.lawyer(some(mail, emails, emails * place), auto_analysis=reads) for place in range(number)
        ]

    async def warm(self) -> None:
        """Have every function do what it does once, so that growth is not the loading of libraries."""
        firm, stack = self.firm, self.firm.stack
        doubtful = await in_doubt(firm, sent_mail()) if stack.model.asked else []
        mail = some([*doubtful[:1], *sent_mail()], WARM_EMAILS)
        # A scan and a rescan look at the newest first, and each is to have a question for the model.
        lawyer = await firm.lawyer([*mail, *mail], auto_analysis=True)
        await lawyer.asking.scan(max_emails=WARM_EMAILS)
        (await lawyer.asking.http.post("/rescans", json={"date_range_days": 7})).raise_for_status()
        now = datetime.now(UTC)
        period = {"from": (now - timedelta(days=7)).isoformat(), "to": now.isoformat()}
        for path, params in (("/coverage", period), ("/rescans", {}), ("/my_data", {}), ("/tools", {})):
            (await lawyer.asking.http.get(path, params=params)).raise_for_status()
        await lawyer.asking.answer("get_time_tracking_summary")
        for task in RHYTHM:
            await run_task(stack, task)
        sent = [{"id": await lawyer.mailbox.send(raw), "at": 0.0} for raw in mail]
        await self._on_record(sent, [lawyer])

    async def load(
        self,
        *rounds: Sequence[Client],
        seconds: float,
        senders: Sequence[Lawyer] = (),
        scheduled: bool = False,
        rehearsed: bool = False,
    ) -> list[Seen]:
        """Have Locust do all this, round after round, and wait until every email that it sent is on record.

        seconds: when those of a round stop who would go on for ever. senders: whose emails are sent. scheduled: the
        scheduler calls maintenance meanwhile. rehearsed: it is not measured, though held to the same.
        """
        begun = time.monotonic()
        scheduler = asyncio.create_task(keep_schedule(self.firm.stack)) if scheduled else None
        try:
            with metered(self.firm) as used:
                seen = [await generate(self._plan(clients, seconds, senders), self.folder) for clients in rounds]
                driven = time.monotonic() - begun
                sent = [each for one in seen for each in one.sent]
                wanted = sum(len(client.sends) for clients in rounds for client in clients)
                emails = await self._account(sent, senders, wanted)
        finally:
            if scheduler is not None:
                scheduler.cancel()
        await self._nothing_refused()
        figures = self._figures(seen, used, driven, time.monotonic() - begun)
        if not rehearsed:
            self.tell(**figures, **emails)
        return seen

    def _plan(self, clients: Sequence[Client], seconds: float, senders: Sequence[Lawyer]) -> Plan:
        return Plan(
            functions_url=self.firm.stack.gateway.functions_url,
            gmail_url=self.firm.stack.gmail_url,
            seconds=seconds,
            clients=clients,
            mail=[base64.b64encode(raw).decode() for raw in self.mail] if senders else [],
        )

    async def _nothing_refused(self) -> None:
        """Neither Gmail nor the model had to refuse a call as too many."""
        stack = self.firm.stack
        gmail = (await stack.http.get(f"{stack.gmail_url}/_sim/stats")).json()["quota"]["refused"]
        if gmail:
            self.broken.append(f"Gmail refused {gmail} calls as too many")
        if stack.model.asked:
            url = stack.model.url.removesuffix("/v1")
            for limits in (await stack.http.get(f"{url}/_sim/limits")).json():
                refused = limits["refused_requests"] + limits["refused_tokens"]
                if refused:
                    self.broken.append(f"the model refused {refused} calls as too many")

    def grew_no_more_than(self, share: float) -> None:
        """Hold every process to such a share of what it held when what was measured last began."""
        for name, figures in self._result["functions"].items():
            if figures["growth_mb"] > figures["before_mb"] * share:
                self.broken.append(f"{name} grew by {figures['growth_mb']:g} MB from {figures['before_mb']:g}")

    def tell(self, **figures: Any) -> None:
        """More that was measured."""
        self._result |= figures

    def result(self) -> Result:
        return {**self._result, "broken": self.broken}

    def _figures(self, seen: Sequence[Seen], used: Used, driven: float, seconds: float) -> Result:
        requests = [request for one in seen for request in one.requests]
        errors = [request for request in requests if request["error"]]
        if errors:
            kinds = Counter(f"{error['name']}: {error['error']}" for error in errors)
            self.broken.append(f"{len(errors)} requests failed: {kinds.most_common(3)}")
        self.broken += [f"{name}'s process was replaced" for name in used.restarted]
        if not requests:
            self.broken.append("nothing was asked")
        cpu = sum(figures["cpu_s"] for figures in used.functions.values())
        others_cpu_s = {**used.others_cpu_s, "locust": round(sum(one.cpu_seconds for one in seen), 2)}
        return {
            "seconds": round(seconds, 1),
            "requests": len(requests),
            "requests_per_s": round(len(requests) / driven, 1),
            "errors": len(errors),
            "error_rate": round(len(errors) / max(len(requests), 1), 5),
            "http_ms": by_endpoint(requests),
            "functions": used.functions,
            "others_cpu_s": others_cpu_s,
            "own_busy": round((cpu + sum(others_cpu_s.values())) / seconds / cores(), 3),
            "machine_busy": used.busy,
        }

    async def _account(self, sent: list[dict[str, Any]], senders: Sequence[Lawyer], wanted: int) -> Result:
        """What became of every email, by the database."""
        if not wanted:
            return {}
        rows = await self._on_record(sent, senders)
        lags = [rows[each["id"]]["at"] - each["at"] for each in sent if each["id"] in rows]
        outcomes = Counter(row["outcome"] for row in rows.values())
        unaccounted = len(sent) - len(rows)
        if unaccounted:
            self.broken.append(f"{unaccounted} emails are not accounted for")
        if len(sent) < wanted:
            self.broken.append(f"only {len(sent)} of {wanted} emails were sent")
        if outcomes["failed"]:
            self.broken.append(f"{outcomes['failed']} emails could not be read")
        return {
            "emails": {
                "wanted": wanted,
                "sent": len(sent),
                "on_record": len(rows),
                "unaccounted": unaccounted,
                "outcomes": dict(outcomes),
                "most_behind_s": round(max((each["behind"] for each in sent), default=0.0), 2),
            },
            "lag_ms": spread(lag * 1000 for lag in lags),
        }

    async def covered(self, lawyers: Sequence[Lawyer], since: datetime) -> None:
        """Hold the product to its own count against Gmail: nothing that these sent since then is missing."""
        missing = waiting = sent = 0
        for lawyer in lawyers:
            params = {"from": since.isoformat(), "to": datetime.now(UTC).isoformat()}
            while True:
                answer = await lawyer.asking.http.get("/coverage", params=params)
                answer.raise_for_status()
                found = answer.json()
                missing += found["missing_in_all"]
                waiting += found["waiting"]
                sent += found["sent_in_gmail"]
                if not (token := found["continue_token"]):
                    break
                params["continue_token"] = token
            if not found["complete"]:
                self.broken.append("coverage could not be told in full")
        self.tell(coverage={"sent_in_gmail": sent, "waiting": waiting, "missing": missing})
        if missing or waiting:
            self.broken.append(f"by coverage {waiting} of {sent} emails wait and {missing} are missing")

    async def _on_record(self, sent: list[dict[str, Any]], senders: Sequence[Lawyer]) -> dict[str, dict[str, Any]]:
        """The rows of these emails, as many as there are in time: when written (`at`, epoch seconds), and `outcome`."""
        users, ids = [lawyer.user.id for lawyer in senders], [each["id"] for each in sent]
        ends = time.monotonic() + ON_RECORD_SECONDS
        while True:
            rows = await self.firm.sql.fetch(
                "select email_id, outcome, extract(epoch from processed_at)::float8 as at from public.processed_emails"
                " where user_id = any ($1) and email_id = any ($2)",
                users,
                ids,
            )
            if len(rows) == len(ids) or time.monotonic() > ends:
                return {row["email_id"]: {"outcome": row["outcome"], "at": row["at"]} for row in rows}
            await asyncio.sleep(0.25)


@asynccontextmanager
async def scene(
    name: str, *, quota_profile: str = "2026", simulate_model: bool = True, slow: bool = True
) -> AsyncIterator[Scene]:
    """A stack for one scenario, warm. slow: Gmail and the model take as long to answer as the real ones."""
    async with Firm(quota_profile=quota_profile, simulate_model=simulate_model) as firm:
        made = Scene(name, firm)
        await made.warm()
        if not slow:
            yield made
            return
        async with firm.latencies(GMAIL, MODEL):
            yield made


def mail_clients(lawyers: Sequence[Lawyer], emails: int, seconds: float, mail: Sequence[bytes]) -> list[Client]:
    """These send so many emails within such a time, each at a moment drawn evenly: as people do, not in step."""
    drawn = random.Random(SEED)  # noqa: S311  runs are to repeat
    sends: list[list[tuple[float, int]]] = [[] for _ in lawyers]
    for number in range(emails):
        sends[number % len(lawyers)].append((round(drawn.uniform(0, seconds), 3), number % len(mail)))
    return [
        Client("MailClient", owner_token=lawyer.mailbox.owner_token, sends=tuple(sorted(each)))
        for lawyer, each in zip(lawyers, sends, strict=True)
    ]


def browsers(lawyers: Sequence[Lawyer], pause_seconds: float) -> list[Client]:
    return [Client("Browser", token=lawyer.user.token, pause_seconds=pause_seconds) for lawyer in lawyers]
