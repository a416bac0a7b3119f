"""The commands that a reader runs: they end, whatever ends them, and leave nothing behind."""

import base64
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.parts import PartFailed
from infra.local.stack import Stack
from tests.e2e.conftest import ROOT, email, until, work

CONTRACT = {
    *("FUNCTIONS_URL", "SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY", "USER_ID", "USER_TOKEN"),
    *("USER_EMAIL", "USER2_ID", "USER2_TOKEN", "DATABASE_URL", "PUBSUB_EMULATOR_HOST", "GCP_PROJECT"),
    *("GMAIL_API_ENDPOINT", "GMAIL_ACCESS_TOKEN", "OPENAI_BASE_URL"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of its own, so that these commands meet no other stack's files."""
    for name in ("functions", "infra", "shared", "supabase"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "main.py", tmp_path)
    if (ROOT / ".local" / "cache").is_dir():
        shutil.copytree(ROOT / ".local" / "cache", tmp_path / ".local" / "cache")
    return tmp_path


def run(checkout: Path, module: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", f"infra.local.{module}", *arguments],
        cwd=checkout,
        env={**os.environ, "GMAIL_QUOTA_PROFILE": "unmetered"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


# What operators run, as the documents write it, and what shows that it was done.
OPERATING = {
    'coverage --user "$USER_ID" --from 2026-01-01 --to "$(date +%F)"': '"sent_in_gmail": 1',
    'export --user "$USER_ID"': '"duration_minutes":24',
    "maintain renew_watches": '"task": "renew_watches"',
    "replay": '"replayed": 0',
    "rotate_keys": "2 were under the first key already",
    'erase --user "$USER2_ID" --yes': "",
}


def operate(checkout: Path, command: str) -> "subprocess.CompletedProcess[str]":
    script = f'set -a; . .local/env; set +a; exec "{sys.executable}" -m infra.operate {command}'
    return subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=checkout,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def finished(process: "subprocess.Popen[str]", deadline: float = 120.0) -> tuple[int, str]:
    out, _ = process.communicate(timeout=deadline)
    return process.returncode, out


def family(pid: int) -> Iterator[int]:
    """Handles of all processes that this one has started, and theirs."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield os.pidfd_open(int(child))
            yield from family(int(child))


def all_ended(handles: list[int], deadline: float = 20.0) -> bool:
    try:
        return all(select.select([handle], [], [], deadline)[0] for handle in handles)
    finally:
        for handle in handles:
            os.close(handle)


async def test_up_leaves_a_stack_that_takes_mail_and_down_ends_it(checkout: Path) -> None:
    code, said = finished(run(checkout, "up"))
    assert code == 0, said
    environment = checkout / ".local" / "env"
    try:
        assert environment.stat().st_mode & 0o077 == 0
        env = dict(line.split("=", 1) for line in environment.read_text().splitlines())
        assert set(env) >= CONTRACT
        supervisor = int((checkout / ".local" / "up.pid").read_text())
        async with httpx.AsyncClient(timeout=30) as http:
            raw = base64.urlsafe_b64encode(work(24)).decode()
            sent = await http.post(
                f"{env['GMAIL_API_ENDPOINT']}/gmail/v1/users/me/messages/send",
                json={"raw": raw},
                headers={"Authorization": f"Bearer {env['GMAIL_ACCESS_TOKEN']}"},
            )
            sent.raise_for_status()

            async def entries(token: str = env["USER_TOKEN"]) -> list[dict[str, object]]:
                answer = await http.get(
                    f"{env['SUPABASE_URL']}/rest/v1/time_tracking_entries",
                    headers={"apikey": env["SUPABASE_PUBLISHABLE_KEY"], "Authorization": f"Bearer {token}"},
                )
                rows: list[dict[str, object]] = answer.json()
                return rows

            [entry] = await until(entries, lambda found: found != [])
            assert (entry["email_id"], entry["duration_minutes"]) == (sent.json()["id"], 24)
            assert await entries(env["USER2_TOKEN"]) == []
        for command, expected in OPERATING.items():
            done = operate(checkout, command)
            assert done.returncode == 0, (command, done.stderr)
            assert expected in done.stdout, command
        code, said = finished(run(checkout, "up"))
        assert code == 1
        assert "up already" in said
        handles = list(family(supervisor))
    finally:
        code, said = finished(run(checkout, "down"))
    assert (code, said.strip()) == (0, "Everything has ended.")
    assert len(handles) >= 8
    assert all_ended(handles)
    assert not environment.exists()
    assert finished(run(checkout, "down")) == (0, "Nothing is up.\n")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_demo_that_is_ended_early_leaves_nothing_running(checkout: Path, end: signal.Signals) -> None:
    demo = run(checkout, "demo")
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("Everything runs"):
            break
    handles = list(family(demo.pid))
    demo.send_signal(end)
    demo.communicate(timeout=60)
    assert len(handles) >= 8
    assert all_ended(handles)


def test_a_demo_of_ones_own_mailbox_names_what_it_could_not_read(checkout: Path) -> None:
    mbox = checkout / "mine.mbox"
    sender = b"From: Ada <ada@own.example>\nTo: b@c.example\nDate: Wed, 02 Sep 2026 18:12:00 -0400\n"
    mbox.write_bytes(
        b"From 1@xxx Wed Sep 02 22:12:00 +0000 2026\nX-Gmail-Labels: Sent\n" + sender + b"\nTC w/ client .4\n\n"
        b"From 2@xxx Wed Sep 02 22:13:00 +0000 2026\nno header at all\n\n"
        b"From 3@xxx Wed Sep 02 22:14:00 +0000 2026\nX-Gmail-Labels: Inbox\nFrom: x@y.example\n\nI spent 3 hours.\n\n"
    )
    code, said = finished(run(checkout, "demo", "--mbox", str(mbox)))
    assert code == 0, said
    assert "1 email sent, 1 accounted for: 1 with time entries" in said
    assert "TC w/ client .4" in said
    assert "1 message not readable:\n  message 2 at byte " in said


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "No such file"), (b"", "names a sender"), (b"hello\n", "names a sender")]
)
def test_a_demo_of_no_mailbox_says_so_in_one_line(checkout: Path, content: bytes | None, complaint: str) -> None:
    mbox = checkout / "mine.mbox"
    if content is not None:
        mbox.write_bytes(content)
    code, said = finished(run(checkout, "demo", "--mbox", str(mbox)))
    assert code == 1
    assert complaint in said
    assert said.count("\n") == 1


async def test_a_part_that_fails_to_start_says_which_and_why_and_ends_the_others(tmp_path: Path) -> None:
    stack = Stack(tmp_path, gmail_options=("--quota-profile", "generous"))
    with pytest.raises(PartFailed, match=r"^gmail simulator: ended with exit code \d.*generous.*"):
        await stack.__aenter__()
    assert not stack.postgres.running
    assert not stack.pubsub.running


@pytest.mark.usefixtures("running")
async def test_two_stacks_side_by_side_keep_apart(tmp_path: Path) -> None:
    async with Stack(tmp_path, quota_profile="unmetered", prefer_pubsub="broker") as second:
        user = await second.add_user("ada@own.example")
        mailbox = await second.connect(user)
        sent = await mailbox.send(email("TC w/ client re lease .4\n", sender="ada@own.example"))

        async with second.rest(user) as rest:

            async def entries() -> list[dict[str, object]]:
                rows: list[dict[str, object]] = (await rest.get("/time_tracking_entries")).json()
                return rows

            [entry] = await until(entries, lambda found: found != [])
            assert entry["email_id"] == sent


async def test_a_part_that_crashes_under_a_kept_stack_comes_back(tmp_path: Path) -> None:
    async with Stack(tmp_path, quota_profile="unmetered", keep_all=True) as stack:
        user = await stack.add_user("ada@own.example")
        mailbox = await stack.connect(user)
        async with stack.rest(user) as rest:

            async def minutes() -> list[float]:
                answer = await rest.get("/time_tracking_entries", params={"order": "created_at"})
                return [row["duration_minutes"] for row in answer.json()] if answer.is_success else []

            crashing = (stack.postgres, stack.postgrest, stack.pubsub, stack.functions["gmail_push"])
            for count, part in enumerate(crashing, start=1):
                await part.kill9()
                await until(part.answers, bool)
                await mailbox.send(work(6 * count))
                await until(minutes, [6 * (n + 1) for n in range(count)].__eq__)
