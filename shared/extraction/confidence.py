"""How sure an entry is, from 0 to 1: of entries given 0.9, nine of ten are right.

The judge's certainty, less for what makes any reading shaky. Figures were set by counting labelled mail.
"""

from shared.extraction.context.verdict import Verdict
from shared.extraction.durations import Amount, Form

_SHAKY = {Form.COLON: 0.05, Form.CLOCK: 0.02, Form.BARE: 0.01}


def confidence(verdict: Verdict, amount: Amount) -> float:
    """The chance that this entry is right, its minutes included."""
    sure = verdict.sure - _SHAKY.get(amount.form, 0.0)
    if amount.high > 1.3 * amount.low:
        sure -= 0.03
    if amount.best > 12 * 60:
        sure -= 0.3
    return round(min(0.99, max(0.05, sure)), 2)
