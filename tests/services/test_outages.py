"""Outages beside exceptions and archived stores, through the service."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from storewatch.domain.clock import parse_instant
from storewatch.domain.permissions import COMMAND
from storewatch.services.availability import Between
from storewatch.services.chosen import Chosen
from storewatch.services.outages import Found, Which, intended, outages
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.factories import load
from tests.web.api.test_outages import POLLS, ZONES


def at(time: str) -> int:
    found = parse_instant(f"2023-01-23T{time}Z")
    assert found is not None
    return found


def found(database: Database, store_id: str, *, raw: bool = False) -> Found:
    day = Between("range", at("00:00"))
    request = Request(raw=raw)
    return outages(database, COMMAND, Chosen(store_id), request, day, Which(), frozenset(), at("23:00"))


def told(database: Database, *, raw: bool = False) -> list[tuple[int, int, int]]:
    """(minutes, of down_min, polls) of store a's outages, the newest first."""
    items = [item.outage for item in found(database, "a", raw=raw).items]
    return [(one.down // 60_000_000, one.down_min // 60_000_000, one.polls) for one in items]


@pytest.mark.parametrize(
    ("effect", "start", "end", "expected"),
    [
        ("up", "10:00", "13:00", [(10, 0, 1)]),
        ("excluded", "11:00", "11:30", [(10, 0, 1), (60, 30, 1), (30, 0, 1)]),
        ("closed", "11:00", "11:30", [(10, 0, 1), (60, 0, 1)]),
        ("down", "14:00", "14:20", [(20, 20, 0), (10, 0, 1), (120, 60, 2)]),
        ("ignore_polls", "13:05", "13:15", [(120, 60, 2)]),
    ],
)
def test_outages_are_those_that_exceptions_leave(
    database: Database, effect: str, start: str, end: str, expected: list[tuple[int, int, int]]
) -> None:
    load(database, POLLS, ZONES)
    with database.transaction() as session:
        session.execute(
            text("""
                INSERT INTO exception (effect, store_key, start_at, end_at, note)
                SELECT :effect, store_key, CAST(:start AS timestamptz), CAST(:end AS timestamptz), 'x'
                FROM store WHERE store_id = 'a'
            """),
            {"effect": effect, "start": f"2023-01-23T{start}Z", "end": f"2023-01-23T{end}Z"},
        )
    assert told(database) == expected
    assert told(database, raw=True) == [(10, 0, 1), (120, 60, 2)]


def test_an_archived_store_has_no_outage_that_goes_on(database: Database) -> None:
    load(database, POLLS, ZONES)
    with database.transaction() as session:
        session.execute(text("UPDATE store SET archived_from = '2023-01-23' WHERE store_id = 'b'"))
    listed = found(database, "b")
    assert (listed.every.count, listed.items) == (0, [])


def test_reasons_of_the_setting_are_told_apart_by_commas() -> None:
    assert intended(" A , B,,C D ") == {"A", "B", "C D"}
    assert intended("") == frozenset()
