"""Whose time it was: the subject of the verb that governs an amount.

The governing verb is the nearest finite one before the amount. Its subject stands before it, past adverbs and helpers;
a verb without one ("and drafted the reply") shares the subject of the verb before it.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.extraction.context.vocabulary import LASTED
from shared.extraction.engine import Tokens
from shared.extraction.lexicon import PAST_VERB, WORK_GERUND, WORK_NOUN
from shared.extraction.wordlist import words

_WINDOW = 40
"""Tokens before the amount that are looked at."""
FIRST = frozenset({"i", "we", "i've", "we've", "i'd", "we'd", "i'm", "we're", "myself", "ive"})
_DAYS = frozenset(words("monday tuesday wednesday thursday friday saturday sunday yesterday today"))
_US = frozenset({"me", "us"})
OTHERS = frozenset(
    words(
        """
        you he she they you've he's she's they've who opposing counsel everyone somebody someone nobody anyone
        each client clients associate associates paralegal paralegals judge jury court clerk they'd he'd she'd
        you'd partner
        """
    )
)
_IMPERSONAL = frozenset({"<n>", "it", "this", "that", "which", "these", "those", "there", "each", "both", "one", "all"})
_SKIPPED = frozenset(
    words(
        """
        have has had 've also then just already now since so only really finally actually probably personally
        literally both all together each again later ended up today yesterday tonight jointly recently
        subsequently immediately quickly carefully successfully only still even first next almost nearly about
        over in fact as well promised however therefore further separately briefly once twice easily been being
        monday tuesday wednesday thursday friday saturday sunday
        """
    )
)
_IS = frozenset(
    words(
        """
        is are asks gives wants shows claims says needs requires contains takes lasts runs has allows proposes
        suggests there's it's he's she's here's means makes costs states charges bills covers serves lets calls
        sits stays
        """
    )
)
_FINITE = (
    PAST_VERB
    | _IS
    | frozenset(
        words(
            """
            is are was were has does says said claims claimed thinks asked wants felt slept went lost closed
            waited lasted ran worked needed required tried stayed took charged billed recorded logged devoted
            clocked used cost ended came went sat stood lay kept seemed looked showed moved sold paid bought ate
            drank left arrived knew began stopped missed broke fell grew rose saved wasted burned burnt
            dedicated invested totaled totalled amounted racked asks gives wants shows claims says needs
            requires contains lists takes lasts runs has allows proposes suggests landed wound hit dragged
            stretched consumed ate swallowed clocked
            """
        )
    )
)
_NOT_BEFORE_VERB = frozenset(
    words(
        """
        the a an to of for in on with your his her their its our my this that these those and/or very some any
        no re from by as at w/ into about be being been is are was were
        """
    )
)
_WALLS = frozenset({";", ":", "--", "?", "!", "|"})
"""What no verb governs across."""
_PLURALS = frozenset(
    ["claims", "costs", "calls", "states", "needs", "shows", "bills", "covers", "runs", "charges", "means", "lists"]
)
_ARTICLES = frozenset(["the", "a", "an", "your", "his", "her", "their", "its", "our", "my", "this", "that"])
_TIME = frozenset({"time", "hours", "total", "sum", "work"})
_PREPOSITIONS = frozenset(
    words(
        """
        w with of for to on re between from at in before about regarding by about after against over under w/
        itself confirming through across and , that which
        """
    )
)
_PHRASE_ENDS = frozenset({";", ":", "--", "(", ")", "<o>", "<t>", "?", "!", "but", "so", "that"})
_TIMES_OF_DAY = frozenset(
    words(
        """
        this morning afternoon evening today yesterday tonight last night the a an my our your his her their i.e
        . ,
        """
    )
) - {","}
_EVENTS = frozenset(
    words(
        """
        deposition depo hearing trial mediation interview examination conference meeting session inspection testimony
        appearance argument arraignment sentencing closing signing evidence cross-examination con
        """
    )
)
_INVOLVING = LASTED | frozenset(
    words("kept held had took cost left walked met called joined grilled gave set rang had")
)
_OPINION = frozenset(
    words(
        """
        thought expected hoped planned wanted feared guessed said estimated budgeted anticipated promised
        """
    )
)
_PRESENT = frozenset(
    words(
        """
        shows show says say is are has have claims thinks wants means states notes lists indicates suggests
        reflects confirms does do know knows understand believe believes reports argues contends recommends
        allows requires runs
        """
    )
)
_PLAIN_PAST = frozenset(words("took ran went was were spent lasted came had did got gave ended put kept"))
_BREAKS = frozenset(
    {",", ";", ":", "--", "(", ".", "and", "then", "but", "so", "&", "-", '"', "plus", "or", "*", "•", ")"}
)


class Person(StrEnum):
    """Who did what takes the time."""

    FIRST = "first person"
    OTHER = "another person"
    IMPERSONAL = "no person"
    UNSAID = "unsaid"
    PRESENT = "what is"


@dataclass(frozen=True, slots=True)
class Governor:
    """The verb that governs an amount (`verb`: its token index, -1: none) and whose it is."""

    person: Person
    verb: int
    subject: int = -1


def governor(tokens: Tokens, at: int, names: frozenset[int]) -> Governor:
    """Who did it, by the nearest finite verb before token `at`. `names` are the indices of capitalised words."""
    low = max(0, at - _WINDOW, _wall(tokens, at))
    for verb in range(at - 1, low - 1, -1):
        if not _is_finite(tokens, verb):
            continue
        found = _subject(tokens, verb, low, names)
        if tokens.spelled[verb] in _OPINION and verb and tokens.spelled[max(0, verb - 2)] in {"than", "as", "what"}:
            continue
        if found is None or (found.person is not Person.FIRST and _is_adjective(tokens, found)):
            continue
        return found if found.person is Person.FIRST or not _involves_us(tokens, verb, at) else Governor(
            Person.FIRST, verb, found.subject)  # fmt: skip
    return Governor(Person.UNSAID, -1)


def _wall(tokens: Tokens, at: int) -> int:
    """Just after the last mark before the amount that no verb governs across; marks right before it don't part."""
    last = at - 1
    while last >= 0 and tokens.spelled[last] in {":", "--", "(", ",", "-", ";"}:
        last -= 1
    return next((index + 1 for index in range(last, -1, -1) if tokens.spelled[index] in _WALLS), 0)


