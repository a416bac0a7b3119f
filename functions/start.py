"""What happens once, when a function's process starts: settings are checked, logging is set up."""

import gc
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from shared import log
from shared.errors import SettingsError
from shared.settings import (
    AnalyzeEmailSettings,
    GmailPushSettings,
    MailboxSettings,
    MaintenanceSettings,
    MyDataSettings,
    RescanPageSettings,
    RescanSettings,
    Settings,
    ToolsSettings,
)

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
