"""What the model had no say in is looked at again once it is back, by itself."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from infra.local.schedule import run_task
from infra.local.stack import Stack
from tests.e2e.conftest import Running, Timekeeper, until
from tests.e2e.test_model_for_the_unsure import DOUBTFUL_ENTRY, Model, processed, send, unsure


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A stack of its own, whose functions ask the simulated model."""
    async with Stack(tmp_path_factory.mktemp("looks"), quota_profile="unmetered", simulate_model=True) as stack:
        yield Running(stack, {})


@pytest.fixture
async def model(running: Running) -> AsyncIterator[Model]:
    async with httpx.AsyncClient(base_url=running.stack.model.url.removesuffix("/v1")) as http:
        simulated = Model(http)
        await simulated.clean()
        yield simulated
        await simulated.clean()


async def an_hour_later(running: Running, dana: Timekeeper) -> None:
    connection = await asyncpg.connect(running.stack.postgres.url)
    try:
        await connection.execute(
            "update processed_emails set processed_at = processed_at - interval '1 hour' where user_id = $1",
            dana.user.id,
        )
        await connection.execute(
            """update private.second_looks
               set read_at = read_at - interval '1 hour', due_at = due_at - interval '1 hour' where user_id = $1""",
            dana.user.id,
        )
    finally:
        await connection.close()


async def handed_on(running: Running) -> Any:
    return (await run_task(running.stack, "second_looks"))["done"]["handed_on"]


async def looked_at_again(running: Running, email_id: str) -> int:
    return sum(event.get("email_id") == email_id for event in running.log("analyze_email"))


async def test_an_email_that_was_read_while_the_model_was_away_gets_its_say_when_it_is_back(
    running: Running, dana: Timekeeper, model: Model
) -> None:
    await model.fault("500", count=1_000)
    sent, entries = await send(dana, unsure(DOUBTFUL_ENTRY))
    assert len(entries) == 1
    assert (await processed(dana, sent))["second_look"] == "model_unavailable"
    assert await handed_on(running) == 0, "not at once"

    # Still away: the look finds no more, and writes nothing.
    await an_hour_later(running, dana)
    assert await handed_on(running) == 1
    await until(lambda: looked_at_again(running, sent), lambda times: times == 2)
    assert (await processed(dana, sent))["second_look"] == "model_unavailable"
    assert await handed_on(running) == 0

    await model.mend()
    # An instance that has not learned yet to leave the model alone for a while.
    await running.stack.functions["analyze_email"].kill9()
    await model.says("Lowe", is_work=False)
    await an_hour_later(running, dana)
    assert await handed_on(running) == 1
    await until(lambda: processed(dana, sent), lambda row: row["second_look"] is None)
    assert await dana.entries() == []
    await an_hour_later(running, dana)
    assert await handed_on(running) == 0, "it has had its say"
