"""The rules behind an entry or a refusal, as a tree that people read: "why this entry?"."""

from shared.extraction.found import Entry, Found, Refusal


def explain(item: Entry | Refusal) -> str:
    """A few lines of text: what was decided, by which rule, and under it what else was weighed and how it was read."""
    if isinstance(item, Entry):
        charged = "charged" if item.billable else "not charged"
        head = (
            f"{item.duration_minutes:g} minutes ({item.low:g} to {item.high:g}), {item.entry_type}, {charged}, "
            f"{item.date_performed.isoformat()}, {item.client_matter or 'no matter told'}: {item.confidence_score:.2f}"
        )
        return _tree(head, (f'"{item.extracted_text}"', *item.rules))
    head = f'"{item.text}", {item.minutes:g} minutes, is no entry: {item.reason} ({item.confidence_score:.2f})'
    return _tree(head, (item.rule, *item.rules))


def explain_all(found: Found) -> str:
    """The entries of an email, then what was refused and why."""
    return "\n".join([*map(explain, found.entries), *map(explain, found.refusals)])


def _tree(head: str, branches: tuple[str, ...]) -> str:
    """The head, its first branch under it, and the rest under that."""
    first, *rest = branches
    marks = ["├─"] * (len(rest) - 1) + ["└─"] if rest else []
    return "\n".join((head, f"└─ {first}", *(f"   {mark} {branch}" for mark, branch in zip(marks, rest, strict=True))))
