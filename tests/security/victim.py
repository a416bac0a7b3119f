"""Whom it is tried on: a timekeeper with a row in every table, what of her would be a leak, and how she was before."""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from infra.local.stack import Stack
from tests.e2e.conftest import Running, Timekeeper, email, until

EVIDENCE = "I spent 24 minutes on the phone with the adjuster about the Quillfeather lien."
WORDS = ("Quillfeather", "Brackwater", "Vandersloot")
# A row for her in the tables that only machines fill, and only when something goes wrong.
HIDDEN_ROWS = {
    "private.connection_attempts": "(id, user_id, verifier_encrypted, expires_at)"
    " values (gen_random_uuid(), $1, 'cipher', now() + interval '1 day')",
    "private.dismissed_entries": "(user_id, email_id, evidence_key, amount, dismissed_at)"
    " values ($1, $2, 'k', '[1,2)', now())",
    "private.second_looks": "(user_id, email_id, reason, read_at, due_at)"
    " values ($1, $2, 'model_unavailable', now(), now() + interval '1 day')",
    "private.dead_letters": "(message_id, topic, reason, mailbox_id, email_id)"
    " values ('dead-' || $2, 'sent-emails', 'x', $3, $2)",
    "private.rescan_revivals": "(job_id, step, tries, due_at) values ($4, 0, 1, now() + interval '1 day')",
    "private.mailbox_upkeep": "(mailbox_id, look_due_at) values ($3, now() + interval '1 day') on conflict do nothing",
}


@dataclass(frozen=True)
class Victim:
    """Dana, and the ids of hers that an attacker may have come by."""

    who: Timekeeper
    email_id: str
    entry_id: str
    matter_id: str
    job_id: str

    @property
    def confidences(self) -> tuple[str, ...]:
        """None of these may stand in an answer to anybody else, unless they brought it themselves."""
        who = self.who
        ids = (str(who.user.id), str(who.mailbox.id), self.email_id, self.entry_id, self.matter_id, self.job_id)
        return (*ids, who.user.email, *WORDS)

    def leaked(self, answer: httpx.Response) -> list[str]:
        """What an answer tells of her that wasn't in the question."""
        request = answer.request
        asked = f"{request.url} {request.url.query.decode()} {request.content.decode(errors='replace')}"
        said = f"{answer.text} {list(answer.headers.items())}"
        return [word for word in self.confidences if word in said and word not in asked]


async def make_victim(running: Running, who: Timekeeper) -> Victim:
    """Fill every table with a row of hers, and wait until nothing of hers moves any more."""
    async with running.stack.functions_as(who.user) as asking:
        added = {"client": "Vandersloot", "matter": "Quillfeather", "aliases": ["Brackwater"]}
        (await asking.post("/tools/configure_time_tracking", json={"add_matters": [added]})).raise_for_status()
        sent = await who.mailbox.send(email(f"Ray,\n\n{EVIDENCE}\n\nDana\n", sender=who.user.email))
        await who.until_outcomes(sent)
        started = await asking.post("/rescans", json={"date_range_days": 3, "query_filter": "Brackwater"})
        job_id = started.json()["id"]

        async def state() -> str:
            return str((await asking.get(f"/rescans/{job_id}")).json()["state"])

        await until(state, lambda now: now == "done")
    [entry] = await who.entries()
    edited = await who.rest.patch(
        "/time_tracking_entries", params={"id": f"eq.{entry['id']}"}, json={"status": "approved"}
    )
    edited.raise_for_status()
    [matter] = (await who.rest.get("/matters")).json()
    sql = await asyncpg.connect(running.stack.postgres.admin_url)
    try:
        waiting = "insert into public.awaited_emails (user_id, mailbox_id, email_id) values ($1, $2, 'waits-' || $3)"
        await sql.execute(waiting, who.user.id, who.mailbox.id, sent)
        for table, values in HIDDEN_ROWS.items():
            numbers = sorted({int(piece[0]) for piece in values.split("$")[1:]})
            given = [(who.user.id, sent, who.mailbox.id, job_id)[number - 1] for number in numbers]
            for place, number in enumerate(numbers, 1):
                values = values.replace(f"${number}", f"$§{place}")  # noqa: PLW2901  the same text, renumbered
            await sql.execute(f"insert into {table} {values.replace('§', '')}", *given)
    finally:
        await sql.close()
    return Victim(who, sent, entry["id"], matter["id"], job_id)


async def stored(stack: Stack, victim: Victim) -> dict[str, list[str]]:
    """Every row that tells of her, of every table that there is: what nobody may have changed."""
    sql = await asyncpg.connect(stack.postgres.admin_url)
    try:
        tables = await sql.fetch(
            """select format('%I.%I', n.nspname, c.relname) as name from pg_class c
               join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'private')
               where c.relkind in ('r', 'p') and c.relname <> 'summary_changes'"""
        )
        found: dict[str, list[str]] = {}
        for table in tables:
            rows = await sql.fetch(f"select to_jsonb(t)::text as row from {table['name']} t")  # noqa: S608  the catalog's name
            found[table["name"]] = sorted(
                row["row"] for row in rows if any(x in row["row"] for x in victim.confidences)
            )
        return found
    finally:
        await sql.close()


def own_rows(answer: httpx.Response) -> list[dict[str, Any]]:
    """The rows of an answer; none where it is no list."""
    try:
        rows = json.loads(answer.text)
    except ValueError:
        return []
    return rows if isinstance(rows, list) else []
