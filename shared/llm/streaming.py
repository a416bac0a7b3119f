"""A conversation with the model, word by word: turns, limits, deadline, retries before the first word, silence."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, Literal

import stamina
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from shared import metrics
from shared.breaker import Breaker
from shared.errors import ModelMisconfigured, ModelOverLimit, ModelUnavailable, ModelUnusable
from shared.leave import Leave
from shared.llm.client import (
    ANSWER_SECONDS,
    ATTEMPTS,
    FAILURES_UNTIL_OPEN,
    LONGEST_WAIT_SECONDS,
    ModelApi,
    tokens_of,
)
from shared.llm.rate import Rate, RateLimits, Sending

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

# Somebody sits before the screen: a server that asks for more is taken at its word, and they are told.
PATIENCE_SECONDS: Final = 10.0
# What may still come once the model has said that it ended: the count of tokens.
AFTERWORD_SECONDS: Final = 2.0
ToolChoice = Literal["auto", "none"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one answer. `silence_seconds`: until a try's first chunk, and between two; `deadline_seconds`: all of it."""

    output_tokens: int
    silence_seconds: float
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some more words."""

    text: str


@dataclass(frozen=True, slots=True)
class CallPiece:
    """Some more of a tool call: the first piece has id and name, the others more of the arguments' JSON text.

    `index`: which of the answer's calls it belongs to, as the server numbers them.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str


Delta = TextPiece | CallPiece


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", from_attributes=True, hide_input_in_errors=True)


class _Function(_Part):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(_Part):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(_Part):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(_Part):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Usage(_Part):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(_Part):
    """The parts of a chunk that are used here, from whatever server."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class ChatModel:
    """Lives with the process. The library is loaded, and the connection made, with the first answer.

    Of `api`, the two bounds in seconds are for single questions: those of an answer come with it. rate: what keeps all
    calls of this process within the account's limits.
    """

    def __init__(self, api: ModelApi, rate: Rate | None = None) -> None:
        self.api = api
        self._rate = rate or Rate(RateLimits())
        self._turns = asyncio.Semaphore(api.calls_at_once)
        # Only what says that the API itself is ill counts: not that it is busy, nor a reader who goes away.
        self._breaker = Breaker(
            "model",
            threshold=FAILURES_UNTIL_OPEN,
            rest_seconds=api.rest_seconds,
            counts=(ModelUnavailable, ModelMisconfigured),
            open_error=lambda rest: ModelUnavailable("left alone, after too many failures", retry_after=rest),
        )

    async def stream(
        self,
        messages: Sequence[dict[str, Any]],
        *,
        tools: Sequence[dict[str, Any]],
        tool_choice: ToolChoice,
        bounds: Bounds,
        leave: Leave | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """One answer, to its end. Raises ModelError's kinds, also in the middle. Close it to stop the model.

        leave: awaited right before each try is sent; what it raises ends the call.
        """
        ends = asyncio.get_running_loop().time() + bounds.deadline_seconds
        request: dict[str, Any] = {
            "model": self.api.model,
            "messages": list(messages),
            "max_completion_tokens": bounds.output_tokens,
            "stream_options": {"include_usage": True},
        }
        if tools:
            request |= {"tools": list(tools), "tool_choice": tool_choice, "parallel_tool_calls": True}
        try:
            async with asyncio.timeout_at(ends):
                await self._turns.acquire()
        except TimeoutError:
            raise ModelUnavailable(f"no turn within {bounds.deadline_seconds:g} s") from None
        try:
            try:
                async with asyncio.timeout_at(ends):
                    answer = await self._begin(request, bounds, ends, leave)
            except TimeoutError:
                raise ModelUnavailable(f"no answer within {bounds.deadline_seconds:g} s") from None
            try:
                while (pieces := await answer.next()) is not None:
                    for piece in pieces:
                        yield piece
            finally:
                await answer.close()
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._rate.aclose()
        if "_openai" in vars(self):
            await self._openai.close()

    async def _begin(self, request: dict[str, Any], bounds: Bounds, ends: float, leave: Leave | None) -> "_Answer":
        """The answer with its first chunk: until then nothing is lost by another try."""
        clock = asyncio.get_running_loop().time
        _ = self._openai  # a turn isn't kept while a library is loaded
        until = min(clock() + PATIENCE_SECONDS, ends - min(ANSWER_SECONDS, bounds.deadline_seconds / 2))
        async for attempt in stamina.retry_context(
            on=lambda error: _wait(error, ends - clock()),
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=0.2,
            wait_max=LONGEST_WAIT_SECONDS,
            wait_jitter=0.3,
        ):
            # Outside of the attempt and of the breaker: what ends the wait is nothing that the API did.
            sending = await self._rate.send(tokens_of(request), "person", until=until, leave=leave)
            with attempt, sending, metrics.model_call("chat"):
                return await self._breaker.call(partial(self._open, request, bounds, ends, sending))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _open(self, request: dict[str, Any], bounds: Bounds, ends: float, sending: Sending) -> "_Answer":
        """One try. Raises ModelError's kinds."""
        client = self._openai
        from openai import OpenAIError  # noqa: PLC0415  0.8 s, loaded by the line above

        from shared.llm.errors import from_openai, headers_of  # noqa: PLC0415  the same

        begun = time.monotonic()
        until = min(asyncio.get_running_loop().time() + bounds.silence_seconds, ends)
        try:
            async with asyncio.timeout_at(until):
                chunks = await client.chat.completions.create(**request, stream=True)
        except OpenAIError as error:
            refusal = from_openai(error)
            sending.refused(refusal, headers_of(error))
            raise refusal from error
        except TimeoutError as error:
            raise ModelUnavailable(f"no answer within {bounds.silence_seconds:g} s") from error
        sending.answered(chunks.response.headers)
        answer = _Answer(chunks, bounds.silence_seconds, ends, begun)
        try:
            await answer.read_first(until)
        except BaseException:
            await answer.close()
            raise
        return answer

    @cached_property
    def _openai(self) -> "AsyncOpenAI":
        from openai import AsyncOpenAI  # noqa: PLC0415  0.8 s that only those need who ask a model

        return AsyncOpenAI(
            api_key=self.api.api_key.get_secret_value(),
            base_url=self.api.base_url,
            timeout=None,  # ours bound each wait, also where a server goes on sending what is no chunk
            max_retries=0,  # ours know the deadline
        )


