"""What a link shows: whatever lies outside its days is not even handed to the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from storewatch.domain.clock import parse_instant
from storewatch.domain.permissions import COMMAND
from storewatch.services import shared, shares
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.factories import load

POLLS = """store_id,status,timestamp_utc,reason
1,inactive,2023-01-23 13:37:00,before
1,active,2023-01-24 05:37:00,
1,inactive,2023-01-24 06:05:00,within
1,active,2023-01-24 20:10:00,
1,inactive,2023-01-25 05:40:00,within
1,inactive,2023-01-25 06:00:00,at its end
1,inactive,2023-01-25 06:37:00,after
1,active,2023-01-26 14:37:00,
"""
"""Tuesday in Chicago is from 06:00 to 06:00 UTC; an outage runs as it begins, and another as it ends."""


def at(written: str) -> int:
    found = parse_instant(written)
    assert found is not None
    return found


def instants(of: Any) -> Iterator[int]:
    """All whole numbers in it that are as large as instants are."""
    if is_dataclass(of):
        yield from instants([getattr(of, field.name) for field in fields(of)])
    elif isinstance(of, dict):
        yield from instants(list(of.items()))
    elif isinstance(of, list | tuple):
        for each in of:
            yield from instants(each)
    elif isinstance(of, int) and abs(of) > at("2000-01-01T00:00:00Z"):
        yield of


def page(database: Database, first: date, last: date) -> shared.Shared:
    found, _ = shares.create(database, COMMAND, "1", "Lou", first, last, timedelta(days=7))
    return shared.page(database, found, Request(), at("2023-02-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("first", "last", "start", "end"),
    [
        (date(2023, 1, 24), date(2023, 1, 24), "2023-01-24T06:00:00Z", "2023-01-25T06:00:00Z"),
        (date(2023, 1, 22), date(2023, 1, 23), "2023-01-22T06:00:00Z", "2023-01-24T06:00:00Z"),
        (date(2023, 1, 25), date(2023, 1, 25), "2023-01-25T06:00:00Z", "2023-01-26T06:00:00Z"),
        (date(2023, 1, 26), date(2023, 1, 30), "2023-01-26T06:00:00Z", "2023-01-27T06:00:00Z"),
    ],
)
def test_no_instant_lies_outside_the_days(
    database: Database, first: date, last: date, start: str, end: str
) -> None:
    load(database, POLLS)
    found = page(database, first, last)
    told = list(instants(found.picture)) + list(instants(found.downs))
    assert len(told) > 4
    assert [each for each in told if not at(start) <= each <= at(end)] == []


def test_the_poll_at_the_midnight_after_the_days_is_of_the_day_after(database: Database) -> None:
    load(database, POLLS)
    found = page(database, date(2023, 1, 24), date(2023, 1, 24)).picture
    assert found is not None
    assert [poll.at for poll in found.polls] == [
        at(f"2023-01-{when}:00Z") for when in ("24T06:05", "24T20:10", "25T05:40")
    ]


def test_an_outage_goes_on_only_if_it_does_so_in_the_days(database: Database) -> None:
    load(database, POLLS.rsplit("\n", 2)[0] + "\n")  # the newest poll of all finds it down
    assert [each.goes_on for each in page(database, date(2023, 1, 24), date(2023, 1, 24)).downs] == [
        False
    ] * 2
    assert [each.goes_on for each in page(database, date(2023, 1, 24), date(2023, 1, 25)).downs][-1]


def test_days_are_not_over_at_a_midnight_within_them(database: Database) -> None:
    load(database, POLLS.partition("1,inactive,2023-01-25 06:37")[0])  # the newest poll is at a midnight
    assert page(database, date(2023, 1, 24), date(2023, 1, 24)).over
    assert not page(database, date(2023, 1, 24), date(2023, 1, 25)).over
