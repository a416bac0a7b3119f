"""Quotas: no sixty seconds hold more than the profile allows, and a refusal says so in Google's words."""

import math

import pytest
from googleapiclient.errors import HttpError

from infra.local.gmail.errors import GmailError
from infra.local.gmail.quota import PROFILES, Profile, Quota
from tests.integration.gmail_simulator.caller import Mailbox
from tests.integration.gmail_simulator.process import Process


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def refusal(quota: Quota, method: str = "messages.get", user: str = "a@example.com") -> GmailError | None:
    try:
        quota.spend(user, method)
    except GmailError as refused:
        return refused
    return None


@pytest.mark.parametrize(("profile", "gets"), [("2026", 300), ("legacy", 3_000)])
def test_a_user_reads_as_many_messages_a_minute_as_the_profile_pays_for(profile: str, gets: int) -> None:
    quota = Quota(PROFILES[profile], Clock())
    assert all(refusal(quota) is None for _ in range(gets))
    assert refusal(quota) is not None


def test_units_come_back_sixty_seconds_after_they_were_spent_and_no_sooner() -> None:
    clock = Clock()
    quota = Quota(PROFILES["2026"], clock)
    for _ in range(300):
        quota.spend("a@example.com", "messages.get")
        clock.now += 0.1
    refused = refusal(quota)
    assert refused is not None
    assert refused.retry_after_s == 30
    clock.now = 1_059.9
    assert refusal(quota) is not None
    clock.now = 1_060.0
    assert refusal(quota) is None
    assert refusal(quota) is not None


def test_users_have_a_minute_each_and_the_project_one_in_all() -> None:
    quota = Quota(Profile("small", 100, 150, PROFILES["2026"].units), Clock())
    assert [refusal(quota, user="a") for _ in range(5)] == [None] * 5
    assert [refusal(quota, user="b") for _ in range(2)] == [None] * 2
    refused = refusal(quota, user="b")
    assert refused is not None
    assert (refused.code, refused.reason) == (403, "rateLimitExceeded")


def test_a_refused_call_costs_nothing_and_the_peak_is_kept() -> None:
    clock = Clock()
    quota = Quota(PROFILES["2026"], clock)
    for _ in range(305):
        refusal(quota)
    clock.now += 3_600
    refusal(quota)
    report = quota.report()
    assert report["peak_units_by_user"] == {"a@example.com": 6_000}
    assert (report["peak_units_project"], report["refused"]) == (6_000, 5)


def test_unmetered_refuses_nothing_and_still_counts() -> None:
    quota = Quota(PROFILES["unmetered"], Clock())
    assert PROFILES["unmetered"].user_units == math.inf
    assert all(refusal(quota) is None for _ in range(1_000))
    assert quota.report()["peak_units_project"] == 20_000


def test_a_user_over_quota_is_refused_now_with_429_now_with_403(simulator: Process, mailbox: Mailbox) -> None:
    watch = mailbox.app.users().stop(userId="me")
    for _ in range(120):
        watch.execute()
    seen = set()
    for _ in range(2):
        with pytest.raises(HttpError) as refused:
            watch.execute()
        assert refused.value.error_details[0]["domain"] == "usageLimits"
        assert 1 <= int(refused.value.resp["retry-after"]) <= 60
        seen.add((refused.value.status_code, refused.value.error_details[0]["reason"]))
    assert seen == {(429, "userRateLimitExceeded"), (403, "rateLimitExceeded")}
    assert simulator.stats()["quota"]["peak_units_by_user"][mailbox.address] == 6_000


def test_the_persons_own_mail_client_is_not_the_apps_quota(simulator: Process, mailbox: Mailbox) -> None:
    mailbox.send()
    mailbox.owner.users().getProfile(userId="me").execute()
    assert mailbox.address not in simulator.stats()["quota"]["peak_units_by_user"]


def test_the_profile_may_be_changed_while_running(simulator: Process, mailbox: Mailbox) -> None:
    sent = mailbox.send()
    simulator.settings(quota_profile="legacy")
    mailbox.app.users().messages().get(userId="me", id=sent["id"]).execute()
    assert simulator.stats()["quota"]["peak_units_by_user"][mailbox.address] == 5
