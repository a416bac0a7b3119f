"""What goes wrong in a run: each kind at least once, and as often again as there is time for."""

import random
from collections.abc import Iterator
from typing import Any, Final

from tests.chaos.plan import Event, Person

# Seconds between two of the same kind, in a long run.
EVERY_SECONDS: Final = 45.0
BRIEF_SECONDS: Final = 60.0

Trouble = tuple[str, dict[str, Any]]
# The token endpoint has no 403, and its answers aren't cut short.
_GMAIL: Final = (
    *((kind, "messages.get") for kind in ("429", "403", "500", "503", "slow", "malformed", "reset")),
    *((kind, "history.list") for kind in ("429", "403", "500", "503", "slow", "malformed", "reset")),
    *((kind, "token") for kind in ("429", "500", "503", "slow", "reset")),
)
# More than a call's own tries can outlast.
_STORMS: Final = (("503", "messages.get"), ("500", "history.list"))
# One call of one mailbox is held until the caller gives up, half a minute.
_SILENT: Final = ("messages.get", "history.list")
_PUSHES: Final = ("push_duplicate", "push_delay", "push_reorder")
_MODEL: Final = (
    *("429", "500", "503", "401", "reset", "cut", "hang"),
    *("broken_json", "truncated", "html", "empty", "no_choices", "wrong_types", "unknown_ids", "invented_quote"),
)
_PARTS: Final = ("postgres", "postgrest", "valkey")
# Pub/Sub's messages are gone with it. And the emulator takes a front door that refuses for one that is thinking.
_FORGETFUL: Final = ("gateway", "pubsub")
_FROZEN: Final = ("postgrest", "gateway", "valkey")
_READERS: Final = ("gmail_push", "analyze_email")
_OTHERS: Final = ("rescan_page", "tools", "maintenance")
# Steps of an email's way: who asks whom, and what the request looks like on the wire.
_STEPS: Final = (
    ("gmail_push", "gateway", "/rpc/mailbox_by_address"),
    ("gmail_push", "gmail", "/users/me/history?"),
    ("gmail_push", "gateway", "/rpc/await_analysis"),
    ("gmail_push", "pubsub", "email_id"),
    ("gmail_push", "gateway", "/rpc/advance_watermark"),
    ("analyze_email", "gateway", "/rpc/analysis_context"),
    ("analyze_email", "gmail", "/users/me/messages/"),
    ("analyze_email", "openai", "/chat/completions"),
    *[("analyze_email", "gateway", "/rpc/record_analysis")] * 2,
)
_WHEN: Final = ("before", "after")
_CLOCKS: Final = (("gmail_push", 95), ("gmail_push", -95), ("analyze_email", 86_400), ("analyze_email", -95))
_GARBAGE: Final = (("gmail-events", "{}"), ("sent-emails", "no json"), ("rescan-pages", '{"job_id": 1}'))


