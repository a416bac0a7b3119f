"""Every table and every call of the database's API, as another user, as nobody and with forged tokens: nothing leaks.

What there is to attack is read from the catalog, so that what is added later is attacked, too. In the end all that is
stored of the victim is read back: none of it has changed.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.e2e.conftest import Running, Timekeeper
from tests.integration.store.test_row_rights import SERVICE_CALLS, USER_CALLS
from tests.security import forged
from tests.security.conftest import connected
from tests.security.victim import Victim, make_victim, own_rows, stored

JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Api:
    """What the API has, out of the catalog."""

    tables: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    insertable: dict[str, tuple[str, ...]]
    updatable: dict[str, tuple[str, ...]]
    keys: dict[str, tuple[str, ...]]
    hidden: tuple[str, ...]
    calls: dict[str, dict[str, str]]
    """Function: its arguments' names and types."""
    labels: dict[str, str]
    """Of each enumerated type one value."""


@pytest.fixture(scope="session")
async def api(running: Running) -> Api:
    sql = await asyncpg.connect(running.stack.postgres.admin_url)
    try:
        tables = await sql.fetch(
            """select c.relname, n.nspname, c.oid,
                 array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
                   and not a.attisdropped order by a.attnum) as columns,
                 array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
                   and not a.attisdropped
                   and has_column_privilege('authenticated', c.oid, a.attnum, 'insert')) as inserts,
                 array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
                   and not a.attisdropped
                   and has_column_privilege('authenticated', c.oid, a.attnum, 'update')) as updates,
                 array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = c.oid
                   and a.attnum = any (i.indkey) where i.indrelid = c.oid and i.indisprimary) as key
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm')"""
        )
        calls = await sql.fetch(
            """select p.proname, coalesce(p.proargnames, '{}') as names,
                 array(select format_type(t, null) from unnest(p.proargtypes) t) as types
               from pg_proc p where p.pronamespace = 'public'::regnamespace"""
        )
        labels = await sql.fetch(
            "select format_type(e.enumtypid, null) as name, min(e.enumlabel) as one from pg_enum e group by 1"
        )
    finally:
        await sql.close()
    public = [row for row in tables if row["nspname"] == "public"]
    return Api(
        tables=tuple(row["relname"] for row in public),
        columns={row["relname"]: tuple(row["columns"]) for row in public},
        insertable={row["relname"]: tuple(row["inserts"]) for row in public},
        updatable={row["relname"]: tuple(row["updates"]) for row in public},
        keys={row["relname"]: tuple(row["key"]) for row in public},
        hidden=tuple(row["relname"] for row in tables if row["nspname"] == "private"),
        calls={row["proname"]: dict(zip(row["names"], row["types"], strict=False)) for row in calls},
        labels={row["name"]: row["one"] for row in labels},
    )


@pytest.fixture(scope="session")
async def victim(running: Running) -> AsyncIterator[Victim]:
    who, ending = await connected(running, "dana")
    async with ending:
        yield await make_victim(running, who)


@pytest.fixture(scope="session")
async def eve(running: Running) -> AsyncIterator[Timekeeper]:
    """Another user, signed up like any other, with a mailbox of her own."""
    who, ending = await connected(running, "eve")
    async with ending:
        yield who


Attackers = dict[str, dict[str, str]]


@pytest.fixture(scope="session")
def attackers(running: Running, victim: Victim, eve: Timekeeper) -> Attackers:
    """Who attacks: headers by what they have."""
    keys = running.stack.keys
    key = {"apikey": keys.publishable_key}
    bearer = {
        name: {**key, "Authorization": f"Bearer {token}"}
        for name, token in forged.of_a_user(keys, victim.who.user.id, eve.user.token).items()
    }
    return {
        "another user": {**key, "Authorization": f"Bearer {eve.user.token}"},
        "nobody": key,
        "no key": {},
        "no key, a user's token": {"Authorization": f"Bearer {eve.user.token}"},
        "a made up key": {"apikey": "sb_secret_" + "x" * 32},
        "the publishable key as a token": {**key, "Authorization": f"Bearer {keys.publishable_key}"},
        "a machine's token": {**key, "Authorization": f"Bearer {running.stack.push_token}"},
        **bearer,
    }


def is_a_user(attacker: str) -> bool:
    return attacker == "another user"


