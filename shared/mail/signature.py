"""Tells signatures and disclaimers from what the sender newly wrote. In doubt text stays: an hour lost is worse than a
telephone number read, and time worked is kept even where it stands in a signature.
"""

from shared.mail.lines import Line, Mark


def mark_signatures(lines: list[Line], name: str) -> None:
    """Mark as SIGNATURE the lines of NEW text that sign off. `name` is the sender's, as the From header has it."""
    del name
    delimited = False
    for line in lines:
        if line.mark is Mark.QUOTED:
            delimited = False
        elif line.text.rstrip() == "--":
            delimited = True
        if delimited:
            line.mark = Mark.SIGNATURE
