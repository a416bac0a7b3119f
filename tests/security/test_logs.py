"""Whoever comes by the logs learns nothing: no word of an email, no address, no key, after all that can go wrong has.

Real sample mail goes through the whole path, everything is asked and everything is broken; then every log of the
functions and of the parts is searched for every line, sentence, name, address and secret that there was.
"""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.utils import format_datetime, getaddresses
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import asyncpg
import httpx
import pytest
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import serialization

from infra.local.gmail.mbox import MboxMessage, stream
from infra.local.stack import APPLICATION, FUNCTIONS, GMAIL_EVENTS, RESCAN_PAGES, SENT_EMAILS, Stack
from tests.e2e.conftest import ROOT, Running, Timekeeper, until
from tests.security import forged
from tests.security.conftest import connected

SAMPLE: Final = ROOT / "infra" / "local" / "sample.mbox"
EMAILS: Final = 60
LEAST: Final = 20
"""Characters of a line or sentence: shorter ones stand in any log by chance."""
SECRET_NAMES: Final = re.compile(r"SECRET|KEY(?!S_URL)|TOKEN(?!_ENDPOINT)|PASSWORD")
# What is written to them is not the functions': simulators stand for Google's and the model's own machines.
NOT_OURS: Final = {"gmail.log", "openai.log"}


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A stack of its own: its database and Redis are killed."""
    async with Stack(tmp_path_factory.mktemp("logs"), quota_profile="unmetered", simulate_model=True) as stack:
        yield Running(stack, {})


@dataclass
class Confidential:
    """What must stand in no log, by what it is."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, *texts: str | None) -> None:
        self.found |= {text: what for text in texts if text}

    def add_mail(self, raw: bytes) -> None:
        message = message_from_bytes(raw, policy=policy.default)
        people = [*message.get_all("from", []), *message.get_all("to", []), *message.get_all("cc", [])]
        for name, address in getaddresses([str(each) for each in people]):
            self.add("an address", address.lower(), address)
            self.add("a name", name if len(name) > 6 else None)
        subject = str(message["subject"] or "")
        self.add("a subject", subject if len(subject) >= LEAST else None)
        for part in message.walk():
            if part.get_content_type() == "text/plain":
                text = part.get_payload(decode=True)
                self.add_text(text.decode("utf-8", "replace") if isinstance(text, bytes) else "")

    def add_text(self, text: str) -> None:
        pieces = [*text.splitlines(), *re.split(r"(?<=[.!?])\s+", " ".join(text.split()))]
        self.add("words of an email", *(piece.strip() for piece in pieces if len(piece.strip()) >= LEAST))


def views(log: Path) -> Iterator[str]:
    """A log as it is, with JSON's escapes undone, and with a URL's."""
    text = log.read_text(errors="replace")
    yield text
    yield unquote(text)
    yield (
        re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
        .replace("\\n", "\n")
        .replace('\\"', '"')
    )


def searched(folder: Path, confidential: Confidential) -> list[str]:
    """What stands where it must not: kind and log, never the words themselves."""
    logs = sorted(log for log in folder.glob("*.log") if log.name not in NOT_OURS)
    assert {log.stem for log in logs} >= set(FUNCTIONS), "every function has a log"
    return [
        f"{log.name}: {what}: {text[:60]!r}"
        for log in logs
        for text, what in confidential.found.items()
        if any(text in view for view in views(log))
    ]


