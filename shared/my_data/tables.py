"""Which tables hold something about a user, and what becomes of each. A test holds this against the database's catalog.

Deleted is all of it: `private.tables_about_users` reads what there is from the catalog.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Exported:
    """A table whose rows a user gets. `hidden`: row level security shows them nobody."""

    table: str
    hidden: bool = False


EXPORTED: Final = (
    Exported("auth.users", hidden=True),
    Exported("mailboxes"),
    Exported("time_tracking_settings"),
    Exported("matters"),
    Exported("time_tracking_entries"),
    Exported("entry_changes", hidden=True),
    Exported("processed_emails"),
    Exported("awaited_emails"),
    Exported("rescan_jobs"),
    Exported("dismissed_entries", hidden=True),
    Exported("second_looks", hidden=True),
    Exported("dead_letters", hidden=True),
    Exported("mailbox_upkeep", hidden=True),
)

NOT_EXPORTED: Final = MappingProxyType(
    {
        "private.connection_attempts": "links to Google, good for ten minutes: what proves whose they are",
        "private.mailbox_credentials": "what opens a mailbox, encrypted: it tells its owner nothing, a thief enough",
        "private.rescan_revivals": "how often a step of a rescan was published again; it goes with its job",
        "private.summary_changes": "days with changes, until the next refresh: the entries tell them",
        "private.time_summaries": "sums of the entries, which are exported",
    }
)

NOBODYS: Final = MappingProxyType({"private.summary_refreshes": "when the sums were refreshed, for everybody"})
