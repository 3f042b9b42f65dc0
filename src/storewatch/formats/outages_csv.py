"""Outages as CSV: a row each, instants in UTC, times in seconds, exact to the microsecond."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from storewatch.domain.clock import SECOND, iso
from storewatch.domain.outage_words import Outage
from storewatch.formats.harmless import harmless_text

_INSTANTS = (
    *("start", "end", "counted_from", "last_seen_up", "first_seen_down"),
    *("counted_until", "last_seen_down", "first_seen_up"),
)
_TIMES = ("down", "seen", "down_min", "down_max")
HEADER = (
    "store_id",
    *_INSTANTS,
    "ongoing",
    *("down_seconds", "down_seen_seconds", "down_min_seconds", "down_max_seconds"),
    *("polls", "reasons", "intended", "notes"),
)


def outages_csv(outages: Iterable[tuple[Outage, list[str]]]) -> Iterator[bytes]:
    """Chunks of the CSV, from outages and their notes; what is not known is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    for outage, notes in outages:
        writer.writerow(_row(outage, notes))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _row(outage: Outage, notes: list[str]) -> list[str]:
    instants = [getattr(outage, name) for name in _INSTANTS]
    reasons = "; ".join(f"{reason} {count}" for reason, count in sorted(outage.reasons.items()))
    return [
        harmless_text(outage.store_id),
        *("" if at is None else iso(at) for at in instants),
        "" if outage.ongoing is None else str(outage.ongoing).lower(),
        *(_seconds(getattr(outage, name)) for name in _TIMES),
        str(outage.polls),
        harmless_text(reasons),
        str(outage.intended).lower(),
        harmless_text("; ".join(notes)),
    ]


def _seconds(time_us: int) -> str:
    return f"{time_us // SECOND}.{time_us % SECOND:06d}"
