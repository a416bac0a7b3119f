"""Summaries: whatever happens, in whatever order, an answer equals what the entries come to now.

The model below counts from all of a user's rows, in Python and by its own rules; the rest drives the real database.
"""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.models import EntryStatus, EntryType
from shared.store.analyses import Analysis, Outcome
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

Row = dict[str, Any]
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 12)
TYPES, STATUSES = list(EntryType), list(EntryStatus)
ADD: Final = """
    insert into public.time_tracking_entries (user_id, duration_minutes, entry_type, date_performed, description)
    values ($1, 30, 'call', '2026-09-03', 'x')
"""


# the model ---------------------------------------------------------------------------------------------------


@dataclass
class Sums:
    entries: int = 0
    minutes: Fraction = Fraction(0)
    billed_minutes: Fraction = Fraction(0)
    unbilled_minutes: Fraction = Fraction(0)

    def add(self, row: Row) -> None:
        said = Fraction(row["duration_minutes"])
        self.entries += 1
        self.minutes += said
        self.billed_minutes += row["billed"]
        self.unbilled_minutes += 0 if row["billable"] else said


def rounded(minutes: Fraction, row: Row) -> Fraction:
    """What is billed of minutes under the row's rule."""
    units = minutes / row["rounding_increment"]
    whole = {
        "up": ceil(units),
        "nearest": floor(units + Fraction(1, 2)),
        "more_than_half": ceil(units - Fraction(1, 2)),
    }
    billed = whole[row["rounding_mode"]] * row["rounding_increment"]
    return Fraction(max(billed, row["rounding_minimum"]) if minutes else 0)


def to_hundredths(minutes: Fraction) -> Fraction:
    return Fraction(floor(minutes * 100 + Fraction(1, 2)), 100)


def with_billed(rows: Iterable[Row]) -> list[Row]:
    """The rows, each with what is billed of it: its own rounding, or its share of its matter's day."""
    result, days = [], {}  # type: ignore[var-annotated]  # tuples of a matter, a day and a rule
    for row in rows:
        charged = row["billable"] and row["status"] != "dismissed"
        if charged and row["rounding_scope"] == "matter_day":
            rule = (row["rounding_increment"], row["rounding_mode"], row["rounding_minimum"])
            days.setdefault((row["date_performed"], row["client_matter"] or "", rule), []).append(row)
        else:
            said = Fraction(row["duration_minutes"])
            result.append({**row, "billed": rounded(said, row) if charged else Fraction(0)})
    for day in days.values():
        day.sort(key=_place)
        total = sum(Fraction(row["duration_minutes"]) for row in day)
        billed, said, given = rounded(Fraction(total), day[0]), Fraction(0), Fraction(0)
        for row in day:
            said += Fraction(row["duration_minutes"])
            up_to_here = to_hundredths(billed * said / total) if total else Fraction(0)
            result.append({**row, "billed": up_to_here - given})
            given = up_to_here
    return result


def _place(row: Row) -> tuple[int, int, int, int]:
    matter = row["matter_id"].int if row["matter_id"] else 0
    return TYPES.index(row["entry_type"]), STATUSES.index(row["status"]), matter, row["id"].int


def spellings(text: str) -> list[str]:
    """The words between spaces; once with punctuation as a space, once without it."""
    bare = [re.sub(r"[^\w\s]|_", mark, text.lower()) for mark in (" ", "")]
    return [f" {' '.join(words.split())} " for words in bare]


def is_about(row: Row, wanted: str, matters: Iterable[Row]) -> bool:
    held = zip(spellings(wanted), spellings(row["client_matter"] or ""), strict=True)
    named = {
        matter["id"]
        for matter in matters
        for name in (matter["client"], matter["matter"], *matter["aliases"])
        if name and any(a == b for a, b in zip(spellings(wanted), spellings(name), strict=True))
    }
    return any(part in whole for part, whole in held) or row["matter_id"] in named


