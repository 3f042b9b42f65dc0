"""The worked examples of the contract as data, and the three input files as text.

Where the contract says only "Monday", a real date was chosen: Monday 2023-01-23 (Chicago: UTC-6). Each
example is one store; `status_csv`, `hours_csv` and `zone_csv` write what an import reads, here and for any
other polls.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from tests.oracle import (
    DAY,
    DEFAULT_MAX_GAP,
    EPOCH,
    HOUR,
    MINUTE,
    HoursRow,
    Interval,
    Policy,
    Poll,
    utc,
)

STORE = "8419537941919820732"

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)


@dataclass(frozen=True)
class WorkedExample:
    """One store, one window, and the seconds that the contract expects in it."""

    name: str
    hours: tuple[HoursRow, ...]
    """None given: 24 x 7."""
    zone: str | None
    """None: the default zone."""
    polls: tuple[Poll, ...]
    as_of_us: int
    back_us: int
    """How long the window is; it ends at `as_of_us`."""
    up_s: int
    down_s: int
    unknown_s: int
    policy: Policy = "nearest"
    max_gap_us: int = DEFAULT_MAX_GAP

    @property
    def window(self) -> Interval:
        """The window as instants."""
        return self.as_of_us - self.back_us, self.as_of_us

    @property
    def rows(self) -> tuple[HoursRow, ...] | None:
        """The hours as the oracle takes them: None is 24 x 7."""
        return self.hours or None

    @property
    def zones(self) -> dict[str, str]:
        """The zones by store, empty where the default is meant."""
        return {} if self.zone is None else {STORE: self.zone}


def hours(day: int, start: str, end: str) -> tuple[HoursRow, ...]:
    """A week with one interval."""
    return (HoursRow(STORE, day, start, end),)


def active(text: str) -> Poll:
    """The store answered at a time in UTC."""
    return Poll(STORE, utc(text), active=True)


def inactive(text: str) -> Poll:
    """The store did not answer at a time in UTC."""
    return Poll(STORE, utc(text), active=False)


CHICAGO = WorkedExample(
    name="Chicago, Monday 9-12: nearest, last day",
    hours=hours(MONDAY, "09:00", "12:00"),
    zone="America/Chicago",
    polls=(active("2023-01-23 16:14"), inactive("2023-01-23 17:15")),
    as_of_us=utc("2023-01-23 18:00"),
    back_us=DAY,
    up_s=6270,
    down_s=4530,
    unknown_s=0,
)

CHICAGO_EXAMPLES = (
    CHICAGO,
    replace(CHICAGO, name="Chicago: nearest, last hour", back_us=HOUR, up_s=0, down_s=3600),
    replace(CHICAGO, name="Chicago: previous, last day", policy="previous", up_s=8100, down_s=2700),
    replace(
        CHICAGO,
        name="Chicago: one more poll before it opens",
        polls=(inactive("2023-01-23 14:50"), *CHICAGO.polls),
    ),
    replace(
        CHICAGO,
        name="Chicago: max_gap of 30 minutes",
        max_gap_us=30 * MINUTE,
        up_s=3600,
        down_s=3600,
        unknown_s=3600,
    ),
)

ONE_POLL = WorkedExample(
    name="24 x 7 with one poll: last week",
    hours=(),
    zone=None,
    polls=(active("2023-01-23 16:14"),),
    as_of_us=utc("2023-01-23 18:00"),
    back_us=7 * DAY,
    up_s=92_760,
    down_s=0,
    unknown_s=512_040,
)

SILENCE = WorkedExample(
    name="24 x 7 with a silence of 40 hours: nearest, last week",
    hours=(),
    zone=None,
    polls=(active("2023-01-22 00:00"), inactive("2023-01-23 16:00")),
    as_of_us=utc("2023-01-23 18:00"),
    back_us=7 * DAY,
    up_s=158_400,
    down_s=79_200,
    unknown_s=367_200,
)

SILENCE_PREVIOUS = replace(
    SILENCE,
    name="24 x 7 with a silence of 40 hours: previous, last week",
    policy="previous",
    up_s=172_800,
    down_s=64_800,
)

OVERNIGHT_INTO_SPRING = WorkedExample(
    name="New York, Saturday 22:00-03:00, the end in the hour that is skipped",
    hours=hours(SATURDAY, "22:00", "03:00"),
    zone="America/New_York",
    polls=(active("2023-03-12 05:00"),),
    as_of_us=utc("2023-03-12 12:00"),
    back_us=DAY,
    up_s=14_400,
    down_s=0,
    unknown_s=0,
)

DAY_OF_25_HOURS = WorkedExample(
    name="New York, Sunday 00:00-24:00, a day of 25 hours",
    hours=hours(SUNDAY, "00:00", "24:00"),
    zone="America/New_York",
    polls=(active("2023-11-05 15:00"),),
    as_of_us=utc("2023-11-06 12:00"),
    back_us=7 * DAY,
    up_s=90_000,
    down_s=0,
    unknown_s=0,
)

WITHIN_THE_SKIPPED_HOUR = WorkedExample(
    name="New York, Sunday 02:15-02:45, skipped and so an hour later",
    hours=hours(SUNDAY, "02:15", "02:45"),
    zone="America/New_York",
    polls=(active("2023-03-12 07:20"),),
    as_of_us=utc("2023-03-12 12:00"),
    back_us=DAY,
    up_s=1800,
    down_s=0,
    unknown_s=0,
)

WORKED_EXAMPLES: tuple[WorkedExample, ...] = (
    *CHICAGO_EXAMPLES,
    ONE_POLL,
    SILENCE,
    SILENCE_PREVIOUS,
    OVERNIGHT_INTO_SPRING,
    DAY_OF_25_HOURS,
    WITHIN_THE_SKIPPED_HOUR,
)


def field(text: str) -> str:
    """A CSV field, in quotes if it needs them."""
    return '"' + text.replace('"', '""') + '"' if set(text) & {",", '"'} else text


def status_csv(polls: Iterable[Poll]) -> str:
    """A `store_status` file, in the order of the polls."""
    lines = ["store_id,status,timestamp_utc"]
    for poll in polls:
        instant = (EPOCH + timedelta(microseconds=poll.at_us)).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        lines.append(f"{field(poll.store_id)},{'active' if poll.active else 'inactive'},{instant}")
    return "\n".join(lines) + "\n"


def hours_csv(rows: Iterable[HoursRow]) -> str:
    """A `menu_hours` file, in the order of the rows; with `valid_from` if any row has it."""
    rows = list(rows)
    lines = ["store_id,day,start_time_local,end_time_local"]
    lines += [f"{field(row.store_id)},{row.day},{row.start},{row.end}" for row in rows]
    if any(row.valid_from for row in rows):
        since = ["valid_from", *(row.valid_from or "always" for row in rows)]
        lines = [f"{line},{first}" for line, first in zip(lines, since, strict=True)]
    return "\n".join(lines) + "\n"


def zone_csv(zones: Mapping[str, str]) -> str:
    """A `store_timezone` file."""
    lines = ["store_id,timezone_str"]
    lines += [f"{field(store_id)},{zone}" for store_id, zone in zones.items()]
    return "\n".join(lines) + "\n"