async def secrets_of(stack: Stack, *users: Timekeeper) -> Confidential:
    """Every key and token that there was: given, stored, fetched or signed."""
    found = Confidential()
    for function in FUNCTIONS:
        settings = stack.function_settings(function)
        found.add("a setting", *(value for name, value in settings.items() if SECRET_NAMES.search(name)))
    pem = stack.keys.private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    found.add("a private key", *(line for line in pem.splitlines() if not line.startswith("-")))
    for token in (stack.push_token, stack.scheduler_token, *(user.user.token for user in users)):
        found.add("a token", token, token.rpartition(".")[2])
    found.add("a token of the owner's", *(user.mailbox.owner_token for user in users))
    found.add("an address", *(user.user.email for user in users))
    found.add("a password", stack.postgres.password)
    simulator = sqlite3.connect(f"file:{stack.folder / 'gmail' / 'gmail.sqlite3'}?mode=ro", uri=True)
    try:
        for table in ("access_token", "refresh_token"):
            found.add(f"{table} of Gmail's", *(row[0] for row in simulator.execute(f"select token from {table}")))  # noqa: S608  a constant
    finally:
        simulator.close()
    sql = await asyncpg.connect(stack.postgres.admin_url)
    try:
        rows = await sql.fetch("select refresh_token_encrypted as cipher from private.mailbox_credentials")
        rows += await sql.fetch("select verifier_encrypted as cipher from private.connection_attempts")
    finally:
        await sql.close()
    keys = stack.function_settings()["TOKEN_ENCRYPTION_KEYS"].split(",")
    found.add("a setting", *keys)
    vault = MultiFernet([Fernet(key) for key in keys])
    found.add("a ciphertext", *(row["cipher"] for row in rows))
    found.add("what was encrypted", *(vault.decrypt(row["cipher"]).decode() for row in rows))
    assert len(rows) >= len(users), "there was something to keep secret"
    return found


def sample() -> list[bytes]:
    """Sent mail of the sample, dated now, so that every tool looks at it."""
    messages = (each for each in stream(SAMPLE) if isinstance(each, MboxMessage) and each.sent)
    moment = datetime.now(UTC)
    dated = []
    for number, each in enumerate(islice(messages, EMAILS)):
        date = format_datetime(moment - timedelta(minutes=number)).encode()
        dated.append(re.sub(rb"(?im)^date:.*(?:\r?\n[ \t].*)*", b"Date: " + date, each.raw, count=1))
    assert len(dated) == EMAILS
    return dated


BROKEN_WORDS: Final = "The Quillfeather arbitration took me ninety minutes of careful reading"
BROKEN_MAIL: Final = (
    f"From: dana\nSubject: =?utf-9?x?{BROKEN_WORDS}?=\nContent-Type: multipart/mixed; boundary\n\n{BROKEN_WORDS}"
    "".encode(),
    b"Content-Type: text/plain; charset=unknown-9\nContent-Transfer-Encoding: base64\n\n" + BROKEN_WORDS.encode(),
    b"Content-Type: text/html\n\n<p" + b"<div>" * 5_000 + BROKEN_WORDS.encode(),
)