def _is_finite(tokens: Tokens, index: int) -> bool:
    word = tokens.spelled[index]
    if word in _FINITE:
        pass
    elif not (len(word) > 4 and word.endswith("ed")):
        return False
    before = tokens.spelled[index - 1] if index else ""
    return word in _PLAIN_PAST or before not in _NOT_BEFORE_VERB


def _is_adjective(tokens: Tokens, found: Governor) -> bool:
    """As in "Draft verified complaint", "AAA expedited rules": a participle between nouns that governs nothing."""
    verb = tokens.spelled[found.verb]
    if (
        not verb.endswith("ed")
        or verb in LASTED
        or found.subject < 0
        or tokens.spelled[found.subject] in OTHERS | _IMPERSONAL
    ):
        return False
    following = tokens.spelled[found.verb + 1] if found.verb + 1 < len(tokens.spelled) else ""
    determined = found.subject > 0 and tokens.spelled[found.subject - 1] in _NOT_BEFORE_VERB
    return following.isalpha() and following not in _NOT_BEFORE_VERB and following not in _SKIPPED and not determined


def _involves_us(tokens: Tokens, verb: int, at: int) -> bool:
    return tokens.spelled[verb] in _INVOLVING and any(
        word in _US for word in tokens.spelled[verb + 1 : min(at, verb + 5)]
    )


