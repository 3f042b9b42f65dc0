"""How pages say instants on a store's own clock, and lengths."""

from __future__ import annotations

from datetime import date, datetime

from storewatch.domain import zones
from storewatch.domain.clock import DAY, HOUR, MINUTE, SECOND, from_us

_EPOCH = date(1970, 1, 1).toordinal()


def on_clock(at_us: int, zone: str) -> datetime:
    """An instant on the clock of a zone."""
    return from_us(at_us).astimezone(zones.load(zone))


def day(number: int) -> str:
    """`Fri 6 Mar`, of a day counted from 1970."""
    found = date.fromordinal(_EPOCH + number)
    return f"{found:%a} {found.day} {found:%b}"


def clock(at_us: int, zone: str) -> str:
    """`11:34 CDT`; with seconds where there are some."""
    local = on_clock(at_us, zone)
    return f"{_time(local)} {local:%Z}"


def moment(at_us: int, zone: str) -> str:
    """`Fri 6 Mar, 11:34 CST`."""
    local = on_clock(at_us, zone)
    return f"{local:%a} {local.day} {local:%b}, {_time(local)} {local:%Z}"


def span(start_us: int, end_us: int, zone: str) -> str:
    """`Fri 6 Mar, 11:00 to 15:49 CST`; with the second day, and the first zone, where they differ."""
    start, end = on_clock(start_us, zone), on_clock(end_us, zone)
    first = f"{start:%a} {start.day} {start:%b}, {_time(start)}"
    if start.utcoffset() != end.utcoffset():
        first += f" {start:%Z}"
    second = "" if start.date() == end.date() else f"{end:%a} {end.day} {end:%b}, "
    return f"{first} to {second}{_time(end)} {end:%Z}"


def _time(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def length(time_us: int) -> str:
    """`3 h 9 min`, `5 min`, `12 s`: in sentences and lists; rounded down to what is told."""
    if 0 < time_us < MINUTE:
        return f"{max(1, time_us // SECOND)} s"
    hours, minutes = divmod(time_us // MINUTE, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def added(time_us: int) -> str:
    """`3:09:00`: where lengths are added up; with a fraction where there is one."""
    seconds, fraction = divmod(time_us, SECOND)
    told = f"{seconds // 3600:,}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{told}.{fraction:06}".rstrip("0") if fraction else told


def hours(time_us: int) -> str:
    """`3.2 h`: in figures."""
    return f"{time_us / HOUR:,.{0 if time_us >= 100 * HOUR else 1}f} h"


def per_cent_of_day(time_us: int) -> str:
    """A place on a lane of 24 hours, or a width: `45.833%`, fine enough for a pixel of any screen."""
    return f"{100 * time_us / DAY:.4f}".rstrip("0").rstrip(".") + "%"
