"""Every maintenance task has its job, signed as the function expects, with time to end."""

from typing import Any

from cryptography.fernet import Fernet

from shared.settings import MaintenanceSettings
from shared.wiring import maintenance
from tests.unit.infra.configuration import module, root

TASKS: dict[str, dict[str, Any]] = root.locals["tasks"]
JOB = root.modules["job"]
SETTINGS = MaintenanceSettings.from_environ(
    {
        "SUPABASE_URL": "http://127.0.0.1:1",
        "SUPABASE_SECRET_KEY": "sb_secret_x",
        "GOOGLE_CLIENT_ID": "id",
        "GOOGLE_CLIENT_SECRET": "hush",
        "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "GCP_PROJECT": "p",
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
        "CALLER_AUDIENCE": "https://region-p.cloudfunctions.net/maintenance",
        "CALLER_ACCOUNTS": "scheduler@p.iam.gserviceaccount.com",
    }
)


async def test_every_task_has_a_job_and_every_job_a_task() -> None:
    running = maintenance(SETTINGS)
    try:
        assert set(TASKS) == set(running.tasks)
    finally:
        await running.aclose()


def test_a_job_calls_the_path_that_the_function_serves() -> None:
    assert JOB["url"] == '${module.function["maintenance"].url}/maintenance/${each.key}'
    (target,) = job()["http_target"]
    assert (target["http_method"], target["uri"]) == ("POST", "${var.url}")


def test_calls_are_signed_for_the_audience_that_the_function_expects() -> None:
    (target,) = job()["http_target"]
    (token,) = target["oidc_token"]
    assert token == {"service_account_email": "${var.caller}", "audience": "${var.audience}"}
    assert JOB["caller"] == root.locals["callers"]["scheduler"]["accounts"]
    assert JOB["audience"] == '${local.audiences["maintenance"]}'


def test_a_task_has_time_to_end_what_it_began() -> None:
    limit = root.locals["functions"]["maintenance"]["size"]["timeout_seconds"]
    assert limit >= SETTINGS.maintenance_seconds + 150  # what is under way may take two and a half minutes more
    assert JOB["attempt_deadline_seconds"] == '${local.functions["maintenance"].size.timeout_seconds}'


def test_what_a_lost_push_left_out_is_found_within_the_hour_and_watches_are_renewed_daily() -> None:
    assert {name: every(task["schedule"]) for name, task in TASKS.items()} == {
        "refresh_summaries": 5,
        "reconcile": 20,
        "renew_watches": 60,
        "second_looks": 60,
        "replay_dead_letters": 60,
        "purge": 24 * 60,
    }


def test_the_retries_of_a_frequent_task_do_not_reach_into_its_next_turns() -> None:
    for task in TASKS.values():
        assert 0 < task["retries"] <= 5
        assert every(task["schedule"]) >= 60 or task["retries"] == 1


def job() -> dict[str, Any]:
    (only,) = module("job").of("google_cloud_scheduler_job").values()
    return only


def every(schedule: str) -> int:
    """Minutes from one turn to the next, of the forms of cron that are used here."""
    minute, hour, *days = schedule.split(" ")
    assert days == ["*", "*", "*"]
    if minute.startswith("*/"):
        assert hour == "*"
        return int(minute.removeprefix("*/"))
    return 60 if hour == "*" else 24 * 60
