"""How sure an entry is, from 0 to 1: of entries given 0.9, nine of ten are right.

The judge's certainty, less for what makes any reading shaky, brought to the shares that were counted over labelled mail
for which no rule had been written: what the judge gave 0.95, 0.9 and 0.85 was right in 0.89, 0.78 and 0.62 of cases.
"""

from shared.extraction.context.verdict import Verdict
from shared.extraction.durations import Amount, Form

_SHAKY = {Form.COLON: 0.05, Form.CLOCK: 0.02, Form.BARE: 0.01}
_SUREST, _COUNTED, _STEEPNESS = 0.95, 0.9, 2.5
"""At the judge's 0.95 nine of ten were right, and the share fell two and a half times as fast as the judge thought."""


def confidence(verdict: Verdict, amount: Amount) -> float:
    """The chance that this entry is right, its minutes included."""
    sure = verdict.sure - _SHAKY.get(amount.form, 0.0)
    if amount.high > 1.3 * amount.low:
        sure -= 0.03
    if amount.best > 12 * 60:
        sure -= 0.3
    below = _SUREST - sure
    return round(min(0.95, max(0.05, _COUNTED - below * (_STEEPNESS if below > 0 else 1.0))), 2)