def model(rows: Iterable[Row], matters: Iterable[Row], question: dict[str, Any]) -> dict[str, Any]:
    """The answer to a question, from all rows of a user."""
    asked = [
        row
        for row in with_billed(rows)
        if question["p_from"] <= row["date_performed"] <= question["p_to"]
        and question.get("p_type") in {None, row["entry_type"]}
        and row["duration_minutes"] >= question.get("p_minimum_minutes", 0)
        and ("p_client" not in question or is_about(row, question["p_client"], matters))
    ]
    kept = [row for row in asked if row["status"] != "dismissed"]
    totals = Sums()
    for row in kept:
        totals.add(row)
    return {
        "from": question["p_from"].isoformat(),
        "to": question["p_to"].isoformat(),
        "totals": vars(totals),
        "by_client": _by("client_matter", kept, lambda value: (value is None, value)),
        "by_type": _by("entry_type", kept, TYPES.index),
        "by_day": _by("date_performed", kept, str),
        "by_status": _by("status", asked, STATUSES.index),
    }


def _by(column: str, rows: Iterable[Row], order: Callable[[Any], Any]) -> list[dict[str, Any]]:
    groups: dict[Any, Sums] = {}
    for row in rows:
        value = row[column].isoformat() if column == "date_performed" else row[column] or None
        groups.setdefault(value, Sums()).add(row)
    return [{column: value, **vars(groups[value])} for value in sorted(groups, key=order)]


# asking ------------------------------------------------------------------------------------------------------


async def summary(rest: httpx.AsyncClient, **question: Any) -> dict[str, Any]:
    """The whole answer, numbers as they were printed."""
    body = json.dumps({"p_from": FIRST, "p_to": LAST, **question}, default=str)
    answer = await rest.post("/rpc/time_summary", content=body, headers={"content-type": "application/json"})
    answer.raise_for_status()
    found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return found


def figures(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("from", "to", "totals", "by_client", "by_type", "by_day", "by_status")}


async def live(database: Database, user_id: UUID, **question: Any) -> dict[str, Any]:
    rows = await database.sql.fetch("select * from public.time_tracking_entries where user_id = $1", user_id)
    matters = await database.sql.fetch("select * from public.matters where user_id = $1", user_id)
    asked = {"p_from": FIRST, "p_to": LAST, **question}
    return model([dict(row) for row in rows], [dict(matter) for matter in matters], asked)


async def refresh(database: Database) -> dict[str, Any]:
    answer: dict[str, Any] = await database.client.call("refresh_summaries", {})
    return answer


async def by_hand(who: Timekeeper, *entries: Row) -> None:
    """Entries that a person adds."""
    usual: Row = {"user_id": str(who.id), "duration_minutes": 20, "entry_type": "call", "date_performed": "2026-09-03"}
    usual |= {"client_matter": "Ortiz", "description": "x", "billable": True, "status": "draft"}
    rows = [{**usual, **entry} for entry in entries]
    (await who.rest.post("/time_tracking_entries", json=rows)).raise_for_status()


async def in_directory(who: Timekeeper, **matter: Any) -> str:
    answer = await who.rest.post("/matters", json={"user_id": str(who.id), **matter})
    answer.raise_for_status()
    return str(answer.json()[0]["id"])


async def settings(who: Timekeeper, **changes: Any) -> None:
    await who.rest.post("/time_tracking_settings", json={"user_id": str(who.id)})  # refused if they are there already
    own = {"user_id": f"eq.{who.id}"}
    (await who.rest.patch("/time_tracking_settings", params=own, json=changes)).raise_for_status()


async def become(connection: Connection, who: UUID) -> None:
    """What PostgREST does for a request with this user's token."""
    claims = json.dumps({"sub": str(who), "role": "authenticated"})
    await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
    await connection.execute("set local role authenticated")


@asynccontextmanager
async def transaction(database: Database, who: UUID | None = None) -> AsyncIterator[Connection]:
    """A transaction of its own; what it did is undone at the end unless it was committed.

    `who`: as this user, who then waits for nobody.
    """
    connection = await asyncpg.connect(database.postgres.url)
    try:
        await connection.execute("begin")
        if who:
            await become(connection, who)
            await connection.execute("set local lock_timeout = '300ms'")
        yield connection
    finally:
        await connection.close()


