"""What the grammar of durations gives: an amount of time in minutes, exact or hedged, and the rules that read it."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Form(StrEnum):
    """How an amount is written. A `BARE` one is a number alone, which only its surroundings make an amount of time."""

    SPOKEN = "spoken"
    CLOCK = "clock"
    BARE = "bare"
    COLON = "colon"
    UNITS = "units"


@dataclass(frozen=True, slots=True)
class Reading:
    """Minutes: `best`, and `low..high` that a careful reader would allow. `clock`: begin and end, minutes of the day.

    `unit` is the minutes of the unit last named, which a number before it may share ("2 or 3 hours").
    """

    low: float
    best: float
    high: float
    rules: tuple[str, ...]
    form: Form = Form.SPOKEN
    unit: float = 60.0
    clock: tuple[int, int] | None = None

    def under(
        self, rule: str, low: float | None = None, best: float | None = None, high: float | None = None
    ) -> "Reading":
        """The same amount inside a larger phrase, which may move its bounds (minutes)."""
        return replace(
            self,
            low=self.low if low is None else low,
            best=self.best if best is None else best,
            high=self.high if high is None else high,
            rules=(rule, *self.rules),
        )


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of time at `start..end` of the text, in minutes, with the rules that read it, outermost first."""

    start: int
    end: int
    low: float
    best: float
    high: float
    rules: tuple[str, ...]
    form: Form = Form.SPOKEN
    clock: tuple[int, int] | None = None
