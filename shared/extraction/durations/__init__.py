"""Finds amounts of time in text, without judging whose: "an hour and ten minutes", ".4", "from 2:10 to 3:40 pm"."""

from shared.extraction.durations.read import AmountTokens, read_amounts, read_passage
from shared.extraction.durations.reading import Amount, Form

__all__ = ["Amount", "AmountTokens", "Form", "read_amounts", "read_passage"]
