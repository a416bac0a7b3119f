"""Refusals, in the words that OpenAI uses for them."""

from collections.abc import Mapping
from typing import Any, Self

from starlette.responses import JSONResponse, Response


class OpenAiError(Exception):
    """A refusal of the API. `code` and `param` are what callers decide by."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"message": message, "type": kind, "param": param, "code": code}}
        self.headers = dict(headers or {})

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The same, with these headers besides."""
        self.headers |= headers
        return self

    def response(self) -> Response:
        """What goes over the wire."""
        return JSONResponse(self.body, self.status, headers=self.headers)


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> OpenAiError:
    """A request that the API can't take."""
    return OpenAiError(400, message, param=param, code=code)


def wrong_key() -> OpenAiError:
    """No key, or one that nobody was given."""
    return OpenAiError(401, "Incorrect API key provided.", code="invalid_api_key")


def no_such_model(name: str) -> OpenAiError:
    """A model that there is not."""
    return OpenAiError(
        404,
        f"The model `{name}` does not exist or you do not have access to it.",
        code="model_not_found",
        param="model",
    )


def too_many(what: str, retry_after_s: float | None) -> OpenAiError:
    """The limit of requests or tokens a minute is reached."""
    headers = {} if retry_after_s is None else {"retry-after": f"{retry_after_s:g}"}
    return OpenAiError(
        429, f"Rate limit reached on {what} per min.", kind=what, code="rate_limit_exceeded", headers=headers
    )


def nothing_left() -> OpenAiError:
    """Nobody pays for this any more."""
    return OpenAiError(429, "You exceeded your current quota.", kind="insufficient_quota", code="insufficient_quota")


def server_error(status: int) -> OpenAiError:
    """The API itself failed."""
    return OpenAiError(status, "The server had an error while processing your request.", kind="server_error")
