"""Strips: days side by side, to scale, and in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from storewatch.domain.availability import Kind
from storewatch.domain.clock import DAY, to_us
from storewatch.services.pieces import Run
from storewatch.web.strips import Strip, strip

CHICAGO = "America/Chicago"


def at(text: str, zone: str = CHICAGO) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))


def day(text: str) -> int:
    return to_us(datetime.fromisoformat(f"{text}T00:00+00:00")) // DAY


def spans(found: Strip, look: str) -> list[tuple[float, float]]:
    """(left, width) of a look."""
    at, told = 0.0, []
    for move, line in re.findall(r"(?:[Mm]([\d.]+) \d+)?h([\d.]+)", found.paths.get(look, "")):
        at += float(move or 0)
        told.append((round(at, 1), float(line)))
        at += float(line)
    return told


def boxes(found: Strip, look: str) -> list[tuple[float, ...]]:
    """(x, y, width, height) of a look where an hour occurs twice."""
    paths = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h", found.passes.get(look, ""))
    return [tuple(map(float, box)) for box in paths]


def test_days_lie_side_by_side() -> None:
    opens = [(at(f"2023-01-2{n}T06:00"), at(f"2023-01-2{n}T18:00")) for n in (3, 4)]
    runs = [
        Run(at("2023-01-23T06:00"), at("2023-01-23T18:00"), Kind.UP_SEEN),
        Run(at("2023-01-24T06:00"), at("2023-01-24T12:00"), Kind.DOWN_INFERRED),
        Run(at("2023-01-24T12:00"), at("2023-01-24T18:00"), Kind.UNKNOWN),
    ]
    found = strip(CHICAGO, (day("2023-01-23"), day("2023-01-25")), opens, runs)
    assert found.width == 84
    assert found.label == "Mon up; Tue down 6 h; Wed closed"
    assert spans(found, "band") == [(7, 14), (35, 14)]
    assert spans(found, "up") == [(7, 14)]
    assert spans(found, "line-down") == [(35, 7)]
    assert "blank" not in found.paths


def test_a_day_of_which_nothing_is_known_is_not_called_up() -> None:
    opens = [(at("2023-01-23T06:00"), at("2023-01-23T18:00"))]
    for runs in ([], [Run(*opens[0], Kind.UNKNOWN)]):
        found = strip(CHICAGO, (day("2023-01-23"),) * 2, opens, runs)
        assert found.label == "Mon not seen"
        assert list(found.paths) == ["band"]


def test_a_repeated_hour_is_drawn_twice_in_its_place() -> None:
    opens = [(at("2023-11-05T00:00"), at("2023-11-05T03:00"))]
    found = strip(CHICAGO, (day("2023-11-05"),) * 2, opens, [Run(*opens[0], Kind.DOWN_SEEN)])
    first, last = spans(found, "down")
    passes = boxes(found, "down")
    assert first[1] == last[1] == pytest.approx(28 / 24, abs=0.1)
    assert [box[0] for box in passes] == pytest.approx([28 / 24] * 2, abs=0.01)
    assert passes[0][1] + passes[0][3] < passes[1][1]


def test_what_is_too_short_to_be_seen_is_drawn_as_its_neighbour() -> None:
    first, last = at("2023-01-23T06:00"), at("2023-01-23T18:00")
    for minutes, looks in ((10, ["band", "down"]), (60, ["band", "down", "line-down"])):
        between = last - minutes * DAY // 1440
        runs = [Run(first, between, Kind.DOWN_SEEN), Run(between, last, Kind.DOWN_INFERRED)]
        found = strip(CHICAGO, (day("2023-01-23"),) * 2, [(first, last)], runs)
        assert list(found.paths) == looks
        assert found.label == "Mon down 12 h"


def test_without_anything_it_is_empty() -> None:
    found = strip(CHICAGO, (day("2023-01-23"), day("2023-01-24")), [], [])
    assert (found.paths, found.label) == ({}, "Mon closed; Tue closed")
