"""A mailbox is connected over Google's consent screen: by its owner, once, and into nobody else's account."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from tests.e2e.asking import problem
from tests.e2e.conftest import Running, until, work
from tests.e2e.mailboxes import RETURN_TO, Person, person, select
from tests.e2e.wire import When


@pytest.fixture
async def ines(running: Running) -> AsyncIterator[Person]:
    async with person(running.stack) as someone:
        yield someone


@pytest.fixture
async def mallory(running: Running) -> AsyncIterator[Person]:
    async with person(running.stack) as someone:
        yield someone


def _query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def _changed(url: str, **changes: str) -> str:
    return f"{url.partition('?')[0]}?{urlencode(_query(url) | changes)}"


async def _stored(running: Running, someone: Person) -> list[dict[str, object]]:
    return await select(
        running.stack,
        "select m.state::text, c.refresh_token_encrypted from public.mailboxes m"
        " join private.mailbox_credentials c on c.mailbox_id = m.id where m.user_id = $1",
        someone.user.id,
    )


async def test_google_is_asked_for_reading_mail_and_for_nothing_else(ines: Person) -> None:
    query = _query(await ines.consent_url())
    assert query["scope"] == "https://www.googleapis.com/auth/gmail.readonly"
    assert (query["access_type"], query["prompt"], query["include_granted_scopes"]) == ("offline", "consent", "false")
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert query["login_hint"] == ines.user.email
    assert query["redirect_uri"] == f"{ines.stack.gateway.functions_url}/mailbox/callback"


async def test_mail_sent_after_connecting_becomes_time_entries(running: Running, ines: Person) -> None:
    finished = await ines.finish(await ines.come_back())
    assert finished.status_code == 201
    [shown] = await ines.mailboxes()
    assert (shown["id"], shown["email_address"]) == (finished.json()["id"], ines.user.email)
    assert (shown["state"], shown["access"], shown["what_to_do"]) == ("connected", "oauth", None)
    assert shown["watch_expires_at"] is not None
    mailbox = await running.stack.connect(ines.user)  # once more: it stays the one mailbox that it was
    assert str(mailbox.id) == shown["id"]
    sent = await mailbox.send(work(18))
    rows = await until(
        lambda: select(running.stack, "select * from public.time_tracking_entries where user_id = $1", ines.user.id),
        bool,
    )
    assert [(row["email_id"], row["duration_minutes"]) for row in rows] == [(sent, 18)]


async def test_whoever_opens_the_link_of_somebody_else_has_nothing_connected(
    running: Running, ines: Person, mallory: Person
) -> None:
    # Mallory begins, and has Ines open the link and agree. Ines's browser brings what comes back to Ines's session.
    link = _changed(await mallory.consent_url(), login_hint=ines.user.email)
    passed = await ines.open_in_browser(link)
    refused = await ines.finish(passed)
    assert refused.status_code == 409
    assert "was not begun by you" in problem(refused)["detail"]
    assert await ines.mailboxes() == await mallory.mailboxes() == []
    assert await _stored(running, ines) == await _stored(running, mallory) == []


async def test_nothing_is_finished_without_a_users_token(ines: Person) -> None:
    passed = await ines.come_back()
    assert (
        await ines.browser.post(f"{ines.stack.gateway.functions_url}/mailbox/finish", json=passed)
    ).status_code == 401
    assert (await ines.finish(passed)).status_code == 201


async def test_what_came_back_can_be_used_once(ines: Person) -> None:
    passed = await ines.come_back()
    assert (await ines.finish(passed)).status_code == 201
    assert (await ines.finish(passed)).status_code == 409
    assert len(await ines.mailboxes()) == 1


async def test_of_two_that_finish_at_once_one_does(ines: Person) -> None:
    passed = await ines.come_back()
    answers = await asyncio.gather(*(ines.finish(passed) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert len(await ines.mailboxes()) == 1


async def test_a_callback_that_is_repeated_changes_nothing(ines: Person) -> None:
    at_google = await ines.browser.get(await ines.consent_url())
    backs = [await ines.browser.get(at_google.headers["location"]) for _ in range(2)]
    assert backs[0].headers["location"] == backs[1].headers["location"]
    assert await ines.mailboxes() == []
    assert (await ines.finish(dict(parse_qsl(urlsplit(backs[1].headers["location"]).fragment)))).status_code == 201


async def test_an_attempt_ends_after_ten_minutes(running: Running, ines: Person) -> None:
    passed = await ines.come_back()
    await select(
        running.stack,
        "update private.connection_attempts set expires_at = now() where user_id = $1 returning id",
        ines.user.id,
    )
    assert (await ines.finish(passed)).status_code == 409
    assert await ines.mailboxes() == []


@pytest.mark.parametrize("state", ["", "forged", "eyJhbGciOiJub25lIn0.eyJhdWQiOiJtYWlsYm94LWNhbGxiYWNrIn0."])
async def test_a_callback_with_a_state_of_nobodys_sends_nobody_anywhere(ines: Person, state: str) -> None:
    query = {"state": state, "code": "4/x", "return_to": "https://evil.example/"}
    answer = await ines.browser.get(f"{ines.stack.gateway.functions_url}/mailbox/callback", params=query)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert answer.headers["content-type"].startswith("text/html")
    assert (await ines.finish({"state": state or "x", "code": "4/x"})).status_code == 400


async def test_a_code_of_another_consent_does_not_fit(ines: Person, mallory: Person) -> None:
    # PKCE: the code belongs to the verifier of the attempt that it was asked with.
    passed, others = await ines.come_back(), await mallory.come_back()
    assert (await ines.finish({"state": passed["state"], "code": others["code"]})).status_code == 409
    assert await ines.mailboxes() == []


async def test_a_challenge_that_was_exchanged_on_the_way_connects_nothing(ines: Person) -> None:
    link = _changed(await ines.consent_url(), code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    refused = await ines.finish(await ines.open_in_browser(link))
    assert refused.status_code == 409
    assert await ines.mailboxes() == []


async def test_who_does_not_agree_is_sent_back_and_told(running: Running, ines: Person) -> None:
    await running.simulate(person="deny")
    try:
        assert await ines.come_back() == {"error": "access_denied"}
    finally:
        await running.simulate(person="agree")
    assert await ines.mailboxes() == []


async def test_who_unticks_reading_mail_is_told_to_tick_it(running: Running, ines: Person) -> None:
    await running.simulate(person="untick")
    try:
        refused = await ines.finish(await ines.come_back())
    finally:
        await running.simulate(person="agree")
    assert refused.status_code == 409
    assert "ticked" in problem(refused)["detail"]
    assert await _stored(running, ines) == []
    assert await ines.connect()


async def test_without_an_application_to_go_back_to_a_plain_page_says_what_is_left_to_do(ines: Person) -> None:
    begun = await ines.begin()
    at_google = await ines.browser.get(begun.json()["authorization_url"])
    page = await ines.browser.get(at_google.headers["location"])
    assert page.status_code == 200
    assert "not connected yet" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert await ines.mailboxes() == []


async def test_a_page_shows_what_came_in_its_address_as_text(ines: Person) -> None:
    begun = await ines.begin()
    state = _query(begun.json()["authorization_url"])["state"]
    query = {"state": state, "code": "</pre><script>alert(1)</script>"}
    page = await ines.browser.get(f"{ines.stack.gateway.functions_url}/mailbox/callback", params=query)
    assert "<script" not in page.text


@pytest.mark.parametrize(
    "return_to",
    ["https://evil.example/", "https://app.tenths.example@evil.example/", f"{RETURN_TO}#x", "//evil.example"],
)
async def test_nobody_is_sent_to_a_page_that_is_not_the_services(ines: Person, return_to: str) -> None:
    refused = await ines.begin(return_to=return_to)
    assert refused.status_code == 422
    assert [error["field"] for error in problem(refused)["errors"]] == ["return_to"]


async def test_a_mailbox_that_another_user_has_connected_stays_theirs_and_works(
    running: Running, ines: Person, mallory: Person
) -> None:
    mailbox_id = await ines.connect()
    refused = await mallory.finish(await mallory.come_back(login_hint=ines.user.email))
    assert refused.status_code == 409
    assert "another user" in problem(refused)["detail"]
    assert await mallory.mailboxes() == []
    mailbox = await running.stack.connect(ines.user)
    assert str(mailbox.id) == mailbox_id
    await running.fault("expire_access_tokens", address=ines.user.email)
    await mailbox.send(work(12))
    await until(lambda: _entries(running, ines), lambda rows: rows == [12])


async def _entries(running: Running, someone: Person) -> list[object]:
    query = "select duration_minutes from public.time_tracking_entries where user_id = $1"
    return [row["duration_minutes"] for row in await select(running.stack, query, someone.user.id)]


async def test_a_mailbox_that_gmail_does_not_watch_is_connected_and_its_user_is_told(
    running: Running, ines: Person
) -> None:
    await running.fault("500", method="watch", address=ines.user.email, count=3)
    finished = await ines.finish(await ines.come_back())
    assert (finished.status_code, finished.json()["watch_expires_at"]) == (201, None)
    assert "does not push" in finished.json()["said"]
    [shown] = await ines.mailboxes()
    assert (shown["state"], shown["watch_expires_at"]) == ("connected", None)
    assert "does not push" in shown["what_to_do"]


async def test_pushes_that_go_elsewhere_are_turned_here(running: Running, ines: Person) -> None:
    await running.fault("watch_elsewhere", address=ines.user.email)
    finished = await ines.finish(await ines.come_back())
    assert finished.json()["watch_expires_at"] is not None


STEPS = [
    pytest.param("gateway", b"/rpc/use_connection_attempt", id="uses-attempt"),
    pytest.param("gmail", b"POST /token", id="redeems-code"),
    pytest.param("gmail", b"/users/me/profile", id="asks-whose-it-is"),
    pytest.param("gateway", b"/rpc/connect_mailbox", id="stores"),
    pytest.param("gmail", b"/users/me/watch", id="watches"),
    pytest.param("gateway", b"/rpc/watch_started", id="notes-watch"),
]


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize(("part", "request_line"), STEPS)
async def test_a_kill_between_two_steps_leaves_nothing_that_keeps_one_from_connecting(
    running: Running, ines: Person, part: str, request_line: bytes, when: When
) -> None:
    passed = await ines.come_back()
    hold = running.wires["mailbox", part].hold(request_line, when)
    finishing = asyncio.create_task(ines.finish(passed))
    await hold.until_reached()
    await running.stack.functions["mailbox"].kill9()
    hold.release()
    with pytest.raises(httpx.HTTPError):
        (await finishing).raise_for_status()
    await until(lambda: _answers(ines), bool)
    mailbox = await running.stack.connect(ines.user)
    assert [(each["id"], each["state"]) for each in await ines.mailboxes()] == [(str(mailbox.id), "connected")]
    await mailbox.send(work(12))
    await until(lambda: _entries(running, ines), lambda rows: rows == [12])


async def _answers(someone: Person) -> bool:
    return (await someone.functions.get("/mailbox")).status_code == 200


async def test_tokens_lie_encrypted_and_are_in_no_log(running: Running, ines: Person) -> None:
    link = await ines.consent_url()
    passed = await ines.open_in_browser(link)
    [attempt] = await select(
        running.stack, "select verifier_encrypted from private.connection_attempts where user_id = $1", ines.user.id
    )
    assert attempt["verifier_encrypted"].startswith("gAAAA")
    assert (await ines.finish(passed)).status_code == 201
    [row] = await _stored(running, ines)
    assert str(row["refresh_token_encrypted"]).startswith("gAAAA")
    assert (await ines.finish(passed)).status_code == 409
    log = (running.stack.folder / "mailbox.log").read_text()
    hidden = [passed["code"], passed["state"], ines.user.email, ines.user.token, "1//", "ya29.", "4/"]
    assert [secret for secret in hidden if secret in log] == []
    assert "mailbox.connected" in log


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/mailbox"), ("POST", "/mailbox/connect"), ("POST", "/mailbox/delegate")]
)
async def test_nothing_is_answered_without_a_token(ines: Person, method: str, path: str) -> None:
    answer = await ines.browser.request(method, f"{ines.stack.gateway.functions_url}{path}")
    assert answer.status_code == 401


async def test_nobody_has_more_than_ten_consent_screens_open(running: Running, ines: Person) -> None:
    for _ in range(12):
        await ines.consent_url()
    rows = await select(running.stack, "select id from private.connection_attempts where user_id = $1", ines.user.id)
    assert len(rows) == 10
