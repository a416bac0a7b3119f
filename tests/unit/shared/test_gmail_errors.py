import json

import httpx
import pytest

from shared import errors
from shared.errors import PermanentError, TenthsError, TransientError
from shared.gmail.errors import from_answer


def answer(status: int, reason: str = "", method: str = "gmail.users.messages.get", **headers: str) -> TenthsError:
    body = json.dumps({"error": {"code": status, "errors": [{"reason": reason}]}}).encode()
    return from_answer(method, status, httpx.Headers({k.replace("_", "-"): v for k, v in headers.items()}), body)


@pytest.mark.parametrize(
    ("status", "reason", "method", "kind"),
    [
        (401, "authError", "gmail.users.messages.get", errors.AccessExpired),
        (403, "rateLimitExceeded", "gmail.users.messages.get", errors.OverQuota),
        (403, "userRateLimitExceeded", "gmail.users.messages.get", errors.OverQuota),
        (429, "", "gmail.users.messages.get", errors.OverQuota),
        (403, "insufficientPermissions", "gmail.users.messages.get", errors.AccessRevoked),
        (403, "accessNotConfigured", "gmail.users.messages.get", errors.AppRefused),
        (404, "", "gmail.users.messages.get", errors.AppRefused),
        (404, "", "gmail.users.history.list", errors.AppRefused),
        (403, "somethingNew", "gmail.users.messages.get", errors.GmailRefused),
        (404, "notFound", "gmail.users.messages.get", errors.MessageGone),
        (404, "notFound", "gmail.users.history.list", errors.HistoryExpired),
        (400, "invalidArgument", "gmail.users.history.list", errors.GmailRefused),
        (403, "", "gmail.users.history.list", errors.GmailUnavailable),
        (400, "", "gmail.users.messages.get", errors.GmailUnavailable),
        (500, "backendError", "gmail.users.messages.get", errors.GmailUnavailable),
        (503, "", "gmail.users.history.list", errors.GmailUnavailable),
        (302, "", "gmail.users.history.list", errors.GmailUnavailable),
    ],
)
def test_what_gmail_answers_has_its_name(status: int, reason: str, method: str, kind: type[TenthsError]) -> None:
    assert type(answer(status, reason, method)) is kind


def test_the_time_that_gmail_asks_to_wait_is_kept() -> None:
    refused = answer(429, retry_after="7")
    assert isinstance(refused, TransientError)
    assert refused.retry_after == 7.0


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{"errors":[]}}', b"\xff"])
def test_a_body_that_is_none_of_googles_has_a_name_all_the_same(body: bytes) -> None:
    for status in (400, 403, 500):
        assert type(from_answer("gmail.users.messages.get", status, httpx.Headers(), body)) is errors.GmailUnavailable


def test_no_part_of_an_answer_but_googles_own_word_gets_into_the_message() -> None:
    assert "dana" not in str(answer(400, "dana@firm.example said"))


def test_every_error_is_permanent_or_transient_and_has_a_code_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TenthsError)]
    leaves = [kind for kind in kinds if kind not in (TenthsError, PermanentError, TransientError, errors.SettingsError)]
    assert all(issubclass(kind, PermanentError) != issubclass(kind, TransientError) for kind in leaves)
    assert len({kind.code for kind in kinds}) == len(kinds)
    documented = errors.__doc__ or ""
    assert all(f"+- {kind.__name__} " in documented for kind in leaves)
