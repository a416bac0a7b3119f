"""What reading and extraction cost by themselves: an ordinary email, and a megabyte of text that is made to be slow."""

import time
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from shared.extraction import Context, extract
from shared.mail import read
from tests.accuracy.labelled import load

SAMPLE = Path(__file__).parents[1] / "accuracy" / "corpus" / "emails.jsonl"
_SIZE = 1_000_000
"""Characters."""
HOSTILE = {
    "digits": "I spent " + "1" * _SIZE + " hours",
    "brackets": "(" * (_SIZE // 2) + ")" * (_SIZE // 2),
    "spaces": "DW 0.5 call\n" + " " * _SIZE + "X",
    "no-break spaces": "\u00a0" * _SIZE,
    "tabs": "DW\t0.5 call\n" + "\t" * _SIZE,
    "cells": "|\t" * (_SIZE // 2),
    "initials": "DW | 0.5 | call\n" * (_SIZE // 16),
    "timekeepers": "Me: 2.7, x\nZach: 5.5, y\n" * (_SIZE // 24),
    "spans": "from twenty to five until half six, started at 9.15 and ended at 10.05 " * (_SIZE // 70),
    "begins": "started at 9 and then went on " * (_SIZE // 30),
    "amounts": "spent 1.5 hours " * (_SIZE // 16),
    "dates": "Sat 1/2 " * (_SIZE // 8),
    "weekdays": "sat " * (_SIZE // 4),
    "ordinals": "the 1st " * (_SIZE // 8),
    "no charges": "no charge 1.0, " * (_SIZE // 15),
    "corrections": ".3 no wait " * (_SIZE // 11),
    "marks": ("Call with client 0.3, " + "(), -" * 90 + " yes\n") * (_SIZE // 477),
    "governing words": ("Call " + "on " * 150 + "with client 0.3\n") * (_SIZE // 471),
    "names": ("On Tuesday I " + "Jones Sat - " * 150 + "for 2 hours " + "Jones Sat - " * 150 + ". ") * (_SIZE // 3627),
    "quotes": '"' * _SIZE,
    "commas": ", " * (_SIZE // 2),
    "quoted lines": "> " * (_SIZE // 2),
}


async def texts() -> dict[str, Any]:
    """Milliseconds of CPU of an email of the sample, and seconds of the slowest hostile text."""
    raws = [each.raw for each in load(SAMPLE)]
    once = min(cpu_seconds(raws) for _ in range(3))
    slow = {name: cpu_seconds([mail(text)]) for name, text in HOSTILE.items()}
    worst = max(slow, key=slow.__getitem__)
    return {
        "sample_email_ms": round(1000 * once / len(raws), 2),
        "hostile_worst_s": round(slow[worst], 2),
        "hostile_worst": worst,
    }


def mail(text: str) -> bytes:
    """A lawyer's email with this text."""
    message = EmailMessage()
    message["From"], message["To"] = "Dana Whitfield <dana@whitfieldlaw.example>", "Ray <ray@mailbox.example>"
    message["Subject"], message["Date"] = "time", "Wed, 14 Oct 2026 18:00:00 -0400"
    message.set_content(text, cte="base64")
    return message.as_bytes()


def cpu_seconds(raws: Iterable[bytes]) -> float:
    """Seconds of CPU that it takes to read these emails and to find what they state."""
    begun = time.process_time()
    for raw in raws:
        extract(read(raw), Context())
    return time.process_time() - begun
