"""A user's export: lines of JSON, one row each, as they are stored."""

import json
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from shared.my_data.tables import EXPORTED
from shared.store.my_data import Page


class Rows(Protocol):
    """Where the rows come from: the user's own rights, or the secret key's."""

    async def page(self, table: str, after: str | None, *, hidden: bool) -> Page: ...


async def export(rows: Rows) -> AsyncGenerator[bytes, None]:
    """Lines `{"table", "row"}`, table after table, each in the order of its key; a page at a time in memory.

    The last line is `{"end": true, "rows": {table: number}}`: an export without it was cut off. What changes while it
    is read may be in it or not. Raises StoreUnavailable or StoreRefused.
    """
    numbers: dict[str, int] = {}
    for each in EXPORTED:
        numbers[each.table] = 0
        after: str | None = None
        while True:
            page = await rows.page(each.table, after, hidden=each.hidden)
            numbers[each.table] += len(page.rows)
            if page.rows:
                yield b"".join(_line({"table": each.table, "row": row}) for row in page.rows)
            if page.next is None:
                break
            after = page.next
    yield _line({"end": True, "rows": numbers})


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
