"""A decision about one amount, and what is known around it when it is taken."""

from dataclasses import dataclass

from shared.extraction.context.not_work import Refuse
from shared.extraction.context.setting import Setting


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an amount is work that the sender did, how sure that is (0..1), and why.

    `rule` is the phrase that decided, `reason` a lawyer's words for it, `marks` what else was weighed.
    """

    done: bool
    sure: float
    rule: str
    reason: str
    marks: tuple[str, ...] = ()

    @classmethod
    def work(cls, sure: float, rule: str, reason: str, marks: tuple[str, ...] = ()) -> "Verdict":
        """The sender did it."""
        return cls(done=True, sure=sure, rule=rule, reason=reason, marks=marks)

    @classmethod
    def refusal(cls, sure: float, rule: str, reason: str, marks: tuple[str, ...] = ()) -> "Verdict":
        """The amount is something else."""
        return cls(done=False, sure=sure, rule=rule, reason=reason, marks=marks)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an amount: the mail's setting, its line, and the decision about the amount before it.

    `dated`, `matter`: the line names a past day, a matter. `quoted`: the words are somebody's, between quotation marks.
    `over`: the clock span lies before the mail was sent (None: no telling). `previous` is the verdict about the amount
    before in the same sentence, `near` about the last one in the same block. `governed`: a verb with another subject
    stands before it; `others`: the line is another timekeeper's; `numbered`:
    the amount is a section's number; `column`: what the table's column of time is called in which it stands; `phrases`:
    those around it that measure something else than work.
    """

    setting: Setting
    dated: bool
    matter: bool
    quoted: bool
    over: bool | None
    previous: Verdict | None
    near: Verdict | None
    governed: bool = False
    others: bool = False
    numbered: bool = False
    column: str = ""
    phrases: tuple[Refuse, ...] = ()
