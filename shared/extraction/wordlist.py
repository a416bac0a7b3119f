"""Vocabularies are written as running text, so that they can be read and extended like one."""

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def words(text: str) -> tuple[str, ...]:
    """The words of a text; an underscore stands for the space inside an entry of several words."""
    return tuple(word.replace("_", " ") for word in text.split())
