"""What a language model is told of time entries: what the user's analysis mode lets leave, and no orders."""

from typing import Any, Final

from shared.extraction.orders import gives_orders
from shared.models import AnalysisMode, BillableTimeEntry

MOST_ENTRIES: Final = 40


def told(entry: BillableTimeEntry, mode: AnalysisMode) -> dict[str, Any]:
    """An entry as JSON values. Words of the email only where the user lets sentences leave, and no orders."""
    facts = {
        "id": str(entry.id),
        "date_performed": entry.date_performed.isoformat(),
        "duration_minutes": entry.duration_minutes,
        "billed_minutes": entry.billed_minutes,
        "entry_type": entry.entry_type.value,
        "billable": entry.billable,
        "status": entry.status.value,
        "confidence_score": entry.confidence_score,
    }
    return facts | words(mode, client_matter=entry.client_matter, extracted_text=entry.extracted_text)


def words(mode: AnalysisMode, **texts: str | None) -> dict[str, str | None]:
    """Those of the texts that may leave."""
    if mode is AnalysisMode.RULES_ONLY:
        return {}
    return {name: text for name, text in texts.items() if text is None or not gives_orders(text)}


def told_all(entries: tuple[BillableTimeEntry, ...], mode: AnalysisMode) -> dict[str, Any]:
    """Entries, as many as a conversation needs, and how many more there are."""
    shown = [told(entry, mode) for entry in entries[:MOST_ENTRIES]]
    left = len(entries) - len(shown)
    return {"entries": shown} | ({"more_entries": left} if left > 0 else {})
