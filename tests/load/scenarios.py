"""The scenarios, each a coroutine from its size to a result. What they have to hold: docs/load.md."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from types import MappingProxyType
from typing import Any, Final

from shared.gmail.quota import PROFILES
from tests.load.plan import Client
from tests.load.scene import Result, Scene, browsers, mail_clients, scene
from tests.performance.again import in_doubt
from tests.performance.firm import Lawyer
from tests.performance.sample import sent_mail

MAILBOXES: Final = 10
BROWSERS: Final = 5
USERS: Final = 10
SCANNED_EMAILS: Final = 50
ROUNDS: Final = 3
EMAILS_AN_HOUR: Final = 1_000
BURST_EMAILS: Final = 500
BURST_SECONDS: Final = 300.0
UNBROKEN_WARM: Final = 300
UNBROKEN_EMAILS: Final = 1_000
# What two cores carry along with those who use the application.
UNBROKEN_A_SECOND: Final = 25.0
MODEL_REQUESTS_A_MINUTE: Final = 3_500
DOUBTERS: Final = 40
DOUBTFUL_A_SECOND: Final = 10.0
# A minute's window, full, and some of the next.
LIMIT_SECONDS: Final = 70.0
LIVE_A_SECOND: Final = 1.0
LEAST_SHARE: Final = 0.9
"""Of a limit, to be used by whoever shows that it is kept."""
LEAST_MODEL_SHARE: Final = 0.85
"""The same of the model's, of which two cores that do nothing else were seen to ask for 90 %."""
MOST_GROWTH: Final = 0.1
"""Of what a process holds after the first emails. 1,000 more that each left some 12 KB behind, about one email with
what was read in it, would pass it; what is measured is less than 1 %."""
CHUNK_MS: Final = 20
QUESTIONS: Final = (
    "Give me the summary of this month, please.",
    "Which settings do I have? Show how time tracking is configured.",
    "Scan my billable time of the last week, please.",
    "And the summary again: how much time did I bill?",
)


@dataclass(frozen=True)
class Size:
    """hours: of `sustained`. factor: by how much its time, and that of `burst`, is compressed. share: of everything."""

    hours: float = 4.0
    factor: float = 1.0
    share: float = 1.0

    def of(self, number: float) -> int:
        return max(round(number * self.share), 1)


Scenario = Callable[[Size], Awaitable[Result]]


async def scans(size: Size) -> Result:
    """10 users have 50 unread emails each scanned at the same moment; three rounds, each of fresh users."""
    async with scene("scans") as made:
        users = await made.lawyers(USERS * size.of(ROUNDS), SCANNED_EMAILS, reads=False)
        scan = {"max_emails": SCANNED_EMAILS, "date_range_days": 30}
        clients = [Client("Scanner", token=user.user.token, scan=scan) for user in users]
        rounds = [clients[first : first + USERS] for first in range(0, len(clients), USERS)]
        answers = [answer for seen in await made.load(*rounds, seconds=60) for answer in seen.answers]
        wanted, read = len(users) * SCANNED_EMAILS, sum(answer["cache_misses"] for answer in answers)
        failed = sum(answer["failed"] for answer in answers)
        made.tell(scanned={"wanted": wanted, "read": read, "failed": failed, "scans": len(answers)})
        if read != wanted or failed:
            made.broken.append(f"{read} of {wanted} emails were read, {failed} failed")
        return made.result()


async def sustained(size: Size) -> Result:
    """1,000 emails an hour from ten mailboxes, for hours, while five people use the application."""
    emails = size.of(EMAILS_AN_HOUR * size.hours)
    return await _sent("sustained", emails, emails / EMAILS_AN_HOUR * 3600 / size.factor, size)


async def burst(size: Size) -> Result:
    """500 emails in five minutes from ten mailboxes, while five people use the application."""
    emails = size.of(BURST_EMAILS)
    return await _sent("burst", emails, emails / BURST_EMAILS * BURST_SECONDS / size.factor, size)


async def unbroken(size: Size) -> Result:
    """1,000 emails, one close upon the other, without a restart: by how much each process grows after 300 others."""
    async with scene("unbroken", slow=False) as made:
        senders, watching = await made.lawyers(MAILBOXES), await made.lawyers(BROWSERS, SCANNED_EMAILS)
        for emails, rehearsed in ((size.of(UNBROKEN_WARM), True), (size.of(UNBROKEN_EMAILS), False)):
            begun, seconds = datetime.now(UTC), emails / UNBROKEN_A_SECOND
            clients = [*mail_clients(senders, emails, seconds, made.mail), *browsers(watching, 0.5)]
            await made.load(clients, seconds=seconds, senders=senders, rehearsed=rehearsed)
        made.grew_no_more_than(MOST_GROWTH)
        await made.covered(senders, begun)
        return made.result()


async def model_limit(size: Size) -> Result:
    """More questions for the model than 3,500 a minute allow, from two processes: for people, and for mail as sent."""
    async with scene("model_limit", quota_profile="unmetered", slow=False) as made:
        firm = made.firm
        doubtful = await in_doubt(firm, sent_mail())
        senders, asking = await made.lawyers(MAILBOXES), await made.lawyers(BROWSERS)
        made.mail = tuple(doubtful)
        seconds = LIMIT_SECONDS * size.share
        texts = await _doubtful_texts(asking[0], doubtful)
        doubters = [Client("Doubter", token=asking[n % len(asking)].user.token, texts=texts) for n in range(DOUBTERS)]
        sending = mail_clients(senders, round(DOUBTFUL_A_SECOND * seconds), seconds, made.mail)
        model = firm.stack.model.url.removesuffix("/v1")
        settings = {"requests_a_minute": MODEL_REQUESTS_A_MINUTE}
        (await firm.stack.http.patch(f"{model}/_sim/settings", json=settings)).raise_for_status()
        (await firm.stack.http.delete(f"{model}/_sim/requests")).raise_for_status()
        [seen] = await made.load([*doubters, *sending], seconds=seconds, senders=senders)
        limits = (await firm.stack.http.get(f"{model}/_sim/limits")).json()[0]
        said = Counter(_how_it_went(answer["model"]) for answer in seen.answers)
        _hold(
            made,
            most=limits["most_requests"],
            allowed=MODEL_REQUESTS_A_MINUTE,
            refused=limits["refused_requests"] + limits["refused_tokens"],
            least_share=LEAST_MODEL_SHARE,
            answers=dict(said),
        )
        return made.result()


