"""What goes wrong, on demand: for the next calls and for the next pushes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from infra.local.gmail.errors import GmailError, bad_request
from infra.local.gmail.quota import rate_limit_exceeded, user_rate_limit_exceeded

# Endpoints that aren't methods of Gmail's: a refusal is theirs only when it is planned by this name.
BATCH = "batch"
TOKEN = "token"  # noqa: S105  # nosec
REVOKE = "revoke"


class CallFault(StrEnum):
    """What may happen to a call."""

    TOO_MANY = "429"
    FORBIDDEN = "403"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    TIMEOUT = "timeout"
    SLOW = "slow"
    MALFORMED = "malformed"
    RESET = "reset"


class PushFault(StrEnum):
    """What may happen to a push."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"


_REFUSALS: dict[CallFault, Callable[[int | None], GmailError]] = {
    CallFault.TOO_MANY: user_rate_limit_exceeded,
    CallFault.FORBIDDEN: rate_limit_exceeded,
    CallFault.INTERNAL: lambda wait: GmailError(500, "backendError", "Backend Error", retry_after_s=wait),
    CallFault.UNAVAILABLE: lambda wait: GmailError(
        503, "backendError", "The service is currently unavailable.", retry_after_s=wait
    ),
}


@dataclass(slots=True)
class PlannedFault:
    """One fault, for the next `count` calls, of `method` and `address` when given."""

    kind: CallFault
    count: int = 1
    method: str | None = None
    address: str | None = None
    delay_ms: int = 0
    retry_after_s: int | None = None

    def refusal(self) -> GmailError | None:
        """The answer that Gmail would give; None when the fault is one of the wire."""
        refuse = _REFUSALS.get(self.kind)
        return refuse(self.retry_after_s) if refuse else None


@dataclass(slots=True)
class PlannedPushFault:
    """One fault for the next `count` pushes; `delay_ms` is how late a delayed one goes out."""

    kind: PushFault
    count: int = 1
    delay_ms: int = 1_000


class Faults:
    """What is planned, oldest first. Each call and each push meets one at most; `met` counts them, calls' by method."""

    def __init__(self) -> None:
        self._calls: list[PlannedFault] = []
        self._pushes: list[PlannedPushFault] = []
        self.met: Counter[str] = Counter()
        self.history_lag_ms = 0

    def plan(self, fault: PlannedFault) -> None:
        """Adds a fault for calls. Raises GmailError when it could never happen."""
        if fault.count < 1:
            raise bad_request("count must be 1 or more")
        self._calls.append(fault)

    def plan_push(self, fault: PlannedPushFault) -> None:
        """Adds a fault for pushes. Raises GmailError when it could never happen."""
        if fault.count < 1:
            raise bad_request("count must be 1 or more")
        self._pushes.append(fault)

    def refuse(self, method: str, address: str) -> None:
        """Raises what is planned as Gmail's own answer to this call, alone or within a batch."""
        fault = self._take(method, address, wire=False, by_name=method in {BATCH, TOKEN, REVOKE})
        refusal = fault.refusal() if fault else None
        if refusal:
            raise refusal

    def on_wire(self, method: str, address: str) -> PlannedFault | None:
        """What is planned to happen to this call's connection or body."""
        return self._take(method, address, wire=True, by_name=method in {TOKEN, REVOKE})

    def on_push(self) -> PlannedPushFault | None:
        """What is planned to happen to the next push."""
        if not self._pushes:
            return None
        fault = self._pushes[0]
        self.met[f"push_{fault.kind}"] += 1
        fault.count -= 1
        if not fault.count:
            self._pushes.remove(fault)
        return fault

    def clear(self) -> None:
        """Everything goes well from now on."""
        self._calls.clear()
        self._pushes.clear()
        self.history_lag_ms = 0

    def pending(self) -> int:
        """How many calls and pushes are still to meet their fault."""
        return sum(fault.count for fault in self._calls) + sum(fault.count for fault in self._pushes)

    def _take(self, method: str, address: str, *, wire: bool, by_name: bool) -> PlannedFault | None:
        for fault in self._calls:
            if (
                (fault.kind not in _REFUSALS) == wire
                and (fault.method == method or (fault.method is None and not by_name))
                and fault.address in {None, address}
            ):
                self.met[f"{fault.kind} {method}"] += 1
                fault.count -= 1
                if not fault.count:
                    self._calls.remove(fault)
                return fault
        return None
