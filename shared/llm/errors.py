"""The openai library's errors as ours: one table, most specific first. Imported only once the library is."""

from collections.abc import Mapping
from typing import Final

import openai

from shared.errors import ModelError, ModelMisconfigured, ModelOverLimit, ModelUnavailable, ModelUnusable

_NOTHING_LEFT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})

# (the library's error, OpenAI's codes for it or None for any, ours)
TABLE: Final[tuple[tuple[type[Exception], frozenset[str] | None, type[ModelError]], ...]] = (
    (openai.RateLimitError, _NOTHING_LEFT, ModelMisconfigured),
    (openai.RateLimitError, None, ModelOverLimit),
    (openai.AuthenticationError, None, ModelMisconfigured),
    (openai.PermissionDeniedError, None, ModelMisconfigured),
    (openai.NotFoundError, None, ModelMisconfigured),
    (openai.ConflictError, None, ModelUnavailable),
    (openai.InternalServerError, None, ModelUnavailable),
    # Our own request: such as a parameter or a schema that another server doesn't know.
    (openai.BadRequestError, frozenset({"content_filter"}), ModelUnusable),
    (openai.BadRequestError, None, ModelMisconfigured),
    (openai.UnprocessableEntityError, None, ModelMisconfigured),
    (openai.APIStatusError, None, ModelUnavailable),
    (openai.APITimeoutError, None, ModelUnavailable),
    (openai.APIConnectionError, None, ModelUnavailable),
    (openai.LengthFinishReasonError, None, ModelUnusable),
    (openai.ContentFilterFinishReasonError, None, ModelUnusable),
    (openai.APIResponseValidationError, None, ModelUnusable),
    (openai.OpenAIError, None, ModelUnavailable),
)


def from_openai(error: openai.OpenAIError) -> ModelError:
    """Ours for one of the library's: of its kind, status and code alone, since its message may quote the mail."""
    code = error.code if isinstance(error, openai.APIError) else None
    status = f" {error.status_code}" if isinstance(error, openai.APIStatusError) else ""
    known = code if code and code.isidentifier() else ""
    message = f"the model's API: {type(error).__name__}{status} {known}".rstrip()
    wait = _retry_after(error) if isinstance(error, openai.APIStatusError) else None
    for kind, codes, ours in TABLE:
        if isinstance(error, kind) and (codes is None or code in codes):
            return ours(message, retry_after=wait)
    return ModelUnavailable(message)


def headers_of(error: openai.OpenAIError) -> Mapping[str, str]:
    """The headers that a refusal came with."""
    return error.response.headers if isinstance(error, openai.APIStatusError) else {}


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds that an answer asks to wait, if it names them as a number."""
    headers = error.response.headers
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * scale
        except ValueError:
            continue
        if 0 <= seconds < 86_400:
            return seconds
    return None
