"""Rules by which something comes again: RFC 5545 RRULE, by days and longer, in local times without a zone.

What is let in ends: at most once a day, and the start itself is one of its times, so looking for the next
one is never without end. Python-dateutil works them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from dateutil.rrule import rrulestr

from storewatch.errors import UsageError

MAX_LENGTH = 500
_DAY = "(?:MO|TU|WE|TH|FR|SA|SU)"


def _list(item: str) -> str:
    return f"{item}(?:,{item})*"


_PARTS = {
    "FREQ": ("DAILY|WEEKLY|MONTHLY|YEARLY", "DAILY, WEEKLY, MONTHLY or YEARLY"),
    "INTERVAL": ("[1-9][0-9]{0,2}", "a number from 1 to 999"),
    "COUNT": ("[1-9][0-9]{0,3}", "a number from 1 to 9999"),
    "UNTIL": (
        "2[01][0-9]{6}(?:T[0-9]{6})?",
        "a local day or time like 20271231 or 20271231T220000, without Z",
    ),
    "WKST": (_DAY, "a day like MO"),
    "BYMONTH": (_list("(?:[1-9]|1[0-2])"), "months like 1 or 6,12"),
    "BYMONTHDAY": (_list("[+-]?(?:[1-9]|[12][0-9]|3[01])"), "days of the month like 1 or 15,-1"),
    "BYYEARDAY": (
        _list("[+-]?(?:[1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"),
        "days of the year like 1 or 100,-1",
    ),
    "BYWEEKNO": (_list("[+-]?(?:[1-9]|[1-4][0-9]|5[0-3])"), "weeks of the year like 1 or 20,-1"),
    "BYDAY": (
        _list(f"(?:[+-]?(?:[1-9]|[1-4][0-9]|5[0-3]))?{_DAY}"),
        "days like MO,TU, or with numbers like 1MO or -1FR",
    ),
    "BYSETPOS": (
        _list("[+-]?(?:[1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"),
        "places like 1 or -1",
    ),
}
"""Each part of a rule: what its value looks like, and how a message says that. In the order of ours."""

_OF_THE_CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
_OF_YEARS = ("BYWEEKNO", "BYYEARDAY")
_BEYOND = 10_000_000
"""So many days, weeks, months or years after any day there are no dates."""


def read_rule(text: str, start: datetime) -> str:
    """The rule in the form in which we keep it: in capitals, its parts in order, UNTIL with a time.

    UsageError that says what to do if RFC 5545 has no such rule, or if `start` is none of its times.
    """
    parts = _parts(text)
    _check_together(parts)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], start)
    if "BYWEEKNO" in parts and "BYDAY" not in parts:
        parts["BYDAY"] = f"{start:%a}".upper()[:2]  # as RFC 5545 has it; dateutil takes the whole week
    if not _begins(parts, start):
        raise _wrong(f"start {start:%Y-%m-%d} is no day of {_told(parts)}: let it begin on its first one")
    return _told(parts)


def times(rule: str | None, start: datetime, until: datetime) -> Iterator[datetime]:
    """The times of a rule that `read_rule` gave, in order, before `until`; without a rule, the start."""
    if rule is None:
        return iter([start] if start < until else [])
    return takewhile(lambda at: at < until, rrulestr(rule, dtstart=start))


def _parts(text: str) -> dict[str, str]:
    if len(text) > MAX_LENGTH:
        raise _wrong(f"rrule has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").strip().rstrip(";").split(";"):
        name, _, value = (word.strip() for word in part.partition("="))
        if name in parts:
            raise _wrong(f"rrule has {name} twice")
        parts[name] = _checked(name, value)
    if "FREQ" not in parts:
        raise _wrong("rrule has no FREQ: write it like FREQ=WEEKLY;BYDAY=SU")
    return parts


def _checked(name: str, value: str) -> str:
    if name in _OF_THE_CLOCK:
        raise _wrong(f"rrule: {name} is not taken, for the time of day is that of start")
    if name not in _PARTS:
        raise _wrong(f"rrule: '{name[:40]}' is no part of a rule; write it like FREQ=WEEKLY;BYDAY=SU")
    pattern, meaning = _PARTS[name]
    if not re.fullmatch(pattern, value, re.ASCII):
        raise _wrong(f"rrule: {name}={value[:40]} is not taken; write {meaning}")
    return value


def _check_together(parts: dict[str, str]) -> None:
    """What RFC 5545 says of parts beside each other."""
    every = parts["FREQ"]
    numbered = [any(c.isdigit() for c in day) for day in parts.get("BYDAY", "").split(",")]
    wrong = (
        ("COUNT" in parts and "UNTIL" in parts, "give COUNT or UNTIL, not both"),
        (
            any(name in parts for name in _OF_YEARS) and every != "YEARLY",
            f"{' and '.join(_OF_YEARS)} need FREQ=YEARLY",
        ),
        ("BYMONTHDAY" in parts and every == "WEEKLY", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        (
            any(numbered) and (every not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in parts),
            "a number in BYDAY needs FREQ=MONTHLY or YEARLY, without BYWEEKNO",
        ),
        (any(numbered) and not all(numbered), "give each day in BYDAY a number, or none"),
        (
            "BYSETPOS" in parts and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts),
            "BYSETPOS needs another BY… beside it",
        ),
    )
    for found, message in wrong:
        if found:
            raise _wrong(f"rrule: {message}")


def _until(value: str, start: datetime) -> str:
    """A day means all of it."""
    whole = value if "T" in value else value + "T235959"
    try:
        until = datetime.strptime(whole, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a local time has no zone
    except ValueError:
        raise _wrong(f"rrule: UNTIL={value} is not in the calendar") from None
    if until < start:
        raise _wrong(f"rrule: UNTIL={value} is before start")
    return whole


def _begins(parts: dict[str, str], start: datetime) -> bool:
    """Whether the start is a time of the rule: the first one, if we look at the first period alone."""
    first = {name: value for name, value in parts.items() if name not in ("COUNT", "UNTIL")}
    return next(iter(rrulestr(_told(first | {"INTERVAL": str(_BEYOND)}), dtstart=start)), None) == start


def _told(parts: dict[str, str]) -> str:
    return ";".join(f"{name}={parts[name]}" for name in _PARTS if name in parts)


def _wrong(message: str) -> UsageError:
    return UsageError(message, field="rrule")
