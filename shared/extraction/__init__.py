"""Finds the work that an email says was done and how long it took. Pure: an email in, entries and refusals out."""

from shared.extraction.extract import ANALYSER_VERSION, extract
from shared.extraction.found import Context, Entry, Found, Refusal

__all__ = ["ANALYSER_VERSION", "Context", "Entry", "Found", "Refusal", "extract"]