async def waits_for_a_lock(database: Database, query: str) -> None:
    """Until a call of this function waits for someone else's lock."""
    waiting = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like $1)"
    async with asyncio.timeout(10):
        while not await database.sql.fetchval(waiting, f"%{query}%"):  # noqa: ASYNC110  another session's wait
            await asyncio.sleep(0.01)


# anything, in any order --------------------------------------------------------------------------------------

NAMES = ["Ortiz", "Ortiz - wage claim", "ortiz", "Ortizano", "O'Brien v. Acme", "Vogel/trust", "Müller GmbH", "", None]
QUESTIONS: list[dict[str, Any]] = [
    {},
    {"p_from": FIRST + timedelta(2), "p_to": FIRST + timedelta(5)},
    {"p_type": "call"},
    {"p_minimum_minutes": 25},
    {"p_client": "ORTIZ"},
    {"p_client": "obrien", "p_type": "review"},
    {"p_client": "The Wage-Case", "p_minimum_minutes": 10.5},
    {"p_client": "müller", "p_from": FIRST + timedelta(1)},
]


@dataclass
class Practice:
    """Timekeepers at work: each method is something that happens, drawn by lot."""

    database: Database
    entry: MakeEntry
    lot: random.Random
    people: list[Timekeeper] = field(default_factory=list)
    emails: int = 0

    def day(self) -> date:
        return FIRST + timedelta(self.lot.randrange((LAST - FIRST).days + 1))

    def minutes(self) -> float:
        return self.lot.choice([0, 1, 3, 6, 6.5, 7, 12.25, 20, 25, 33, 47.75, 60, 90, 480])

    def who(self) -> Timekeeper:
        return self.lot.choice(self.people)

    async def one_of(self, who: Timekeeper) -> Row | None:
        rows = await self.database.sql.fetch(
            "select id, extractor from public.time_tracking_entries where user_id = $1 order by id", who.id
        )
        return dict(self.lot.choice(rows)) if rows else None

    async def machine_reads_an_email(self, email_id: str | None = None, version: int = 1) -> None:
        who = self.who()
        self.emails += email_id is None
        context = await self.database.analyses.context(who.mailbox_id, "none-yet")
        assert context is not None
        matter = self.lot.choice([None, *(matter.id for matter in context.matters)])
        entries = [
            self.entry(
                40 * place,
                duration_minutes=self.minutes(),
                entry_type=self.lot.choice(TYPES),
                date_performed=self.day(),
                client_matter=self.lot.choice(NAMES),
                matter_id=matter,
                billable=self.lot.random() < 0.8,
            )
            for place in range(self.lot.randrange(1, 4))
        ]
        analysis = Analysis(email_id or f"m{self.emails}", Outcome.ENTRIES, version, "push", entries=entries)
        await self.database.analyses.record(context, [analysis])

    async def machine_reads_it_anew(self) -> None:
        await self.machine_reads_an_email(f"m{self.lot.randrange(1, self.emails + 2)}", self.lot.randrange(2, 9))

    async def person_adds_entries(self) -> None:
        new = [self._anything() for _ in range(self.lot.randrange(1, 4))]
        await by_hand(self.who(), *new)

    async def person_edits_an_entry(self) -> None:
        who = self.who()
        if row := await self.one_of(who):
            everything = {**self._anything(), "description": "y", "status": self.lot.choice(STATUSES)}
            some = self.lot.sample(sorted(everything), self.lot.randrange(1, 3))
            answer = await who.edit(str(row["id"]), **{column: everything[column] for column in some})
            assert answer.status_code == 200

    async def person_decides_many(self) -> None:
        change = {"status": self.lot.choice(STATUSES)}
        day = self.day().isoformat()
        await self.who().rest.patch("/time_tracking_entries", params={"date_performed": f"gte.{day}"}, json=change)

    async def person_deletes_an_entry(self) -> None:
        who = self.who()
        if row := await self.one_of(who):
            await who.rest.delete("/time_tracking_entries", params={"id": f"eq.{row['id']}"})

    async def person_changes_the_rounding(self) -> None:
        await settings(
            self.who(),
            rounding_increment=self.lot.choice([1, 6, 15]),
            rounding_mode=self.lot.choice(["up", "nearest", "more_than_half"]),
            rounding_scope=self.lot.choice(["entry", "matter_day", "matter_day"]),
            rounding_minimum=self.lot.choice([0, 0, 12]),
        )

    async def directory_changes(self) -> None:
        who = self.who()
        matter = {"user_id": str(who.id), "client": "Wage, Inc.", "aliases": ["the wage case"]}
        other = {"user_id": str(who.id), "client": "ORTIZ", "matter": self.lot.choice([None, "O'Brien"])}
        if self.lot.random() < 0.5:
            await who.rest.post("/matters", json=self.lot.choice([matter, other]))  # refused if it is there already
        elif self.lot.random() < 0.5:
            await who.rest.patch("/matters", params={"user_id": f"eq.{who.id}"}, json={"aliases": ["Mueller"]})
        else:
            await who.rest.delete("/matters", params={"client": "neq.nobody"})

    async def person_leaves(self) -> None:
        gone = self.people.pop(self.lot.randrange(len(self.people)))
        await self.database.sql.execute("delete from auth.users where id = $1", gone.id)
        assert (await summary(gone.rest))["by_status"] == []
        await gone.rest.aclose()
        self.people.append(await self.database.timekeeper())

    async def refreshed(self) -> None:
        await refresh(self.database)

    async def refreshed_twice_at_once_while_others_write(self) -> None:
        await asyncio.gather(
            refresh(self.database),
            self.person_adds_entries(),
            refresh(self.database),
            self.machine_reads_an_email(),
            self.person_edits_an_entry(),
            self.person_decides_many(),
        )

    def _anything(self) -> Row:
        return {
            "duration_minutes": self.minutes(),
            "entry_type": self.lot.choice(TYPES),
            "date_performed": self.day().isoformat(),
            "client_matter": self.lot.choice(NAMES),
            "billable": self.lot.random() < 0.8,
        }

    async def check(self) -> None:
        for who in self.people:
            for question in self.lot.sample(QUESTIONS, 4):
                answer = figures(await summary(who.rest, **question))
                assert answer == await live(self.database, who.id, **question), question