def troubles(chance: random.Random, persons: tuple[Person, ...], seconds: float, *, aided: bool) -> Iterator[Event]:
    """All that goes wrong, in no order; with `aided` also what deliveries alone can't make good.

    A short run hasn't the time for all of it: each of the two has its own share, since where something is down all the
    time nothing else is met.
    """
    brief = seconds < BRIEF_SECONDS
    kinds = [*_failures(chance), *_stops()] if aided or not brief else [*_pushes(chance), *_crashes()]
    if aided:
        kinds += _healed(chance, persons)
    times = max(1, round(seconds / EVERY_SECONDS))
    for what, how in kinds:
        # Seldom: for a minute afterwards nothing can be said about quotas.
        among = max(1, times // 4) if how.get("part") == "valkey" else times
        for place in range(among):
            # Spread over the run, so that two of a kind don't fall together; none in the last moments.
            begin, length = place / among, 1 / among
            # History expires earlier: catching up would make good the rest, too.
            at = seconds * (begin + length * chance.uniform(0.1, 0.5 if what == "history_expires" else 0.9))
            drawn = _drawn(chance, how, persons)
            yield _event(at, what, **(drawn | {"count": 1} if brief and what == "model" else drawn))
    if aided:
        # At the end messages wait, and Pub/Sub forgets them: nobody who connects again will make that good.
        yield _event(seconds * 0.9 - 2, "clock", function="analyze_email", ahead=-95, seconds=4.0)
        yield _event(seconds * 0.98, "crash", part="pubsub")
    if not (aided and brief):
        yield from _storms_and_steps(chance, seconds, times)


def _storms_and_steps(chance: random.Random, seconds: float, times: int) -> Iterator[Event]:
    """What needs a system that is at work: kills at each step of an email's way, a function's one after the other."""
    for function in _READERS:
        steps = [(part, needle, when) for who, part, needle in _STEPS if who == function for when in _WHEN] * times
        chance.shuffle(steps)
        if seconds < BRIEF_SECONDS:  # no time for more: a process has to start anew after each
            steps = list({needle: (part, needle, when) for part, needle, when in steps}.values())
        for place, (part, needle, when) in enumerate(steps):
            at = seconds * (0.04 + 0.8 * place / len(steps))
            yield _event(at, "kill_amid", function=function, part=part, needle=needle, when=when)
    for kind, method in _STORMS * times:
        yield _event(seconds * chance.uniform(0.1, 0.9), "gmail", kind=kind, method=method, count=10)
    # The last pushes are ahead of history, too: no later one makes good what they have missed.
    yield _event(seconds * 0.85, "history_lag", delay_ms=2_000, seconds=round(seconds * 0.15 + 2, 3))


def _failures(chance: random.Random) -> Iterator[Trouble]:
    """Calls that fail, and fail otherwise than calls do."""
    for kind, method in _GMAIL:
        # An email has a call of its own, a burst of them shares the others: there are fewer of those to go wrong.
        most = 4 if method == "messages.get" else 2
        yield "gmail", {"kind": kind, "method": method, "count": chance.randint(1, most)}
    yield "model", {"kind": "slow", "count": 2}
    for topic, data in _GARBAGE:
        yield "garbage", {"topic": topic, "data": data}
    yield from _pushes(chance)


def _pushes(chance: random.Random) -> Iterator[Trouble]:
    for kind in _PUSHES:
        yield "push", {"kind": kind, "count": chance.randint(2, 5), "delay_ms": chance.randint(300, 3_000)}
    yield "history_lag", {"delay_ms": 1_200, "seconds": 3.0}
    yield "access_tokens_end", {"person": None}


def _stops() -> Iterator[Trouble]:
    """Processes that end, stand still, or have a wrong clock."""
    for function in _READERS:
        yield "kill", {"function": function}
    for part in _FROZEN:
        yield "freeze", {"part": part, "seconds": 1.5}
    for function, ahead in _CLOCKS:
        yield "clock", {"function": function, "ahead": ahead, "seconds": 4.0}
    yield from _crashes()


def _crashes() -> Iterator[Trouble]:
    for part in _PARTS:
        yield "crash", {"part": part}


def _healed(chance: random.Random, persons: tuple[Person, ...]) -> Iterator[Trouble]:
    """What maintenance makes good, or catching up, or a person; and what they do for it. And what takes long."""
    for method in _SILENT:
        yield "gmail_silent", {"method": method, "person": None}
    yield "push", {"kind": "push_drop", "count": chance.randint(2, 5), "delay_ms": 0}
    for kind in _MODEL:
        yield "model", {"kind": kind, "count": 1 if kind == "hang" else chance.randint(1, 3)}
    for function in _OTHERS:
        yield "kill", {"function": function}
    for part in _FORGETFUL:
        yield "crash", {"part": part}
    for person in range(len(persons)):
        yield "history_expires", {"person": person}
    yield "watch_lapses", {"person": None}
    yield "scan", {"person": None}
    yield "rescan", {"person": None}
    yield "time_passes", {"hours": 2}
    for task in ("renew_watches", "reconcile", "refresh_summaries", "second_looks", "replay_dead_letters", "purge"):
        yield "maintain", {"task": task}


def _drawn(chance: random.Random, how: dict[str, Any], persons: tuple[Person, ...]) -> dict[str, Any]:
    """With whose mailbox it is, drawn anew each time."""
    if "person" not in how:
        return how
    person = chance.randrange(len(persons)) if how["person"] is None else how["person"]
    return {**how, "person": person, "mailbox": chance.randrange(persons[person].mailboxes)}


def _event(at: float, what: str, **how: Any) -> Event:
    return Event(at=round(at, 3), what=what, how=how)