@dataclass
class Breaking:
    """One after the other, all that can go wrong."""

    running: Running
    dana: Timekeeper
    words: list[str]
    asking: httpx.AsyncClient
    model: httpx.AsyncClient

    async def everything(self) -> None:
        await self.wrong_arguments()
        await self.wrong_tokens()
        await self.wrong_messages()
        await self.everything_else_that_users_ask()
        await self.gmail_fails()
        await self.model_fails()
        await self.redis_and_database_are_down()
        await self.permission_is_revoked()

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.asking.request(method, path, json=body, **more)

    async def chat(self, words: str) -> httpx.Response:
        message = {"id": "1", "role": "user", "parts": [{"type": "text", "text": words}]}
        return await self.ask("POST", "/chat", {"messages": [message]})

    async def wrong_arguments(self) -> None:
        for words in self.words[:20]:
            for tool in ("scan_billable_time", "analyze_time_entry", "get_time_tracking_summary", words[:100]):
                await self.ask(
                    "POST", f"/tools/{tool}", {words: words, "text": 7, "query_filter": words, "email_id": words}
                )
            await self.ask(
                "POST", "/tools/configure_time_tracking", {"time_zone": words, "excluded_recipients": [words]}
            )
            await self.ask("POST", "/rescans", {"query_filter": words, "mailbox_id": words, "date_range_days": words})
            await self.ask("GET", f"/rescans/{words[:50]}", params={words: words})
            await self.ask("GET", "/coverage", params={"from": words, "to": words, "continue_token": words})
            await self.ask("DELETE", "/my_data", {"confirm": words})
            await self.ask("DELETE", f"/mailbox/{words[:50]}")
            await self.ask("POST", "/mailbox/connect", {"login_hint": words, "return_to": f"https://{words}"})
            await self.ask("POST", "/mailbox/finish", {"state": words, "code": words})
            await self.ask("GET", "/mailbox/callback", params={"state": words, "code": words, "error": words})
            await self.asking.post("/tools/scan_billable_time", content=f'{{"{words}":'.encode())
            await self.asking.post("/chat", json={"messages": words, words: words})
            await self.asking.request("PATCH", f"/tools/{words[:30]}", content=words.encode())

    async def wrong_tokens(self) -> None:
        stack, own = self.running.stack, self.dana.user
        tokens = forged.of_a_user(stack.keys, own.id, own.token) | forged.for_functions_only(stack, own.id)
        tokens |= forged.of_a_machine(stack, "x@y.example", own.token)
        async with httpx.AsyncClient(base_url=stack.gateway.functions_url, timeout=60) as nobody:
            for token in tokens.values():
                headers = {"Authorization": f"Bearer {token}"}
                for path in ("/tools/scan_billable_time", "/rescans", "/mailbox/finish", *(f"/{f}" for f in FUNCTIONS)):
                    await nobody.post(path, headers=headers, content=token.encode())
            await nobody.get("/my_data", params={"token": own.token, "apikey": stack.keys.secret_key})

    async def wrong_messages(self) -> None:
        for topic in (GMAIL_EVENTS, SENT_EMAILS, RESCAN_PAGES):
            own = self.dana.user.email
            bodies = [json.dumps({words: words}).encode() for words in self.words[:5]] + [own.encode()]
            bodies.append(json.dumps({"emailAddress": "x" + own, "historyId": own}).encode())
            bodies.append(json.dumps({"mailbox_id": own, "email_id": self.words[0]}).encode())
            await self.running.publish(topic, *bodies)

    async def everything_else_that_users_ask(self) -> None:
        for path in ("/my_data", "/mailbox", "/rescans", "/tools", "/coverage?from=2026-01-01&to=2026-01-05"):
            await self.ask("GET", path)
        await self.ask(
            "POST", "/mailbox/connect", {"login_hint": self.dana.user.email, "return_to": f"{APPLICATION}/x"}
        )
        await self.ask("POST", "/mailbox/delegate", {})
        matter = {"client": self.words[1][:100], "matter": self.words[2][:100], "aliases": [self.words[3][:100]]}
        changes = {"add_matters": [matter], "excluded_recipients": [self.dana.user.email]}
        (await self.ask("POST", "/tools/configure_time_tracking", changes)).raise_for_status()
        (await self.ask("POST", "/tools/configure_time_tracking", {"excluded_recipients": []})).raise_for_status()
        for words in self.words[:3]:
            await self.ask("POST", "/tools/analyze_time_entry", {"text": words})
        turn = {"when": "adjuster", "say": None, "calls": [{"name": "scan_billable_time", "arguments": self.words[0]}]}
        (await self.model.post("/_sim/turns", json=turn)).raise_for_status()
        for words in ("The adjuster and " + self.words[0], self.words[1]):
            assert (await self.chat(words)).status_code == 200
        (await self.ask("POST", "/rescans", {"query_filter": "adjuster", "date_range_days": 3})).raise_for_status()
        token = {"Authorization": f"Bearer {self.running.stack.scheduler_token}"}
        for task in ("renew_watches", "reconcile", "second_looks", "purge", "replay_dead_letters", self.words[0][:60]):
            await self.ask("POST", f"/maintenance/{task}", headers=token)

    async def scan(self, **more: Any) -> httpx.Response:
        return await self.ask("POST", "/tools/scan_billable_time", {"use_cache": False, "max_emails": 20, **more})

    async def gmail_fails(self) -> None:
        await self.scan()
        for kind in ("429", "403", "500", "malformed", "reset"):
            for method in (None, "messages.list", "token"):
                plan = {} if method is None else {"method": method}
                await self.running.fault(kind, count=3, **plan)
                await self.scan(query_filter="adjuster")
        await self.dana.mailbox.send(BROKEN_MAIL[0])
        await self.running.stack.http.delete(f"{self.running.stack.gmail_url}/_sim/faults")

    async def model_fails(self) -> None:
        for kind in ("500", "401", "429", "broken_json", "reset"):
            answer = await self.model.post("/_sim/faults", json={"kind": kind, "count": None})
            if answer.status_code < 400:  # the simulator's names are its own
                await self.scan()
                await self.chat(self.words[2])
                await self.ask("POST", "/tools/analyze_time_entry", {"text": self.words[4], "use_cache": False})
            await self.model.delete("/_sim/faults")

    async def redis_and_database_are_down(self) -> None:
        stack = self.running.stack
        await stack.valkey.kill9()
        await self.scan()
        await stack.postgres.kill9()
        try:
            for path in ("/my_data", "/mailbox", "/rescans"):
                assert (await self.ask("GET", path)).status_code == 503
            assert (await self.scan(query_filter=self.words[0][:60])).status_code == 503
            await self.chat(self.words[3])
            await self.ask("POST", "/mailbox/connect", {"login_hint": self.dana.user.email})
            await self.ask("DELETE", "/my_data", {"confirm": "delete everything"})
            await self.dana.mailbox.send(sample()[0])
            await until(self._tried_again, lambda number: number > 0)
        finally:
            await stack.postgres.start()
            await stack.valkey.start()

    async def _tried_again(self) -> int:
        logs = (*self.running.log("gmail_push"), *self.running.log("analyze_email"))
        return sum(event["message"] == "delivery.will_be_tried_again" for event in logs)

    async def permission_is_revoked(self) -> None:
        await until(self._database_answers, lambda status: status == 200)
        await self.running.fault("revoke_token", address=self.dana.user.email)
        await self.dana.mailbox.send(sample()[1])
        assert (await self.scan()).status_code >= 400
        await self.chat(self.words[5])
        assert (await self.ask("DELETE", f"/mailbox/{self.dana.mailbox.id}")).status_code in {200, 202}

    async def _database_answers(self) -> int:
        return (await self.ask("GET", "/rescans")).status_code


