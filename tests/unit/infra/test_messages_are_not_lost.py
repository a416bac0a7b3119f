"""Topics and subscriptions: who may publish where, and how long Pub/Sub goes on trying."""

from itertools import accumulate, repeat
from typing import Any

import pytest

from functions.start import SETTINGS
from shared.settings import RescanPageSettings
from tests.unit.infra.configuration import module, root

TOPICS: dict[str, dict[str, Any]] = root.locals["topics"]
PUSH = root.modules["push"]
FUNCTIONS: dict[str, dict[str, Any]] = root.locals["functions"]
GMAIL = "gmail-api-push@system.gserviceaccount.com"
# Pub/Sub keeps nothing longer.
MONTH = 31 * 24 * 3600


def subscription() -> dict[str, Any]:
    (only,) = module("push").of("google_pubsub_subscription").values()
    return only


def test_every_function_that_is_pushed_to_has_one_topic() -> None:
    pushed = [name for name, function in FUNCTIONS.items() if function["caller"] == "pubsub"]
    assert sorted(topic["function"] for topic in TOPICS.values()) == sorted(pushed)


def test_pushes_are_signed_for_the_audience_that_the_function_expects() -> None:
    (push,) = subscription()["push_config"]
    (token,) = push["oidc_token"]
    assert token == {"service_account_email": "${var.caller}", "audience": "${var.audience}"}
    assert PUSH["caller"] == root.locals["callers"]["pubsub"]["accounts"]
    assert PUSH["audience"] == "${local.audiences[each.value.function]}"
    assert "CALLER_AUDIENCE = local.audiences[each.key]" in root.modules["function"]["environment"]
    assert PUSH["endpoint"] == "${module.function[each.value.function].url}"


def test_every_subscription_gives_up_into_the_dead_letters_never_into_nothing() -> None:
    (policy,) = subscription()["dead_letter_policy"]
    assert policy == {"dead_letter_topic": "${var.dead_letter_topic}", "max_delivery_attempts": "${var.retry.attempts}"}
    assert PUSH["dead_letter_topic"] == "${google_pubsub_topic.dead_letter.id}"


def test_no_subscription_ends_for_want_of_mail() -> None:
    everything = [subscription(), *root.of("google_pubsub_subscription").values()]
    assert [one["expiration_policy"] for one in everything] == [[{"ttl": ""}]] * len(everything)


def test_a_function_is_cut_off_no_later_than_its_message_is_pushed_again() -> None:
    deadline = PUSH["ack_deadline_seconds"]
    assert deadline >= 60
    for topic in TOPICS.values():
        assert FUNCTIONS[topic["function"]]["size"]["timeout_seconds"] <= deadline


def test_the_tries_of_a_rescan_outlast_a_lease_and_those_of_an_email_an_outage_of_an_hour() -> None:
    retry = PUSH["retry"]
    pauses = list(
        accumulate(
            repeat(retry["minimum_seconds"], retry["attempts"] - 1),
            lambda pause, _: min(pause * 2, retry["maximum_seconds"]),
        )
    )
    lease = RescanPageSettings.model_fields["rescan_page_seconds"].default + 12
    assert sum(pauses[:4]) > lease  # also where a subscription were cut down to the five tries that are Pub/Sub's least
    assert sum(pauses) > 3600
    assert retry["minimum_seconds"] >= 10


def test_dead_letters_are_kept_as_long_as_pubsub_keeps_anything() -> None:
    (topic,) = root.of("google_pubsub_topic").values()
    (kept,) = root.of("google_pubsub_subscription").values()
    assert topic["message_retention_duration"] == kept["message_retention_duration"] == "${local.month}"
    assert root.locals["month"] == f"{MONTH}s"
    assert "push_config" not in kept  # pulled, by the replay


def test_pubsub_may_move_what_it_gives_up() -> None:
    (publishes,) = root.of("google_pubsub_topic_iam_binding").values()
    assert (publishes["role"], publishes["members"]) == ("roles/pubsub.publisher", ["${local.pubsub_agent}"])
    (takes_off,) = module("push").of("google_pubsub_subscription_iam_binding").values()
    assert (takes_off["role"], takes_off["members"]) == ("roles/pubsub.subscriber", ["${var.agent}"])
    assert PUSH["agent"] == "${local.pubsub_agent}"
    assert root.resources["google_service_account_iam_binding", "push_tokens"]["members"] == ["${local.pubsub_agent}"]


def test_gmail_may_publish_to_gmail_events_alone() -> None:
    assert root.locals["gmail_agent"] == f"serviceAccount:{GMAIL}"
    assert [name for name, topic in TOPICS.items() if "${local.gmail_agent}" in topic["others"]] == ["gmail-events"]
    assert all(topic["others"] in ([], ["${local.gmail_agent}"]) for topic in TOPICS.values())


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_topic_is_published_to_by_the_functions_whose_settings_name_it(topic: str) -> None:
    setting = f"{topic.replace('-', '_')}_topic"
    reading = {name for name, kind in SETTINGS.items() if setting in kind.model_fields}
    if topic == "gmail-events":
        reading -= {"mailbox"}  # tells Gmail of it, and publishes nothing
    assert set(TOPICS[topic]["publishers"]) == reading
    assert root.locals["settings"][setting.upper()] == topic
    for function in reading:
        assert setting.upper() in FUNCTIONS[function]["settings"]


def test_nobody_but_maintenance_reads_dead_letters() -> None:
    (right,) = root.of("google_pubsub_subscription_iam_binding").values()
    assert right["members"] == ['${module.function["maintenance"].member}']
    assert [name for name, kind in SETTINGS.items() if "dead_letter_subscription" in kind.model_fields] == [
        "maintenance"
    ]
    assert root.locals["settings"]["DEAD_LETTER_SUBSCRIPTION"] == "${local.dead_letters}"
    assert SETTINGS["maintenance"].model_fields["dead_letter_subscription"].default == root.locals["dead_letters"]
