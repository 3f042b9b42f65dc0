"""How pages say a service level: what it asks for, what is used of its budget, how it stands."""

from __future__ import annotations

from datetime import date

from storewatch.domain.service_levels import Measure, Status
from storewatch.services.level_pages import Line
from storewatch.services.level_status import Standing
from storewatch.storage.truth_tables import ServiceLevel
from storewatch.web import times, words

_EPOCH = date(1970, 1, 1).toordinal()

PERIODS = {"month": "a month", "week": "a week", "quarter": "a quarter"}
MEASURES = {"availability": "Availability of at least so many per cent", "outages": "At most so many outages"}
UNKNOWN = {
    "ignored": "Left out: it uses nothing of the budget",
    "up": "As up",
    "down": "As down: it uses the budget",
}


def amount(target: object) -> str:
    """`99`, `99.95`: without zeros at the end."""
    text = f"{target:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def target(level: ServiceLevel) -> str:
    """`99.5% up in a month`, `at most 3 outages in a week`, with how it counts where that is not usual."""
    if level.measure == Measure.OUTAGES:
        shortest = f" of {times.length(level.min_outage_s * 1_000_000)} or more" if level.min_outage_s else ""
        return f"at most {_outages(int(level.target))}{shortest} in {PERIODS[level.period]}"
    counted = {"up": ", unknown time counts as up", "down": ", unknown time counts as down"}
    more = counted.get(level.unknown_as, "")
    return f"{amount(level.target)}% up in {PERIODS[level.period]}{more}"


def of(line: Line) -> str:
    """Of which stores."""
    if line.found.store_id is not None:
        return line.of
    return f"the stores of {line.of}" if line.of else "all stores"


def uncounted(line: Line) -> str:
    """Why it is not told how one stands."""
    if line.apart:
        return "It takes a while to count outages by their length: open it to see"
    return "Too many stores and days to count at once"


def verdict(item: Standing) -> str:
    """How a period stands, in words."""
    if item.verdict.status is Status.MET:
        return "Met" if item.period.over else "On course"
    return {
        Status.AT_RISK: "At risk: at this pace the budget runs out",
        Status.MISSED: "Missed: more than the budget is used",
        Status.NO_DATA: "No data: nothing is known",
    }[item.verdict.status]


def used(item: Standing, level: ServiceLevel) -> str:
    """`2 h 10 min of 7 h 12 min used, 61% of the month's open time is over`."""
    told = f"{spent(item.verdict.used, level)} of {spent(item.verdict.budget, level)} used"
    if item.period.over:
        return told
    passed = item.period.open / item.period.whole if item.period.whole else None
    return f"{told}, {words.share(passed, 0)} of the {level.period}'s open time is over"


def spent(value: int, level: ServiceLevel) -> str:
    """So much of a budget: a length, or a number of outages."""
    return _outages(value) if level.measure == Measure.OUTAGES else times.length(value)


def bar(item: Standing) -> tuple[float, float | None]:
    """(what is used of the budget, how much of the period is over) in hundredths of a bar, whole at most."""
    budget, whole = item.verdict.budget, item.period.whole
    part = item.verdict.used / budget if budget else float(item.verdict.used > 0)
    over = None if item.period.over or not whole else round(100 * item.period.open / whole, 1)
    return round(100 * min(part, 1.0), 1), over


def span(item: Standing, period: str) -> str:
    """`November 2026`, or the first and last day with the year."""
    if period == "month":
        return month(item.first_day)
    return f"{times.day(item.first_day)} to {times.day(item.last_day)} {on(item.last_day).year}"


def month(day: int) -> str:
    """`November 2026`, of a day counted from 1970."""
    return f"{on(day):%B %Y}"


def on(day: int) -> date:
    """The date of a day counted from 1970."""
    return date.fromordinal(_EPOCH + day)


def _outages(count: int) -> str:
    return "1 outage" if count == 1 else f"{count:,} outages"
