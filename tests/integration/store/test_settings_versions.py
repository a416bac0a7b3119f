"""A change of settings makes old what it changes, and nothing else."""

from typing import Any

import httpx
import pytest

from shared.store.analyses import Analysis, Outcome
from tests.integration.store.conftest import Database, Timekeeper

READ_DIFFERENTLY: list[dict[str, Any]] = [
    {"time_zone": "Europe/London"},
    {"analysis_mode": "rules_only"},
    {"minimum_confidence": 0.5},
    {"excluded_recipients": ["@family.example"]},
    {"excluded_labels": ["Label_7"]},
    {"default_client_matter": "Office"},
]
READ_ALIKE: list[dict[str, Any]] = [
    {"rounding_increment": 15},
    {"rounding_mode": "nearest"},
    {"rounding_scope": "matter_day"},
    {"rounding_minimum": 12},
    {"rate_category": "partner"},
    {"hourly_rate": 450},
    {"auto_analysis": False},
]


async def configure(
    rest: httpx.AsyncClient,
    changes: dict[str, Any] | None = None,
    matters: list[dict[str, Any]] | None = None,
    removed: list[dict[str, Any]] | None = None,
) -> httpx.Response:
    arguments = {"p_changes": changes or {}, "p_matters": matters or [], "p_removed_matters": removed or []}
    return await rest.post("/rpc/change_configuration", json=arguments)


async def versions(database: Database, timekeeper: Timekeeper) -> tuple[int, int]:
    """The version of everything, and of what readings depend on; 0 for those who set nothing."""
    row = await database.sql.fetchrow(
        "select version, analysis_version from public.time_tracking_settings where user_id = $1", timekeeper.id
    )
    return (row["version"], row["analysis_version"]) if row else (0, 0)


def matter(**changes: Any) -> dict[str, Any]:
    return {"client": "Ortiz", "matter": None, "aliases": [], "domains": [], **changes}


@pytest.mark.parametrize("changes", READ_DIFFERENTLY)
async def test_what_readings_depend_on_makes_them_old(
    database: Database, dana: Timekeeper, changes: dict[str, Any]
) -> None:
    assert (await configure(dana.rest, changes)).status_code == 200
    assert (await versions(database, dana))[1] == 1


@pytest.mark.parametrize("changes", READ_ALIKE)
async def test_what_is_kept_with_each_entry_makes_no_reading_old(
    database: Database, dana: Timekeeper, changes: dict[str, Any]
) -> None:
    before = await versions(database, dana)
    assert (await configure(dana.rest, changes)).status_code == 200
    after = await versions(database, dana)
    assert after[0] > before[0]
    assert after[1] == before[1] == 0


@pytest.mark.parametrize("changes", [*READ_DIFFERENTLY, *READ_ALIKE])
async def test_saying_the_same_again_changes_nothing(
    database: Database, dana: Timekeeper, changes: dict[str, Any]
) -> None:
    await configure(dana.rest, changes)
    before = await versions(database, dana)
    await configure(dana.rest, changes)
    assert await versions(database, dana) == before


async def test_settings_over_the_api_count_like_the_tools(database: Database, dana: Timekeeper) -> None:
    await dana.rest.post("/time_tracking_settings", json={"user_id": str(dana.id), "hourly_rate": 300})
    assert await versions(database, dana) == (1, 0)
    await dana.rest.patch(
        "/time_tracking_settings", params={"user_id": f"eq.{dana.id}"}, json={"minimum_confidence": 0.3}
    )
    assert await versions(database, dana) == (2, 1)


async def test_a_directory_that_names_matters_otherwise_makes_readings_old(
    database: Database, dana: Timekeeper
) -> None:
    seen = [(await versions(database, dana))[1]]
    for step in (
        {"matters": [matter(), matter(client="Hollis")]},  # one change, however many lines
        {"matters": [matter(aliases=["Ray"])]},
        {"matters": [matter(aliases=["Ray"], domains=["ortiz.example"])]},
        {"removed": [{"client": "Hollis", "matter": None}]},
    ):
        assert (await configure(dana.rest, **step)).status_code == 200
        seen.append((await versions(database, dana))[1])
    assert seen == [0, 1, 2, 3, 4]