@pytest.mark.parametrize("seed", range(4))
async def test_a_summary_equals_the_live_aggregate_whatever_happens(
    database: Database, entry: MakeEntry, seed: int
) -> None:
    practice = Practice(database, entry, random.Random(seed))  # noqa: S311  a drawn order, no secret
    practice.people = [await database.timekeeper() for _ in range(3)]
    common: list[Callable[[], Awaitable[None]]] = [
        *[practice.machine_reads_an_email, practice.person_adds_entries, practice.person_edits_an_entry] * 4,
        *[practice.machine_reads_it_anew, practice.person_decides_many, practice.person_changes_the_rounding] * 2,
        *[practice.person_deletes_an_entry, practice.directory_changes, practice.refreshed] * 2,
        practice.refreshed_twice_at_once_while_others_write,
        practice.person_leaves,
    ]
    try:
        for step in range(60):
            await practice.lot.choice(common)()
            if step % 4 == 3:
                await practice.check()
    finally:
        for who in practice.people:
            await who.rest.aclose()


# one thing at a time -----------------------------------------------------------------------------------------


async def test_a_matters_day_is_rounded_once_and_every_group_adds_up_to_it(
    database: Database, dana: Timekeeper
) -> None:
    await settings(dana, rounding_scope="matter_day")
    kinds = [{"duration_minutes": 4, "entry_type": kind} for kind in ("call", "review", "drafting")]
    dismissed = {"duration_minutes": 30, "status": "dismissed"}
    await by_hand(dana, *kinds, dismissed, {"duration_minutes": 5, "billable": False}, {"client_matter": "ortiz"})
    for _ in range(2):
        answer = await summary(dana.rest)
        sums = {"minutes": 37, "billed_minutes": 12 + 24, "unbilled_minutes": 5}
        assert answer["totals"] == {"entries": 5, **sums}
        assert [(of["client_matter"], of["billed_minutes"]) for of in answer["by_client"]] == [
            ("Ortiz", 12),
            ("ortiz", 24),
        ]
        assert [(of["entry_type"], of["billed_minutes"]) for of in answer["by_type"]] == [
            ("call", 28),
            ("drafting", 4),
            ("review", 4),
        ]
        assert [(of["status"], of["minutes"], of["billed_minutes"]) for of in answer["by_status"]] == [
            ("draft", 37, 36),
            ("dismissed", 30, 0),
        ]
        await refresh(database)


