"""The catalogue: what other programs are known to do otherwise than we.

`storewatch compare` computes a fleet under each rule, and looks which says what the other program did.
A rule that is missing here is never found: the cells stay "not explained".
"""

from __future__ import annotations

from collections.abc import Iterator

from storewatch.domain import other_weeks as weeks
from storewatch.domain.clock import DAY, HOUR
from storewatch.domain.other_weeks import Change
from storewatch.domain.their_rules import UNLIMITED, Cause, Clock, How, Rule, Slot, Speak, Unknown


def catalogue(zone_names: tuple[str, ...], policy: str) -> tuple[Rule, ...]:
    """All rules, the likelier first; `zone_names` are those of the fleet, the default zone first."""
    return (*_POLLS_BY_POLICY[policy], *_OF_POLLS, *_OF_HOURS, *_of_zones(zone_names), *_OF_FIGURES)


def _week(slot: Slot, cause: Cause, words: str, change: Change) -> Rule:
    return Rule(slot, cause, words, change=change)


def _speak(cause: Cause, words: str, speak: Speak) -> Rule:
    return Rule(Slot.POLLS, cause, words, speak=speak)


def _gap(words: str, how: How, reach: int = UNLIMITED) -> Rule:
    return _speak(Cause.GAP, words, Speak(how, reach))


