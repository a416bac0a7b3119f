"""Access tokens for mailboxes of a domain that lets the service account in, signed with a key or by IAM."""

import json
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from infra.local.gmail.service_account import ACCOUNT
from shared.errors import AccessRevoked, AppRefused, GmailUnavailable, OverQuota, SettingsError
from shared.gmail.access import AccessTokens
from shared.gmail.delegation import IamSigner, KeySigner, Signer
from shared.gmail.token_endpoint import revoke
from shared.tokens import TokenVault, delegated
from tests.integration.connecting.conftest import Google

DOMAIN = "delegated.example"
VAULT = TokenVault(SecretStr(Fernet.generate_key().decode()))


def _tokens(google: Google, signer: Signer | None) -> AccessTokens:
    secret = SecretStr(google.app.client_secret)
    return AccessTokens(google.http, VAULT, f"{google.url}/token", google.app.client_id, secret, signer=signer)


def _key(google: Google) -> KeySigner:
    return KeySigner(SecretStr(google.app.delegation_key))


def _iam(google: Google, account: str = ACCOUNT) -> IamSigner:
    return IamSigner(google.http, account, google.url, google.url)


@pytest.fixture
async def address(google: Google) -> AsyncIterator[str]:
    """A mailbox of a domain whose administrator lets us in."""
    await google.let_in(DOMAIN)
    made = await google.mailbox(f"{uuid4().hex}@{DOMAIN}")
    yield made["address"]
    await google.let_in()


async def _whose(google: Google, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await google.http.get(f"{google.url}/gmail/v1/users/me/profile", headers=headers)
    return str(answer.json()["emailAddress"])


@pytest.mark.parametrize("signer", [_key, _iam])
async def test_a_signed_assertion_opens_the_mailbox_that_it_names(
    google: Google, address: str, signer: Callable[[Google], Signer]
) -> None:
    token = await _tokens(google, signer(google)).token(VAULT.encrypt(delegated(address)))
    assert await _whose(google, token) == address


async def test_who_is_not_let_in_has_the_mailbox_marked(google: Google, address: str) -> None:
    tokens, encrypted = _tokens(google, _key(google)), VAULT.encrypt(delegated(address))
    await google.let_in("another.example")
    with pytest.raises(AccessRevoked):
        await tokens.token(encrypted)


async def test_a_person_who_has_left_has_the_mailbox_marked(google: Google, address: str) -> None:
    with pytest.raises(AccessRevoked):
        await _tokens(google, _key(google)).token(VAULT.encrypt(delegated(f"gone-{address}")))


async def test_a_key_that_was_deleted_marks_nobodys_mailbox(google: Google, address: str) -> None:
    other = json.loads(google.app.delegation_key) | {"private_key": _another_key()}
    with pytest.raises(AppRefused):
        await _tokens(google, KeySigner(SecretStr(json.dumps(other)))).token(VAULT.encrypt(delegated(address)))


def _another_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


async def test_an_account_that_we_may_not_sign_for_marks_nobodys_mailbox(google: Google, address: str) -> None:
    tokens = _tokens(google, _iam(google, "other@x.iam.gserviceaccount.com"))
    with pytest.raises(AppRefused):
        await tokens.token(VAULT.encrypt(delegated(address)))


async def test_without_a_service_account_a_delegated_mailbox_waits_for_one(google: Google, address: str) -> None:
    with pytest.raises(AppRefused):
        await _tokens(google, None).token(VAULT.encrypt(delegated(address)))


@pytest.mark.parametrize("key", ["", "{}", "not JSON", '{"client_email": "x"}'])
def test_a_key_that_is_none_is_refused_when_the_process_starts(key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        KeySigner(SecretStr(key))
    assert "DELEGATION_KEY" in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "error"), [("503", GmailUnavailable), ("429", OverQuota), ("reset", GmailUnavailable)]
)
async def test_a_permission_is_given_back_or_it_is_known_that_it_was_not(
    google: Google, kind: str, error: type[Exception]
) -> None:
    made = await google.mailbox(f"{uuid4().hex}@firm.example")
    await google.fault(kind, method="revoke")
    with pytest.raises(error):
        await revoke(google.http, f"{google.url}/revoke", made["refresh_token"])
    await revoke(google.http, f"{google.url}/revoke", made["refresh_token"])
    await revoke(google.http, f"{google.url}/revoke", made["refresh_token"])
    with pytest.raises(AccessRevoked):
        await _tokens(google, None).token(VAULT.encrypt(made["refresh_token"]))


async def test_an_endpoint_that_is_no_revocation_endpoint_gives_nothing_back(google: Google) -> None:
    with pytest.raises((AppRefused, GmailUnavailable)):
        await revoke(google.http, f"{google.url}/nowhere", "1//token")
