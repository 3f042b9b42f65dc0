"""What the page of a store says of its hours, its exceptions, its state and its days. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from storewatch.domain.availability import Kind
from storewatch.domain.clock import HOUR, to_us
from storewatch.services.periods import ByPeriod
from storewatch.services.pieces import Now
from storewatch.services.weeks import Course
from storewatch.storage.exceptions import Found
from storewatch.storage.truth_tables import ExceptionRow
from storewatch.web import times
from storewatch.web.why import EFFECTS

_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EPOCH = date(1970, 1, 1).toordinal()
_MONDAY = 3  # 1970-01-01 was a Thursday

# --- state ----------------------------------------------------------------------------------------


def dated(at: int, zone: str) -> str:
    """`Thu 12 Mar 2026, 14:43 CDT`."""
    return f"{on_date(times.on_clock(at, zone))}, {times.clock(at, zone)}"


_STANDING = {"up": "open and up", "down": "open and down", "closed": "closed", "excluded": "open, excluded"}


def standing(now: Now) -> str:
    """The state in a word or three."""
    return _STANDING.get(now.state, "not seen")


def now_words(now: Now, as_of: int, zone: str) -> str:
    """What follows the word of the state: ` since 11:34 CDT, for 3 h 9 min.`"""
    if now.state == "closed":
        if now.opens_at is None:
            return ". It does not open in the next 8 days."
        return f". Opens {_when(now.opens_at, as_of, zone)}."
    if now.state == "unseen":
        return ": open, but no poll near enough to say whether it is up."
    since = now.outage.counted_from if now.outage is not None else now.since
    if since is None:
        return " for a month at least."
    return f" since {_when(since, as_of, zone)}, for {times.length(as_of - since)}."


def now_note(now: Now, zone: str) -> str:
    """What was seen, and what the polls say."""
    said = []
    if now.outage is not None:
        if now.outage.last_seen_up is not None:
            said.append(f"Last seen up {times.moment(now.outage.last_seen_up, zone)}.")
        reasons = ", ".join(sorted(now.outage.reasons))
        said.append(f"The polls say: {reasons}." if reasons else "The polls give no reason.")
    elif now.last_poll is not None:
        said.append(f"Last polled {times.moment(now.last_poll, zone)}.")
    else:
        said.append("Not polled of late.")
    return " ".join(said)


def _when(at: int, as_of: int, zone: str) -> str:
    if times.on_clock(at, zone).date() == times.on_clock(as_of, zone).date():
        return f"{'today at ' if at > as_of else ''}{times.clock(at, zone)}"
    return times.moment(at, zone)


# --- hours ----------------------------------------------------------------------------------------


def hours(course: Course) -> list[tuple[str, str]]:
    """The week of today: (days, openings), days in a row that are alike together; none if open 24 x 7."""
    held = course.on(course.today)
    if held is None:
        return []
    said = [_openings([(a, b) for day, a, b in held.openings if day == number]) for number in range(7)]
    rows: list[tuple[str, str]] = []
    first = 0
    for number in range(1, 8):
        if number == 7 or said[number] != said[first]:
            rows.append((_days(first, number - 1), said[first]))
            first = number
    return rows


def _days(first: int, last: int) -> str:
    if first == last:
        return _WEEK[first]
    return f"{_WEEK[first]}{', ' if last == first + 1 else ' to '}{_WEEK[last]}"


def _openings(pairs: list[tuple[int, int]]) -> str:
    return (
        ", ".join(f"{_time(a)} to {_time(b)}{' the next day' if b < a else ''}" for a, b in pairs) or "closed"
    )


def _time(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")


def since(course: Course) -> str:
    """From when on, and until when, the week of today holds, if that is known."""
    held = course.on(course.today)
    parts = []
    if held is not None and held.valid_from is not None:
        parts.append(f"These hold from {on_date(held.valid_from)} on.")
    if held is not None and held.until is not None:
        parts.append(f"Others hold from {on_date(held.until)} on.")
    return " ".join(parts)


def on_date(day: date | datetime) -> str:
    """`Thu 31 Dec 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


# --- exceptions -----------------------------------------------------------------------------------


def exception(found: Found, zone: str) -> tuple[str, str]:
    """(when, what): `Mon 25 Dec 2023`, `closed, for all stores: Christmas (by ada@example.com)`."""
    row = found.row
    scope = (
        ""
        if row.store_key is not None
        else ", for a group"
        if row.group_no is not None
        else ", for all stores"
    )
    if found.group is not None:
        scope = f", for the group {found.group.name}"
    what = EFFECTS.get(row.effect, row.effect)
    if row.openings:
        what += f" ({_openings(list(zip(row.openings[::2], row.openings[1::2], strict=True)))})"
    note = f": {row.note}" if row.note else ""
    by = f" (by {found.made_by})" if found.made_by else ""
    return _span(row, zone), f"{what}{scope}{note}{by}"


def _span(row: ExceptionRow, zone: str) -> str:
    if row.start_at is not None and row.end_at is not None:
        return times.span(to_us(row.start_at), to_us(row.end_at), zone)
    start, end = row.start_local, row.end_local
    assert start is not None  # noqa: S101 - the table has one pair or the other
    assert end is not None  # noqa: S101
    again = f", again {again_words(row.rrule)}" if row.rrule else ""
    if start.time() == end.time() == start.time().min:
        if (end - start).days == 1:
            return on_date(start) + again
        last = date.fromordinal(end.toordinal() - 1)
        return f"{on_date(start)} to {on_date(last)}{again}"
    return f"{on_date(start)}, {start:%H:%M} to {on_date(end)}, {end:%H:%M} on its clock{again}"


_EVERY = {
    "FREQ=DAILY": "every day",
    "FREQ=WEEKLY": "every week",
    "FREQ=MONTHLY": "every month",
    "FREQ=YEARLY": "every year",
}


def again_words(rule: str) -> str:
    """`every week until Thu 31 Dec 2026`; a rule of more parts as it is."""
    every, _, until = rule.partition(";UNTIL=")
    if every not in _EVERY or ";" in until:
        return f"by {rule}"
    return _EVERY[every] + (f" until {on_date(datetime.fromisoformat(until))}" if until else "")


# --- calendar -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A day of the calendar: its date, `c-up` or such, and what is said of it."""

    number: int
    iso: str
    look: str
    title: str
    month: str


def calendar(
    of: ByPeriod,
) -> tuple[list[tuple[str, str]], list[tuple[str, list[Cell | None]]], dict[str, int]]:
    """(weeks as (first day, month if it is new), rows by weekday, how many days of each look)."""
    days = {
        int(day): _cell(int(day), totals, counted)
        for day, totals, counted in zip(of.first, of.sums.totals.tolist(), of.sums.days.tolist(), strict=True)
    }
    first, last = min(days), max(days)
    mondays = range(first - (first + _MONDAY) % 7, last + 1, 7)
    rows = [
        (name[:3], [days.get(monday + number) for monday in mondays]) for number, name in enumerate(_WEEK)
    ]
    heads, month = [], ""
    for monday in mondays:
        name = f"{date.fromordinal(_EPOCH + max(monday, first)):%b}"
        heads.append((times.day(monday), "" if name == month else name))
        month = name
    counts: dict[str, int] = {}
    for cell in days.values():
        counts[cell.look] = counts.get(cell.look, 0) + 1
    return heads, rows, counts


def _cell(day: int, totals: list[int], counted: int) -> Cell:
    known = date.fromordinal(_EPOCH + day)
    look, words = _look(totals) if counted else ("c-unseen", "no polls yet")
    return Cell(known.day, known.isoformat(), look, f"{times.day(day)}: {words}", f"{known:%b}")


def _look(totals: list[int]) -> tuple[str, str]:
    down = totals[Kind.DOWN_SEEN] + totals[Kind.DOWN_INFERRED]
    seen = totals[Kind.UP_SEEN] + totals[Kind.DOWN_SEEN]
    if not sum(totals):
        return "c-closed", "closed"
    if down:
        return ("c-much" if down >= HOUR else "c-some"), f"down {times.length(down)}"
    if not seen:
        return "c-unseen", "nothing seen"
    return "c-up", "up"
