"""Times, weekly hours and rules by which something comes again."""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
import polars as pl

from storewatch.domain import occurrences, rrules
from storewatch.domain.clock import DAY, SECOND, from_us, to_us
from storewatch.domain.hours import Schedule, Week, open_intervals
from storewatch.domain.instants import instants
from storewatch.errors import StorewatchError
from tests import oracle
from tests.fuzz.target import Target
from tests.oracle.hours import open_intervals as by_oracle
from tests.strategies import ZONES

# --- times ----------------------------------------------------------------------------------------

_OURS = re.compile(  # Python 3.11 takes +05:99
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?( UTC|Z| ?[+-]\d\d(:?[0-5]\d)?)?", re.ASCII
)


def _theirs(text: str) -> int | None:
    """The time of a text that has our form, as Python reads it; None if it has not, or is no time."""
    if not _OURS.fullmatch(text):
        return None
    plain = text[:19] + text[19:].replace(" UTC", "Z").replace(" ", "")
    try:
        moment = datetime.fromisoformat(plain)
        local = moment.replace(tzinfo=UTC)
        offset = moment.utcoffset() or timedelta()
    except ValueError:
        return None
    if text[11:13] == "24":
        return None  # Python 3.13 takes it
    return to_us(local) - offset // timedelta(microseconds=1)


def try_times(data: bytes) -> str:
    """Each line is the time that Python reads there, or none; whatever stands beside it."""
    lines = data.decode("utf-8", "replace").split("\n")
    read = instants(pl.Series(lines, dtype=pl.String)).to_list()
    expected = [_theirs(line) for line in lines]
    for line, ours, theirs in zip(lines, read, expected, strict=True):
        assert ours == theirs, f"{line!r} is {ours}, and {theirs} to Python"
    for line, ours in zip(lines[:5], read, strict=False):
        assert instants(pl.Series([line])).to_list() == [ours], f"{line!r} alone is something else"
    forms = {re.sub("[0-9]", "0", line)[19:40] for line, ours in zip(lines, read, strict=True) if ours}
    return " | ".join(sorted(forms))


# --- hours ----------------------------------------------------------------------------------------

_ROW = struct.Struct("<BBII")
_STARTS = [to_us(datetime(*day, tzinfo=UTC)) for day in ((2011, 12, 28), (2023, 3, 10), (2023, 11, 3))]
_STARTS += [to_us(datetime(*day, tzinfo=UTC)) for day in ((2024, 3, 30), (2024, 10, 26), (2023, 4, 26))]
_STORES = 4


def try_hours(data: bytes) -> str:
    """Open intervals lie in the frame, in order, apart, not empty; and are the oracle's."""
    if len(data) < 6:
        return "too short"
    start = _STARTS[data[0] % len(_STARTS)] + data[1] * 1_800 * SECOND
    until = start + 1 + int.from_bytes(data[2:5], "little") % (9 * DAY // SECOND) * SECOND
    zones = [ZONES[(data[5] + store) % len(ZONES)] or oracle.DEFAULT_ZONE for store in range(_STORES)]
    read = (_row(*_ROW.unpack_from(data, at)) for at in range(6, len(data) - _ROW.size, _ROW.size))
    rows = [row for row in read if row is not None][:60]
    week = Week(*(np.array([row[i] for row in rows], t) for i, t in enumerate(_TYPES)))
    always = ~np.isin(np.arange(_STORES), week.store)
    schedule = Schedule(week, np.arange(_STORES, dtype=np.int32), tuple(zones), always)
    found = open_intervals(schedule, start, until)
    _sound(found.store, found.start, found.end, start, until)
    for store in range(_STORES):
        of = [_told(row) for row in rows if row[0] == store]
        mine = found.store == store
        ours = list(zip(found.start[mine].tolist(), found.end[mine].tolist(), strict=True))
        assert ours == by_oracle(of or None, zones[store], start, until), f"store {store} in {zones[store]}"
    return f"{'i' * min(len(found), 9)} of {'r' * min(len(rows), 9)} in {zones[0]}"


_TYPES = (np.int32, np.int16, np.int32, np.int32)
_Row = tuple[int, int, int, int]


def _row(store: int, day: int, opens: int, closes: int) -> _Row | None:
    """A row as the reader of hours lets it through."""
    opens, closes = opens % 86_400, closes % 86_401
    closes = 86_400 if closes >= 86_340 else closes
    return None if opens == closes else (store % _STORES, day % 7, opens, closes)


def _told(row: _Row) -> oracle.HoursRow:
    opens, closes = (f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in row[2:])
    return oracle.HoursRow("", row[1], opens, closes)


def _sound(store: np.ndarray, start: np.ndarray, end: np.ndarray, low: int, high: int) -> None:
    assert (start < end).all(), "an interval is empty or turned round"
    assert ((start >= low) & (end <= high)).all(), "an interval lies outside"
    same = store[1:] == store[:-1]
    assert (store[1:] >= store[:-1]).all(), "stores are not in order"
    assert (start[1:] > end[:-1])[same].all(), "intervals touch, overlap or are not in order"


# --- rules ----------------------------------------------------------------------------------------


def try_rule(data: bytes) -> str:
    """A rule is refused, or ends: its times are found in bounded work, in order, the start first."""
    head, _, text = data.decode("utf-8", "replace").partition("\n")
    start = _start(head)
    try:
        rule = rrules.read_rule(text, start)
    except StorewatchError as error:
        return str(error)
    assert rrules.read_rule(rule, start) == rule, "what we made of the rule is not taken as it is"
    some = list(islice(rrules.times(rule, start, datetime(2100, 1, 1)), 400))  # noqa: DTZ001 - local
    assert some[:1] == [start]
    assert some == sorted(set(some)), "times are not in order"
    first = to_us(start.replace(tzinfo=UTC))
    all_of_them = occurrences.begins(rule, first, to_us(datetime(2099, 12, 31, tzinfo=UTC)))
    assert [from_us(at).replace(tzinfo=None) for at in all_of_them[: len(some)].tolist()] == some
    return re.sub(r"[\d+-]+", "1", rule)


def _start(head: str) -> datetime:
    try:
        start = datetime.fromisoformat(head).replace(tzinfo=None, microsecond=0)
    except ValueError:
        return datetime(2024, 2, 29, 12)  # noqa: DTZ001 - local
    inside = datetime(2000, 1, 1) <= start <= datetime(2099, 12, 31)  # noqa: DTZ001 - local
    return start if inside else datetime(2023, 1, 1)  # noqa: DTZ001 - local


TARGETS = [
    Target("times", "times of polls, against Python's reader", try_times, "times"),
    Target("hours", "open intervals of weeks, against the oracle", try_hours),
    Target("rules", "rules of what comes again", try_rule, "rules"),
]