class _Answer:
    """A stream under way. `ends`: the loop's time by which it has to be over; `begun`: when it was asked for."""

    def __init__(
        self, chunks: "AsyncStream[ChatCompletionChunk]", silence_seconds: float, ends: float, begun: float
    ) -> None:
        self._chunks = chunks
        self._silence_seconds = silence_seconds
        self._ends = ends
        self._begun = begun
        self._first: _Chunk | None = None
        self._first_seconds: float | None = None
        self._finish: str | None = None
        self._usage = _Usage()

    async def read_first(self, until: float) -> None:
        """Wait for the first chunk. Raises ModelUnusable where there is none."""
        self._first = await self._read(until)
        if self._first is None:
            raise ModelUnusable("no chat completion: nothing was streamed")
        self._first_seconds = time.monotonic() - self._begun

    async def next(self) -> list[Delta] | None:
        """What the next chunk says, perhaps nothing; None at the end. Raises ModelUnusable where that is no end."""
        chunk, self._first = self._first, None
        if chunk is None:
            chunk = await self._next_chunk()
        if chunk is None:
            if self._finish is None:
                raise ModelUnusable("the stream ended before the answer did")
            if self._finish in {"length", "content_filter"}:
                raise ModelUnusable(f"cut off: {self._finish}")
            return None
        self._usage = chunk.usage or self._usage
        if not chunk.choices:
            return []
        [choice, *_] = chunk.choices
        self._finish = choice.finish_reason or self._finish
        return _pieces(choice.delta) if choice.delta else []

    async def close(self) -> None:
        """Hang up, and log what it took."""
        headers = self._chunks.response.headers
        metrics.model_used(self._usage.prompt_tokens, self._usage.completion_tokens)
        log.info(
            "model.streamed",
            finish=self._finish,
            seconds=round(time.monotonic() - self._begun, 3),
            first_seconds=None if self._first_seconds is None else round(self._first_seconds, 3),
            prompt_tokens=self._usage.prompt_tokens,
            output_tokens=self._usage.completion_tokens,
            remaining_requests=headers.get("x-ratelimit-remaining-requests"),
            remaining_tokens=headers.get("x-ratelimit-remaining-tokens"),
        )
        await self._chunks.close()

    async def _next_chunk(self) -> _Chunk | None:
        now = asyncio.get_running_loop().time()
        if self._finish is None:
            return await self._read(min(now + self._silence_seconds, self._ends))
        try:
            return await self._read(min(now + AFTERWORD_SECONDS, self._ends))
        except (ModelUnavailable, ModelUnusable):
            return None  # the answer is whole; only its count of tokens is missing

    async def _read(self, until: float) -> _Chunk | None:
        from openai import OpenAIError  # noqa: PLC0415  loaded long ago

        from shared.llm.errors import from_openai  # noqa: PLC0415  the same

        try:
            async with asyncio.timeout_at(until):
                chunk = await anext(self._chunks, None)
            return None if chunk is None else _Chunk.model_validate(chunk)
        except OpenAIError as error:
            raise from_openai(error) from error
        except TimeoutError as error:
            raise ModelUnavailable("silent for too long") from error
        except ValidationError as error:
            raise ModelUnusable(f"no chunk of a chat completion: {error.error_count()} errors") from None
        except ValueError as error:
            raise ModelUnusable(f"a chunk that is no JSON: {type(error).__name__}") from None


def _pieces(delta: _Delta) -> list[Delta]:
    words = _clean((delta.content or "") + (delta.refusal or ""))
    calls = [
        CallPiece(
            call.index or 0,
            _clean(call.id) if call.id else None,
            _clean(call.function.name) if call.function and call.function.name else None,
            _clean(call.function.arguments or "") if call.function else "",
        )
        for call in delta.tool_calls or []
    ]
    return [*([TextPiece(words)] if words else []), *calls]


def _clean(text: str) -> str:
    """Without half characters, which no encoder takes."""
    return text.encode("utf-8", "replace").decode()


def _wait(error: Exception, left: float) -> bool | float:
    """Whether to try again, after how many seconds where the server names them; `left`: seconds to the deadline."""
    if not isinstance(error, ModelUnavailable | ModelOverLimit) or left <= 0:
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after < min(left, PATIENCE_SECONDS) else False
