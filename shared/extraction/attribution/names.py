"""Which words are names: capitalised, and no word of the work, of the calendar or of every sentence."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import words

_COMMON = frozenset(
    words(
        """
        i the a an my our your we it this that these those and or but for to of in on at by with from as is was
        were are be been has have had he she they you his her its their there here who which what when where why
        how not no yes so if then than also just only more most re fwd fw time hours hour minutes min hrs week
        weeks month today yesterday tomorrow monday tuesday wednesday thursday friday saturday sunday january
        february march april may june july august september october november december mon tue tues wed weds thu
        thur thurs fri sat sun jan feb mar apr jun jul aug sep sept oct nov dec morning afternoon evening night
        noon total subtotal sum grand dr mr mrs ms miss hon judge justice prof counsel client clients court
        adjuster witness expert notes update status invoice bill bills statement recap quick question questions
        thanks thank hi hello hey dear sorry please pls missing late entry entries weekly daily sheet office
        admin personal pers firm internal matters follow new old first second third last next after before lunch
        ny uk us usa nsw qld vic qc kc sc llp llc inc plc ltd corp co nc ok okay all out off one two three four
        five six seven eight nine ten half quarter eod ooo eta fyi asap ps nb activity activities description
        narrative am pm attn both each everything nothing everyone none further regarding about good great as
        per good news done came went got put found forgot forgive yes record going spent afterwards meanwhile
        finally additionally moreover however therefore rest start stuff so far remaining other others memorial
        labor day christmas thanksgiving zoom teams webex westlaw lexis pacer ecf edgar google outlook word
        excel slack dropbox english spanish american federal state county city second circuit supreme north
        south east west new street avenue road suite left same oral since closer plus minus roughly about see
        below above attached because although while during once until unless until whole another some any many
        several few much very quite really well now still yet however again never always usually both either
        library weekend day days date where working work add adds time's billing ref subject matter attached
        enclosed signed filed trustee trial exhibits exhibit section rule article chapter schedule appendix
        annex iht spa hsr ip sca gdpr cpr frcp esi nda sow gc cfo ceo coo cto hr it pr ada da ag irs sec doj
        eeoc ftc hmrc asic ato nycrr scpa cplr dwi ime qdro sdb rogs rfas cites hmo ppo re's office's can't cant
        timesheet timesheets timecard narrations narration parcel lot unit bureau council agency authority mum mam mom
        dad workers unbilled billed wip prebill proforma fourth fifth sixth seventh eighth ninth tenth eleventh
        couldn't don't didn't won't isn't it's that's i'm i've i'll i'd we've we'll we'd let's here's there's he's she's
        he'd she'd they'd you'd what's who's
        """
    )
)
_EVERYDAY = Path(__file__).parents[1] / "weights" / "everyday.txt"
_GENERIC = WORK_NOUN | WORK_PAST | WORK_GERUND | WORK_BASE | _COMMON
_NO_BEGINNING = _GENERIC - {"estate", "matter", "in"}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_JOINING = frozenset({"of", "the", "v", "vs", "and", "st", "de", "la", "van", "von", "&", "late", "re"})
_RUN = re.compile(r"[A-Z][\w’'-]*(?:(?: +(?:&|v\.?s?\.?) +|/| +)[A-Z][\w’'-]*)*")
_COMPANY = re.compile(r"(?:\b(?:with|w/|from|by|to|Mr|Mrs|Ms|Dr|Judge|Hon)\.?|[A-Z]\.)\s*$")

_NEAR = 24
"""Characters before a name in which the word that it keeps company with ends."""


def is_name(text: str) -> bool:
    """Whether the words could name a client or matter: not of the work alone, and beginning with no common word."""
    if re.fullmatch(r"\d{4,6}[-./]\d{3,5}", text):
        return True
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if not words or len(words) > 7 or len(text) < 3:
        return False
    if words[0] in _NO_BEGINNING:
        return False
    telling = [word for word in words if word.removesuffix("'s") not in _GENERIC and word not in _JOINING]
    common = [word for word in words if word in _COMMON and word not in _JOINING]
    return bool(telling) and len(common) <= 1


def all_names(text: str) -> bool:
    """Whether every word is capitalised or joins names: "Estate of Hollis", "Marchetti / 213 Mohawk St."."""
    return all(
        word[:1].isupper() or not word[:1].isalpha() or word.lower().strip(".") in _JOINING for word in text.split()
    )


def is_everyday(word: str) -> bool:
    """Whether people write a word in small letters in their sentences, so that a capital doesn't make it a name."""
    bare = _bare(word)
    return bare in _GENERIC or bare in _everyday()


@cache
def _everyday() -> frozenset[str]:
    """The words that labelled mail has in small letters (`make fit`)."""
    return frozenset(_EVERYDAY.read_text(encoding="utf-8").split())


def names_in(text: str) -> Iterator[tuple[str, bool]]:
    """The capitalised words that could name a matter, in order; with each, whether it kept company ("w/ Garrity")."""
    for found in _RUN.finditer(text):
        words = found.group().split()
        while words and _bare(words[0]) in _GENERIC:
            words.pop(0)
        while words and _bare(words[-1]) in _GENERIC:
            words.pop()
        name = re.sub(r"['’]s$", "", " ".join(words))
        if name and is_name(name):
            yield name, bool(_COMPANY.search(text, max(0, found.start() - _NEAR), found.start()))


def _bare(word: str) -> str:
    return word.lower().replace("’", "'").removesuffix("'s").strip(".,")
