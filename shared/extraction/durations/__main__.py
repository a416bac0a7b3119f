"""`python -m shared.extraction.durations`: JSON lines {"text"} in, {"minutes": [...]} out, every amount in order.

"unread" says how many characters of an overlong text were left out; a broken line answers with "error".
"""

import json
import sys
from typing import Any

from shared.extraction.durations.read import MOST_TEXT, read_amounts


def answer(line: str) -> dict[str, Any]:
    """The answer to one line."""
    try:
        text = json.loads(line)["text"]
        answered: dict[str, Any] = {"minutes": [round(amount.best, 2) for amount in read_amounts(text)]}
        return answered | ({"unread": len(text) - MOST_TEXT} if len(text) > MOST_TEXT else {})
    except (ValueError, KeyError, TypeError) as wrong:
        return {"minutes": [], "error": f"{type(wrong).__name__}: {wrong}"}


def main() -> None:
    """Answer each line as it comes."""
    for line in sys.stdin:
        if line.strip():
            sys.stdout.write(json.dumps(answer(line)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