async def test_what_a_day_comes_to_is_shared_to_the_hundredth_and_none_is_lost(
    database: Database, dana: Timekeeper
) -> None:
    await settings(dana, rounding_scope="matter_day", rounding_increment=10)
    await by_hand(dana, *({"duration_minutes": 1, "entry_type": kind} for kind in ("call", "review", "other")))
    await refresh(database)
    shares = [of["billed_minutes"] for of in (await summary(dana.rest))["by_type"]]
    assert shares == [Decimal("3.33"), Decimal("3.34"), Decimal("3.33")]
    assert (await summary(dana.rest, p_type="review"))["totals"]["billed_minutes"] == Decimal("3.34")


@pytest.mark.parametrize("held", ["the log", "the view"])
async def test_what_is_written_while_the_log_is_empty_and_the_view_not_yet_refreshed_is_not_lost(
    database: Database, dana: Timekeeper, held: str
) -> None:
    await by_hand(dana, {"duration_minutes": 12})
    async with transaction(database) as holder:
        if held == "the log":  # the refresh waits in its delete: what comes now the view will have seen
            await holder.execute("select from private.summary_changes for update")
        else:  # it waits for the view: what comes now it won't have seen
            await holder.execute("comment on materialized view private.time_summaries is 'held'")
        refreshing = asyncio.create_task(refresh(database))
        await waits_for_a_lock(database, "refresh_summaries")
        await by_hand(dana, {"duration_minutes": 30, "date_performed": "2026-09-04"})
    assert (await refreshing)["refreshed"]
    answer = await summary(dana.rest)
    assert (answer["totals"]["minutes"], answer["changed_days"]) == (42, 1)
    await refresh(database)
    answer = await summary(dana.rest)
    assert (answer["totals"]["minutes"], answer["changed_days"]) == (42, 0)


async def test_a_refresh_keeps_neither_readers_nor_writers_waiting(database: Database, dana: Timekeeper) -> None:
    await by_hand(dana, {"duration_minutes": 12})
    async with transaction(database) as refreshing:
        await refreshing.execute("set local role service_role; select public.refresh_summaries()")
        async with transaction(database, dana.id) as working:
            await working.execute("update public.time_tracking_entries set duration_minutes = 18")
            await working.execute(ADD, dana.id)
            found = json.loads(await working.fetchval("select public.time_summary($1, $2)", FIRST, LAST))
            assert found["totals"]["minutes"] == 48
            await working.execute("commit")
        await refreshing.execute("commit")
    assert (await summary(dana.rest))["totals"]["minutes"] == 48


async def test_of_two_refreshes_at_once_one_does_it_and_the_other_leaves(database: Database, dana: Timekeeper) -> None:
    await by_hand(dana, {})
    async with transaction(database) as refreshing:
        done = json.loads(await refreshing.fetchval("select public.refresh_summaries()"))
        assert done["refreshed"]
        assert done["changes"] >= 1
        assert await refresh(database) == {"refreshed": False, "seconds": 0, "changes": 0}


