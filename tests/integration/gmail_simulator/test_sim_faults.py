"""Faults come in at the wire, as many as were asked for, where they were asked for."""

import httpx
import pytest
from googleapiclient.errors import HttpError

from tests.integration.gmail_simulator.caller import Mailbox
from tests.integration.gmail_simulator.process import Process


def profile(mailbox: Mailbox, timeout_s: float = 10.0) -> httpx.Response:
    headers = {"Authorization": f"Bearer {mailbox.owner_access_token}"}
    return mailbox.http.get("gmail/v1/users/me/profile", headers=headers, timeout=timeout_s)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("429", "userRateLimitExceeded"),
        ("403", "rateLimitExceeded"),
        ("500", "backendError"),
        ("503", "backendError"),
    ],
)
def test_the_next_calls_are_refused_and_then_no_more(
    simulator: Process, mailbox: Mailbox, kind: str, reason: str
) -> None:
    simulator.fault(kind, count=2, retry_after_s=7)
    for _ in range(2):
        refused = profile(mailbox)
        assert refused.status_code == int(kind)
        assert refused.json()["error"]["errors"][0]["reason"] == reason
        assert refused.headers["retry-after"] == "7"
    assert profile(mailbox).status_code == 200


def test_a_fault_keeps_to_its_method_and_its_mailbox(simulator: Process, mailbox: Mailbox) -> None:
    other = simulator.mailbox("unharmed@example.com")
    simulator.fault("500", method="messages.list", address=mailbox.address)
    assert profile(mailbox).status_code == 200
    other.app.users().messages().list(userId="me").execute()
    with pytest.raises(HttpError) as refused:
        mailbox.app.users().messages().list(userId="me").execute()
    assert refused.value.status_code == 500


def test_a_call_may_never_be_answered(simulator: Process, mailbox: Mailbox) -> None:
    simulator.fault("timeout")
    with pytest.raises(httpx.ReadTimeout):
        profile(mailbox, timeout_s=0.2)
    assert profile(mailbox).status_code == 200


def test_a_connection_may_be_reset(simulator: Process, mailbox: Mailbox) -> None:
    simulator.fault("reset")
    with pytest.raises(httpx.ReadError):
        profile(mailbox)
    assert profile(mailbox).status_code == 200


def test_an_answer_may_be_cut_short(simulator: Process, mailbox: Mailbox) -> None:
    simulator.fault("malformed")
    answer = profile(mailbox)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


def test_an_answer_may_be_slow(simulator: Process, mailbox: Mailbox) -> None:
    simulator.fault("slow", delay_ms=300)
    with pytest.raises(httpx.ReadTimeout):
        profile(mailbox, timeout_s=0.1)
    assert profile(mailbox).status_code == 200


def test_every_answer_takes_the_latency_that_is_set(simulator: Process, mailbox: Mailbox) -> None:
    simulator.settings(latency_ms=200, jitter_ms=50)
    assert profile(mailbox).elapsed.total_seconds() >= 0.2


def test_the_token_endpoint_fails_when_it_is_meant_by_name(simulator: Process, mailbox: Mailbox) -> None:
    simulator.fault("503")
    mailbox.access_token()
    simulator.fault("503", method="token")
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        mailbox.access_token()
    mailbox.access_token()


def test_what_is_planned_may_be_called_off(simulator: Process, mailbox: Mailbox) -> None:
    simulator.fault("500", count=3)
    assert simulator.stats()["faults_pending"] == 3
    simulator.sim("DELETE", "faults")
    assert profile(mailbox).status_code == 200


@pytest.mark.parametrize(
    "plan",
    [
        {"kind": "earthquake"},
        {"kind": "500", "count": 0},
        {"kind": "slow"},
        {"kind": "500", "cuont": 2},
        {"kind": "vanish", "address": "nobody@example.com", "message_id": "18c0000000000000"},
    ],
)
def test_a_plan_that_means_nothing_is_refused(simulator: Process, plan: dict[str, object]) -> None:
    assert simulator.http.post("_sim/faults", json=plan).status_code in {400, 404}
    assert simulator.stats()["faults_pending"] == 0
