"""What looks at storefronts saw, taken in as polls; and when stores may be looked at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from storewatch.domain.clock import HOUR, MINUTE, SECOND, to_us
from storewatch.domain.permissions import COMMAND
from storewatch.domain.probe_times import may_look
from storewatch.domain.storefronts import Rule
from storewatch.errors import NotFoundError
from storewatch.services import probing, stores
from storewatch.storage import imports
from storewatch.storage import storefronts as rows
from storewatch.storage.db import Database
from storewatch.storage.storefronts import Look
from tests import storefronts
from tests.factories import load

NOW = to_us(datetime(2026, 11, 27, 12, 30, tzinfo=UTC))  # a Friday


def look(key: int, store_id: str, active: bool | None, said: str = "answered 200", at: int = NOW) -> Look:
    return Look(key, store_id, at, active, said, 12)


def last(database: Database, key: int) -> tuple[bool | None, str | None]:
    with database.session() as session:
        found = rows.find(session, key)
    assert found is not None
    return found.active, found.said


def test_looks_become_polls_with_their_reasons_and_the_last_one_is_kept(database: Database) -> None:
    one, two = (storefronts.add(database, name, "https://example.com/") for name in ("one", "two"))
    seen = [look(one, "one", True), look(two, "two", False, "answered 503", NOW + 1)]
    assert probing.write(database, seen, NOW + SECOND) == 2
    assert storefronts.polls(database) == [("one", True, None), ("two", False, "answered 503")]
    assert (last(database, one), last(database, two)) == ((True, "answered 200"), (False, "answered 503"))


def test_a_look_that_says_nothing_of_the_store_is_no_poll(database: Database) -> None:
    key = storefronts.add(database, "one", "https://example.com/")
    assert probing.write(database, [look(key, "one", None, "answered 429")], NOW) == 0
    assert (storefronts.polls(database), last(database, key)) == ([], (None, "answered 429"))


def test_written_twice_it_is_one_poll(database: Database) -> None:
    key = storefronts.add(database, "one", "https://example.com/")
    for _ in range(2):
        probing.write(database, [look(key, "one", True)], NOW)
    assert len(storefronts.polls(database)) == 1


def test_an_hour_of_looks_is_one_import(database: Database) -> None:
    key = storefronts.add(database, "one", "https://example.com/")
    for minutes in (0, 1, 40):
        at = NOW + minutes * MINUTE
        probing.write(database, [look(key, "one", True, at=at)], at)
    with database.session() as session:
        records = [record for record, _ in imports.page(session, None, 10)]
    assert [(each.source, each.file_name, each.rows_read, each.rows_new) for each in records] == [
        ("probe", "storefronts from 2026-11-27 13:00 UTC", 1, 1),
        ("probe", "storefronts from 2026-11-27 12:00 UTC", 2, 2),
    ]


def test_a_store_that_was_deleted_does_not_come_back(database: Database) -> None:
    key = storefronts.add(database, "one", "https://example.com/")
    stores.delete(database, COMMAND, "one", "one")
    assert probing.write(database, [look(key, "one", True)], NOW) == 0
    with pytest.raises(NotFoundError):
        stores.get(database, COMMAND, "one")


def test_a_storefront_that_is_off_or_whose_store_is_archived_is_not_looked_at(database: Database) -> None:
    storefronts.add(database, "on", "https://example.com/", says="order")
    off = storefronts.add(database, "off", "https://example.com/", enabled=False)
    storefronts.add(database, "gone", "https://example.com/")
    with database.transaction() as session:
        session.execute(text("UPDATE store SET archived_from = '2026-11-27' WHERE store_id = 'gone'"))
    (plan,) = probing.plans(database, NOW, "UTC")
    assert (plan.store_id, plan.url, plan.every_s, plan.rule) == (
        "on", "https://example.com/", 30, Rule(says="order"),
    )  # fmt: skip
    assert probing.write(database, [look(off, "off", True)], NOW) == 0


@pytest.mark.parametrize(
    ("minutes", "may"), [(0, False), (14, False), (15, True), (30, True), (149, True), (150, False)]
)
def test_a_store_is_looked_at_while_it_is_open_and_a_quarter_of_an_hour_before(
    database: Database, minutes: int, may: bool
) -> None:
    key = storefronts.add(database, "1", "https://example.com/")
    load(database, "store_id,day,start_time_local,end_time_local\n1,4,13:00,15:00\n")
    load(database, "store_id,timezone_str\n1,UTC\n")
    plans = probing.plans(database, NOW, "UTC")
    spans = probing.spans(database, plans, NOW, "UTC")
    assert may_look(spans.get(key), NOW + minutes * MINUTE) == may


def test_a_store_without_hours_is_looked_at_at_any_time(database: Database) -> None:
    key = storefronts.add(database, "1", "https://example.com/")
    spans = probing.spans(database, probing.plans(database, NOW, "UTC"), NOW, "UTC")
    assert may_look(spans[key], NOW + 2 * HOUR)