async def test_minutes_that_move_between_days_are_never_seen_twice_nor_missed(
    database: Database, dana: Timekeeper
) -> None:
    await by_hand(dana, *({"duration_minutes": 60, "date_performed": f"2026-09-0{day}"} for day in (2, 5, 9)))
    [one, other, third] = await dana.entries()
    working = True

    async def move() -> None:
        for turn in range(40):
            day = FIRST + timedelta(turn % 12)
            await dana.edit(f"{one['id']}", date_performed=day.isoformat())
            async with transaction(database, dana.id) as both:  # from one entry to another, at once
                change = "update public.time_tracking_entries set duration_minutes = $1 where id = $2"
                await both.execute(change, 60 + turn, other["id"])
                await both.execute(change, 60 - turn, third["id"])
                await both.execute("commit")

    async def refresh_on_and_on() -> None:
        while working:
            await refresh(database)

    async def watch() -> int:
        seen = 0
        while working:
            answer = await summary(dana.rest)
            groups = [answer["by_client"], answer["by_type"], answer["by_day"], answer["by_status"]]
            assert [sum(of["minutes"] for of in group) for group in groups] == [180] * 4
            seen += 1
        return seen

    watching, refreshing = asyncio.create_task(watch()), asyncio.create_task(refresh_on_and_on())
    await move()
    working = False
    await refreshing
    assert await watching > 10


async def changed_days(database: Database, who: Timekeeper) -> list[date]:
    query = "select date_performed from private.summary_changes where user_id = $1 order by 1"
    return [row["date_performed"] for row in await database.sql.fetch(query, who.id)]


@pytest.mark.parametrize(
    ("days", "change"),
    [
        ([], {"description": "Call with the clerk"}),
        ([], {"rate_category": "partner", "hourly_rate": 400}),
        ([], {"duration_minutes": 20, "status": "draft"}),
        ([3], {"duration_minutes": 21}),
        ([3], {"client_matter": None}),
        ([3], {"entry_type": "review"}),
        ([3], {"billable": False}),
        ([3], {"status": "approved"}),
        ([3, 7], {"date_performed": "2026-09-07"}),
    ],
)
async def test_only_what_a_summary_shows_is_logged_with_the_old_day_and_the_new(
    database: Database, dana: Timekeeper, days: list[int], change: Row
) -> None:
    await by_hand(dana, {}, {"date_performed": "2026-09-05"})
    await refresh(database)
    [first, _] = sorted(await dana.entries(), key=lambda row: str(row["date_performed"]))
    assert (await dana.edit(first["id"], **change)).status_code == 200
    assert await changed_days(database, dana) == [date(2026, 9, day) for day in days]


async def test_many_entries_written_at_once_log_each_day_once(database: Database, dana: Timekeeper) -> None:
    await by_hand(dana, *({"date_performed": f"2026-09-0{1 + place % 2}"} for place in range(20)))
    assert await changed_days(database, dana) == [date(2026, 9, 1), date(2026, 9, 2)]


async def test_a_matter_that_is_removed_no_longer_answers_for_its_entries(database: Database, dana: Timekeeper) -> None:
    matter_id = await in_directory(dana, client="Hollis Estate", matter="Probate", aliases=["H.E."])
    await by_hand(dana, {"matter_id": matter_id, "client_matter": "the will"})
    await refresh(database)
    names = ["hollis estate", "PROBATE", "he", "the will", "will"]
    assert [(await summary(dana.rest, p_client=name))["totals"]["entries"] for name in names] == [1] * 5
    assert (await summary(dana.rest, p_client="hollis"))["totals"]["entries"] == 0
    assert (await dana.rest.delete("/matters", params={"id": f"eq.{matter_id}"})).status_code == 200
    assert [(await summary(dana.rest, p_client=name))["totals"]["entries"] for name in names] == [0, 0, 0, 1, 1]


async def test_one_users_absurd_day_does_not_end_everyones_refreshes(database: Database) -> None:
    who = await database.timekeeper()
    await settings(who, rounding_scope="matter_day")
    await database.sql.execute(
        """insert into public.time_tracking_entries (user_id, duration_minutes, entry_type, date_performed, description)
           select $1, 1440, 'call', '2026-09-03', 'x' from generate_series(1, 17000)""",
        who.id,
    )
    for _ in range(2):
        assert (await summary(who.rest))["totals"]["billed_minutes"] == 17_000 * 1440
        assert (await refresh(database))["refreshed"]
    await database.sql.execute("delete from auth.users where id = $1", who.id)
    await who.rest.aclose()


