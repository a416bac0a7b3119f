"""New keys: everything that lies encrypted is encrypted again with the first key, so that an older one can go.

    1. TOKEN_ENCRYPTION_KEYS=new,old for every function: from then on all can read both
    2. encrypt_again()
    3. TOKEN_ENCRYPTION_KEYS=new

May be killed and begun again, and run while mail is read and mailboxes are connected: each is changed only where it is
still what was read, and what comes meanwhile comes under the first key.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

from shared.errors import KeyMissing
from shared.store.client import StoreClient
from shared.tokens import TokenVault

PAGE: Final = 500
_KINDS: Final = ("token", "verifier")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many were `changed`, were under the first key already (`as_they_were`), or changed otherwise meanwhile.

    `unreadable`: under none of the keys. Unless it is 0, the old key must not go.
    """

    changed: int = 0
    as_they_were: int = 0
    meanwhile: int = 0
    unreadable: int = 0

    def __add__(self, other: "Rotated") -> "Rotated":
        return Rotated(
            self.changed + other.changed,
            self.as_they_were + other.as_they_were,
            self.meanwhile + other.meanwhile,
            self.unreadable + other.unreadable,
        )


async def encrypt_again(store: StoreClient, vault: TokenVault) -> Rotated:
    """Encrypt all with the first key. Raises StoreUnavailable and StoreRefused; then it can be begun again."""
    total = Rotated()
    for kind in _KINDS:
        after: str | None = None
        while page := await store.call("encrypted_secrets", {"p_kind": kind, "p_after": after, "p_most": PAGE}):
            total += await _page(store, vault, kind, page)
            after = page[-1]["id"]
            log.info("keys.page_rotated", kind=kind, changed=total.changed)
    return total


async def _page(store: StoreClient, vault: TokenVault, kind: str, rows: list[dict[str, Any]]) -> Rotated:
    changes, unreadable = [], 0
    for row in rows:
        try:
            again = vault.renewed(row["encrypted"])
        except KeyMissing:
            unreadable += 1
            log.warning("keys.unreadable", kind=kind, id=str(UUID(row["id"])))
            continue
        if again is not None:
            changes.append({"id": row["id"], "encrypted_before": row["encrypted"], "encrypted_after": again})
    changed = 0
    if changes:
        changed = int(await store.call("encrypt_again", {"p_kind": kind, "p_changes": changes}))
    return Rotated(changed, len(rows) - len(changes) - unreadable, len(changes) - changed, unreadable)
