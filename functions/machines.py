"""Who may call a function that only machines call."""

import os
from functools import cache
from typing import TYPE_CHECKING

from starlette.requests import Request

from shared.settings import CallerSettings

if TYPE_CHECKING:
    from shared.machine_auth import MachineCallers


@cache
def callers() -> "MachineCallers":
    """The process's verifier, built when the first request comes."""
    from shared.wiring import machine_callers  # noqa: PLC0415  heavy, and only a process that is called needs it

    return machine_callers(CallerSettings.from_environ(os.environ))


async def verify(request: Request) -> None:
    """Raises NotAuthenticated unless Google vouches for the caller, or KeysUnavailable while that can't be told."""
    await callers().verify(request.headers.get("authorization"))
