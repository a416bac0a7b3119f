"""Passages to sentences to candidates: each amount of time with the words that go with it.

A sentence that holds several amounts is cut between them where its punctuation allows, so that each amount keeps the
words that say what it was spent on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from shared.extraction.durations import Amount, AmountTokens
from shared.extraction.engine import Tokens
from shared.extraction.lexicon import PAST_VERB, WORK_GERUND
from shared.extraction.passages import Passage
from shared.extraction.wordlist import words

_ABBREVIATIONS = frozenset(
    words(
        """
        incl excl art mr mrs ms dr prof hon rev rvw conf tel corr mtg v vs no nos st jr sr inc co corp ltd llc
        llp esq dept re ref atty attys ret approx est vol pp p para paras art sec ch fig et al cf e.g i.e eg ie
        depo dep disc draft prep memo ltr ex exh govt jan feb mar apr jun jul aug sep sept oct nov dec mon tue
        tues wed thu thurs fri sat sun app ct cir supp misc int amend resp req reqs doc docs attn w adj emer min
        hrg stmt agmt appl assoc bldg ave blvd rd op sq ext cont contd fed r
        """
    )
)
_LONGEST = 160
"""Tokens: a longer sentence is cut, so that the work at one amount stays bounded."""
_ENDS = frozenset({".", "!", "?"})
_PART_MARKS = (
    frozenset({";"}),
    frozenset({":"}),
    frozenset({".", "|", "·", "•", "/"}),
    frozenset({"--"}),
    frozenset({","}),
)
_AFTER_LEADING = frozenset({"on", "with", "w/", "for", "of", "in", "re", "at", "each", "more", "from", "to"})
_BEING = frozenset(words("is are have has was were 've i've we've"))
_OPENERS = frozenset(words("i we it he she they you there this that which my our who whose then"))
_JOINS = frozenset({"and", "&", "plus", "then", "but", "+", "-", "while", ")"})


@dataclass(frozen=True)
class Sentence:
    """A sentence, or an item that stands like one; `before` is the sentence before it in the same block."""

    read: AmountTokens
    passage: Passage
    before: "Sentence | None"

    @property
    def tokens(self) -> Tokens:
        """Its tokens, amounts as <t>."""
        return self.read.tokens

    @cached_property
    def marks(self) -> list[int]:
        """The token indices of its amounts."""
        return [index for index, amount in enumerate(self.read.amounts) if amount]


_MOST_ITEMS = 12
"""Sentences that a lead may stand before the one it leads."""


def lead_of(sentence: Sentence) -> Sentence | None:
    """The sentence with a colon at its end that leads the list in which this one stands."""
    lead = sentence.before
    for _ in range(_MOST_ITEMS):
        if lead is None or lead.tokens.spelled[-1:] == (":",):
            break
        lead = lead.before
    led = lead is not None and lead.tokens.spelled[-1:] == (":",)
    return lead if lead is not None and led and lead.passage.block >= sentence.passage.block - 1 else None


@dataclass(frozen=True)
class Candidate:
    """An amount of time and the words that go with it.

    `tokens` is the whole sentence with this amount as <t> and others as <o>, `at` this amount's index in it, and
    `first..last` (exclusive) the part of the sentence that is this amount's own.
    """

    amount: Amount
    sentence: Sentence
    tokens: Tokens
    at: int
    first: int
    last: int

    @cached_property
    def own(self) -> Tokens:
        """The amount's own part of the sentence."""
        return self.tokens.part(self.first, self.last)

    @property
    def shared(self) -> bool:
        """Whether the sentence holds other amounts."""
        return len(self.sentence.marks) > 1


