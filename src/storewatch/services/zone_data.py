"""Python's zone data against PostgreSQL's: not by the names of their versions, but by what they say."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from storewatch.domain import zones
from storewatch.domain.clock import DAY, SECOND, iso
from storewatch.storage import condition

_REACH = 366 * DAY
_STEP = 7 * DAY
_EXAMPLES = 2

Claims = Sequence[tuple[str, int, int]]
"""(zone, instant, local minus UTC) in microseconds."""


def claims(name: str, at_us: int) -> list[tuple[str, int, int]]:
    """What our data say of a zone: each week from a year before `at_us` to a year after, and at both sides of
    each change. Whoever changes at another instant differs at one of these.
    """
    changes, _ = zones.changes(name, at_us - _REACH, at_us + _REACH)
    near = [int(at) for at in changes if abs(int(at) - at_us) <= _REACH]
    first = (at_us - _REACH) // SECOND * SECOND
    at = [*range(first, at_us + _REACH, _STEP), *near, *(change - SECOND for change in near)]
    return [(name, each, zones.offset(name, each)) for each in sorted(at)]


def unknown(session: Session, names: Sequence[str]) -> list[str]:
    """Those of some zones that PostgreSQL does not know."""
    return sorted(set(names) - condition.known_zones(session, names))


def differing(session: Session, ours: Claims) -> dict[str, list[str]]:
    """The zones of which PostgreSQL says something else, each with examples in words."""
    theirs = condition.zone_offsets(
        session, [name for name, _, _ in ours], [at // SECOND for _, at, _ in ours]
    )
    found: dict[str, list[str]] = {}
    for (name, at, offset), other in zip(ours, theirs, strict=True):
        if offset != other * SECOND:
            found.setdefault(name, []).append(f"{iso(at)}: {_shown(offset)}, not {_shown(other * SECOND)}")
    return {name: said[:_EXAMPLES] for name, said in found.items()}


def _shown(offset_us: int) -> str:
    minutes = abs(offset_us) // (60 * SECOND)
    return f"{'-' if offset_us < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
