"""Whether something is to be said now, later, or not at all. Pure: the clock is handed in.

begun   dropped if it is over and that was told already, or if it was held or late and is over by now
still   dropped if it is over, snoozed or acknowledged, or if it comes late
ended   behind its beginning while that is on its way, unless it is late by then; dropped if its beginning was
        not told; both, if the beginning is held until quiet hours end
all     held during quiet hours; what comes late says so
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from storewatch.domain.clock import MINUTE, SECOND, to_us
from storewatch.domain.clock_words import on_clock
from storewatch.domain.zones import load

LONGEST_PAUSE = 3 * 60 * MINUTE
_SOON = 2 * SECOND
TRIES = 10
"""A delivery that fails is tried again after 3 s, 9 s, 27 s … 3 h: for 5 h 44 min in all."""


@dataclass(frozen=True)
class Quiet:
    """Quiet hours, in minutes of the day on the clock of a zone; the end may be on the next day."""

    start: int
    until: int
    zone: str


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A notice on its way, and how things are by now. Instants in microseconds.

    `begun` and `ended` are the statuses of what the same one was to be told of the same incident's beginning
    and end; None: nothing.
    """

    kind: str
    said_at: int
    over: bool = False
    hushed: bool = False
    held: bool = False
    begun: str | None = None
    ended: str | None = None


@dataclass(frozen=True)
class Say:
    """It goes out. `late`: not as if it were new."""

    late: bool = False


@dataclass(frozen=True)
class Hold:
    """It waits until an instant; why, in words."""

    until: int
    why: str = "Held until the quiet hours end"


@dataclass(frozen=True)
class Behind:
    """It waits until an instant, for something that is to be said before it."""

    until: int


@dataclass(frozen=True)
class Drop:
    """It is not said; why, in words. `whole`: what waits of the beginning isn't either."""

    why: str
    whole: bool = False


def decide(found: Situation, quiet: Quiet | None, now: int, within: int) -> Say | Hold | Behind | Drop:
    """What becomes of a notice. What is older than `within` counts as late; microseconds."""
    late = now - found.said_at > within
    reason = _not_worth_it(found, late=late)
    if reason is not None:
        return reason
    if found.kind == "ended" and found.begun == "waiting" and not late:
        return Behind(now + max(_SOON, (now - found.said_at) // 4))  # ever less often, the longer it takes
    until = None if quiet is None else quiet_until(quiet, now)
    return Say(late) if until is None else Hold(until)


def _not_worth_it(found: Situation, *, late: bool) -> Drop | None:
    if found.kind == "begun":
        return _begun(found, late=late)
    if found.kind == "still":
        return _still(found, late=late)
    if found.begun == "held":
        return Drop(_OVER_IN_QUIET_HOURS, whole=True)
    if found.begun in ("dropped", "failed"):
        return Drop("Its beginning was not told, so its end is not either")
    return None


_OVER_IN_QUIET_HOURS = "It was over before the quiet hours were"


def _begun(found: Situation, *, late: bool) -> Drop | None:
    if not found.over:
        return None
    if found.held:
        return Drop(_OVER_IN_QUIET_HOURS)
    if found.ended == "sent":
        return Drop("It is over, and that was told already")
    return Drop("It was over before this could be delivered") if late else None


def _still(found: Situation, *, late: bool) -> Drop | None:
    if found.over:
        return Drop("It is over")
    if found.hushed:
        return Drop("Somebody acknowledged or snoozed it")
    return Drop("It could not be delivered in time") if late else None


def quiet_until(quiet: Quiet, now: int) -> int | None:
    """The instant at which the quiet hours end that hold `now`; None if there are none now."""
    local = on_clock(now, quiet.zone)
    minute = local.hour * 60 + local.minute
    over_midnight = quiet.until < quiet.start
    inside = quiet.start <= minute < quiet.until
    if over_midnight:
        inside = minute >= quiet.start or minute < quiet.until
    if not inside:
        return None
    ends = local.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)
    ends += timedelta(days=int(over_midnight and minute >= quiet.start), minutes=quiet.until)
    found = to_us(ends.replace(tzinfo=load(quiet.zone)))
    return found if found > now else now + MINUTE  # the clocks go back just then: look again


def pause(attempts: int) -> int | None:
    """So long until the next try after so many that failed; None: no more."""
    if attempts >= TRIES:
        return None
    return int(min(SECOND * 3**attempts, LONGEST_PAUSE))


def tomorrow(now: int, zone: str, hour: int = 8) -> int:
    """8:00 of the next day on the clock of a zone."""
    day = on_clock(now, zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return to_us((day + timedelta(days=1, hours=hour)).replace(tzinfo=load(zone)))
