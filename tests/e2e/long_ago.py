"""Mailboxes whose past is arranged: mail of then that no push tells of, and rows as they were left."""

from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from tests.e2e.conftest import Running, Timekeeper, email, push_body


async def push(running: Running, dana: Timekeeper, history_id: int) -> int:
    """Deliver a push that announces this history id; the status it is answered with."""
    data = f'{{"emailAddress":"{dana.user.email}","historyId":{history_id}}}'.encode()
    answer = await running.deliver("gmail_push", json=push_body(data))
    return answer.status_code


async def change(running: Running, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(running.stack.postgres.url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def past(running: Running, dana: Timekeeper, folder: Path, sent_at: datetime) -> None:
    """An email of then is in the mailbox, and no push tells of it."""
    raw = email("I spent 24 minutes on the phone.\n", Date=format_datetime(sent_at), X_Gmail_Labels="Sent")
    mbox = folder / f"{uuid4().hex}.mbox"
    mbox.write_bytes(b"From 1@xxx Tue Sep 01 12:00:00 +0000 2026\n" + raw + b"\n")
    url = f"{running.stack.gmail_url}/_sim/mailboxes/{dana.user.email}/load"
    assert (await running.stack.http.post(url, json={"path": str(mbox)})).json()["sent"] == 1
