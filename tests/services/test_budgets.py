"""Incidents of budgets: who is told from which share on, once a period, until it is over."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.clock import DAY, HOUR, to_us
from storewatch.domain.permissions import GroupRole, Role
from storewatch.services import budgets, history
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.alerting import Town, ways
from tests.factories import load, load_chicago
from tests.outbound.receiver import receiving
from tests.post_office import post_office
from tests.web.browsing import HTML
from tests.web.service import Service

NOON = to_us(datetime(2023, 1, 23, 18, tzinfo=UTC))
"""In Chicago, on a Monday. Of the three hours a week that the store is open 30 min and 30 s were down."""

TOLD = """
    SELECT coalesce(a.email, 'channel'), n.kind, n.step
    FROM delivery AS d JOIN notice AS n USING (notice_no) LEFT JOIN account AS a USING (account_no)
    ORDER BY d.delivery_no
"""


@pytest.fixture
def town(database: Database) -> Service:
    load_chicago(database)
    return Service(database)


def write(town: Service, statement: str, **values: Any) -> Any:
    with town.database.transaction() as session:
        return session.execute(text(statement), values).scalar()


def rows(town: Service, query: str) -> list[tuple[Any, ...]]:
    with town.database.session() as session:
        return [tuple(row) for row in session.execute(text(query))]


def group(town: Service, name: str, share: int | None) -> int:
    """With the store, and a manager."""
    number = town.group(name, "1")
    town.person(f"{name}@example.com", Role.MEMBER, **{name: GroupRole.MANAGER})
    write(
        town,
        "INSERT INTO alert_rule (group_no, budget_percent) VALUES (:no, :share) RETURNING 1",
        no=number,
        share=share,
    )
    return number


def level(town: Service, *, target: float = 75, **of: int | None) -> int:
    """Of 75 per cent: 45 minutes a week, of which 67 per cent are used."""
    values = {"store_key": None, "group_no": None} | of | {"target": target}
    return int(
        write(
            town,
            """
            INSERT INTO service_level (name, store_key, group_no, period, measure, target)
            VALUES ('75 a week', :store_key, :group_no, 'week', 'availability', :target) RETURNING level_no
            """,
            **values,
        )
    )


def look(town: Service, now: int = NOON) -> int:
    while history.update(town.database, Request()):
        pass
    return budgets.look(town.database, Request(), now)


@pytest.mark.parametrize(("share", "told"), [(67, True), (68, False), (None, False)])
def test_people_hear_from_the_share_on_that_their_group_asks_for(
    town: Service, share: int | None, told: bool
) -> None:
    level(town, group_no=group(town, "maple", share))
    look(town)
    assert rows(town, TOLD) == ([("maple@example.com", "begun", share)] if told else [])


def test_who_looks_again_tells_nothing_again_even_if_the_share_is_another(town: Service) -> None:
    level(town, group_no=group(town, "maple", 60))
    assert [look(town), look(town)] == [1, 0]
    write(town, "UPDATE alert_rule SET budget_percent = 50 RETURNING 1")
    assert look(town) == 0
    assert len(rows(town, "SELECT FROM incident")) == 1


def test_groups_of_a_store_hear_at_their_own_shares_and_who_is_in_both_once(town: Service) -> None:
    [(key,)] = rows(town, "SELECT store_key FROM store")
    level(town, store_key=key)
    maple, oak = group(town, "maple", 50), group(town, "oak", 60)
    group(town, "elm", 70)
    town.person("both@example.com", maple=GroupRole.VIEWER, oak=GroupRole.VIEWER)
    write(
        town,
        "INSERT INTO alert_channel (group_no, name, kind, url) VALUES (:no, 'x', 'mail', 'x') RETURNING 1",
        no=oak,
    )
    look(town)
    assert sorted(rows(town, TOLD)) == [
        ("both@example.com", "begun", 50),
        ("channel", "begun", 60),
        ("maple@example.com", "begun", 50),
        ("oak@example.com", "begun", 60),
    ]
    assert maple != oak
    assert len(rows(town, "SELECT FROM incident")) == 1


@pytest.mark.parametrize(("target", "told"), [(75, False), (80, True)])
def test_of_all_stores_those_hear_who_see_all_at_80_per_cent(
    town: Service, target: float, told: bool
) -> None:
    town.person("olga@example.com", Role.OPERATOR)
    level(town, target=target)
    look(town)
    assert rows(town, TOLD) == ([("olga@example.com", "begun", 80)] if told else [])


def test_a_week_that_is_over_by_the_clock_is_not_told(town: Service) -> None:
    level(town, group_no=group(town, "maple", 60))
    assert look(town, NOON + 8 * DAY) == 0
    assert not rows(town, "SELECT FROM incident")


def test_when_the_week_is_over_those_who_heard_hear_how_it_ended(town: Service) -> None:
    level(town, group_no=group(town, "maple", 60))
    look(town)
    load(town.database, "store_id,status,timestamp_utc\n1,active,2023-01-30 18:00:00 UTC\n")
    next_week = NOON + 7 * DAY
    assert [look(town, next_week), look(town, next_week + HOUR)] == [1, 0]
    assert rows(town, TOLD)[1:] == [("maple@example.com", "ended", 0)]
    assert not rows(town, "SELECT FROM incident WHERE ended_at IS NULL")


def test_without_polls_it_ends_by_the_clock(town: Service) -> None:
    level(town, group_no=group(town, "maple", 60))
    look(town)
    assert [look(town, NOON + 6 * DAY), look(town, NOON + 10 * DAY)] == [0, 1]


def test_managers_of_the_group_acknowledge_it_and_who_looks_on_may_not(town: Service) -> None:
    number = group(town, "maple", 60)
    level(town, group_no=number)
    look(town)
    [(incident,)] = rows(town, "SELECT incident_id FROM incident")
    boss = town.another_token(town.person("mia@example.com", maple=GroupRole.MANAGER))
    viewer = town.another_token(town.person("vera@example.com", maple=GroupRole.VIEWER))
    place = f"/api/v1/incidents/{incident}/acknowledge"
    assert viewer.post(place).status_code == 403
    assert boss.post(place).status_code == 200
    assert rows(town, "SELECT acknowledged_at IS NOT NULL FROM incident") == [(True,)]


def test_the_link_of_a_mail_shows_the_level_and_acknowledges_it(town: Service) -> None:
    level(town, group_no=group(town, "maple", 60))
    with post_office() as office:
        look(town)
        Town(town.database).work(ways(office))
        [told] = office.texts()
    link = re.search(r"I have seen it.*\n(https://stores\.example(/alerts/\S+))", told)
    assert link
    page = town.browser().get(link[2], headers=HTML).text
    assert "75 a week" in page
    assert "It was first noticed" in page
    assert town.browser().post(link[2], headers=HTML).status_code == 200
    assert rows(town, "SELECT acknowledged_at IS NOT NULL FROM incident") == [(True,)]


def test_a_program_gets_the_level_and_what_is_used(town: Service) -> None:
    number = group(town, "maple", 60)
    level(town, group_no=number)
    with receiving() as receiver:
        Town(town.database).channel(number, "webhook", receiver.url)
        look(town)
        Town(town.database).work(ways())
    [(_, _, body)] = receiver.came
    told = json.loads(body)
    assert (told["event"], told["level"], told["of"]) == ("budget.begun", "75 a week", "maple")
    assert (told["used_seconds"], told["budget_seconds"]) == (1830, 2700)
    assert "/levels/" in told["url"]
