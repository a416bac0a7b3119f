"""`python -m shared.extraction`: JSON lines {"id","raw"} in, {"id","entries"} out, line by line, in order.

A broken line or message gives {"id","error","entries":[]}. Rules only, no network.
"""

import json
import sys
from typing import Any

from shared.extraction.extract import extract
from shared.extraction.found import Context, Entry
from shared.mail import UnreadableEmail, read


def answer(line: str) -> dict[str, Any]:
    """The answer to one line."""
    row: Any = None
    try:
        row = json.loads(line)
        found = extract(read(row["raw"].encode("utf-8", "surrogateescape")), Context())
    except (ValueError, KeyError, TypeError, AttributeError, UnreadableEmail) as wrong:
        known = row.get("id") if isinstance(row, dict) else None
        return {"id": known, "error": f"{type(wrong).__name__}: {wrong}", "entries": []}
    return {"id": row.get("id"), "entries": [entry_json(entry) for entry in found.entries]}


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as its contract has it."""
    return {
        "duration_minutes": entry.duration_minutes,
        "entry_type": entry.entry_type.value,
        "date_performed": entry.date_performed.isoformat(),
        "client_matter": entry.client_matter,
        "billable": entry.billable,
        "confidence_score": entry.confidence_score,
        "extracted_text": entry.extracted_text,
        "description": entry.description,
    }


def main() -> None:
    """Answer each line as it comes."""
    for line in sys.stdin:
        if line.strip():
            sys.stdout.write(json.dumps(answer(line)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
