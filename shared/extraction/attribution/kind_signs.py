"""What there is to see of the type of a piece of work: its own words, those before it, and what the lexicon says."""

from collections.abc import Iterator

from shared.extraction.attribution.kind import kind_of
from shared.extraction.clauses import Candidate, core
from shared.extraction.engine import Tokens
from shared.extraction.lexicon import kinds_of

_NEAR = 8
_SHORT = 9
"""Tokens: a sentence with fewer leans on the one before, as one does that begins so."""
_LEANING = frozenset({"it", "that", "this", "which", "<t>"})


def kind_signs(candidate: Candidate, subject: Tokens) -> Iterator[str]:
    """The signs of the type of work that `candidate` states; `subject` is of the mail."""
    tokens, at = candidate.tokens, candidate.at
    first, last = core(candidate)
    inside = tokens.part(first, last)
    own = candidate.own
    for place, part in (("clause", inside), ("own", own)):
        kind, rule = kind_of(part)
        yield f"{place} is {kind}"
        yield f"{place} is {kind} by {rule}"
    before = candidate.sentence.before
    kind, rule = kind_of(inside, own, tokens.part(0, candidate.first), *([before.tokens] if before else []), subject)
    yield f"all is {kind}"
    for word in set(inside.spelled):
        yield f"clause {word}"
        for each in kinds_of(word):
            yield f"clause [{each}]"
    for word in inside.phrases:
        if " " in word and word.count(" ") == 1:
            yield f"clause {word}"
    for word in set(own.spelled):
        yield f"own {word}"
    near = tokens.spelled[max(candidate.first, at - _NEAR) : min(candidate.last, at + _NEAR)]
    for word in set(near):
        yield f"near {word}"
        for each in kinds_of(word):
            yield f"near [{each}]"
    if at + 1 < len(tokens.spelled):
        yield f"<t> {tokens.spelled[at + 1]}"
        yield " ".join(("<t>", *tokens.spelled[at + 1 : at + 3]))
    if at:
        yield f"{tokens.spelled[at - 1]} <t>"
    if own.spelled:
        begin = next((word for word in own.spelled if word[:1].isalpha()), "")
        yield f"begins {begin}"
        for each in kinds_of(begin):
            yield f"begins [{each}]"
    if before:
        yield f"before is {kind_of(before.tokens)[0]}"
        for word in set(before.tokens.spelled):
            for each in kinds_of(word):
                yield f"before [{each}]"
        if len(tokens.spelled) < _SHORT or tokens.spelled[0] in _LEANING:
            yield from _leant_on(before.tokens)
    yield f"subject is {kind_of(subject)[0]}"
    for word in set(subject.spelled):
        for each in kinds_of(word):
            yield f"subject [{each}]"
    yield f"form {candidate.amount.form}"


def _leant_on(before: Tokens) -> Iterator[str]:
    """What the sentence before says, where this one goes on with it: "Read the lease. Took me an hour."."""
    yield f"goes on with {kind_of(before)[0]}"
    for word in set(before.spelled):
        yield f"goes on with {word}"
        for each in kinds_of(word):
            yield f"goes on with [{each}]"
