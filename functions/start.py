"""What happens once, when a function's process starts: settings are checked, logging is set up."""

import gc
import os
import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, TypeVar

import structlog

from shared import log
from shared.errors import SettingsError
from shared.settings import (
    AnalyzeEmailSettings,
    GmailPushSettings,
    MailboxSettings,
    MaintenanceSettings,
    MetricsSettings,
    MyDataSettings,
    RescanPageSettings,
    RescanSettings,
    Settings,
    ToolsSettings,
)
from shared.telemetry import Telemetry, set_up

SETTINGS: Final[Mapping[str, type[Settings]]] = MappingProxyType(
    {
        "gmail_push": GmailPushSettings,
        "analyze_email": AnalyzeEmailSettings,
        "tools": ToolsSettings,
        "rescans": RescanSettings,
        "rescan_page": RescanPageSettings,
        "mailbox": MailboxSettings,
        "maintenance": MaintenanceSettings,
        "my_data": MyDataSettings,
    }
)


# Emails of a scan are read in a thread. A thread that computes lets the others go on only so often, seconds: the usual
# 5 ms is as long as it takes to read one, and each step of a call of Gmail would wait that long.
SWITCH_SECONDS: Final = 0.0005

P = TypeVar("P")


def settled(parts: P) -> P:
    """The parts of a function, once they are built: what lives as long as the process, the collector passes over.

    Else each of its full rounds looks through the grammar and its weights, a tenth of a second.
    """
    gc.freeze()
    return parts


@cache
def telemetry() -> Telemetry | None:
    """Where this process's measurements go, set up when its first request comes: the one that prepares only forks.

    A function isn't to fail for what is measured of it: what is wrong with that is logged, once.
    """
    try:
        return set_up(MetricsSettings.from_environ(os.environ), os.environ.get("FUNCTION_TARGET", "none"))
    except Exception as error:  # noqa: BLE001  of any library
        structlog.get_logger().error("metrics.not_set_up", error=type(error).__name__, where=log.where(error))
        return None


def prepare(environ: Mapping[str, str]) -> None:
    """Set up the function that FUNCTION_TARGET names; without one (a test, a tool) there is nothing to set up.

    A missing or wrong setting ends the process with one line that names the variable.
    """
    target = environ.get("FUNCTION_TARGET")
    if target is None:
        return
    kind = SETTINGS.get(target)
    if kind is None:
        sys.exit(f"tenths: environment variable FUNCTION_TARGET is wrong: choose one of {', '.join(SETTINGS)}")
    try:
        settings = kind.from_environ(environ)
    except SettingsError as error:
        sys.exit(f"tenths: {target}: {error}")
    log.configure(settings.log_format)
    sys.setswitchinterval(SWITCH_SECONDS)
