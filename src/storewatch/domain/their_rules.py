"""What another program may do otherwise than we: rules, and programs made of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from storewatch.domain.clock import DAY
from storewatch.domain.other_weeks import Change

UNLIMITED = 7 * DAY
"""So far polls reach that speak "however far": older ones are not looked for."""


class Cause(StrEnum):
    """Why a cell differs."""

    CLOCK_CHANGE = "clock change"
    OVERNIGHT = "overnight hours"
    MIDNIGHT = "end at 23:59"
    OVERLAP = "overlapping intervals"
    SEVERAL = "several intervals a day"
    MISSING_DAY = "missing day"
    WEEKDAY = "weekday"
    NO_HOURS = "store without hours"
    NO_ZONE = "store without zone"
    UTC = "UTC in place of the local zone"
    CLOSED = "closed hours counted"
    GAP = "gap in polling"
    CLOSED_POLLS = "polls of closed hours used"
    POLLS = "polls counted in place of time"
    NEWEST = "end of the windows"
    ROUNDING = "rounding"
    UNIT = "other unit"
    EXCEPTIONS = "exceptions"
    CHANGED = "data changed since the report"
    MISSING_THEIRS = "store missing in theirs"
    MISSING_OURS = "store missing in ours"
    UNEXPLAINED = "not explained"


class Slot(Enum):
    """What a rule is about. A program has one rule of each at most."""

    WEEKDAY = 0
    SEVERAL = 1
    NIGHT = 2
    MIDNIGHT = 3
    DAYS = 4
    HOURS = 5
    ZONE = 6
    POLLS = 7
    UNKNOWN = 8
    NEWEST = 9
    ROUNDING = 10
    UNIT = 11


class How(Enum):
    """How polls become a state."""

    NEAREST = "nearest"
    PREVIOUS = "previous"
    PREVIOUS_ONLY = "previous only"  # unknown before the first
    NEXT = "next"
    SHARE = "share"  # open time, parted as the polls are
    COUNT = "count"  # a poll stands for an hour


@dataclass(frozen=True)
class Speak:
    """How polls become a state, and how far they reach. `anywhere`: those of closed time too; `in_window`:
    those of the window only; `across`: the time between two counts whole, though the store was closed.
    """

    how: How
    reach: int = UNLIMITED
    anywhere: bool = False
    in_window: bool = False
    across: bool = False


class Unknown(Enum):
    """What becomes of time of which nothing is known."""

    UP = "up"
    DOWN = "down"
    ZERO = "zero"


class Clock(Enum):
    """An offset of a zone, the same all year."""

    AT_THE_END = "at the end"
    STANDARD = "standard"
    TURNED = "turned"


@dataclass(frozen=True)
class Rule:
    """A way to do otherwise: `words` say it of the other program. What it changes is one of the rest."""

    slot: Slot
    cause: Cause
    words: str
    change: Change | None = None
    twice: bool = False
    clock: Clock | None = None
    speak: Speak | None = None
    unknown: Unknown | None = None
    cut_off: bool = False
    factor: tuple[float, float, float] | None = None  # of the three windows


@dataclass(frozen=True)
class Program:
    """Another program: our rules, but for these."""

    rules: tuple[Rule, ...] = ()

    def of(self, slot: Slot) -> Rule | None:
        """Its rule about something, if that is another than ours."""
        return next((rule for rule in self.rules if rule.slot is slot), None)

    def __add__(self, rule: Rule) -> Program:
        return Program((*self.rules, rule))

    @property
    def cause(self) -> str:
        """In a few words."""
        return " + ".join(dict.fromkeys(rule.cause.value for rule in self.rules))

    @property
    def words(self) -> str:
        """What it does."""
        return "; ".join(rule.words for rule in self.rules)


OURS = Program()
