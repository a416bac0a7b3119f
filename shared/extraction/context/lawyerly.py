"""Whether a mail reads like a lawyer's, by its words: "I spent two hours with the maintenance lead" is no billed time.

Each word of a mail, and of the address it was sent from, was weighed over labelled mail of lawyers and of other people
(`weights/lawyer.json`); the sum is a sign of all amounts in the mail, in steps.
"""

import re
from collections.abc import Collection

from shared.mail.email import Email

_WORD = re.compile(r"[a-z]{3,}")
_OF_A_FIRM = ("law", "legal", "chambers", "solicitor", "attorney", "llp", "counsel", "barrister")
_MOST_CHARACTERS = 4_000
"""Text of a mail whose words are weighed: by then it is plain what the mail is about."""
_STEPS = range(-4, 5)
_PLAINLY = 2
"""The step that three of four lawyers' mails reach, and few others."""
_FEWEST_WORDS, _TAKEN_FOR_A_LAWYERS = 12, 2.0
READS = "reads like a lawyer's, over"


def words_of(email: Email) -> frozenset[str]:
    """The words of a mail's subject and newly written text, in small letters, and of its sender's address ("@lowelaw").

    What an address holds of `_OF_A_FIRM` is told besides ("@..law"): most firms' names are written in one word.
    """
    text, left = [email.subject], _MOST_CHARACTERS
    for span in email.new:
        if left <= 0:
            break
        text.append(email.body[span.start : min(span.end, span.start + left)])
        left -= span.end - span.start
    sender = email.sender.address.lower()
    host = sender.rpartition("@")[2]
    return frozenset(
        (
            *_WORD.findall(" ".join(text).lower()),
            *(f"@{word}" for word in _WORD.findall(sender)),
            *(f"@..{part}" for part in _OF_A_FIRM if part in host),
        )
    )


def of_few_words(words: Collection[str]) -> bool:
    """Whether a mail has too few words of its own to tell whose it is, and what it is about."""
    return sum(not word.startswith("@") for word in words) < _FEWEST_WORDS


def lawyerly_signs(words: Collection[str], odds: float) -> frozenset[str]:
    """What a mail's words, and their odds (as a logarithm) of a lawyer's, say of its amounts: a sign for each step.

    A mail of a few words doesn't tell: the mailbox is a lawyer's, and so it is taken for one of hers.
    """
    reached = _TAKEN_FOR_A_LAWYERS if of_few_words(words) else odds
    return frozenset(f"{READS} {step:+}" for step in _STEPS if reached >= step)


def short_of_a_lawyers(signs: frozenset[str]) -> int:
    """By how many steps the signs of a mail fall short of plainly a lawyer's; 0 where they don't."""
    return sum(f"{READS} {step:+}" not in signs for step in _STEPS if step <= _PLAINLY)


def is_lawyerly(signs: frozenset[str]) -> bool:
    """Whether the signs of a mail say that it is likelier a lawyer's than not."""
    return f"{READS} +0" in signs
