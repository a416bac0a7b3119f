import asyncio
import gc
import weakref

import pytest

from shared.breaker import Breaker
from shared.errors import AccessExpired, GmailUnavailable, MessageGone

LONG = 3600.0
SHORT = 0.02


class Api:
    """Fails as told, and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: BaseException | None = None

    async def ask(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "an answer"


def left_alone(rest: float) -> Exception:
    return GmailUnavailable("left alone", retry_after=rest)


def breaker(rest_seconds: float = LONG) -> Breaker:
    return Breaker("gmail", threshold=3, rest_seconds=rest_seconds, counts=(GmailUnavailable,), open_error=left_alone)


async def fail(breaker: Breaker, api: Api, error: BaseException, *, times: int) -> None:
    api.error = error
    for _ in range(times):
        with pytest.raises(type(error)):
            await breaker.call(api.ask)
    api.error = None


async def test_an_answer_is_handed_on() -> None:
    assert await breaker().call(Api().ask) == "an answer"


async def test_an_api_that_keeps_failing_is_not_asked_and_the_refusal_says_how_long() -> None:
    api, gmail = Api(), breaker()
    await fail(gmail, api, GmailUnavailable("503"), times=3)
    with pytest.raises(GmailUnavailable, match="left alone") as refused:
        await gmail.call(api.ask)
    assert (refused.value.retry_after, api.calls) == (LONG, 3)


async def test_what_is_spared_is_no_failure_though_its_kind_counts() -> None:
    api = Api()
    gmail = Breaker(
        "gmail",
        threshold=3,
        rest_seconds=LONG,
        counts=(GmailUnavailable,),
        spares=(AccessExpired,),
        open_error=left_alone,
    )
    await fail(gmail, api, AccessExpired("401"), times=5)
    assert await gmail.call(api.ask) == "an answer"


async def test_failures_that_are_not_in_a_row_do_not_open_it() -> None:
    api, gmail = Api(), breaker()
    for _ in range(5):
        await fail(gmail, api, GmailUnavailable("503"), times=2)
        assert await gmail.call(api.ask) == "an answer"


async def test_an_error_of_another_kind_says_that_the_api_answers() -> None:
    api, gmail = Api(), breaker()
    await fail(gmail, api, MessageGone("404"), times=10)
    for _ in range(5):
        await fail(gmail, api, GmailUnavailable("503"), times=2)
        await fail(gmail, api, MessageGone("404"), times=1)
    assert await gmail.call(api.ask) == "an answer"


async def test_a_caller_that_goes_away_neither_counts_as_a_failure_nor_hides_those_before() -> None:
    api, gmail = Api(), breaker()
    await fail(gmail, api, asyncio.CancelledError(), times=10)
    assert await gmail.call(api.ask) == "an answer"
    await fail(gmail, api, GmailUnavailable("503"), times=2)
    await fail(gmail, api, asyncio.CancelledError(), times=1)
    await fail(gmail, api, GmailUnavailable("503"), times=1)
    with pytest.raises(GmailUnavailable, match="left alone"):
        await gmail.call(api.ask)


async def test_after_its_rest_one_failure_opens_it_again_and_an_answer_closes_it() -> None:
    api, gmail = Api(), breaker(rest_seconds=SHORT)
    await fail(gmail, api, GmailUnavailable("503"), times=3)
    await rested(gmail)
    await fail(gmail, api, GmailUnavailable("503"), times=1)
    with pytest.raises(GmailUnavailable, match="left alone"):
        await gmail.call(api.ask)
    await rested(gmail)
    assert await gmail.call(api.ask) == "an answer"
    await fail(gmail, api, GmailUnavailable("503"), times=2)
    assert await gmail.call(api.ask) == "an answer"


async def rested(breaker: Breaker) -> None:
    """Until it lets a call through; that call is cancelled, which says nothing."""
    api = Api()
    api.error = asyncio.CancelledError()
    async with asyncio.timeout(10):
        while not api.calls:
            try:
                await breaker.call(api.ask)
            except GmailUnavailable:
                await asyncio.sleep(SHORT / 4)
            except asyncio.CancelledError:
                return


async def test_an_open_breaker_keeps_nothing_of_its_callers() -> None:
    class Mail:
        pass

    api, gmail = Api(), breaker()
    await fail(gmail, api, GmailUnavailable("503"), times=3)

    async def refused() -> weakref.ref[Mail]:
        mail = Mail()
        nothing: dict[Mail, str] = {}
        try:
            nothing[mail]
        except KeyError:
            with pytest.raises(GmailUnavailable):
                await gmail.call(api.ask)
        return weakref.ref(mail)

    mail = await refused()
    gc.collect()
    assert mail() is None
