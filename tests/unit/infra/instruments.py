"""Prints the names of all that the functions measure, as Prometheus reads them, one a line. A process of its own: the
meter provider has to be there before what it measures is imported."""

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any

from opentelemetry import metrics

ENDINGS = {"create_histogram": ("_bucket", "_count", "_sum")}


class Noting(metrics.NoOpMeter):
    """Prints what is created."""

    def __getattribute__(self, attribute: str) -> Any:
        if not attribute.startswith("create_"):
            return super().__getattribute__(attribute)
        create = super().__getattribute__(attribute)

        def note(name: str, *given: Any, **named: Any) -> Any:
            _print(name, ENDINGS.get(attribute, ("",)))
            return create(name, *given, **named)

        return note


class Provider(metrics.NoOpMeterProvider):
    def get_meter(self, name: str, *_given: Any, **_named: Any) -> metrics.Meter:
        return Noting(name)


def _print(name: str, endings: Sequence[str]) -> None:
    for ending in endings:
        print(f"{name}{ending}")  # noqa: T201  this is what the process is for


if __name__ == "__main__":
    metrics.set_meter_provider(Provider())
    import functions
    import shared

    for package in (shared, functions):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
