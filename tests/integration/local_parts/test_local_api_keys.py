"""Which role a request has in the database, through the real gateway and the real PostgREST."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from infra.local.tokens import ProjectKeys

ADA = UUID("00000000-0000-4000-8000-00000000ada0")
HOUR = timedelta(hours=1)


async def who_asks(project: Any, headers: dict[str, str]) -> httpx.Response:
    answer: httpx.Response = await project.http.get("/rest/v1/rpc/who_asks", headers=headers)
    return answer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def keys_of(project: Any, kind: str) -> tuple[dict[str, str], str]:
    key = {"publishable": project.keys.publishable_key, "secret": project.keys.secret_key}[kind]
    return {"apikey": key}, key


@pytest.mark.parametrize(("kind", "role"), [("publishable", "anon"), ("secret", "service_role")])
async def test_a_key_alone_gives_its_role_also_when_the_client_repeats_it_as_bearer(
    project: Any, kind: str, role: str
) -> None:
    header, key = keys_of(project, kind)
    for headers in (header, header | bearer(key), header | {"authorization": f"bearer {key}"}):
        answer = await who_asks(project, headers)
        assert answer.status_code == 200
        assert (answer.json()["role"], answer.json()["user"]) == (role, None)


@pytest.mark.parametrize("kind", ["publishable", "secret"])
async def test_a_users_token_beside_either_key_makes_the_request_the_users_own(project: Any, kind: str) -> None:
    header, _ = keys_of(project, kind)
    answer = await who_asks(project, header | bearer(project.keys.user_token(ADA, "ada@firm.example")))
    asked = answer.json()
    assert (asked["role"], asked["user"], asked["email"]) == ("authenticated", str(ADA), "ada@firm.example")


@pytest.mark.parametrize("given", ["nothing", "wrong", "empty", "bearer only", "user token only", "two keys"])
async def test_a_request_without_one_of_the_projects_keys_goes_no_further(project: Any, given: str) -> None:
    secret, publishable = project.keys.secret_key, project.keys.publishable_key
    headers = {
        "nothing": httpx.Headers(),
        "wrong": httpx.Headers({"apikey": "sb_secret_guess"}),
        "empty": httpx.Headers({"apikey": ""}),
        "bearer only": httpx.Headers(bearer(secret)),
        "user token only": httpx.Headers(bearer(project.keys.user_token(ADA, "ada@firm.example"))),
        "two keys": httpx.Headers([("apikey", publishable), ("apikey", secret)]),
    }[given]
    answer = await project.http.get("/rest/v1/rpc/who_asks", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    assert "API key" in answer.json()["message"] or "apikey" in answer.json()["message"]


def expired(keys: ProjectKeys) -> str:
    return keys.user_token(ADA, "ada@firm.example", -HOUR)


def forged(keys: ProjectKeys) -> str:
    stranger = ProjectKeys.generate(keys.issuer)
    return jwt.encode(
        {"sub": str(ADA), "role": "service_role", "aud": "authenticated"},
        stranger.private_key,
        algorithm="ES256",
        headers={"kid": keys.kid},
    )


def unsigned(keys: ProjectKeys) -> str:
    claims = {"sub": str(ADA), "role": "service_role", "aud": "authenticated"}
    return jwt.encode(claims, "", algorithm="none", headers={"kid": keys.kid})


def signed_with_the_public_key_as_a_password(keys: ProjectKeys) -> str:
    public = keys.private_key.public_key()
    password = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return jwt.encode({"sub": str(ADA), "role": "service_role"}, password, algorithm="HS256")


def for_another_audience(keys: ProjectKeys) -> str:
    return keys.sign({"sub": str(ADA), "role": "authenticated", "aud": "elsewhere"}, HOUR)


def with_a_changed_claim(keys: ProjectKeys) -> str:
    head, _, signature = keys.user_token(ADA, "ada@firm.example").split(".")
    _, claims, _ = keys.service_token().split(".")
    return f"{head}.{claims}.{signature}"


def not_a_token_at_all(_: ProjectKeys) -> str:
    return "abc"


def the_other_key(keys: ProjectKeys) -> str:
    return keys.secret_key


@pytest.mark.parametrize(
    "token",
    [
        expired,
        forged,
        unsigned,
        signed_with_the_public_key_as_a_password,
        for_another_audience,
        with_a_changed_claim,
        not_a_token_at_all,
        the_other_key,
    ],
    ids=lambda token: token.__name__,
)
async def test_a_token_that_the_project_did_not_sign_for_now_is_refused(project: Any, token: Any) -> None:
    header, _ = keys_of(project, "publishable")
    answer = await who_asks(project, header | bearer(token(project.keys)))
    assert answer.status_code == 401


async def test_two_authorizations_are_refused_so_that_the_checked_one_is_the_one_that_counts(project: Any) -> None:
    headers = httpx.Headers(
        [
            ("apikey", project.keys.publishable_key),
            ("authorization", f"Bearer {project.keys.publishable_key}"),
            ("authorization", f"Bearer {project.keys.user_token(ADA, 'ada@firm.example')}"),
        ]
    )
    assert (await project.http.get("/rest/v1/rpc/who_asks", headers=headers)).status_code == 401


async def test_no_header_of_the_client_but_its_token_says_a_role_and_the_key_stays_at_the_gate(project: Any) -> None:
    header, key = keys_of(project, "publishable")
    wishes = {"role": "service_role", "X-Supabase-Role": "service_role", "X-Client-Info": "a test"}
    asked = (await who_asks(project, header | wishes)).json()
    assert asked["role"] == "anon"
    assert asked["headers"]["x-client-info"] == "a test"
    assert "service_role" not in str(asked)
    assert key not in str(asked)


async def test_a_browsers_question_before_the_request_needs_no_key(project: Any) -> None:
    asking = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "GET"}
    answer = await project.http.options(
        "/rest/v1/rpc/who_asks", headers=asking | {"Access-Control-Request-Headers": "apikey"}
    )
    assert answer.status_code == 200
    assert "apikey" in answer.headers["access-control-allow-headers"].lower()


async def test_the_published_key_set_verifies_users_tokens_and_tells_no_secret(project: Any) -> None:
    answer = await project.http.get("/auth/v1/.well-known/jwks.json")
    (published,) = answer.json()["keys"]
    assert set(published) == {"kty", "crv", "x", "y", "kid", "alg", "use", "key_ops"}
    token = project.keys.user_token(ADA, "ada@firm.example")
    claims = jwt.decode(token, jwt.PyJWK(published).key, algorithms=["ES256"], audience="authenticated")
    assert claims["iss"] == f"{project.gateway.url}/auth/v1"
    assert (claims["sub"], claims["email"], claims["role"]) == (str(ADA), "ada@firm.example", "authenticated")
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert jwt.get_unverified_header(token)["kid"] == published["kid"]


def test_keys_survive_being_written_down_and_hide_their_secrets() -> None:
    keys = ProjectKeys.generate("http://127.0.0.1/auth/v1")
    again = ProjectKeys.load(keys.dump())
    assert again.jwks() == keys.jwks()
    assert (again.issuer, again.secret_key) == (keys.issuer, keys.secret_key)
    assert keys.secret_key not in repr(keys)
    assert (keys.publishable_key[:15], keys.secret_key[:10]) == ("sb_publishable_", "sb_secret_")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"private_key": "no PEM"}', '{"private_key": 1}'])
def test_what_are_no_keys_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ProjectKeys.load(text)


async def test_the_database_may_go_and_come_back_without_anyone_being_restarted(project: Any) -> None:
    header, _ = keys_of(project, "secret")
    await project.database.kill9()
    assert (await who_asks(project, header)).status_code == 503
    await project.database.start()
    async with asyncio.timeout(30):
        while (await who_asks(project, header)).status_code != 200:  # noqa: ASYNC110  a server's recovery is asked for
            await asyncio.sleep(0.05)


async def test_postgrest_away_is_said_in_json_and_its_return_is_noticed(project: Any) -> None:
    header, _ = keys_of(project, "secret")
    await project.postgrest.kill9()
    answer = await who_asks(project, header)
    assert answer.status_code == 503
    assert "nothing answers" in answer.json()["message"]
    await project.postgrest.start()
    assert (await who_asks(project, header)).status_code == 200


async def test_paths_and_queries_reach_postgrest_as_they_were_sent(project: Any) -> None:
    header, _ = keys_of(project, "secret")
    for path in ("/rest/v1/no_such_table?a=eq.1", "/rest/v1/"):
        direct = await project.http.get(
            project.postgrest.url + path.removeprefix("/rest/v1"), headers=bearer(project.keys.service_token())
        )
        through = await project.http.get(path, headers=header)
        assert (through.status_code, through.content) == (direct.status_code, direct.content)
    for path in ("/rest/v1x/who_asks", "/other"):
        assert (await project.http.get(path, headers=header)).status_code == 404