async def test_a_matters_rate_makes_no_reading_old(database: Database, dana: Timekeeper) -> None:
    await configure(dana.rest, matters=[matter()])
    before = await versions(database, dana)
    await configure(dana.rest, matters=[matter(hourly_rate=500, rate_category="partner")])
    assert await versions(database, dana) == before
    [row] = (await dana.rest.get("/matters")).json()
    assert (row["hourly_rate"], row["rate_category"]) == (500, "partner")


async def test_a_change_that_is_refused_changes_nothing_at_all(database: Database, dana: Timekeeper) -> None:
    refused = await configure(dana.rest, {"time_zone": "Mars/Olympus"}, [matter()])
    assert (refused.status_code, refused.json()["code"]) == (400, "23514")
    refused = await configure(dana.rest, {"hourly_rate": 100}, [matter(client="")])
    assert (refused.status_code, refused.json()["code"]) == (400, "23514")
    assert await versions(database, dana) == (0, 0)
    assert (await dana.rest.get("/matters")).json() == []


async def test_one_users_change_is_no_other_users(database: Database, dana: Timekeeper, priya: Timekeeper) -> None:
    await configure(priya.rest, {"time_zone": "Asia/Kolkata"}, [matter()])
    assert await versions(database, dana) == (0, 0)
    assert (await configure(dana.rest)).json() == {"settings": None, "matters": []}


@pytest.mark.parametrize("name", ["version", "analysis_version", "user_id", "updated_at"])
async def test_versions_and_owners_are_nobodys_to_set(database: Database, dana: Timekeeper, name: str) -> None:
    before = await versions(database, dana)
    value = {"user_id": "00000000-0000-4000-8000-000000000000", "updated_at": "2020-01-01T00:00:00Z"}.get(name, 99)
    await configure(dana.rest, {name: value})
    assert (await versions(database, dana))[1] == before[1]
    patched = await dana.rest.patch("/time_tracking_settings", params={"user_id": f"eq.{dana.id}"}, json={name: value})
    assert patched.status_code == 403


async def test_nobody_configures_anything(database: Database) -> None:
    async with database.rest(apikey=database.keys.publishable_key) as anonymous:
        assert (await configure(anonymous, {"hourly_rate": 1})).status_code in {401, 403}


async def test_a_user_with_a_directory_can_be_deleted(database: Database, dana: Timekeeper) -> None:
    await configure(dana.rest, {"hourly_rate": 1}, [matter(), matter(client="Hollis")])
    await database.sql.execute("delete from auth.users where id = $1", dana.id)
    assert await versions(database, dana) == (0, 0)


async def test_a_reading_under_older_settings_is_to_be_done_again(database: Database, dana: Timekeeper) -> None:
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.NONE, 2, "push-1")])
    still = database.analyses.still_to_analyse
    assert await still(dana.mailbox_id, ["m1", "m2"], 2, 0) == ("m2",)
    assert await still(dana.mailbox_id, ["m1", "m2"], 2, 1) == ("m1", "m2")
    assert await still(dana.mailbox_id, ["m1", "m2"], 3, 0) == ("m1", "m2")


async def test_what_can_not_be_read_is_not_read_again_by_the_same_analyser(
    database: Database, dana: Timekeeper
) -> None:
    failed = [
        Analysis("m1", Outcome.FAILED, 2, "push-1", failure="unreadable"),
        Analysis("m2", Outcome.FAILED, 2, "push-1", failure="access_revoked"),
    ]
    await database.analyses.record(dana.context, failed)
    still = database.analyses.still_to_analyse
    assert await still(dana.mailbox_id, ["m1", "m2"], 2) == ("m2",)
    assert await still(dana.mailbox_id, ["m1", "m2"], 3) == ("m1", "m2")
    assert await still(dana.mailbox_id, ["m1", "m2"]) == ("m1", "m2")