_POLLS_BY_POLICY = {
    "nearest": (_gap("the last poll speaks until the next, 24 h at most", How.PREVIOUS, DAY),),
    "previous": (_gap("the nearest poll speaks, 24 h at most", How.NEAREST, DAY),),
}
_OF_POLLS = (
    _gap("the nearest poll speaks, however far", How.NEAREST),
    _gap("the last poll speaks, however old", How.PREVIOUS),
    _gap("the last poll speaks, however old; before the first nothing counts", How.PREVIOUS_ONLY),
    _gap("the last poll speaks, 24 h at most; before it nothing counts", How.PREVIOUS_ONLY, DAY),
    _gap("the next poll speaks for the time before it", How.NEXT),
    *(
        _gap(f"the nearest poll speaks, {hours} h at most", How.NEAREST, hours * HOUR)
        for hours in (1, 2, 3, 12)
    ),
    *(
        _gap(f"the last poll speaks, {hours} h at most", How.PREVIOUS, hours * HOUR)
        for hours in (1, 2, 3, 12)
    ),
    *(
        _gap(
            f"the last poll speaks, {hours} h at most; before it nothing counts",
            How.PREVIOUS_ONLY,
            hours * HOUR,
        )
        for hours in (1, 2)
    ),
    _speak(
        Cause.GAP,
        "only polls of the window speak: the nearest",
        Speak(How.NEAREST, in_window=True),
    ),
    _speak(
        Cause.GAP,
        "only polls of the window speak: the last one, and before the first the first",
        Speak(How.PREVIOUS, in_window=True),
    ),
    _speak(
        Cause.GAP,
        "only polls of the window speak: the last one; before the first nothing counts",
        Speak(How.PREVIOUS_ONLY, in_window=True),
    ),
    _speak(
        Cause.CLOSED_POLLS,
        "the nearest poll speaks, 24 h at most, though the store was closed then",
        Speak(How.NEAREST, DAY, anywhere=True),
    ),
    _speak(
        Cause.CLOSED_POLLS,
        "the nearest poll speaks, however far, though the store was closed then",
        Speak(How.NEAREST, anywhere=True),
    ),
    _speak(
        Cause.CLOSED_POLLS,
        "the last poll speaks, however old, though the store was closed then",
        Speak(How.PREVIOUS, anywhere=True),
    ),
    _speak(
        Cause.CLOSED_POLLS,
        "only polls of the window speak, closed hours included: the last one, and before the first the first",
        Speak(How.PREVIOUS, anywhere=True, in_window=True),
    ),
    *(
        _speak(
            Cause.CLOSED,
            f"time between two polls of {what} counts whole, closed hours included",
            Speak(How.PREVIOUS_ONLY, anywhere=anywhere, in_window=True, across=True),
        )
        for what, anywhere in (("open hours", False), ("any hours", True))
    ),
    _speak(
        Cause.POLLS,
        "open time is parted as the polls of the window are",
        Speak(How.SHARE, in_window=True),
    ),
    _speak(
        Cause.POLLS,
        "open time is parted as the polls of the window are, those of closed hours included",
        Speak(How.SHARE, anywhere=True, in_window=True),
    ),
    _speak(Cause.POLLS, "each poll counts as an hour", Speak(How.COUNT, in_window=True)),
    _speak(
        Cause.POLLS,
        "each poll counts as an hour, those of closed hours included",
        Speak(How.COUNT, anywhere=True, in_window=True),
    ),
    Rule(Slot.UNKNOWN, Cause.GAP, "time of which nothing is known counts as up", unknown=Unknown.UP),
    Rule(Slot.UNKNOWN, Cause.GAP, "time of which nothing is known counts as down", unknown=Unknown.DOWN),
    Rule(Slot.UNKNOWN, Cause.GAP, "0 where nothing is known", unknown=Unknown.ZERO),
)
_OF_HOURS = (
    _week(Slot.NIGHT, Cause.OVERNIGHT, "hours past midnight are dropped", weeks.night_dropped),
    _week(Slot.NIGHT, Cause.OVERNIGHT, "hours past midnight are cut off at midnight", weeks.night_cut),
    _week(
        Slot.NIGHT,
        Cause.OVERNIGHT,
        "of hours past midnight start and end are exchanged",
        weeks.night_turned_round,
    ),
    _week(
        Slot.NIGHT, Cause.OVERNIGHT, "hours past midnight count on the day they begin", weeks.night_on_one_day
    ),
    _week(Slot.MIDNIGHT, Cause.MIDNIGHT, "an end of 23:59 is no midnight", weeks.minute_before_midnight),
    Rule(
        Slot.SEVERAL,
        Cause.OVERLAP,
        "where intervals overlap, time counts twice",
        change=weeks.overlapping,
        twice=True,
    ),
    _week(Slot.SEVERAL, Cause.SEVERAL, "the last interval of a day counts alone", weeks.last_of_day),
    _week(Slot.SEVERAL, Cause.SEVERAL, "the first interval of a day counts alone", weeks.first_of_day),
    _week(
        Slot.SEVERAL,
        Cause.SEVERAL,
        "a day is open from its first start to its last end",
        weeks.from_first_to_last,
    ),
    _week(Slot.DAYS, Cause.MISSING_DAY, "a day without hours is open from 0 to 24", weeks.missing_days_open),
    _week(Slot.HOURS, Cause.NO_HOURS, "a store without hours is closed", weeks.without_hours_closed),
    _week(Slot.HOURS, Cause.CLOSED, "every store is open at all times", weeks.all_open),
    _week(Slot.WEEKDAY, Cause.WEEKDAY, "day 0 is Sunday", weeks.days_counted_on(-1)),
    _week(Slot.WEEKDAY, Cause.WEEKDAY, "day 0 is Tuesday", weeks.days_counted_on(1)),
)
_OF_FIGURES = (
    Rule(Slot.NEWEST, Cause.NEWEST, "windows end at the store's own newest poll"),
    Rule(Slot.ROUNDING, Cause.ROUNDING, "digits are cut off, not rounded", cut_off=True),
    Rule(Slot.UNIT, Cause.UNIT, "all in minutes", factor=(1, 60, 60)),
    Rule(Slot.UNIT, Cause.UNIT, "all in hours", factor=(1 / 60, 1, 1)),
    Rule(Slot.UNIT, Cause.UNIT, "all in seconds", factor=(60, 3600, 3600)),
)
_USUAL_ZONES = ("UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")


def _of_zones(zone_names: tuple[str, ...]) -> Iterator[Rule]:
    default, *others = zone_names
    for zone in dict.fromkeys((*_USUAL_ZONES, *others)):
        if zone != default:
            words = f"a store without a zone is in {zone}"
            yield _week(Slot.ZONE, Cause.NO_ZONE, words, weeks.without_zone_in(zone))
    yield _week(Slot.ZONE, Cause.UTC, "hours are read as UTC", weeks.all_in("UTC"))
    for clock, words in (
        (Clock.AT_THE_END, "the offset at the end of the windows holds all the time"),
        (Clock.STANDARD, "standard time holds all year"),
    ):
        yield Rule(Slot.ZONE, Cause.CLOCK_CHANGE, words, clock=clock)
    yield Rule(Slot.ZONE, Cause.UTC, "the offset is added, not taken off", clock=Clock.TURNED)
