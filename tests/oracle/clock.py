"""Instants, zones and times of a clock on the wall."""

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from tests.oracle.terms import EPOCH


def to_us(instant: datetime) -> int:
    """The microsecond of an aware datetime."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def utc(text: str) -> int:
    """The microsecond of an ISO time in UTC: `utc("2023-01-23 16:14")`."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


@cache
def load_zone(name: str) -> ZoneInfo:
    """A zone from the `tzdata` package, whatever the machine has in /usr/share/zoneinfo."""
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def local_date(instant_us: int, zone: ZoneInfo) -> date:
    """The calendar date in the zone at an instant."""
    return (EPOCH + timedelta(microseconds=instant_us)).astimezone(zone).date()


@lru_cache(maxsize=100_000)
def wall_to_us(day: date, second_of_day: int, zone: ZoneInfo) -> int:
    """The instant at which a wall clock shows a time.

    "A time that the clocks skip is read with the offset before the gap, a time that occurs twice is its first
    occurrence": exactly what Python means by `fold=0`. 24:00 is 00:00 of the next day.
    """
    naive = datetime(day.year, day.month, day.day) + timedelta(seconds=second_of_day)  # noqa: DTZ001
    return to_us(naive.replace(tzinfo=zone, fold=0))
