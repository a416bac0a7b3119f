"""Figures of load are right, and nothing that broke is told as having held."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from rich.console import Console

from tests.load import __main__ as program
from tests.load import scene
from tests.load.figures import by_endpoint, percentile, spread
from tests.load.generator import LoadFailed, Seen
from tests.load.markdown import reports, tables
from tests.load.meter import Used
from tests.load.plan import Client, Plan
from tests.load.report import failed, show
from tests.load.scenarios import Size, _hold
from tests.load.scene import Result, Scene, mail_clients
from tests.performance.firm import Firm, Lawyer

CLIENT = Client("Browser", token="t", sends=((0.5, 1),), texts=("one",))
SENT = {"id": "18c", "at": 100.0, "behind": 0.0}


def asked(error: str | None = None) -> dict[str, Any]:
    return {"name": "GET /tools", "ms": 12.0, "at": 100.0, "error": error}


class Rows:
    """A database that knows these emails."""

    def __init__(self, **outcomes: str) -> None:
        self._rows = [{"email_id": key, "outcome": value, "at": 100.25} for key, value in outcomes.items()]

    async def fetch(self, _query: str, _users: list[Any], ids: list[str]) -> list[dict[str, Any]]:
        return [row for row in self._rows if row["email_id"] in ids]


def made(sql: Rows | None = None) -> Scene:
    return Scene("tried", cast("Firm", SimpleNamespace(sql=sql)))


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.95, 95), (0.951, 96), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile(range(1, 101), share) == expected


def test_the_spread_of_nothing_is_none() -> None:
    assert spread([]) is None
    assert spread([7.0]) == {"count": 1, "p50": 7.0, "p95": 7.0, "p99": 7.0, "max": 7.0}


def test_failed_requests_are_counted_by_endpoint() -> None:
    figures = by_endpoint([asked(), asked("HTTPError: 503"), {**asked(), "name": "POST /chat"}])
    assert [figures[name]["errors"] for name in ("GET /tools", "POST /chat")] == [1, 0]


def test_one_failed_request_breaks_a_scenario() -> None:
    good, bad = made(), made()
    good._figures([Seen([asked()], [], [], 0.0)], Used(), 1.0, 1.0)
    bad._figures([Seen([asked(), asked("HTTPError: 500")], [], [], 0.0)], Used(), 1.0, 1.0)
    assert not good.broken
    assert "1 requests failed" in bad.broken[0]


def test_a_run_that_asked_nothing_held_nothing() -> None:
    idle = made()
    idle._figures([Seen([], [], [], 0.0)], Used(), 1.0, 1.0)
    assert idle.broken == ["nothing was asked"]


def test_a_process_that_was_replaced_breaks_a_scenario() -> None:
    replaced = made()
    replaced._figures([Seen([asked()], [], [], 0.0)], Used(restarted=["tools"]), 1.0, 1.0)
    assert replaced.broken == ["tools's process was replaced"]


async def test_the_lag_is_from_sending_to_the_row() -> None:
    told = await made(Rows(**{"18c": "entries"}))._account([SENT], [], wanted=1)
    assert told["lag_ms"]["p50"] == 250
    assert told["emails"]["unaccounted"] == 0


@pytest.mark.parametrize(
    ("rows", "wanted", "expected"),
    [
        (Rows(), 1, "1 emails are not accounted for"),
        (Rows(**{"18c": "none"}), 2, "only 1 of 2 emails were sent"),
        (Rows(**{"18c": "failed"}), 1, "1 emails could not be read"),
    ],
)
async def test_an_email_that_nobody_can_account_for_breaks_a_scenario(
    monkeypatch: pytest.MonkeyPatch, rows: Rows, wanted: int, expected: str
) -> None:
    monkeypatch.setattr(scene, "ON_RECORD_SECONDS", 0.0)
    trying = made(rows)
    await trying._account([SENT], [], wanted=wanted)
    assert trying.broken == [expected]


@pytest.mark.parametrize(
    ("most", "refused", "holds"),
    [(3_500, 0, True), (3_501, 0, False), (3_400, 1, False), (3_150, 0, True), (3_149, 0, False), (0, 0, False)],
)
def test_a_limit_holds_when_nothing_was_refused_and_no_minute_had_more(most: int, refused: int, holds: bool) -> None:
    trying = made()
    _hold(trying, most=most, allowed=3_500, refused=refused)
    assert failed([trying.result()]) is not holds


@pytest.mark.parametrize(
    ("gmail", "requests", "tokens", "broken"),
    [
        (0, 0, 0, []),
        (2, 0, 0, ["Gmail refused 2 calls as too many"]),
        (0, 1, 2, ["the model refused 3 calls as too many"]),
    ],
)
async def test_whatever_a_simulator_refused_breaks_any_scenario(
    gmail: int, requests: int, tokens: int, broken: list[str]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/_sim/stats":
            return httpx.Response(200, json={"quota": {"refused": gmail}})
        return httpx.Response(200, json=[{"refused_requests": requests, "refused_tokens": tokens}])

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        model = SimpleNamespace(asked=True, url="http://127.0.0.1:2/v1")
        stack = SimpleNamespace(http=http, gmail_url="http://127.0.0.1:1", model=model)
        trying = Scene("tried", cast("Firm", SimpleNamespace(stack=stack)))
        await trying._nothing_refused()
    assert trying.broken == broken


@pytest.mark.parametrize(("growth", "broken"), [(10.0, []), (10.5, ["tools grew by 10.5 MB from 100"])])
def test_a_process_that_grows_by_more_than_it_may_breaks_a_scenario(growth: float, broken: list[str]) -> None:
    trying = made()
    trying.tell(functions={"tools": {"before_mb": 100.0, "growth_mb": growth}})
    trying.grew_no_more_than(0.1)
    assert trying.broken == broken


async def test_a_scenario_that_cannot_be_run_is_told_as_broken_and_the_others_are_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def breaks(_size: Size) -> Result:
        raise FileNotFoundError("record.json")

    async def holds(_size: Size) -> Result:
        return {"scenario": "holds", "broken": []}

    monkeypatch.setattr(program, "SCENARIOS", {"breaks": breaks, "holds": holds})
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    results = await program.run({"breaks": Size(), "holds": Size(share=0.5)}, Console(record=True, quiet=True))
    assert failed(results)
    assert results[0]["broken"] == ["could not be run: FileNotFoundError('record.json')"]
    assert not results[1]["broken"]
    assert reports(tmp_path, ("breaks", "holds")) == results


@pytest.mark.parametrize(
    "given",
    [
        ["--hours", "4"],
        ["--factor", "2"],
        ["burst", "--hours", "4"],
        ["chat", "--factor", "2"],
        ["sustained", "burst", "--hours", "1"],
        ["sustained", "--hours", "0"],
        ["nothing"],
    ],
)
def test_what_would_change_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, given: list[str]
) -> None:
    def begins() -> None:
        raise LoadFailed("a run begins")

    monkeypatch.setattr(program, "installed", begins)
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["load", *given])
    with pytest.raises(SystemExit, match="2"):
        program.main()
    assert "error: " in capsys.readouterr().err


def test_the_table_is_of_the_last_reports_and_tells_what_broke(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tried = made()
    tried.tell(**tried._figures([Seen([asked("HTTPError: 503")], [], [], 0.0)], Used(), 1.0, 1.0))
    tried.tell(lag_ms=spread([250.4, 1250.6]), share=0.5, measured_at="2026-11-26T12:00:00+00:00")
    _hold(tried, most=3_500, allowed=3_500, refused=0)
    (tmp_path / "burst.json").write_text(json.dumps(tried.result()))
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["load", "--table"])
    assert program.main() == 1
    told = capsys.readouterr().out
    lag = "from sending to on record | 250 | 1,251 | 1,251 | 1,251 | 1 of 1 | - | 0% | 0% | 2026-11-26 |"
    assert f"| `tried`, 50% of it **BROKEN** | {lag}" in told
    assert "| `tried` | 3,500 | 3,500 | 100.0% | 0 |" in told
    assert "BROKEN, `tried`: 1 requests failed" in told


def test_a_table_shows_a_scenario_that_could_not_be_run() -> None:
    assert "| `chat` **BROKEN** | - |" in tables([{"scenario": "chat", "broken": ["could not be run"]}])


def test_what_broke_is_shown() -> None:
    trying = made()
    trying.tell(**trying._figures([Seen([asked("HTTPError: 503")], [], [], 0.0)], Used(), 1.0, 1.0))
    console = Console(record=True, width=120)
    show(trying.result(), "A try.", console)
    assert "BROKEN: 1 requests failed" in console.export_text()
    json.dumps(trying.result())


def test_every_email_of_a_plan_is_sent_within_its_time() -> None:
    lawyers = [cast("Lawyer", SimpleNamespace(mailbox=SimpleNamespace(owner_token=str(uuid4())))) for _ in range(3)]
    clients = mail_clients(lawyers, 100, 60.0, [b"one", b"two"])
    due = [at for client in clients for at, _ in client.sends]
    assert len(due) == 100
    assert 0 <= min(due) < max(due) <= 60
    assert all(list(client.sends) == sorted(client.sends) for client in clients)


def test_a_plan_is_read_as_it_was_written_and_by_its_owner_only(tmp_path: Any) -> None:
    plan = Plan("http://127.0.0.1:1", "http://127.0.0.1:2", 5.0, (CLIENT, Client("Chatter")))
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
    assert (tmp_path / "plan.json").stat().st_mode & 0o077 == 0
    assert plan.kinds == ["Browser", "Chatter"]
