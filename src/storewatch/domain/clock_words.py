"""Instants as people read them, on the clock of a zone: each tells its zone."""

from __future__ import annotations

from datetime import datetime

from storewatch.domain import zones
from storewatch.domain.clock import from_us


def on_clock(at_us: int, zone: str) -> datetime:
    """An instant on the clock of a zone."""
    return from_us(at_us).astimezone(zones.load(zone))


def clock(at_us: int, zone: str) -> str:
    """`11:34 CDT`; with seconds where there are some."""
    local = on_clock(at_us, zone)
    return f"{time_of(local)} {local:%Z}"


def moment(at_us: int, zone: str) -> str:
    """`Fri 6 Mar, 11:34 CST`."""
    local = on_clock(at_us, zone)
    return f"{local:%a} {local.day} {local:%b}, {time_of(local)} {local:%Z}"


def time_of(local: datetime) -> str:
    """`11:34`; with seconds where there are some."""
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