@pytest.fixture
async def rest(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{running.stack.gateway.url}/rest/v1", timeout=60) as client:
        yield client


def queries(api: Api, table: str, victim: Victim) -> list[tuple[str, dict[str, str]]]:
    """Questions for a table's rows, by all the ways that PostgREST has: (query, headers)."""
    of_user, of_mailbox = str(victim.who.user.id), str(victim.who.mailbox.id)
    columns = api.columns[table]
    by_id = [f"{c}=eq.{of_user}" for c in columns if c == "user_id"] + [
        f"{c}=eq.{of_mailbox}" for c in columns if c == "mailbox_id"
    ]
    by_key = [f"{c}=neq.x" for c in columns if c == "email_id"]
    either = [f"or=(user_id.eq.{of_user},user_id.not.is.null)"] if "user_id" in columns else []
    plain = ["", "select=*", *by_id, *by_key, *either, f"order={columns[0]}.desc&limit=1000&offset=0"]
    embedded = [f"select=*,{other}(*)" for other in api.tables] + [f"select=*,{other}!inner(*)" for other in api.hidden]
    every = {"Prefer": "count=exact"}
    return [
        *((query, {}) for query in plain + embedded),
        *((query, every) for query in plain[:3]),
        ("", {"Prefer": "count=planned"}),
        ("", {"Range": "0-999", "Range-Unit": "items", **every}),
        ("", {"Accept-Profile": "private"}),
        ("", {"Accept-Profile": "auth"}),
        ("", {"Accept": "text/csv"}),
        ("", {"Accept": "application/vnd.pgrst.plan+json; options=analyze|verbose|settings"}),
        ("", {"Accept": "application/vnd.pgrst.object+json"}),
    ]


def filters(api: Api, table: str, victim: Victim) -> str:
    """What picks the victim's rows of this table."""
    if "user_id" in api.columns[table]:
        return f"user_id=eq.{victim.who.user.id}"
    return f"mailbox_id=eq.{victim.who.mailbox.id}"


async def test_every_table_of_the_api_is_empty_to_all_who_are_not_its_rows_owner(
    running: Running, api: Api, victim: Victim, eve: Timekeeper, attackers: Attackers, rest: httpx.AsyncClient
) -> None:
    assert api.tables, "the catalog was read"
    before = await stored(running.stack, victim)
    filled = {table for table, rows in before.items() if rows}
    assert filled >= {f"public.{table}" for table in api.tables}, "there is something to steal in each"
    for table in api.tables:
        own = len((await eve.rest.get(f"/{table}")).json())
        for name, headers in attackers.items():
            for query, more in queries(api, table, victim):
                for method in ("GET", "HEAD"):
                    answer = await rest.request(method, f"/{table}?{query}", headers={**headers, **more})
                    seen = f"{name}: {method} {table}?{query} {more}: {answer.status_code} {answer.text[:300]}"
                    assert victim.leaked(answer) == [], seen
                    if not is_a_user(name):
                        assert answer.status_code in {400, 401, 404, 406, 415}, seen
                    total = answer.headers.get("content-range", "/*").rpartition("/")[2]
                    if "Prefer" in more and "exact" in more["Prefer"]:
                        assert total in {"*", *map(str, range(own + 1))}, f"a count tells: {seen}"
    assert await stored(running.stack, victim) == before


async def test_what_is_private_is_not_there_for_the_api(
    api: Api, victim: Victim, attackers: Attackers, rest: httpx.AsyncClient
) -> None:
    assert api.hidden
    for table in (*api.hidden, "users", "schema_migrations"):
        for name, headers in attackers.items():
            for more in ({}, {"Accept-Profile": "private"}, {"Content-Profile": "private"}, {"Accept-Profile": "auth"}):
                for method in ("GET", "POST", "PATCH", "DELETE"):
                    answer = await rest.request(method, f"/{table}", headers={**headers, **more, **JSON}, content="{}")
                    seen = f"{name}: {method} {table} {more}: {answer.status_code} {answer.text[:200]}"
                    assert answer.status_code in {401, 403, 404, 406}, seen
                    assert victim.leaked(answer) == [], seen


async def test_no_table_of_the_api_is_written_by_anybody_but_its_rows_owner(
    running: Running, api: Api, victim: Victim, eve: Timekeeper, attackers: Attackers, rest: httpx.AsyncClient
) -> None:
    before = await stored(running.stack, victim)
    for table in api.tables:
        theirs = (await victim.who.rest.get(f"/{table}?limit=1")).json()[0]
        allowed = {column: theirs[column] for column in api.insertable[table]}
        fresh = {key: str(uuid4()) for key in api.keys[table] if key not in ("user_id", "mailbox_id")}
        change = {column: theirs[column] for column in api.updatable[table]} or {"user_id": str(eve.user.id)}
        which = filters(api, table, victim)
        writes: list[tuple[str, str, Any, dict[str, str]]] = [
            ("POST", "", theirs, {}),
            ("POST", "", {**theirs, **fresh}, {}),
            ("POST", "", allowed, {}),
            ("POST", "", [allowed, allowed], {"Prefer": "return=representation"}),
            ("POST", "", theirs, {"Prefer": "resolution=merge-duplicates,return=representation"}),
            ("POST", "", allowed, {"Prefer": "resolution=merge-duplicates,return=representation"}),
            ("POST", "", allowed, {"Prefer": "resolution=ignore-duplicates,return=representation"}),
            ("POST", "", allowed, {"Prefer": "tx=commit,missing=default", "Content-Profile": "public"}),
            ("PUT", "&".join(f"{key}=eq.{theirs[key]}" for key in api.keys[table]), theirs, {}),
            ("PATCH", which, change, {"Prefer": "return=representation"}),
            ("PATCH", which, {"user_id": str(eve.user.id)}, {"Prefer": "return=representation"}),
            ("PATCH", f"or=({which.replace('=eq.', '.eq.')})", change, {"Prefer": "return=representation,count=exact"}),
            ("DELETE", which, None, {"Prefer": "return=representation"}),
            ("DELETE", f"{which}&select=*", None, {"Prefer": "return=representation,count=exact"}),
        ]
        for name, headers in attackers.items():
            for method, query, body, more in writes:
                content = b"" if body is None else json.dumps(body).encode()
                answer = await rest.request(
                    method, f"/{table}?{query}", headers={**headers, **more, **JSON}, content=content
                )
                seen = f"{name}: {method} {table}?{query} {more}: {answer.status_code} {answer.text[:300]}"
                assert answer.status_code in {400, 401, 403, 404, 405, 409} or own_rows(answer) == [], seen
                assert victim.leaked(answer) == [], seen
                if not is_a_user(name):
                    assert answer.status_code in {400, 401, 405}, seen
    assert await stored(running.stack, victim) == before


def argument(api: Api, name: str, kind: str, victim: Victim) -> Any:
    """What of the victim's an attacker would pass. Fails where nobody has said whose id an argument is."""
    who = victim.who
    ids: dict[str, Any] = {
        "p_user_id": str(who.user.id),
        "p_mailbox_id": str(who.mailbox.id),
        "p_entry_id": victim.entry_id,
        "p_entry_ids": [victim.entry_id],
        "p_job_id": victim.job_id,
        "p_email_id": victim.email_id,
        "p_email_ids": [victim.email_id],
        "p_page_done": [victim.email_id],
        "p_email_address": who.user.email,
        "p_client": "Vandersloot",
        "p_table": "time_tracking_entries",
        "p_changes": {},
    }
    if name in ids:
        return ids[name]
    values = {
        "text": "x",
        "integer": 1,
        "bigint": 1,
        "numeric": 1,
        "double precision": 1,
        "boolean": True,
        "date": "2026-01-01",
        "timestamp with time zone": "2026-01-01T00:00:00Z",
        "interval": "1 hour",
        "jsonb": [],
        "text[]": [victim.email_id],
        "uuid": str(uuid4()),
        "uuid[]": [str(who.mailbox.id)],
        **api.labels,
    }
    assert kind in values, f"say in this test what an attacker passes as {name} {kind}"
    return values[kind]


async def test_no_call_does_anything_for_anybody_but_its_caller(
    running: Running, api: Api, victim: Victim, attackers: Attackers, rest: httpx.AsyncClient
) -> None:
    assert set(api.calls) == set(SERVICE_CALLS) | set(USER_CALLS), "each is known to be the machines' or the users'"
    before = await stored(running.stack, victim)
    for function, arguments in api.calls.items():
        given = {name: argument(api, name, kind, victim) for name, kind in arguments.items() if name.startswith("p_")}
        asked = "&".join(
            f"{name}={quote(value if isinstance(value, str) else json.dumps(value))}" for name, value in given.items()
        )
        for name, headers in attackers.items():
            ways: list[tuple[str, str, dict[str, str]]] = [
                ("POST", "", {}),
                ("POST", "?select=*&limit=1000", {"Prefer": "count=exact,return=representation"}),
                ("POST", "", {"Prefer": "params=single-object"}),
                ("POST", "", {"Content-Profile": "private"}),
                ("GET", f"?{asked}", {}),
                ("GET", f"?{asked}&select=*", {"Range": "0-999"}),
                ("HEAD", f"?{asked}", {"Prefer": "count=exact"}),
            ]
            for method, query, more in ways:
                content = json.dumps(given).encode() if method == "POST" else b""
                answer = await rest.request(
                    method, f"/rpc/{function}{query}", headers={**headers, **more, **JSON}, content=content
                )
                seen = f"{name}: {method} {function} {more}: {answer.status_code} {answer.text[:300]}"
                assert victim.leaked(answer) == [], seen
                if not is_a_user(name):
                    assert answer.status_code in {401, 404, 405, 406}, seen
                elif function in SERVICE_CALLS:
                    assert answer.status_code in {403, 404, 405, 406}, seen
        # The plainest way must be refused for what it is, not for how it was asked.
        if function in SERVICE_CALLS:
            answer = await rest.post(f"/rpc/{function}", headers={**attackers["another user"], **JSON}, json=given)
            assert (answer.status_code, answer.json()["code"]) == (403, "42501"), f"{function}: {answer.text}"
    after = await stored(running.stack, victim)
    assert after == before


async def test_what_tells_about_the_api_tells_nobody_what_is_in_it(
    attackers: Attackers, victim: Victim, rest: httpx.AsyncClient
) -> None:
    for headers in attackers.values():
        for method in ("GET", "OPTIONS"):
            answer = await rest.request(method, "/", headers=headers)
            assert victim.leaked(answer) == []


async def test_the_owner_still_has_all_of_it(api: Api, victim: Victim) -> None:
    """So that what was refused above was refused for who asked."""
    for table in api.tables:
        rows = (await victim.who.rest.get(f"/{table}")).json()
        assert rows, table
