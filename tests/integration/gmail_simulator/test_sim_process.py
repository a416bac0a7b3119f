"""The process: silent, clear when it can't start, and no heavier than one message."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.integration.gmail_simulator.broker import Broker, free_port
from tests.integration.gmail_simulator.caller import Mailbox, letter, raw
from tests.integration.gmail_simulator.process import Process


def failed_start(data: Path, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.local.gmail", "--port", str(port), "--data", str(data), "--project", "p"]
    return subprocess.run(
        [*command, "--pubsub-emulator", "127.0.0.1:1"], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_port_that_is_taken_ends_it_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = failed_start(tmp_path, taken.getsockname()[1])
    assert ended.returncode == 1
    assert (ended.stdout, ended.stderr.count("\n")) == ("", 1)
    assert "in use" in ended.stderr


def test_a_data_folder_that_is_a_file_ends_it_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = failed_start(tmp_path / "file", free_port())
    assert ended.returncode == 1
    assert (ended.stdout, ended.stderr.count("\n")) == ("", 1)


def test_it_listens_on_this_machine_only_and_says_when_it_is_ready(simulator: Process) -> None:
    assert simulator.url.startswith("http://127.0.0.1:")
    assert simulator.http.get("healthz").text == "ok"


def test_a_restart_finds_mailboxes_mail_tokens_and_history(tmp_path: Path, broker: Broker) -> None:
    process = Process(tmp_path, broker)
    mailbox = process.mailbox()
    before = mailbox.history_id()
    sent = mailbox.send()
    token, expected = mailbox.access_token(), mailbox.history(before)
    process.kill()

    process.start()

    answer = process.http.get(
        f"gmail/v1/users/me/history?startHistoryId={before}", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.json() == expected
    again = process.mailbox()
    assert (again.client_id, again.client_secret) == (mailbox.client_id, mailbox.client_secret)
    assert again.app.users().messages().get(userId="me", id=sent["id"]).execute()["labelIds"] == ["SENT"]
    process.stop()


def test_the_same_seed_gives_the_same_history_ids(tmp_path: Path, broker: Broker) -> None:
    seen = []
    for run in ("one", "two"):
        process = Process(tmp_path / run, broker, "--seed", "7")
        mailbox = process.mailbox()
        for _ in range(3):
            mailbox.send()
        seen.append(mailbox.history_id())
        process.stop()
    assert seen[0] == seen[1]


def test_large_messages_dont_add_up_in_memory(tmp_path: Path, broker: Broker) -> None:
    process = Process(tmp_path, broker)
    mailbox = process.mailbox()
    body = raw(letter(body=("attachment " * 6 + "\n") * 150_000))
    send = mailbox.owner.users().messages().send

    def resident_mb() -> int:
        status = Path(f"/proc/{process.popen.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    send(userId="me", body=body).execute()
    send(userId="me", body=body).execute()
    warm = resident_mb()
    for _ in range(8):
        send(userId="me", body=body).execute()
    assert resident_mb() < warm + 40
    process.stop()


def test_what_was_called_is_counted_by_method(simulator: Process, mailbox: Mailbox) -> None:
    mailbox.send()
    mailbox.history(mailbox.history_id())
    stats = simulator.stats()
    expected = {"token": 1, "getProfile": 1, "messages.send": 1, "history.list": 1}
    assert stats["calls"] == expected
    assert stats["messages"][mailbox.address] == 1
    assert stats["quota"]["peak_units_by_user"] == {mailbox.address: 3}
