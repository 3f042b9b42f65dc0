"""A message of many stores: one pass of the engine, for all its readers, with the figures of single ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from storewatch.domain.clock import to_us
from storewatch.domain.cost import Lost
from storewatch.domain.outage_words import Outage
from storewatch.domain.permissions import GroupRole, Via, anybody
from storewatch.services import incident_outages, outage_pass, picture
from storewatch.services.chosen import Chosen
from storewatch.services.incident_outages import engine_says
from storewatch.services.outage_pass import AROUND
from storewatch.services.reporting import Request
from storewatch.storage import retention
from storewatch.storage.alert_tables import Incident
from storewatch.storage.db import Database
from tests.alerting import Town, minutes_ago, polled, ways
from tests.factories import load
from tests.post_office import post_office
from tests.web.service import Service

STORES = [f"store{number}" for number in range(12)]


@pytest.fixture
def town(database: Database) -> Town:
    """Twelve stores that went down at different times, in two zones; three are up again, one was down for
    days before, some take money, one is kept closed by its hours at night, one has an exception.
    """
    polls = []
    for number, store in enumerate(STORES):
        polls += [(store, minutes_ago(60 * hour + number), "active") for hour in range(2, 200, 3)]
        polls += [(store, minutes_ago(ago - number), "inactive") for ago in (90, 60, 30)]
        polls += [(store, minutes_ago(2), "active")] if number % 4 == 0 else []
    polls = [each for each in polls if each[0] != STORES[5]]
    polls += [(STORES[5], minutes_ago(60 * hour), "inactive") for hour in range(220)]
    polls += [("late", minutes_ago(0), "active")]
    polled(database, *polls)
    zones = [
        f"{store},{'Europe/Berlin' if number % 3 else 'Asia/Tokyo'}" for number, store in enumerate(STORES)
    ]
    hours = [f"{STORES[7]},{day},00:00:00,23:00:00" for day in range(7)]
    load(
        database,
        "\n".join(["store_id,timezone_str", *zones, ""]),
        "\n".join(["store_id,day,start_time_local,end_time_local", *hours, ""]),
    )
    made = Town(database)
    write(made, "UPDATE store SET revenue_per_week = 16800 WHERE store_key % 2 = 0")
    write(
        made,
        "INSERT INTO revenue_hour SELECT store_key, d, h, 3 * h FROM store, generate_series(0, 6) AS d,"
        " generate_series(0, 23) AS h WHERE store_id = 'store4'",
    )
    write(
        made,
        "INSERT INTO exception (effect, store_key, start_at, end_at, note)"
        " SELECT 'excluded', store_key, :start, :until, 'works' FROM store WHERE store_id = 'store3'",
        start=minutes_ago(80),
        until=minutes_ago(50),
    )
    return made


def write(town: Town, statement: str, **values: Any) -> None:
    with town.database.transaction() as session:
        session.execute(text(statement), values)


@pytest.fixture
def mass(town: Town) -> int:
    """All told as one; one store twice, for it was up in between."""
    group = Service(town.database).group("maple", *STORES)
    number = town.incident("mass", minutes_ago(90), group_no=group)
    for place, store in enumerate(STORES):
        ended = minutes_ago(1) if place % 4 == 0 else None
        town.down(store, minutes_ago(90 - place), mass_no=number, ended_at=ended)
    town.down(STORES[0], minutes_ago(60 * 30), mass_no=number, ended_at=minutes_ago(60 * 29))
    return number


def by_the_page(town: Town, incident: Incident) -> tuple[list[Outage], Lost | None]:
    """What the page of its store says, store by store."""
    assert incident.store_key is not None
    with town.database.snapshot() as session:
        key, began = incident.store_key, to_us(incident.began_at)
        shown = picture.see(session, anybody(Via.COMMAND), Chosen(key=key), key, Request())
        start = max(began - AROUND, retention.polls_from(session) + Request().max_gap)
        ends = None if incident.ended_at is None else to_us(incident.ended_at)
        every = [item.outage for item in shown.outages(start, shown.as_of).items][::-1]
        own = [each for each in every if each.end > began and (ends is None or each.start < ends)]
        costs = shown.costs(shown.view(start, shown.as_of), own)
        return own, None if costs is None or not own else sum(costs, Lost())


def test_all_at_once_are_what_each_is_on_its_page(town: Town, mass: int) -> None:
    with town.database.snapshot() as session:
        rows = list(session.execute(select(Incident).where(Incident.mass_no == mass)).scalars())
        said = engine_says(session, rows, Request(), money=True)
        session.expunge_all()
    assert len(said) == len(STORES) + 1
    assert said == {each.incident_no: by_the_page(town, each) for each in rows}
    assert sum(bool(own) for own, _ in said.values()) >= len(STORES)
    assert 0 < sum(lost is not None for _, lost in said.values()) < len(said)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many stores each pass of the engine was of."""
    found: list[int] = []
    real = outage_pass.run

    def counted(session: Any, keys: Any, *rest: Any) -> Any:
        found.append(len(keys))
        return real(session, keys, *rest)

    monkeypatch.setattr(incident_outages, "run", counted)
    return found


def test_many_readers_cost_one_pass_and_a_channel_without_money_one_more(
    town: Town, mass: int, passes: list[int]
) -> None:
    write(town, "DELETE FROM incident WHERE began_at < :before AND kind = 'down'", before=minutes_ago(60 * 5))
    service = Service(town.database)
    people = [f"p{number}@example.com" for number in range(5)]
    for email in people:
        service.person(email, maple=GroupRole.VIEWER)
        town.tell(mass, "begun", 1, email=email)
    with post_office() as office:
        town.work(ways(office))
        assert len(office.letters) == 5
        assert all("Lost so far: about" in said for said in office.texts())
        assert passes == [len(STORES)]
        town.tell(mass, "begun", 1, channel_no=town.channel(1, "mail", "ops@example.com"))
        town.work(ways(office))
    assert passes == [len(STORES)] * 2
    assert "Lost so far" not in office.texts()[-1]


def test_what_changed_is_told_anew(town: Town, mass: int, passes: list[int]) -> None:
    Service(town.database).person("mia@example.com", maple=GroupRole.MANAGER)
    town.tell(mass, "begun", 1, email="mia@example.com")
    with post_office() as office:
        by = ways(office)
        town.work(by)
        before = list(passes)
        polled(town.database, ("late", minutes_ago(0) + timedelta(seconds=1), "active"))
        town.end(mass)
        town.tell(mass, "ended", 1, email="mia@example.com")
        town.work(by)
        assert len(office.letters) == 2
    assert passes == before * 2
