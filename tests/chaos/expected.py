"""What must come out: for each email the entries that the same rules and the same model give, asked in peace."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from shared.extraction import Context, Entry, extract
from shared.extraction.grounding import ground
from shared.extraction.unsure import doubts, question
from shared.llm.judge import Judge
from shared.mail import read
from shared.settings import ModelSettings
from shared.store.analyses import DirectoryMatter
from shared.wiring import judge
from tests.chaos.plan import Mail, Plan
from tests.chaos.scene import Scene, Timekeeper, model_requests

LEAVING: Final = {"snippets", "full"}
# Who asks in peace has no minute to share.
LIMITING: Final = frozenset({"OPENAI_REQUESTS_A_MINUTE", "REDIS_URL"})
# What the table has for those who choose nothing.
INCREMENT: Final = 6
_ROUNDED: Final[Mapping[str, Callable[[Decimal], int]]] = MappingProxyType(
    {"up": math.ceil, "nearest": lambda increments: math.floor(increments + Decimal("0.5"))}
)


class Line(NamedTuple):
    """An entry, as far as it has to be the same. `start`, `end`: where its amount stands in the email's body."""

    email_id: str
    start: int
    end: int
    words: str
    minutes: float
    kind: str
    client: str | None
    day: str
    billable: bool
    billed: float
    extractor: str

    @classmethod
    def of_entry(cls, email_id: str, entry: Entry, settings: Mapping[str, Any]) -> "Line":
        """`settings`: how its timekeeper rounds."""
        return cls(
            email_id,
            entry.amount.start,
            entry.amount.end,
            entry.extracted_text,
            entry.duration_minutes,
            entry.entry_type.value,
            entry.client_matter,
            entry.date_performed.isoformat(),
            entry.billable,
            _billed(entry, settings),
            entry.extractor.value,
        )

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Line":
        """From the API's row of a machine's entry."""
        start, end = row["amount"].strip("[)").split(",")
        return cls(
            row["email_id"],
            int(start),
            int(end),
            row["extracted_text"],
            row["duration_minutes"],
            row["entry_type"],
            row["client_matter"],
            row["date_performed"],
            row["billable"],
            row["billed_minutes"],
            row["extractor"],
        )


@dataclass(frozen=True)
class Outcome:
    """What one email comes to; its lines name no email yet, since Gmail gives the ids when it is sent."""

    outcome: str
    lines: tuple[Line, ...]
    asks: bool = False


@dataclass(frozen=True)
class Expected:
    """By the mails' numbers; only those that are sent and stay."""

    mails: Mapping[int, Outcome]


async def expect(plan: Plan, scene: Scene) -> Expected:
    """Work it out, before anything goes wrong. Afterwards the model's simulator has forgotten that it was asked.

    From then on it keeps to the limit that the functions are told.
    """
    settings = {name: value for name, value in scene.stack.function_settings().items() if name not in LIMITING}
    asked = judge(ModelSettings.from_environ(settings))
    if asked is None:
        raise RuntimeError("a run needs the model's simulator")
    try:
        found = {
            mail.number: await _outcome(mail, scene.people[mail.person], asked)
            for mail in plan.mails
            if mail.fate == "sent"
        }
    finally:
        await asked.close()
    await scene.model("DELETE", "requests")
    await scene.model("PATCH", "settings", requests_a_minute=model_requests(plan))
    return Expected(found)


async def _outcome(mail: Mail, timekeeper: Timekeeper, asked: Judge) -> Outcome:
    settings = timekeeper.person.settings
    zone = ZoneInfo(settings["time_zone"]) if "time_zone" in settings else None
    matters = tuple(DirectoryMatter.model_validate(row) for row in timekeeper.matters)
    email = read(mail.content)
    to = {recipient.address for recipient in email.recipients}
    if to and to <= set(settings.get("excluded_recipients", ())):
        return Outcome("excluded", ())
    found = extract(email, Context(time_zone=zone, matters=matters))
    put = None
    if (mode := settings["analysis_mode"]) in LEAVING:
        put = question(email, doubts(email, found), full=mode == "full", limits=asked.limits)
    if put is not None:
        found = ground(email, found, put, await asked.judge(put), zone).found
    lines = tuple(Line.of_entry("", entry, settings) for entry in found.entries)
    return Outcome("entries" if lines else "none", lines, asks=put is not None)


def _billed(entry: Entry, settings: Mapping[str, Any]) -> float:
    """What is charged of an entry by itself: of a matter's day its minutes, since the day's sum is what is rounded."""
    if not entry.billable:
        return 0.0
    if settings.get("rounding_scope") == "matter_day":
        return entry.duration_minutes
    rounded = _ROUNDED[settings.get("rounding_mode", "up")]
    return float(INCREMENT * rounded(Decimal(str(entry.duration_minutes)) / INCREMENT))


def leaking_lines(plan: Plan) -> Sequence[str]:
    """Lines that only users wrote whose mail no model may see: none may be in what it was shown."""
    secret: set[str] = set()
    shown: set[str] = set()
    for mail in plan.mails:
        own = secret if plan.persons[mail.person].rules_only else shown
        own.update(line.strip() for line in read(mail.content).body.splitlines() if len(line.strip()) >= 20)
    return sorted(secret - shown)
