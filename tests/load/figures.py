"""Percentiles, and what was seen over HTTP by endpoint."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least of these, in ascending order, that at least such a share (0 to 1) of them doesn't pass."""
    return ordered[max(math.ceil(len(ordered) * share) - 1, 0)]


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """`count`, p50, p95, p99 and `max`; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    named = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {"count": len(ordered)} | {name: round(percentile(ordered, share), 1) for name, share in named.items()}


def by_endpoint(requests: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Milliseconds, and how many failed, of each endpoint. Failed requests have their time counted, too."""
    named = defaultdict(list)
    for request in requests:
        named[request["name"]].append(request)
    return {
        name: {**(spread(each["ms"] for each in those) or {}), "errors": sum(bool(each["error"]) for each in those)}
        for name, those in sorted(named.items())
    }