def _subject(tokens: Tokens, verb: int, low: int, names: frozenset[int]) -> Governor | None:
    """The subject of a verb; None if the verb shares one that stands further left."""
    if tokens.spelled[verb].endswith("'s"):
        return Governor(Person.PRESENT, verb, verb)
    index = verb - 1
    while index >= low and (tokens.spelled[index] in _SKIPPED or tokens.spelled[index].endswith("ly")):
        index -= 1
    if index < low:
        return Governor(Person.UNSAID, verb)
    word = tokens.spelled[index]
    if word in FIRST or (word == "us" and index and tokens.spelled[index - 1] == "of"):
        return Governor(Person.FIRST, verb, index)
    if word == "myself" and _joined_with_us(tokens, index, low):
        return Governor(Person.FIRST, verb, index)
    if word in _BREAKS or word == "<o>":
        return None if _has_verb_before(tokens, index, low) else Governor(Person.UNSAID, verb)
    if _joined_with_us(tokens, index, low):
        return Governor(Person.FIRST, verb, index)
    if (
        word in _IMPERSONAL
        or word in WORK_NOUN
        or word in WORK_GERUND
        or word.removesuffix("'s") in _DAYS
        or word == "session"
    ):
        return Governor(Person.IMPERSONAL, verb, index)
    if tokens.spelled[verb] in _PLURALS and not _determined(tokens, index, names):
        return None
    if tokens.spelled[verb] in _IS and word not in _TIME:
        return Governor(Person.PRESENT, verb, index)
    if _owned_by_another(tokens, index, names):
        return Governor(Person.OTHER, verb, index)
    lasted = tokens.spelled[verb] in LASTED and tokens.spelled[index - 1] != "by"
    if (index not in names or lasted) and word not in OTHERS and nominal_work(tokens, index, low):
        return Governor(Person.IMPERSONAL, verb, index)
    return Governor(Person.OTHER, verb, index)


def _owned_by_another(tokens: Tokens, index: int, names: frozenset[int]) -> bool:
    """As in "Priya's call", "their review": another's work, unless it is an event that the sender would attend."""
    if tokens.spelled[index] in _EVENTS or tokens.spelled[index] in WORK_GERUND:
        return False
    for place in range(index, max(-1, index - 4), -1):
        word = tokens.spelled[place]
        if word in _PREPOSITIONS or word in _FINITE:
            return False
        if word in {"his", "her", "their", "your"} or (word.endswith("'s") and place in names and place < index):
            return tokens.spelled[index] in WORK_NOUN
    return False


def _determined(tokens: Tokens, index: int, names: frozenset[int]) -> bool:
    """Whether a word could be a subject: a pronoun, a name, a noun with its article."""
    word = tokens.spelled[index]
    before = tokens.spelled[index - 1] if index else ""
    return word in OTHERS | _IMPERSONAL or index in names or before in _ARTICLES


def _has_verb_before(tokens: Tokens, index: int, low: int) -> bool:
    return any(_is_finite(tokens, place) for place in range(index, low - 1, -1))


def _joined_with_us(tokens: Tokens, index: int, low: int) -> bool:
    """As in "Priya and I", "you, I, Paul and his lawyer", "I and the client": the sender is among the subjects."""
    joined = False
    for place in range(index, max(low, index - 9) - 1, -1):
        word = tokens.spelled[place]
        if word in {"and", "&", ",", "with", "along"}:
            joined = True
        elif word in {"i", "we", "myself"}:
            return joined or place == index
        elif word in _FINITE:
            return False
    return False


def nominal_work(tokens: Tokens, index: int, low: int = 0) -> bool:
    """Whether the noun phrase that ends at `index` is headed by work: "the call with the surveyor", "Reviewing it".

    Its head stands before its first preposition ("the order system" is no order, "the order to show cause" is one).
    """
    first = index
    while first > low and tokens.spelled[first - 1] not in _PHRASE_ENDS and tokens.spelled[first - 1] not in _FINITE:
        first -= 1
    phrase = [word for word in tokens.spelled[first : index + 1] if word not in _TIMES_OF_DAY]
    if not phrase:
        return False
    if any(word in WORK_GERUND for word in phrase[:3]):
        return True
    cut = next((place for place, word in enumerate(phrase) if word in _PREPOSITIONS and place), len(phrase))
    head = phrase[:cut]
    return not WORK_NOUN.isdisjoint({head[-1], " ".join(head[-2:]), " ".join(head[-3:]), head[-1].removesuffix("'s")})


def says_reported(tokens: Tokens, subject: int) -> bool:
    """Whether the words before a subject make it somebody's saying: "it says I spent"."""
    return bool({"says", "say", "said", "shows", "claims", "claim", "thinks", "think", "asked", "ask"} & set(
        tokens.spelled[max(0, subject - 2) : subject]))  # fmt: skip