async def test_an_entry_rounded_by_nothing_is_refused(database: Database, dana: Timekeeper) -> None:
    await by_hand(dana, {})
    with pytest.raises(asyncpg.CheckViolationError):
        await database.sql.execute(
            "update public.time_tracking_entries set rounding_scope = 'matter_day', rounding_increment = 0"
            " where user_id = $1",
            dana.id,
        )


async def test_emptying_the_table_empties_the_summaries(database: Database, dana: Timekeeper) -> None:
    await by_hand(dana, {})
    await refresh(database)
    async with transaction(database) as emptying:
        await emptying.execute("truncate public.time_tracking_entries")
        await become(emptying, dana.id)
        found = json.loads(await emptying.fetchval("select public.time_summary($1, $2)", FIRST, LAST))
        assert found["by_status"] == []


async def test_a_refresh_with_nothing_to_do_does_nothing(database: Database, dana: Timekeeper) -> None:
    await by_hand(dana, {})
    assert (await refresh(database))["changes"] >= 1
    before = await summary(dana.rest)
    again = await refresh(database)
    assert (again["refreshed"], again["changes"]) == (True, 0)
    assert await summary(dana.rest) == before


# versions ----------------------------------------------------------------------------------------------------


async def test_an_answer_that_still_holds_is_not_given_again(database: Database, dana: Timekeeper) -> None:
    await by_hand(dana, {})
    version = (await summary(dana.rest))["version"]
    unchanged = {"version": version, "unchanged": True}
    assert await summary(dana.rest, p_unless=version) == unchanged
    await by_hand(dana, {"date_performed": "2026-10-20"})  # not among the days asked for
    assert await summary(dana.rest, p_unless=version) == unchanged
    await by_hand(dana, {})
    answer = await summary(dana.rest, p_unless=version)
    assert answer["totals"]["entries"] == 2
    await refresh(database)
    assert (await summary(dana.rest, p_unless=answer["version"]))["totals"]["entries"] == 2


@pytest.mark.parametrize("aliases", [["the will"], ["Ortiz"]])
async def test_a_changed_directory_changes_the_version_of_what_it_answers(
    database: Database, dana: Timekeeper, aliases: list[str]
) -> None:
    matter_id = await in_directory(dana, client="Hollis Estate")
    await by_hand(dana, {"matter_id": matter_id, "client_matter": None})
    await refresh(database)
    version = (await summary(dana.rest, p_client="ortiz"))["version"]
    await dana.rest.patch("/matters", params={"id": f"eq.{matter_id}"}, json={"aliases": aliases})
    answer = await summary(dana.rest, p_client="ortiz", p_unless=version)
    assert answer.get("unchanged", False) is (aliases == ["the will"])


async def test_a_writer_that_began_first_and_ends_last_changes_the_version_too(
    database: Database, dana: Timekeeper
) -> None:
    await by_hand(dana, {})
    await refresh(database)
    async with transaction(database, dana.id) as slow:
        await slow.execute(ADD, dana.id)
        await by_hand(dana, {})
        version = (await summary(dana.rest))["version"]
        await slow.execute("commit")
    answer = await summary(dana.rest, p_unless=version)
    assert answer["version"] != version
    assert answer["totals"]["minutes"] == 70


# whose -------------------------------------------------------------------------------------------------------


async def test_users_see_their_own_sums_and_names_and_nobody_elses(
    database: Database, dana: Timekeeper, priya: Timekeeper
) -> None:
    await by_hand(dana, {"client_matter": "Ortiz"}, {"client_matter": "vogel trust"}, {"client_matter": None})
    await in_directory(dana, client="Hollis", matter="Probate")
    await by_hand(priya, {"client_matter": "Secret", "duration_minutes": 5})
    for _ in range(2):
        assert (await summary(dana.rest))["totals"]["minutes"] == 60
        assert (await summary(priya.rest))["totals"]["minutes"] == 5
        assert (await dana.rest.post("/rpc/known_clients")).json() == ["Hollis", "Ortiz", "Probate", "vogel trust"]
        assert (await priya.rest.post("/rpc/known_clients")).json() == ["Secret"]
        await refresh(database)