@pytest.fixture(scope="module")
async def confidential(running: Running) -> AsyncIterator[Confidential]:
    """All of it, once it has all happened."""
    stack = running.stack
    dana, ending = await connected(running, "dana")
    mails = [*sample(), *BROKEN_MAIL]
    found = Confidential()
    for raw in mails:
        found.add_mail(raw)
    found.add("words of an email", BROKEN_WORDS)
    words = sorted((text for text, what in found.found.items() if what == "words of an email"), key=len)[-40:]
    found.add("the caller's words", *(piece[:50] for piece in words), *(piece[:30] for piece in words))
    async with (
        ending,
        stack.functions_as(dana.user) as asking,
        httpx.AsyncClient(base_url=stack.model.url.removesuffix("/v1"), timeout=30) as model,
    ):
        ids = [await dana.mailbox.send(raw) for raw in mails]
        await dana.until_outcomes(*ids)
        assert "entries" in (await dana.outcomes()).values()
        await Breaking(running, dana, words, asking, model).everything()
        held = await secrets_of(stack, dana)
        found.found |= held.found
        yield found


async def test_no_log_holds_a_word_of_a_mail_an_address_or_a_secret(
    running: Running, confidential: Confidential
) -> None:
    kinds = set(confidential.found.values())
    assert kinds >= {"an address", "a name", "a subject", "words of an email", "a setting", "a token", "a ciphertext"}
    assert len(confidential.found) > 500
    assert await asyncio.to_thread(searched, running.stack.folder, confidential) == []


@pytest.mark.usefixtures("confidential")
async def test_the_logs_tell_what_happened_all_the_same(running: Running) -> None:
    """So that an empty log isn't taken for a clean one."""
    events = {name: {event["message"] for event in running.log(name)} for name in FUNCTIONS}
    assert events["gmail_push"] >= {"push.read_on", "delivery.refused", "delivery.not_authenticated"}
    assert events["analyze_email"] >= {"analysis.recorded", "delivery.refused", "delivery.not_authenticated"}
    for name in ("tools", "rescans", "mailbox", "my_data", "maintenance"):
        assert "request.refused" in events[name], name
    codes = {event.get("code") for name in FUNCTIONS for event in running.log(name)}
    assert codes >= {"store_unavailable", "not_authenticated", "invalid_arguments", "bad_delivery", "access_revoked"}


async def test_what_is_planted_in_a_log_is_found(tmp_path: Path, confidential: Confidential) -> None:
    for name in FUNCTIONS:
        (tmp_path / f"{name}.log").write_text("")
    assert searched(tmp_path, confidential) == []
    for number, (text, what) in enumerate(confidential.found.items()):
        if number % 50 == 0:
            for written in (
                text,
                json.dumps({"reason": f"a {text} b"}),
                httpx.QueryParams(q=text).__str__().replace("+", "%20"),
            ):
                (tmp_path / "tools.log").write_text(f"x {written} x")
                assert any(what in each for each in searched(tmp_path, confidential)), what
