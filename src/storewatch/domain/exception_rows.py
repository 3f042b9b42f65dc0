"""What somebody says of an exception -> an exception: one validator for API bodies, commands and CSV rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import polars as pl

from storewatch.domain import rrules, weekly
from storewatch.errors import UsageError

EFFECTS = ("closed", "other_hours", "excluded", "up", "down", "ignore_polls")
COLUMNS = ("effect", "start", "end", "note")
OPTIONAL = ("store_id", "group", "rrule", "hours")
"""The columns of a file. In a body `all` is beside them."""

EVERY = "*"
"""In place of a store's id: all stores."""

MAX_NOTE = 1000
MAX_NAME = 200
MAX_OPENINGS = 48
LONGEST = timedelta(days=366)

_FIRST, _LAST = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - on any clock
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?: ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?",
    re.ASCII,
)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_UNPRINTABLE_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Wanted:
    """An exception as it was said. Of a store, of a group (its name or id), or (neither) of all stores.

    `start` and `end` are both instants in UTC, or both local times without a zone, to the second.
    `openings` are start, end, start, end … in seconds of the local day, as in `menu_hours`.
    """

    effect: str
    store_id: str | None
    group: str | None
    start: datetime
    end: datetime
    rrule: str | None
    openings: tuple[int, ...] | None
    note: str

    @property
    def local(self) -> bool:
        """Whether its times are those of each store's own clock."""
        return self.start.tzinfo is None


def read(said: Mapping[str, str | None], *, every: bool = False) -> Wanted:
    """The exception that fields of `COLUMNS` and `OPTIONAL` tell; empty ones and None are left out. `every`
    is for all stores. UsageError names the field that is wrong, and says what to do.
    """
    given = {name: (said.get(name) or "").strip() for name in (*COLUMNS, *OPTIONAL)}
    effect = _effect(given["effect"])
    store_id, group = _scope(given["store_id"], given["group"], every=every)
    start, end = _times(given["start"], given["end"])
    rule = _rule(given["rrule"], start)
    openings = _openings(effect, given["hours"], start, end)
    return Wanted(effect, store_id, group, start, end, rule, openings, _note(given["note"]))


def _effect(text: str) -> str:
    if text not in EFFECTS:
        raise _wrong("effect", f"effect {_quoted(text)} is not one of {', '.join(EFFECTS)}")
    return text


def _scope(store_id: str, group: str, *, every: bool) -> tuple[str | None, str | None]:
    every = every or store_id == EVERY
    store_id = "" if store_id == EVERY else store_id
    if sum(map(bool, (store_id, group, every))) != 1:
        what = "nothing says for which stores" if not (store_id or group or every) else "that is too much"
        raise _wrong("store_id", f"{what}: give store_id, or group, or say that it is for all stores")
    for name, text in (("store_id", store_id), ("group", group)):
        if len(text) > MAX_NAME or _UNPRINTABLE.search(text):
            raise _wrong(name, f"{name} is not 1 to {MAX_NAME} printable characters")
    return store_id or None, group or None


# --- times ----------------------------------------------------------------------------------------


def _times(start: str, end: str) -> tuple[datetime, datetime]:
    first, last = read_time("start", start), read_time("end", end)
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise _wrong(
            "end", "start and end must be alike: both with Z or an offset, or both local times without one"
        )
    if last <= first:
        raise _wrong("end", "end is not after start; the end itself is not part of the time any more")
    if last - first > LONGEST:
        raise _wrong(
            "end", f"from start to end are more than {LONGEST.days} days: make several, or use rrule"
        )
    return first, last


