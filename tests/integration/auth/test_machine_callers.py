"""Only machines that Google vouches for, by name, may call what machines call."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import jwt
import pytest

from infra.local.gateway import Gateway
from infra.local.google_identity import PUSH_ACCOUNT, SCHEDULER_ACCOUNT, GoogleIdentity
from infra.local.ports import free_port
from infra.local.tokens import ProjectKeys
from shared.errors import KeysUnavailable, NotAuthenticated
from shared.machine_auth import MachineCallers

AUDIENCE = "https://region-project.cloudfunctions.net/gmail_push"

Forge = Callable[[GoogleIdentity], str]


@pytest.fixture(scope="module")
def google() -> GoogleIdentity:
    return GoogleIdentity.generate()


@pytest.fixture(scope="module")
async def published(google: GoogleIdentity, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("google")
    keys = ProjectKeys.generate(issuer="http://127.0.0.1/auth/v1")
    async with Gateway(folder, keys, rest_url="http://127.0.0.1:9", functions={}, identity=google) as gateway:
        yield gateway


@pytest.fixture
async def callers(published: Gateway) -> AsyncIterator[MachineCallers]:
    async with httpx.AsyncClient() as http:
        yield MachineCallers(http, published.google_keys_url, AUDIENCE, [PUSH_ACCOUNT])


async def test_the_account_that_pushes_is_known(callers: MachineCallers, google: GoogleIdentity) -> None:
    assert await callers.verify(f"Bearer {google.token(AUDIENCE, PUSH_ACCOUNT)}") == PUSH_ACCOUNT


def _with(**claims: Any) -> Forge:
    return lambda google: google.token(AUDIENCE, PUSH_ACCOUNT, **claims)


def _by_shared_secret(google: GoogleIdentity) -> str:
    """The published key taken for a secret that both sides know."""
    public = google.jwks()["keys"][0]["n"]
    claims = jwt.decode(google.token(AUDIENCE, PUSH_ACCOUNT), options={"verify_signature": False})
    return jwt.encode(claims, public, algorithm="HS256", headers={"kid": google.kid})


def _unsigned(google: GoogleIdentity) -> str:
    claims = jwt.decode(google.token(AUDIENCE, PUSH_ACCOUNT), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"kid": google.kid})


FORGED: dict[str, Forge] = {
    "meant for another function": lambda google: google.token(f"{AUDIENCE}_2", PUSH_ACCOUNT),
    "meant for several": _with(aud=["https://elsewhere.example"]),
    "of another account": lambda google: google.token(AUDIENCE, SCHEDULER_ACCOUNT),
    "of no account": _with(email=None),
    "of an address that nobody verified": _with(email_verified=False),
    "of one that says so in a string": _with(email_verified="true"),
    "of one that does not say": _with(email_verified=None),
    "of another issuer": _with(iss="https://accounts.google.example"),
    "past its time": lambda google: google.token(AUDIENCE, PUSH_ACCOUNT, good_for=-60),
    "without an end": _with(exp=None),
    "signed by another": lambda google: GoogleIdentity(google.kid, GoogleIdentity.generate().private_key).token(
        AUDIENCE, PUSH_ACCOUNT
    ),
    "signed with an unknown key": lambda _google: GoogleIdentity.generate().token(AUDIENCE, PUSH_ACCOUNT),
    "signed with the public key as a secret": _by_shared_secret,
    "not signed": _unsigned,
    "no token": lambda _google: "push",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
async def test_any_other_token_is_refused(callers: MachineCallers, google: GoogleIdentity, forge: Forge) -> None:
    with pytest.raises(NotAuthenticated):
        await callers.verify(f"Bearer {forge(google)}")


async def test_without_the_keys_nobody_is_refused_for_good(google: GoogleIdentity) -> None:
    async with httpx.AsyncClient() as http:
        callers = MachineCallers(http, f"http://127.0.0.1:{free_port()}/certs", AUDIENCE, [PUSH_ACCOUNT])
        with pytest.raises(KeysUnavailable):
            await callers.verify(f"Bearer {google.token(AUDIENCE, PUSH_ACCOUNT)}")


async def test_only_who_knows_the_way_of_pushes_gets_googles_signature(published: Gateway) -> None:
    async with httpx.AsyncClient() as http:
        for path in ("/_pubsub/x/gmail_push", "/_pubsub//gmail_push", "/_pubsub/gmail_push"):
            assert (await http.post(published.functions_url + path)).status_code == 404
        found = await http.post(published.push_endpoint("nothing"))
        assert found.json()["message"] == "no function is called 'nothing'"
