"""Who gets in: tokens, their ends, their mailboxes, their scopes."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

from tests.integration.gmail_simulator.caller import Mailbox, letter, raw
from tests.integration.gmail_simulator.process import Process

VERIFIER = "a-verifier-of-at-least-forty-three-characters-0"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
# Of nobody whom the simulator knows.
KEY = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
BACK = "https://app.example/mailbox/callback?firm=7"


def exchange(mailbox: Mailbox, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": mailbox.refresh_token,
        "client_id": mailbox.client_id,
        "client_secret": mailbox.client_secret,
    }
    return mailbox.http.post("token", data=form | changed)


def profile(mailbox: Mailbox, token: str | None, user: str = "me") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return mailbox.http.get(f"gmail/v1/users/{user}/profile", headers=headers)


def test_a_refresh_token_gives_a_read_only_access_token_for_an_hour(mailbox: Mailbox) -> None:
    answer = exchange(mailbox).raise_for_status().json()
    assert set(answer) == {"access_token", "expires_in", "scope", "token_type"}
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")
    assert answer["scope"] == "https://www.googleapis.com/auth/gmail.readonly"
    assert profile(mailbox, answer["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("changed", "code", "error"),
    [
        ({"refresh_token": "1//unknown"}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_exchange_is_refused_in_the_words_of_oauth(
    mailbox: Mailbox, changed: dict[str, str], code: int, error: str
) -> None:
    answer = exchange(mailbox, **changed)
    assert (answer.status_code, answer.json()["error"]) == (code, error)


def test_two_mailboxes_share_the_apps_client(simulator: Process, mailbox: Mailbox) -> None:
    other = simulator.mailbox("another@example.com")
    assert (mailbox.client_id, mailbox.client_secret) == (other.client_id, other.client_secret)


def test_after_consent_is_withdrawn_nothing_the_app_holds_works(simulator: Process, mailbox: Mailbox) -> None:
    token = mailbox.access_token()
    simulator.fault("revoke_token", address=mailbox.address)
    assert profile(mailbox, token).status_code == 401
    assert exchange(mailbox).json()["error"] == "invalid_grant"
    with pytest.raises(RefreshError, match="invalid_grant"):
        mailbox.history_id()
    mailbox.send()


def test_a_token_may_be_given_back(mailbox: Mailbox) -> None:
    token = mailbox.access_token()
    assert mailbox.http.post("revoke", data={"token": token}).status_code == 200
    assert profile(mailbox, token).status_code == 401
    assert exchange(mailbox).json()["error"] == "invalid_grant"
    assert mailbox.http.post("revoke", data={"token": token}).json()["error"] == "invalid_token"


def test_consent_given_again_opens_the_mailbox_again(simulator: Process, mailbox: Mailbox) -> None:
    simulator.fault("revoke_token", address=mailbox.address)
    assert simulator.mailbox(mailbox.address).history_id()


def test_an_expired_access_token_is_401_and_googles_client_gets_another(simulator: Process, mailbox: Mailbox) -> None:
    token = mailbox.access_token()
    mailbox.history_id()
    simulator.fault("expire_access_tokens", address=mailbox.address)
    refused = profile(mailbox, token)
    assert refused.status_code == 401
    assert refused.json()["error"]["status"] == "UNAUTHENTICATED"
    assert refused.json()["error"]["errors"][0]["reason"] == "authError"
    assert mailbox.history_id()


def test_access_tokens_live_as_long_as_they_are_told_to(simulator: Process, mailbox: Mailbox) -> None:
    simulator.settings(token_lifetime_s=0)
    assert profile(mailbox, mailbox.access_token()).status_code == 401


@pytest.mark.parametrize("token", [None, "", "ya29.unknown"])
def test_no_token_or_an_unknown_one_is_401(mailbox: Mailbox, token: str | None) -> None:
    assert profile(mailbox, token).status_code == 401


def test_a_mailbox_is_called_me_or_by_its_address_and_no_other(simulator: Process, mailbox: Mailbox) -> None:
    token = mailbox.access_token()
    simulator.mailbox("not.mine@example.com")
    assert profile(mailbox, token, mailbox.address.upper()).status_code == 200
    refused = profile(mailbox, token, "not.mine@example.com")
    assert (refused.status_code, refused.json()["error"]["errors"][0]["reason"]) == (403, "forbidden")


def _calls_that_write(gmail: Any) -> list[Any]:
    users, message = gmail.users(), raw(letter())
    messages, drafts = users.messages(), users.drafts()
    return [
        messages.send(userId="me", body=message),
        messages.insert(userId="me", body=message),
        messages.import_(userId="me", body=message),
        messages.modify(userId="me", id="1", body={}),
        messages.batchModify(userId="me", body={}),
        messages.batchDelete(userId="me", body={}),
        messages.trash(userId="me", id="1"),
        messages.untrash(userId="me", id="1"),
        messages.delete(userId="me", id="1"),
        drafts.create(userId="me", body={"message": message}),
        drafts.update(userId="me", id="r1", body={"message": message}),
        drafts.send(userId="me", body={"id": "r1"}),
        drafts.delete(userId="me", id="r1"),
        users.labels().create(userId="me", body={"name": "x"}),
    ]


def test_a_read_only_token_changes_nothing(mailbox: Mailbox) -> None:
    for call in _calls_that_write(mailbox.app):
        with pytest.raises(HttpError) as refused:
            call.execute()
        assert refused.value.status_code == 403, call.methodId
        assert b"insufficientPermissions" in refused.value.content


def test_a_path_that_is_no_method_is_404(mailbox: Mailbox) -> None:
    for path in ("users/me/settings", "users/me/messages/1/2", "nobody"):
        assert mailbox.http.get(f"gmail/v1/{path}").status_code == 404


def consent(mailbox: Mailbox, **changed: str) -> httpx.Response:
    query = {
        "client_id": mailbox.client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "https://www.googleapis.com/auth/gmail.readonly",
        "access_type": "offline",
        "prompt": "consent",
        "state": "opaque",
        "login_hint": mailbox.address,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return mailbox.http.get("o/oauth2/v2/auth", params=query | changed)


def sent_back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(BACK)
    return dict(httpx.URL(answer.headers["location"]).params)


def redeem(mailbox: Mailbox, code: str, **changed: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return exchange(mailbox, **form | changed)


def test_consent_gives_a_code_that_is_good_once_for_a_refresh_token(mailbox: Mailbox) -> None:
    back = sent_back(consent(mailbox))
    assert (back["state"], back["firm"]) == ("opaque", "7")
    answer = redeem(mailbox, back["code"]).raise_for_status().json()
    assert profile(mailbox, answer["access_token"]).json()["emailAddress"] == mailbox.address
    assert exchange(mailbox, refresh_token=answer["refresh_token"]).status_code == 200
    assert redeem(mailbox, back["code"]).json()["error"] == "invalid_grant"


def test_without_offline_access_there_is_no_refresh_token(mailbox: Mailbox) -> None:
    code = sent_back(consent(mailbox, access_type="online"))["code"]
    assert "refresh_token" not in redeem(mailbox, code).raise_for_status().json()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code": "4/unknown"}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri_mismatch"),
        ({"code_verifier": "guessed"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
)
def test_a_code_is_good_only_for_who_asked_for_it(mailbox: Mailbox, changed: dict[str, str], error: str) -> None:
    code = sent_back(consent(mailbox))["code"]
    assert redeem(mailbox, **{"code": code} | changed).json()["error"] == error


def test_a_person_who_has_no_mailbox_here_says_no(mailbox: Mailbox) -> None:
    back = sent_back(consent(mailbox, login_hint="nobody.here@example.com"))
    assert (back["error"], back["state"], "code" in back) == ("access_denied", "opaque", False)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "other"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"scope": "https://mail.google.com/"},
        {"code_challenge_method": "plain"},
    ],
)
def test_a_wrong_request_for_consent_sends_nobody_anywhere(mailbox: Mailbox, changed: dict[str, str]) -> None:
    assert consent(mailbox, **changed).status_code in {400, 401}


def test_giving_back_one_permission_ends_all_that_the_app_has_for_the_mailbox(
    simulator: Process, mailbox: Mailbox
) -> None:
    second = simulator.mailbox(mailbox.address)
    assert mailbox.http.post("revoke", data={"token": second.refresh_token}).status_code == 200
    assert exchange(mailbox).json()["error"] == "invalid_grant"


def test_who_has_agreed_before_gives_another_refresh_token_only_when_asked_for_consent(mailbox: Mailbox) -> None:
    code = sent_back(consent(mailbox, prompt="select_account"))["code"]
    assert "refresh_token" not in redeem(mailbox, code).raise_for_status().json()


def test_a_person_may_say_no_or_untick_what_was_asked(simulator: Process, mailbox: Mailbox) -> None:
    simulator.settings(person="deny")
    assert sent_back(consent(mailbox))["error"] == "access_denied"
    simulator.settings(person="untick")
    code = sent_back(consent(mailbox))["code"]
    assert redeem(mailbox, code).json()["scope"] == "openid"


@pytest.fixture
def delegate(simulator: Process) -> Iterator[Mailbox]:
    """A mailbox of a domain whose administrator lets the service account in."""
    simulator.sim("PUT", "delegation", {"domains": ["delegated.example"]})
    yield simulator.mailbox(f"{uuid4().hex}@delegated.example")
    simulator.sim("PUT", "delegation", {"domains": []})


def _assertion(simulator: Process, sub: str, key: str | None = None, **claims: Any) -> dict[str, str]:
    account = json.loads(simulator.sim("GET", "app")["delegation_key"])
    now = int(time.time())
    said = {
        "iss": account["client_email"],
        "sub": sub,
        "aud": f"{simulator.url}/token",
        "scope": "https://www.googleapis.com/auth/gmail.readonly",
        "iat": now,
        "exp": now + 3_600,
        **claims,
    }
    signed = jwt.encode(said, key or account["private_key"], "RS256")
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}


def test_a_service_account_that_is_let_in_reads_the_mailboxes_of_the_domain(
    simulator: Process, delegate: Mailbox
) -> None:
    answer = delegate.http.post("token", data=_assertion(simulator, delegate.address)).raise_for_status().json()
    assert set(answer) == {"access_token", "expires_in", "token_type"}
    assert profile(delegate, answer["access_token"]).json()["emailAddress"] == delegate.address
    refused = delegate.http.post(
        "gmail/v1/users/me/labels",
        json={"name": "x"},
        headers={"Authorization": f"Bearer {answer['access_token']}"},
    )
    assert refused.status_code == 403
    simulator.sim("PUT", "delegation", {"domains": []})
    assert profile(delegate, answer["access_token"]).status_code == 401


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"sub": "x@elsewhere.example"}, "unauthorized_client", "unauthorized"),
        ({"scope": "https://mail.google.com/"}, "unauthorized_client", "scopes"),
        ({"sub": "nobody@delegated.example"}, "invalid_grant", "Invalid email or User ID"),
        ({"iss": "other@tenths-local.iam.gserviceaccount.com"}, "invalid_grant", "account not found"),
        ({"aud": "https://oauth2.example/token"}, "invalid_grant", "Invalid JWT"),
        ({"exp": 1_000}, "invalid_grant", "Invalid JWT"),
        ({"exp": 9_999_999_999}, "invalid_grant", "short-lived"),
        ({"key": KEY}, "invalid_grant", "Invalid JWT Signature"),
    ],
)
def test_an_assertion_is_taken_only_whole(
    simulator: Process, delegate: Mailbox, changed: dict[str, Any], error: str, words: str
) -> None:
    form = _assertion(simulator, **{"sub": delegate.address, **changed})
    answer = delegate.http.post("token", data=form)
    assert answer.status_code in {400, 401}
    assert answer.json()["error"] == error
    assert words in answer.json()["error_description"]