def sentences(read: AmountTokens, passage: Passage, text: str, before: Sentence | None) -> Iterator[Sentence]:
    """The sentences of a passage, in order."""
    tokens, start = read.tokens, 0
    for index, word in enumerate(tokens.spelled):
        if (word in _ENDS and _ends(tokens, start, index, text)) or index - start >= _LONGEST:
            before = _sentence(read, start, index + 1, passage, before)
            yield before
            start = index + 1
    if start < len(tokens.spelled):
        yield _sentence(read, start, len(tokens.spelled), passage, before)


def _sentence(read: AmountTokens, first: int, last: int, passage: Passage, before: Sentence | None) -> Sentence:
    return Sentence(AmountTokens(read.tokens.part(first, last), read.amounts[first:last]), passage, before)


def _ends(tokens: Tokens, first: int, index: int, text: str) -> bool:
    if index + 1 == len(tokens.spelled):
        return True
    following = tokens.starts[index + 1]
    if following == tokens.ends[index]:
        return False
    if tokens.spelled[index] != ".":
        return True
    word = tokens.spelled[index - 1] if index else ""
    if word == "<t>" and index - 1 == first:
        return False
    begins = text[following]
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return False
    return not begins.islower() or (len(word) > 3 and word.isalpha())


def candidates(sentence: Sentence) -> Iterator[Candidate]:
    """Each amount of a sentence, with its own part."""
    tokens, marks = sentence.tokens, sentence.marks
    bounds = [0, *(_cut(tokens, one, two) for one, two in pairwise(marks)), len(tokens.spelled)]
    for place, at in enumerate(marks):
        amount = sentence.read.amounts[at]
        if amount is None:
            continue
        spelled = tuple("<o>" if word == "<t>" and index != at else word for index, word in enumerate(tokens.spelled))
        others = Tokens(spelled, tokens.starts, tokens.ends, tokens.values)
        yield Candidate(amount, sentence, others, at, bounds[place], bounds[place + 1])


def _cut(tokens: Tokens, one: int, two: int) -> int:
    """Where to part two neighbouring amounts: right after the first if its words end there, else before the second.

    "An hour reading it, ten minutes writing": where amounts come first, the mark before an amount parts; where they
    come last ("reading it, an hour; writing, ten minutes"), a comma before an amount only sets it off.
    """
    between = range(one + 1, two)
    closing = one + 1
    while closing < two and tokens.spelled[closing] in {")", ".", "]"}:
        closing += 1
    if closing < two and (tokens.spelled[closing] in {",", ";", "--", "|", "/"} or closing > one + 1):
        return closing
    leads = tokens.spelled[one + 1] in _AFTER_LEADING or tokens.spelled[one + 1] in WORK_GERUND
    for marks in _PART_MARKS:
        if places := [index for index in between if tokens.spelled[index] in marks and (leads or index + 1 < two)]:
            return places[-1]
    if places := [index for index in between if tokens.spelled[index] in _JOINS]:
        return places[-1]
    return two if two == one + 1 else one + 1


def core(candidate: Candidate) -> tuple[int, int]:
    """The clause of the amount's own part that it stands in: token indices of the sentence, end exclusive.

    Where that clause is the bare amount, it takes the clause before it along.
    """
    words, first, last = candidate.tokens.spelled, candidate.first, candidate.last
    begins = [index for index in range(first + 1, candidate.at) if _opens_clause(words, index)]
    start = begins[-1] if begins else first
    while begins and candidate.at - start < 4:
        begins.pop()
        start = begins[-1] if begins else first
    stop = next((index for index in range(candidate.at + 1, last) if _opens_clause(words, index)), last)
    return start, stop


def _opens_clause(words: tuple[str, ...], index: int) -> bool:
    following = words[index + 1] if index + 1 < len(words) else ""
    if words[index] in {";", "--", "but"}:
        return True
    if following == "i" and not any(word in PAST_VERB or word in _BEING for word in words[:index]):
        return False
    if words[index] == ",":
        return following in _OPENERS or (following in {"and", "so", "but"} and words[index + 2 : index + 3] != ())
    return words[index] in {"and", "so", "because", "since"} and following in _OPENERS
