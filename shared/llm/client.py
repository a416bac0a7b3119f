"""One client of an OpenAI-compatible API a process: turns, limits, deadline, retries and breaker around each call."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import stamina
import structlog
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_core import to_json

from shared import metrics
from shared.breaker import Breaker
from shared.errors import ModelMisconfigured, ModelOverLimit, ModelUnavailable, ModelUnusable
from shared.leave import Leave
from shared.llm.budget import tokens
from shared.llm.rate import Rate, RateLimits, Sending, Urgency

if TYPE_CHECKING:
    from openai import AsyncOpenAI

ATTEMPTS: Final = 3
LONGEST_WAIT_SECONDS: Final = 4.0
FAILURES_UNTIL_OPEN: Final = 5
MOMENT_SECONDS: Final = 0.05
# Of a deadline, so much is left for the answer: who waits for the limits until then has waited for long enough.
ANSWER_SECONDS: Final = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ModelApi:
    """Where the model is and how long to wait for it.

    `timeout_seconds` bounds one try, `deadline_seconds` a call with all its waits and tries. `calls_at_once`: those
    beyond wait their turn, within their deadline. `rest_seconds`: how long an API that keeps failing is left alone.
    """

    api_key: SecretStr
    base_url: str
    model: str
    timeout_seconds: float = 10.0
    deadline_seconds: float = 14.0
    calls_at_once: int = 10
    rest_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said, and the tokens that it took as the server counts them."""

    content: str
    prompt_tokens: int = 0
    output_tokens: int = 0


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _Message(_Part):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Part):
    message: _Message
    finish_reason: str | None = None


class _Usage(_Part):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Answer(_Part):
    """The parts of a chat completion that are used here, from whatever server."""

    choices: list[_Choice]
    usage: _Usage | None = None


class ChatClient:
    """Lives with the process. The library is loaded, and the connection made, with the first call.

    rate: what keeps all calls of this process within the account's limits. urgency: who waits for this client's.
    """

    def __init__(self, api: ModelApi, rate: Rate | None = None, urgency: Urgency = "sent") -> None:
        self.api = api
        self._rate = rate or Rate(RateLimits())
        self._urgency = urgency
        self._turns = asyncio.Semaphore(api.calls_at_once)
        # Only what says that the API itself is ill counts: not that it is busy, or the answer no good, nor a caller who
        # goes away.
        self._breaker = Breaker(
            "model",
            threshold=FAILURES_UNTIL_OPEN,
            rest_seconds=api.rest_seconds,
            counts=(ModelUnavailable, ModelMisconfigured),
            open_error=lambda rest: ModelUnavailable("left alone, after too many failures", retry_after=rest),
        )

    async def complete(
        self,
        messages: Iterable[dict[str, str]],
        *,
        response_format: dict[str, Any],
        output_tokens: int,
        leave: Leave | None = None,
    ) -> Completion:
        """Ask once, as often as it takes within the deadline. Raises ModelError's kinds.

        leave: awaited right before each try is sent; what it raises ends the call.
        """
        request: dict[str, Any] = {
            "model": self.api.model,
            "messages": list(messages),
            "response_format": response_format,
            "max_completion_tokens": output_tokens,
        }
        try:
            async with asyncio.timeout(self.api.deadline_seconds) as deadline, self._turns:
                ends = deadline.when() or 0.0
                _ = self._openai  # a turn isn't kept while a library is loaded
                async for attempt in stamina.retry_context(
                    on=lambda error: _wait(error, ends - asyncio.get_running_loop().time()),
                    attempts=ATTEMPTS,
                    timeout=None,
                    wait_initial=0.2,
                    wait_max=LONGEST_WAIT_SECONDS,
                    wait_jitter=0.3,
                ):
                    # Outside of the attempt and of the breaker: what ends the wait is nothing that the API did.
                    sending = await self._rate.send(
                        tokens_of(request),
                        self._urgency,
                        until=ends - min(ANSWER_SECONDS, self.api.deadline_seconds / 2),
                        leave=leave,
                    )
                    with attempt, sending, metrics.model_call("judge"):
                        return await self._breaker.call(partial(self._ask, request, ends, sending))
        except TimeoutError:
            raise ModelUnavailable(f"no answer within {self.api.deadline_seconds:g} s") from None
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._rate.aclose()
        if "_openai" in vars(self):
            await self._openai.close()

    async def _ask(self, request: dict[str, Any], ends: float, sending: Sending) -> Completion:
        """One try. `ends`: the call's deadline, in the event loop's time. Raises ModelError's kinds."""
        client = self._openai
        from openai import OpenAIError  # noqa: PLC0415  0.8 s, loaded by the line above

        from shared.llm.errors import from_openai, headers_of  # noqa: PLC0415  the same

        begun = time.monotonic()
        # The library's own timeout bounds each read, not the whole. A try that the call's deadline cuts off hung, too:
        # it ends a moment before, or it would look like a caller who goes away.
        until = min(asyncio.get_running_loop().time() + self.api.timeout_seconds, ends - MOMENT_SECONDS)
        try:
            async with asyncio.timeout_at(until):
                raw = await client.chat.completions.with_raw_response.create(**request)
                body = raw.content
        except OpenAIError as error:
            refusal = from_openai(error)
            sending.refused(refusal, headers_of(error))
            raise refusal from error
        except TimeoutError as error:
            raise ModelUnavailable(f"no answer within {time.monotonic() - begun:.1f} s") from error
        sending.answered(raw.headers)
        completion = _completion(body)
        metrics.model_used(completion.prompt_tokens, completion.output_tokens)
        log.info(
            "model.answered",
            seconds=round(time.monotonic() - begun, 3),
            prompt_tokens=completion.prompt_tokens,
            output_tokens=completion.output_tokens,
            remaining_requests=raw.headers.get("x-ratelimit-remaining-requests"),
            remaining_tokens=raw.headers.get("x-ratelimit-remaining-tokens"),
        )
        return completion

    @cached_property
    def _openai(self) -> "AsyncOpenAI":
        from openai import AsyncOpenAI  # noqa: PLC0415  0.8 s that only those need who ask a model

        return AsyncOpenAI(
            api_key=self.api.api_key.get_secret_value(),
            base_url=self.api.base_url,
            timeout=self.api.timeout_seconds,
            max_retries=0,  # ours know the deadline
        )


def tokens_of(request: dict[str, Any]) -> int:
    """What a call counts for in the API's limit of tokens: all that is sent, and the longest answer to it."""
    return tokens(to_json(request).decode()) + int(request["max_completion_tokens"])


def _wait(error: Exception, left: float) -> bool | float:
    """Whether to try again, after how many seconds where the server names them; `left`: seconds to the deadline."""
    if not isinstance(error, ModelUnavailable | ModelOverLimit) or left <= 0:
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after < left else False


def _completion(body: bytes) -> Completion:
    """What the answer says. Raises ModelUnusable where it says nothing, or not all."""
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise ModelUnusable(f"no chat completion: {error.error_count()} errors") from None
    if not answer.choices:
        raise ModelUnusable("no choices")
    [choice, *_] = answer.choices
    if choice.message.refusal:
        raise ModelUnusable("the model refused")
    if choice.finish_reason in {"length", "content_filter"}:
        raise ModelUnusable(f"cut off: {choice.finish_reason}")
    if not choice.message.content:
        raise ModelUnusable("no content")
    usage = answer.usage or _Usage()
    return Completion(choice.message.content, usage.prompt_tokens, usage.completion_tokens)
