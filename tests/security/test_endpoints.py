"""Every endpoint of every function, as another user, as nobody, with forged tokens, as a machine that it isn't.

Afterwards all that is stored of the victim is read back: none of it has changed, and no answer has told of her.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import main
from infra.local.google_identity import PUSH_ACCOUNT, SCHEDULER_ACCOUNT
from infra.local.stack import FUNCTIONS, SCHEDULED
from tests.e2e.asking import problem
from tests.e2e.conftest import Running, Timekeeper
from tests.security import forged
from tests.security.conftest import connected
from tests.security.endpoints import ENDPOINTS, Endpoint, For, in_the_code
from tests.security.victim import Victim, make_victim, stored

USERS = [each for each in ENDPOINTS if each.whose is For.USERS]
MACHINES = [each for each in ENDPOINTS if each.whose is For.MACHINES]


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_every_endpoint_of_every_function_is_attacked_below() -> None:
    assert {(each.function, each.code) for each in ENDPOINTS} == in_the_code()
    assert {each.function for each in ENDPOINTS} == set(main.__all__) == set(FUNCTIONS)


@pytest.fixture(scope="session")
async def victim(running: Running) -> AsyncIterator[Victim]:
    who, ending = await connected(running, "dana")
    async with ending:
        yield await make_victim(running, who)


@pytest.fixture(scope="session")
async def eve(running: Running) -> AsyncIterator[Timekeeper]:
    who, ending = await connected(running, "eve")
    async with ending:
        yield who


@pytest.fixture
async def functions(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.stack.gateway.functions_url, timeout=120) as client:
        yield client


async def ask(
    functions: httpx.AsyncClient, endpoint: Endpoint, victim: Victim, headers: dict[str, str]
) -> httpx.Response:
    path, body = endpoint.asked(victim)
    return await functions.request(endpoint.method, path, content=body, headers=headers)


@pytest.mark.parametrize("endpoint", USERS, ids=name_of)
async def test_nobody_is_answered_who_is_no_user(
    running: Running, victim: Victim, eve: Timekeeper, functions: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    before = await stored(running.stack, victim)
    stack = running.stack
    tokens = forged.of_a_user(stack.keys, victim.who.user.id, eve.user.token)
    tokens |= forged.for_functions_only(stack, victim.who.user.id)
    headers = {name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()}
    headers |= {
        "no token": {},
        "the key alone": {"apikey": stack.keys.publishable_key},
        "the secret key alone": {"apikey": stack.keys.secret_key},
        "another scheme": {"Authorization": f"Basic {victim.who.user.token}"},
        "a user's name": {"X-User-Id": str(victim.who.user.id), "X-Forwarded-User": victim.who.user.email},
    }
    for name, given in headers.items():
        answer = await ask(functions, endpoint, victim, given)
        seen = f"{name}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code == 401, seen
        assert problem(answer)["type"] == "urn:tenths:problem:not_authenticated", seen
        assert answer.headers["www-authenticate"] == "Bearer", seen
        assert victim.leaked(answer) == [], seen
    assert await stored(stack, victim) == before


@pytest.mark.parametrize("endpoint", [*USERS, *(e for e in ENDPOINTS if e.whose is For.ANYBODY)], ids=name_of)
async def test_another_user_who_names_what_is_the_victims_gets_none_of_it(
    running: Running, victim: Victim, eve: Timekeeper, functions: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    before = await stored(running.stack, victim)
    answer = await ask(functions, endpoint, victim, {"Authorization": f"Bearer {eve.user.token}"})
    assert victim.leaked(answer) == [], answer.text[:500]
    assert answer.status_code < 500 or answer.headers["content-type"] == "application/problem+json"
    assert await stored(running.stack, victim) == before


async def test_what_anybody_is_answered_tells_of_nobody(
    running: Running, victim: Victim, functions: httpx.AsyncClient
) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.whose is For.ANYBODY:
            answer = await ask(functions, endpoint, victim, {})
            assert victim.leaked(answer) == []
            assert running.stack.keys.secret_key not in answer.text


@pytest.mark.parametrize("endpoint", MACHINES, ids=name_of)
async def test_only_the_machine_that_calls_a_function_is_answered(
    running: Running, victim: Victim, eve: Timekeeper, functions: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    before = await stored(running.stack, victim)
    log = len(running.log(endpoint.function))
    account = SCHEDULER_ACCOUNT if endpoint.function in SCHEDULED else PUSH_ACCOUNT
    tokens = forged.of_a_machine(running.stack, account, eve.user.token)
    headers = {name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()}
    headers |= {"no token": {}, "the secret key alone": {"apikey": running.stack.keys.secret_key}}
    for name, given in headers.items():
        answer = await ask(functions, endpoint, victim, given)
        assert answer.status_code == 401, f"{name}: {answer.status_code} {answer.text[:300]}"
        assert victim.leaked(answer) == []
    events = {event["message"] for event in running.log(endpoint.function)[log:]}
    assert events <= {"delivery.not_authenticated", "request.refused"}, "nothing was read, fetched or published for it"
    assert await stored(running.stack, victim) == before


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_a_deep_look_at_health_is_for_machines_and_a_plain_one_tells_nothing(
    running: Running, victim: Victim, eve: Timekeeper, function: str
) -> None:
    base = running.stack._function_ports[function]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{base}", timeout=60) as client:
        plain = await client.get("/health")
        assert (plain.status_code, victim.leaked(plain)) == (200, [])
        assert set(plain.json()) == {"status", "function"}
        for given in ({}, {"Authorization": f"Bearer {eve.user.token}"}, {"apikey": running.stack.keys.secret_key}):
            deep = await client.get("/health", params={"deep": "1"}, headers=given)
            assert deep.status_code == 401
            assert set(deep.json()) == {"status", "function"}


async def test_the_owner_is_answered_where_others_were_not(victim: Victim, running: Running) -> None:
    """So that what was refused above was refused for who asked. Last: it ends what is the victim's."""
    async with running.stack.functions_as(victim.who.user) as asking:
        found: dict[str, Any] = (await asking.get(f"/rescans/{victim.job_id}")).json()
        assert found["id"] == victim.job_id
        analysed = await asking.post("/tools/analyze_time_entry", json={"email_id": victim.email_id})
        assert "Quillfeather" in analysed.text
        assert json.loads((await asking.get("/my_data")).text.splitlines()[0])["row"]["id"] == str(victim.who.user.id)
        gone = await asking.delete(f"/mailbox/{victim.who.mailbox.id}")
        assert gone.status_code in {200, 202}
