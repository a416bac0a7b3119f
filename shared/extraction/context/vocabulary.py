"""Word sets that the tables of context share."""

from shared.extraction.engine import Words
from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import DAYS, words

MODALS = words(
    """
    will would should shall may might could can must won't wouldn't can't cannot couldn't shouldn't i'll we'll
    it'll that'll they'll you'll he'll she'll there'll going_to gonna ought let's you'd they'd he'd she'd it'd
    that'd lets
    """
)  # fmt: skip
INTENTIONS = words(
    """
    plan plans planning planned expect expects expecting expected anticipate anticipates anticipating
    anticipated estimate estimates estimated estimating need needs want wants wanted allow allows allot allots
    allotted budget budgets budgeted budgeting block blocked reserve reserved set_aside hope hoping intend
    propose proposed suggest recommend figure require requires likely tomorrow please typically usually
    generally normally often always tends takes lasts free_for available upcoming request requesting requested
    schedule scheduled quote quoted guess projected forecast assume assuming aim aiming target maximum minimum
    deadline agenda pls plz to_spend spend remind try_to supposed ballpark spare ask_for asking_for asked_for
    carve next_week next_month invite_you due_to_last slated set_for listed_for time_estimate unlikely
    tentatively take give i_see we_see tonight_i'll promise promised limited caps capped entitled allowed
    permitted
    """
)  # fmt: skip
NEGATIONS = frozenset(
    words(
        """
        not never didn't haven't hasn't wasn't weren't don't doesn't no cannot nobody hadn't nor neither without
        ain't isn't
        """
    )
)
LASTED_AT_ONCE = frozenset(words("was were went kept cost made"))
"""Of LASTED, the verbs that say how long only right before the amount."""
TIME_VERBS = frozenset(
    words(
        """
        spent put did devoted dedicated invested logged recorded billed clocked worked burned burnt charged
        took had gave got  docketed racked    entered expended  totaled totalled
        accrued incurred  noted tracked needed done
        """
    )
)
LASTED = frozenset(
    words(
        """
        took lasted ran was went ended required needed consumed ate ran dragged stretched cost swallowed were
        totaled totalled lasted turned occupied absorbed kept amounted taken run gone
        """
    )
)

CONTEXT = Words(
    sets={
        "first": ("i", "we", "i've", "we've", "i'd", "we'd", "ive"),
        "spent": TIME_VERBS,
        "done": WORK_PAST,
        "doing": WORK_GERUND,
        "work": WORK_NOUN,
        "base": WORK_BASE,
        "modal": MODALS,
        "intention": INTENTIONS,
        "day": DAYS,
        "about": words(
            """
            about another the a an some maybe roughly only just next first last
            """
        ),
        "person": ("you", "he", "she", "they", "your", "his", "her", "their"),
    },
    barriers=(";", "--", "?", "!", "but"),
)
