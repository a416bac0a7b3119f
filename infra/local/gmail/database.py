"""The one SQLite file that holds everything: mail, history, tokens. Nothing of a mailbox's size is kept in memory."""

import sqlite3
from pathlib import Path

_SCHEMA = """
create table if not exists mailbox (
    id integer primary key,
    address text not null unique,
    first_history_id text not null,      -- unsigned 64 bit, beyond what SQLite's integers hold
    seq integer not null default 0,      -- history ids are first_history_id + seq
    oldest_seq integer not null default 0,
    announced_seq integer not null default 0,
    watch text
);
create table if not exists label (
    mailbox integer not null references mailbox,
    id text not null,
    name text not null collate nocase,
    type text not null,
    primary key (mailbox, id),
    unique (mailbox, name)
) without rowid;
create table if not exists message (
    id integer primary key,
    mailbox integer not null references mailbox,
    thread integer not null,
    seq integer not null,
    internal_date integer not null,
    size integer not null,
    labels text not null,
    vanished integer not null default 0,
    message_id text not null,
    subject_key text not null,
    sender text not null,
    recipients text not null,
    subject text not null,
    words text not null,
    snippet text not null,
    has_attachment integer not null
);
create index if not exists message_by_date on message (mailbox, internal_date desc, id desc);
create index if not exists message_by_message_id on message (mailbox, message_id);
create index if not exists message_by_thread on message (mailbox, thread);
create table if not exists labelled (
    mailbox integer not null,
    label text not null,
    internal_date integer not null,
    message integer not null references message on delete cascade,
    primary key (mailbox, label, internal_date, message)
) without rowid;
create index if not exists labelled_by_message on labelled (message);
-- Apart from message, so that a listing doesn't read through gigabytes.
create table if not exists raw (
    message integer primary key references message on delete cascade,
    content blob not null
);
create table if not exists draft (
    id integer primary key,
    mailbox integer not null references mailbox,
    message integer not null
);
create table if not exists history (
    mailbox integer not null,
    seq integer not null,
    message integer not null,
    kind text not null,
    thread integer not null,
    labels text not null,
    changed text not null,
    at_ms integer not null,
    primary key (mailbox, seq, message, kind)
) without rowid;
-- The one app that people give their consent to.
create table if not exists client (
    id text primary key,
    secret text not null
) without rowid;
create table if not exists refresh_token (
    token text primary key,
    mailbox integer not null references mailbox,
    revoked integer not null default 0
) without rowid;
-- The one service account that administrators may let in.
create table if not exists service_account (
    key_id text primary key,
    private_key text not null
) without rowid;
create table if not exists access_token (
    token text primary key,
    mailbox integer not null references mailbox,
    refresh_token text,                  -- null: the mailbox owner's own; `delegation`: the service account's
    expires_ms integer not null
) without rowid;
"""


def open_database(folder: Path) -> sqlite3.Connection:
    """The connection to the folder's file, both made if missing. Raises OSError or sqlite3.Error when that can't be.

    Commits aren't forced to the disk: what a killed process committed is kept, a crash of the machine isn't simulated.
    """
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "gmail.sqlite3")
    connection.row_factory = sqlite3.Row
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = off")
    connection.execute("pragma foreign_keys = on")
    connection.executescript(_SCHEMA)
    return connection
