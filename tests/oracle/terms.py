"""What the contract speaks of: polls, rows of hours, exceptions, segments, totals, outages."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

State = Literal["up", "down", "unknown", "excluded"]
Policy = Literal["nearest", "previous"]
Effect = Literal["other_hours", "closed", "ignore_polls", "up", "down", "excluded"]
Breadth = Literal["all", "group", "store"]
Interval = tuple[int, int]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DEFAULT_ZONE = "America/Chicago"
DEFAULT_MAX_GAP = 24 * HOUR
DEFAULT_SEEN_WITHIN = 45 * MINUTE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIDNIGHT_AT_THE_END = 24 * 3600
COUNTS_AS_MIDNIGHT = 23 * 3600 + 59 * 60


class NoPollsError(ValueError):
    """A database without polls gives no report, but a plain answer why."""


@dataclass(frozen=True)
class Poll:
    """One poll: a store was active or inactive at an instant."""

    store_id: str
    at_us: int
    active: bool


@dataclass(frozen=True)
class HoursRow:
    """One row of opening hours, its times as they are written in the file; 0 = Monday.

    It holds from the local day `valid_from` on (None: ever since), until the store's next such day.
    """

    store_id: str
    day: int
    start: str
    end: str
    valid_from: date | None = None


@dataclass(frozen=True)
class Ruling:
    """An exception that concerns a store, as one of all stores, of a group of it, or of itself.

    `start` and `end` are instants if they are aware, else times on the store's clock, which may come again by
    `rule`. What was made later has a higher `number`. `openings` are those of other hours, as in a file.
    """

    number: int
    effect: Effect
    start: datetime
    end: datetime
    breadth: Breadth = "store"
    rule: str | None = None
    openings: tuple[tuple[str, str], ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """Who wins where two overlap: "narrower scope first, then the later made"."""
        return ("all", "group", "store").index(self.breadth), self.number


@dataclass(frozen=True)
class Segment:
    """A piece of open time with one state, all seen or all not, decided by one poll (None if unknown) or by
    one exception, its number.
    """

    start_us: int
    end_us: int
    state: State
    seen: bool
    poll: Poll | None
    ruling: int | None = None

    @property
    def length_us(self) -> int:
        """How much open time the piece is."""
        return self.end_us - self.start_us


@dataclass(frozen=True)
class Totals:
    """The open time of one store in one window, by what is known of it."""

    up_seen: int
    up_inferred: int
    down_seen: int
    down_inferred: int
    unknown: int
    excluded: int = 0

    @property
    def up(self) -> int:
        """Seen and inferred together."""
        return self.up_seen + self.up_inferred

    @property
    def down(self) -> int:
        """Seen and inferred together."""
        return self.down_seen + self.down_inferred

    @property
    def open(self) -> int:
        """`up_seen + up_inferred + down_seen + down_inferred + unknown + excluded = open`."""
        return self.up + self.down + self.unknown + self.excluded


def length(intervals: Collection[Interval]) -> int:
    """The time in disjoint intervals."""
    return sum(end - start for start, end in intervals)


@dataclass(frozen=True)
class Outage:
    """A maximal run of down; `parts` are its united stretches of open time, in order, never empty."""

    parts: tuple[Interval, ...]

    @property
    def start_us(self) -> int:
        """Its first instant down."""
        return self.parts[0][0]

    @property
    def end_us(self) -> int:
        """The end of its last stretch of open time."""
        return self.parts[-1][1]

    @property
    def length_us(self) -> int:
        """How long it is: "Its length is its open time"."""
        return length(self.parts)