@pytest.mark.parametrize("function", ["time_summary", "known_clients", "refresh_summaries"])
async def test_nobody_without_a_token_gets_an_answer(database: Database, function: str) -> None:
    body = {"p_from": "2026-09-01", "p_to": "2026-09-02"} if function == "time_summary" else {}
    async with database.rest(apikey=database.keys.publishable_key) as anonymous:
        assert (await anonymous.post(f"/rpc/{function}", json=body)).status_code == 401


@pytest.mark.parametrize(
    ("function", "callers"),
    [
        ("public.time_summary", {"authenticated"}),
        ("public.known_clients", {"authenticated"}),
        ("public.refresh_summaries", {"service_role"}),
        ("private.log_changed_days", set()),
        ("private.asking", set()),
        ("private.names_in_entries", set()),
        ("private.names_matter", {"authenticated", "service_role"}),
    ],
)
async def test_each_function_is_open_to_whom_it_is_for_and_nobody_else(
    database: Database, function: str, callers: set[str]
) -> None:
    rows = await database.sql.fetch(
        """select role from unnest(array['anon', 'authenticated', 'service_role']) role
           where has_function_privilege(role, $1::text::regproc, 'execute')""",
        function,
    )
    assert {row["role"] for row in rows} == callers


@pytest.mark.parametrize("call", ["public.time_summary('2026-09-01', '2026-09-02')", "public.known_clients()"])
async def test_a_token_that_names_no_user_gets_no_answer(database: Database, call: str) -> None:
    async with transaction(database) as nameless:
        await nameless.execute("set local role authenticated")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await nameless.fetchval(f"select {call}")


async def test_users_cannot_refresh(dana: Timekeeper) -> None:
    assert (await dana.rest.post("/rpc/refresh_summaries")).status_code == 403


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
@pytest.mark.parametrize("name", ["billed_entries", "time_summaries", "summary_changes", "summary_refreshes"])
async def test_what_summaries_are_made_of_is_readable_by_nobody(database: Database, role: str, name: str) -> None:
    async with transaction(database) as curious:
        await curious.execute(f"set local role {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await curious.fetch(f"select * from private.{name}")  # noqa: S608  names from this file


# about whom --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "name", "found"),
    [
        ("ortiz", "Ortiz - wage claim", True),
        ("ORTIZ WAGE", "Ortiz - wage claim", True),
        ("wage claim", "Ortiz/wage-claim", True),
        ("ortiz claim", "Ortiz - wage claim", False),
        ("ortiz", "Ortizano", False),
        ("Ortizano", "Ortiz", False),
        ("obrien", "O'Brien v. Acme", True),
        ("o'brien", "OBRIEN", True),
        ("O’Brien", "O'Brien", True),
        ("smith", "Smith's lease", True),
        ("us steel", "U.S. Steel", True),
        ("müller", "MÜLLER GmbH", True),
        ("e\u0301clair", "Éclair", True),
        ("%", "100% Ortiz", False),
        ("o_tiz", "Ortiz", False),
        ("--", "Ortiz", False),
        ("", "Ortiz", False),
        ("ortiz", None, False),
    ],
)
async def test_a_filter_matches_whole_words_in_any_case_and_punctuation(
    database: Database, wanted: str, name: str | None, found: bool
) -> None:
    assert await database.sql.fetchval("select private.is_about($1, $2, null)", wanted, name) is found
    # Names come from the view in another collation.
    in_view = 'select coalesce(private.is_about($1, $2 collate "C"), false)'
    assert await database.sql.fetchval(in_view, wanted, name) is found


@pytest.mark.parametrize(
    "question",
    [
        {"p_from": LAST, "p_to": FIRST},
        {"p_from": None},
        {"p_to": None},
        {"p_client": ""},
        {"p_client": " - "},
        {"p_type": "lunch"},
    ],
)
async def test_questions_that_make_no_sense_are_refused(dana: Timekeeper, question: dict[str, Any]) -> None:
    body = json.dumps({"p_from": FIRST, "p_to": LAST, **question}, default=str)
    answer = await dana.rest.post("/rpc/time_summary", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
