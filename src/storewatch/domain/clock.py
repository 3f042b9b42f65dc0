"""The one unit of time inside: whole microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EARLIEST = 946_684_800 * SECOND
"""2000-01-01T00:00:00Z: no poll is older (SEMANTICS, Inputs 2)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)


def to_us(moment: datetime) -> int:
    """Microseconds of an aware datetime, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(moment_us: int) -> datetime:
    """The UTC datetime of an instant, exactly."""
    return _EPOCH + timedelta(microseconds=int(moment_us))


def iso(moment_us: int) -> str:
    """RFC 3339 with `Z`, for example `2023-01-25T18:13:22.479220Z`; no fraction if it is zero."""
    return from_us(moment_us).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> int | None:
    """Microseconds of an ISO 8601 date and time; without an offset it is UTC. None if unreadable."""
    try:
        moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    except ValueError:
        return None
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def parse_duration(text: str) -> int | None:
    """Microseconds of `45m`, `3h`, `1h30m`, `2d`, `90s`; None if unreadable."""
    match = _DURATION.fullmatch(text.strip())
    if not match or not any(match.groups()):
        return None
    return sum(
        int(n or 0) * unit for n, unit in zip(match.groups(), (DAY, HOUR, MINUTE, SECOND), strict=True)
    )