async def gmail_2026(size: Size) -> Result:
    """More reading of one mailbox than the quota of 2026 allows: scans, a rescan, and mail as it is sent."""
    return await _gmail_limit("gmail_2026", "2026", size)


async def gmail_legacy(size: Size) -> Result:
    """The same with the quota of projects made before May 2026."""
    return await _gmail_limit("gmail_legacy", "legacy", size)


async def chat(size: Size) -> Result:
    """10 users talk to the assistant, which streams its answers."""
    async with scene("chat") as made:
        users = await made.lawyers(USERS, SCANNED_EMAILS, reads=False)
        (
            await made.firm.stack.http.patch(
                f"{made.firm.stack.model.url.removesuffix('/v1')}/_sim/settings", json={"chunk_delay_ms": CHUNK_MS}
            )
        ).raise_for_status()
        texts = QUESTIONS * size.of(2)
        clients = [Client("Chatter", token=user.user.token, texts=texts, pause_seconds=1.0) for user in users]
        [seen] = await made.load(clients, seconds=120)
        if len(seen.answers) != len(users) * len(texts):
            made.broken.append(f"{len(seen.answers)} of {len(users) * len(texts)} questions were answered")
        return made.result()


SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(
    {each.__name__: each for each in (scans, sustained, burst, unbroken, model_limit, gmail_2026, gmail_legacy, chat)}
)


async def _sent(name: str, emails: int, seconds: float, size: Size) -> Result:
    async with scene(name) as made:
        senders, watching = await made.lawyers(MAILBOXES), await made.lawyers(BROWSERS, SCANNED_EMAILS)
        begun = datetime.now(UTC)
        clients = [*mail_clients(senders, emails, seconds, made.mail), *browsers(watching, 2.0)]
        await made.load(clients, seconds=seconds, senders=senders, scheduled=True)
        await made.covered(senders, begun)
        made.tell(factor=size.factor, emails_per_s=round(emails / seconds, 2))
        return made.result()


async def _gmail_limit(name: str, profile: str, size: Size) -> Result:
    async with scene(name, quota_profile=profile, simulate_model=False, slow=False) as made:
        quota = PROFILES[profile]
        units = quota.units_a_user_minute
        seconds = LIMIT_SECONDS * size.share
        # More than the time's minutes and the first burst let through.
        unread = round(units / quota.cost["gmail.users.messages.get"] * (seconds / 60 + 1.5))
        [lawyer] = await made.lawyers(1, unread)
        scan = {"max_emails": 500, "date_range_days": 30}
        scanning = Client(
            "Scanner", token=lawyer.user.token, scan=scan, rescan={"date_range_days": 30}, pause_seconds=0.2
        )
        sending = mail_clients([lawyer], round(LIVE_A_SECOND * seconds), seconds, made.mail)
        (await made.firm.stack.http.delete(f"{made.firm.stack.gmail_url}/_sim/stats")).raise_for_status()
        [seen] = await made.load([scanning, *sending], seconds=seconds, senders=[lawyer])
        found = (await made.firm.stack.http.get(f"{made.firm.stack.gmail_url}/_sim/stats")).json()["quota"]
        most = found["peak_units_by_user"][lawyer.user.email]
        stopped = Counter(str(answer["stopped_by"]) for answer in seen.answers)
        _hold(made, most=most, allowed=int(units), refused=found["refused"], scans_stopped_by=dict(stopped))
        return made.result()


def _hold(made: Scene, *, most: int, allowed: int, refused: int, least_share: float = LEAST_SHARE, **more: Any) -> None:
    """What a limit held against: the most in any sliding minute, and what was refused, as the simulator counted."""
    share = round(most / allowed, 3)
    made.tell(limit={"allowed": allowed, "most": most, "used_share": share, "refused": refused} | more)
    if refused:
        made.broken.append(f"{refused} calls were refused as too many")
    if most < allowed * least_share:
        made.broken.append(f"{most} in a minute, which says nothing of how {allowed} are kept")
    if most > allowed:
        made.broken.append(f"{most} in a minute, where {allowed} are allowed")


async def _doubtful_texts(lawyer: Lawyer, mail: Iterable[bytes]) -> tuple[str, ...]:
    """Single paragraphs of these that the model is asked about: the shortest there are, so that it is asked often."""
    paragraphs = {each.strip() for raw in mail for each in _text(raw).split("\n\n")} - {""}
    answers = {each: await lawyer.asking.answer("analyze_time_entry", text=each) for each in sorted(paragraphs)}
    return tuple(each for each, answer in answers.items() if answer["model"] is not None)


def _how_it_went(model: dict[str, Any] | None) -> str:
    """With one text: the model was asked and answered, or why it didn't."""
    return "no doubt" if model is None else model["second_look"] or "asked"


def _text(raw: bytes) -> str:
    body = message_from_bytes(raw, policy=SMTP).get_body(("plain",))
    return body.get_content() if body else ""
