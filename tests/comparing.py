"""A small fleet, what another program reports of it, and what `storewatch compare` says to that."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from tests import oracle
from tests.acceptance.conftest import storewatch
from tests.oracle import DAY, HOUR, MINUTE, HoursRow, Poll, utc

T = "2023-01-25 18:05"
NOW = utc("2026-07-01 00:00")
EVERY_DAY = range(7)
UNITS = ((HOUR, MINUTE), (DAY, HOUR), (7 * DAY, HOUR))


def daily(store_id: str, *spans: tuple[str, str], days: Sequence[int] = EVERY_DAY) -> list[HoursRow]:
    return [HoursRow(store_id, day, *span) for day in days for span in spans]


HOURS = [
    *daily("bakery", ("06:00", "15:00")),
    *daily("bar", ("18:00", "02:00")),
    *daily("bistro", ("10:00", "15:00"), ("13:00", "19:30")),
    *daily("canteen", ("05:00", "13:00"), days=range(5)),
    *daily("diner", ("09:00", "12:00"), ("14:00", "23:59:00")),
    *daily("grill", ("08:00", "20:00")),
]
ZONES = {
    "bakery": "America/New_York",
    "bar": "America/Los_Angeles",
    "bistro": "America/Denver",
    "canteen": "America/New_York",
    "diner": "America/Phoenix",
    "kiosk": "America/New_York",
}
"""The grill has no zone, the kiosk no hours."""
STORES = (*ZONES, "grill")


def polls_of(last: str = T) -> list[Poll]:
    """Hourly, for eight days, now and then down; nobody polled for 40 hours, as in the field."""
    end = utc(last)
    found = []
    for number, store_id in enumerate(STORES):
        for hours_back in range(8 * 24):
            if not 60 <= hours_back < 100:
                at = end - hours_back * HOUR - number * 61_300_007 * (hours_back > 0)
                found.append(Poll(store_id, at, active=(hours_back * 7 + number * 3) % 11 not in (0, 1, 5)))
    return found


@dataclass(frozen=True)
class Fleet:
    polls: Sequence[Poll]
    hours: Sequence[HoursRow] = tuple(HOURS)
    zones: Mapping[str, str] = None  # type: ignore[assignment]

    def report(self, **more: object) -> str:
        return oracle.report_csv(self.polls, self.hours, ZONES if self.zones is None else self.zones, **more)  # type: ignore[arg-type]


POLLS = polls_of()
OURS = Fleet(POLLS).report()


def compared(
    environment: dict[str, str], folder: Path, theirs: str, *options: str
) -> tuple[CompletedProcess[str], list[dict[str, str]]]:
    """What the command said, and the rows of its file."""
    (folder / "theirs.csv").write_text(theirs)
    words = ("compare", str(folder / "theirs.csv"), "--csv", str(folder / "cells.csv"), *options)
    result = storewatch(*words, environment=environment)
    assert result.returncode in (0, 1), result.stderr + result.stdout
    return result, list(csv.DictReader(io.StringIO((folder / "cells.csv").read_text())))


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def differing(ours: str, theirs: str) -> set[tuple[str, str]]:
    """The cells in which two reports differ, found by themselves."""
    header = rows_of(ours)[0]
    pairs = zip(rows_of(ours)[1:], rows_of(theirs)[1:], strict=True)
    return {
        (mine[0], header[number])
        for mine, other in pairs
        for number in range(1, 7)
        if mine[number] != other[number]
    }
