"""A user's leave to show a language model words of their email: asked for anew right before anything is sent."""

from collections.abc import Awaitable, Callable

from shared.errors import TenthsError

# Raises LeaveTakenBack, or what keeps it from being known: then nothing is sent.
Leave = Callable[[], Awaitable[None]]


class LeaveTakenBack(TenthsError):
    """The user lets the model see less than what is about to be sent. Nothing has to be recorded of that."""

    code = "leave_taken_back"
