"""How pages say instants on a store's own clock, and lengths."""

from __future__ import annotations

from datetime import date

from storewatch.domain.clock import DAY, HOUR, SECOND
from storewatch.domain.clock_words import clock as clock
from storewatch.domain.clock_words import moment as moment
from storewatch.domain.clock_words import on_clock as on_clock
from storewatch.domain.clock_words import time_of
from storewatch.domain.outage_words import length_in_words

_EPOCH = date(1970, 1, 1).toordinal()


def day(number: int) -> str:
    """`Fri 6 Mar`, of a day counted from 1970."""
    found = date.fromordinal(_EPOCH + number)
    return f"{found:%a} {found.day} {found:%b}"


def span(start_us: int, end_us: int, zone: str) -> str:
    """`Fri 6 Mar, 11:00 to 15:49 CST`; with the second day, and the first zone, where they differ."""
    start, end = on_clock(start_us, zone), on_clock(end_us, zone)
    first = f"{start:%a} {start.day} {start:%b}, {time_of(start)}"
    if start.utcoffset() != end.utcoffset():
        first += f" {start:%Z}"
    second = "" if start.date() == end.date() else f"{end:%a} {end.day} {end:%b}, "
    return f"{first} to {second}{time_of(end)} {end:%Z}"


length = length_in_words


def added(time_us: int) -> str:
    """`3:09:00`: where lengths are added up; with a fraction where there is one."""
    seconds, fraction = divmod(time_us, SECOND)
    told = f"{seconds // 3600:,}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{told}.{fraction:06}".rstrip("0") if fraction else told


def hours(time_us: int) -> str:
    """`3.2 h`: in figures."""
    return f"{time_us / HOUR:,.{0 if time_us >= 100 * HOUR else 1}f} h"


def per_cent_of_day(time_us: int, digits: int = 4) -> str:
    """A place on a lane of 24 hours, or a width: `45.8333%`, fine enough for a pixel of any screen."""
    return f"{100 * time_us / DAY:.{digits}f}".rstrip("0").rstrip(".") + "%"