def read_time(field: str, text: str) -> datetime:
    """An instant in UTC, or a local time without a zone; a day alone is its midnight."""
    found = _TIME.fullmatch(text)
    moment = _moment(*found.groups(default="")) if found else None
    if moment is None:
        like = "2026-12-25, 2026-12-25T18:00 or 2026-12-25T18:00:00Z"
        raise _wrong(field, f"{field} {_quoted(text)} is not a day or time like {like}")
    if not _FIRST <= moment.replace(tzinfo=None) <= _LAST:
        raise _wrong(field, f"{field} {_quoted(text)} lies before the year 2000 or after 2099")
    if moment.tzinfo is None and moment.microsecond:
        raise _wrong(field, f"{field} {_quoted(text)} has parts of a second: write local times to the second")
    return moment


def _moment(day: str, time: str, offset: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(f"{day}T{time or '00:00'}{'Z' if offset == 'UTC' else offset}")
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def _rule(text: str, start: datetime) -> str | None:
    if not text:
        return None
    if start.tzinfo is not None:
        raise _wrong("rrule", "rrule needs local times: write start and end without Z or an offset")
    return rrules.read_rule(text, start)


# --- hours ----------------------------------------------------------------------------------------


def _openings(effect: str, text: str, start: datetime, end: datetime) -> tuple[int, ...] | None:
    if effect != "other_hours":
        if text:
            raise _wrong("hours", f"hours go with the effect other_hours, not with {effect}: leave them out")
        return None
    if not text:
        raise _wrong(
            "hours", "hours are missing: write them like 09:00-17:00, 18:00-02:00; if closed, say closed"
        )
    for field, moment in (("start", start), ("end", end)):
        if moment.tzinfo is not None or (moment.hour, moment.minute, moment.second) != (0, 0, 0):
            raise _wrong(
                field, f"{field}: other_hours are for whole local days, so write a day like 2026-12-24"
            )
    return read_openings(text)


@lru_cache(maxsize=1024)
def read_openings(text: str) -> tuple[int, ...]:
    """`09:00-17:00, 18:00-02:00` by the rules of files of hours: start, end, start, end … in order."""
    parts = [part.strip() for part in re.split("[,;]", text)]
    pairs = [tuple(time.strip() for time in part.split("-")) for part in parts]
    if len(pairs) > MAX_OPENINGS or any(len(pair) != 2 for pair in pairs):
        raise _wrong("hours", f"hours {_quoted(text)} are not like 09:00-17:00, 18:00-02:00")
    rows = [(number, "-", "0", *pair) for number, pair in enumerate(pairs)]
    schema = {"line": pl.Int64} | dict.fromkeys(weekly.HOURS_COLUMNS, pl.String)
    read = weekly.read_hours(pl.DataFrame(rows, schema, orient="row"))
    if len(read.bad):
        reason = str(read.bad["reason"][0]).partition(": the cell")[0]
        told = reason.replace("start_time_local", "the start").replace("end_time_local", "the end")
        raise _wrong("hours", f"hours {_quoted(text)}: {told.partition(', no row for')[0]}")
    found = sorted(set(read.good.select("start_s", "end_s").rows()))
    return tuple(second for pair in found for second in pair)


def told_openings(openings: tuple[int, ...] | list[int]) -> str:
    """`09:00-17:00, 18:00-02:00` of start, end, start, end …"""
    pairs = zip(openings[::2], openings[1::2], strict=True)
    return ", ".join(f"{weekly.clock(start)}-{weekly.clock(end)}" for start, end in pairs)


# --- words ----------------------------------------------------------------------------------------


def _note(text: str) -> str:
    if not text:
        raise _wrong("note", "note is missing: say why, for whoever reads the figures later")
    if len(text) > MAX_NOTE:
        raise _wrong("note", f"note has {len(text)} characters; at most {MAX_NOTE} are allowed")
    if _UNPRINTABLE_LINES.search(text):
        raise _wrong("note", "note has characters that cannot be printed")
    return text


def _quoted(text: str) -> str:
    short = text if len(text) <= 60 else text[:57] + "..."
    return "'" + _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", short) + "'"


def _wrong(field: str, message: str) -> UsageError:
    return UsageError(message, field=field)
