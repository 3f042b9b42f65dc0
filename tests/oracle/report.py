"""The report as CSV."""

from collections.abc import Collection, Mapping, Sequence

from tests.oracle.pieces import totals
from tests.oracle.terms import (
    DAY,
    DEFAULT_MAX_GAP,
    DEFAULT_SEEN_WITHIN,
    DEFAULT_ZONE,
    HOUR,
    MINUTE,
    HoursRow,
    NoPollsError,
    Policy,
    Poll,
    Ruling,
    Totals,
)

REPORT_HEADER = (
    "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
    "downtime_last_hour,downtime_last_day,downtime_last_week"
)


def two_decimals(time_us: int, unit_us: int) -> str:
    """Rounded "two decimals, half away from zero", once, from whole microseconds."""
    hundredths = (2 * 100 * time_us + unit_us) // (2 * unit_us)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def cells(total: Totals, unit_us: int) -> tuple[str, str]:
    """Uptime and downtime of one window.

    "A window in which the store was not open holds 0.00. A window in which it was open and nothing is known
    holds two empty cells."
    """
    if total.open > 0 and total.up + total.down == 0:
        return "", ""
    return two_decimals(total.up, unit_us), two_decimals(total.down, unit_us)


def quoted(field: str) -> str:
    """A CSV field, in quotes only if it needs them."""
    return '"' + field.replace('"', '""') + '"' if set(field) & {",", '"'} else field


def newest_poll_us(polls: Sequence[Poll]) -> int:
    """T unless the caller names an instant: "the newest poll in the database (of any store)"."""
    if not polls:
        raise NoPollsError("there are no polls, so there is nothing to report")
    return max(poll.at_us for poll in polls)


def week_of(store_id: str, rows: Sequence[HoursRow], closed: Collection[str] = ()) -> list[HoursRow] | None:
    """The hours of one store: None if none were ever given, [] if its week was given as empty."""
    own = [row for row in rows if row.store_id == store_id]
    if own and store_id in closed:
        raise ValueError(f"{store_id} has both hours and an empty week")
    return own if own or store_id in closed else None


def report_csv(
    polls: Sequence[Poll],
    hours_rows: Sequence[HoursRow],
    zones: Mapping[str, str],
    as_of_us: int | None = None,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    seen_within_us: int = DEFAULT_SEEN_WITHIN,
    *,
    closed: Collection[str] = (),
    rulings: Mapping[str, Sequence[Ruling]] | None = None,
) -> str:
    """The whole report, last hour in minutes, last day and last week in hours.

    "One row for each store that has at least one poll at or before T, ordered by store_id by code point."

    `closed` names the stores whose week was given as empty, which rows cannot say. `rulings` are the
    exceptions that concern each store.
    """
    newest = newest_poll_us(polls)
    as_of = newest if as_of_us is None else as_of_us
    lines = [REPORT_HEADER]
    for store_id in sorted({poll.store_id for poll in polls if poll.at_us <= as_of}):
        own_polls = [poll for poll in polls if poll.store_id == store_id]
        rows = week_of(store_id, hours_rows, closed)
        zone = zones.get(store_id, DEFAULT_ZONE)
        own_rulings = (rulings or {}).get(store_id, ())
        pairs = []
        for back_us, unit_us in ((HOUR, MINUTE), (DAY, HOUR), (7 * DAY, HOUR)):
            window = (as_of - back_us, as_of)
            total = totals(
                own_polls, rows, zone, window, as_of, policy, max_gap_us, seen_within_us, own_rulings
            )
            pairs.append(cells(total, unit_us))
        lines.append(",".join([quoted(store_id), *(up for up, _ in pairs), *(down for _, down in pairs)]))
    return "\n".join(lines) + "\n"
