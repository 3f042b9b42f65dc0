"""From polls to incidents, notices and deliveries, by a clock that the tests move."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.clock import DAY, HOUR, MINUTE, from_us, to_us
from storewatch.domain.permissions import COMMAND
from storewatch.services import groups, watching
from storewatch.services.watching import Watching
from storewatch.storage.db import Database
from tests.factories import load

NOW = to_us(datetime.now(UTC)) // MINUTE * MINUTE
"""The clock stands here; polls are told by minutes before or after it."""

RULES = Watching(meant=frozenset({"PAUSED"}))


def poll(database: Database, *told: str) -> None:
    """Polls as `store:minutes±`, such as `a:-30+` (up half an hour ago), with `!` for a meant reason."""
    rows = []
    for each in told:
        store, _, rest = each.partition(":")
        paused = rest.endswith("!")
        rest = rest.rstrip("!")
        at = from_us(NOW + int(float(rest[:-1]) * MINUTE))
        status = "active" if rest[-1] == "+" else "inactive"
        rows.append(f"{store},{status},{at:%Y-%m-%d %H:%M:%S},{'PAUSED' if paused else ''}\n")
    load(database, "store_id,status,timestamp_utc,reason\n" + "".join(rows), now_us=NOW + DAY)


def look(database: Database, minutes: float = 0, rules: Watching = RULES) -> int:
    return watching.look(database, rules, NOW + int(minutes * MINUTE))


def rows(database: Database, query: str) -> list[Any]:
    with database.session() as session:
        found = session.execute(text(query)).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in found]


def said(database: Database) -> list[Any]:
    """What was said to whom, in the order in which it was."""
    return rows(
        database,
        """SELECT coalesce(s.store_id, i.kind) || ' ' || n.kind || ' to ' || coalesce(a.email, c.name)
           FROM delivery AS d JOIN notice AS n USING (notice_no) JOIN incident AS i USING (incident_no)
           LEFT JOIN store AS s USING (store_key) LEFT JOIN account AS a USING (account_no)
           LEFT JOIN alert_channel AS c USING (channel_no)
           ORDER BY n.notice_no, a.email, c.name""",
    )


def person(database: Database, email: str, role: str = "member", group: str | None = None) -> None:
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO account (account_id, email, role) VALUES (gen_random_uuid(), :email, :role)"),
            {"email": email, "role": role},
        )
        if group is not None:
            session.execute(
                text("""INSERT INTO membership (account_no, group_no, role)
                        SELECT account_no, group_no, 'viewer' FROM account, store_group
                        WHERE email = :email AND name = :group"""),
                {"email": email, "group": group},
            )


def rule(database: Database, group: str, **values: Any) -> None:
    columns = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with database.transaction() as session:
        session.execute(
            text(f"""INSERT INTO alert_rule (group_no, {columns})
                     SELECT group_no, {marks} FROM store_group WHERE name = :group"""),
            {**values, "group": group},
        )


@pytest.fixture
def maple(database: Database) -> Database:
    """Group Maple with store a and its owner rosa; store z is in no group."""
    poll(database, "a:-70+", "z:-70+")
    groups.create(database, COMMAND, "Maple")
    groups.add_stores(database, COMMAND, groups.named(database, COMMAND, "Maple").group_id, ["a"])
    person(database, "rosa@example.com", group="Maple")
    person(database, "olaf@example.com", "operator")
    look(database, -60)
    return database


# --- a store goes down and comes back -------------------------------------------------------------


def test_two_polls_down_are_told_at_once_and_once(maple: Database) -> None:
    poll(maple, "a:-4-", "z:-4-")
    assert look(maple, -4) == 0
    poll(maple, "a:-1-", "z:-1-")
    assert look(maple, -1) == 1
    assert [look(maple, minute) for minute in (0, 1, 30)] == [0, 0, 0]
    assert said(maple) == ["a begun to rosa@example.com"]
    began = rows(maple, "SELECT began_at FROM incident JOIN store USING (store_key) WHERE store_id = 'a'")
    assert began == [from_us(NOW - 4 * MINUTE)]


def test_polls_that_came_while_it_began_to_look_are_told_the_next_time(maple: Database) -> None:
    poll(maple, "a:0.02-", "a:0.04-")  # later than the instant of the look that takes their mark away
    assert [look(maple, minute) for minute in (0, 0.03, 0.25)] == [0, 0, 1]


def test_one_poll_down_is_told_after_a_quarter_of_an_hour(maple: Database) -> None:
    poll(maple, "a:0-")
    assert [look(maple, minute) for minute in (0, 14.9, 15)] == [0, 0, 1]


def test_the_end_is_told_once_it_is_sure(maple: Database) -> None:
    poll(maple, "a:-4-", "a:-3-")
    look(maple)
    poll(maple, "a:1+")
    assert look(maple, 1) == 0
    poll(maple, "a:3+")
    assert [look(maple, 3), look(maple, 4)] == [1, 0]
    assert said(maple) == ["a begun to rosa@example.com", "a ended to rosa@example.com"]


def test_a_week_that_is_imported_is_not_told(maple: Database) -> None:
    week = [f"{store}:{-60 * hour}{'-' if hour % 7 < 3 else '+'}" for hour in range(3, 168) for store in "ab"]
    poll(maple, *week)
    assert [look(maple), look(maple, 30)] == [0, 0]
    assert rows(maple, "SELECT count(*) FROM incident") == [0]


def test_what_goes_on_is_told_by_a_fresh_poll_with_its_true_beginning(maple: Database) -> None:
    poll(maple, *(f"b:{-60 * hour}-" for hour in range(3, 10)))
    groups.add_stores(maple, COMMAND, groups.named(maple, COMMAND, "Maple").group_id, ["b"])
    assert look(maple) == 0
    poll(maple, "b:1-")
    assert look(maple, 1) == 1
    assert rows(maple, "SELECT began_at FROM incident") == [from_us(NOW - 9 * HOUR)]


def test_a_downtime_that_was_over_before_it_was_known_is_not_told(maple: Database) -> None:
    poll(maple, "a:-30-", "a:-25-", "a:-20+", "a:-15+")
    assert look(maple) == 0


def test_late_polls_correct_when_it_began(maple: Database) -> None:
    poll(maple, "a:-4-", "a:-3-")
    look(maple)
    poll(maple, "a:-20-")
    look(maple, 1)
    assert rows(maple, "SELECT began_at FROM incident") == [from_us(NOW - 20 * MINUTE)]
    assert len(said(maple)) == 1


def test_what_staff_did_on_purpose_is_not_told_until_it_is_more_than_that(maple: Database) -> None:
    poll(maple, "a:-4-!", "a:-3-!")
    assert look(maple) == 0
    assert rows(maple, "SELECT intended, reason FROM incident") == [(True, "PAUSED")]
    poll(maple, "a:1-!")
    assert look(maple, 1) == 0
    poll(maple, "a:2+", "a:3+")
    assert look(maple, 3) == 0
    assert said(maple) == []


def test_muted_people_and_the_rules_of_groups(maple: Database) -> None:
    person(maple, "sven@example.com", group="Maple")
    with maple.transaction() as session:
        session.execute(
            text("""INSERT INTO alert_mute (account_no, group_no)
                    SELECT account_no, group_no FROM account, store_group WHERE email LIKE 'rosa%'""")
        )
        session.execute(
            text("""INSERT INTO alert_channel (group_no, name, kind, url)
                    SELECT group_no, 'till', 'webhook', 'https://example.com/' FROM store_group""")
        )
    rule(maple, "Maple", recovered=False)
    poll(maple, "a:-4-", "a:-3-")
    assert look(maple) == 2
    poll(maple, "a:1+", "a:2+")
    assert look(maple, 2) == 0
    assert said(maple) == ["a begun to sven@example.com", "a begun to till"]


def test_still_down_is_told_after_each_of_the_times_that_a_group_asks_for(maple: Database) -> None:
    rule(maple, "Maple", still_down_after=[30, 60])
    poll(maple, "a:0-", "a:1-")
    look(maple, 1)
    poll(maple, "a:29-", "a:58-")
    assert [look(maple, minute) for minute in (29, 30, 31, 59, 60, 61)] == [0, 1, 0, 0, 1, 0]
    with maple.transaction() as session:
        session.execute(text("UPDATE incident SET acknowledged_at = now()"))
        session.execute(text("UPDATE alert_rule SET still_down_after = '{30, 60, 70}'"))
    assert look(maple, 75) == 0


# --- many stores, and none ------------------------------------------------------------------------


def make_many(database: Database, count: int) -> list[str]:
    names = [f"m{number}" for number in range(count)]
    poll(database, *(f"{name}:-70+" for name in names))
    groups.add_stores(database, COMMAND, groups.named(database, COMMAND, "Maple").group_id, names)
    look(database, -60)
    return names


def test_many_stores_at_once_are_one_message(maple: Database) -> None:
    names = make_many(maple, 11)
    poll(maple, *(f"{name}:{minute}-" for name in names[:6] for minute in (-2, -1)))
    assert look(maple) == 1
    poll(maple, *(f"{names[7]}:{minute}-" for minute in (1, 2)))
    assert look(maple, 2) == 0
    poll(maple, *(f"{name}:{minute}+" for name in names[:4] for minute in (3, 4)))
    assert [look(maple, 4), look(maple, 5)] == [1, 0]
    assert said(maple) == ["mass begun to rosa@example.com", "mass ended to rosa@example.com"]


def test_few_stores_of_many_are_told_one_by_one(maple: Database) -> None:
    names = make_many(maple, 30)
    poll(maple, *(f"{name}:{minute}-" for name in names[:6] for minute in (-2, -1)))
    assert look(maple) == 6


def test_silence_of_all_is_told_to_those_who_see_all_and_is_no_outage(maple: Database) -> None:
    poll(maple, "a:-1+", "z:-1+")
    look(maple)
    assert [look(maple, 118), look(maple, 119), look(maple, 120)] == [0, 1, 0]
    poll(maple, "z:130+")
    assert look(maple, 130) == 1
    assert said(maple) == ["no_data begun to olaf@example.com", "no_data ended to olaf@example.com"]


def test_silence_of_a_group_is_told_to_its_people_if_they_ask_for_it(maple: Database) -> None:
    rule(maple, "Maple", no_data_after=150)
    poll(maple, "a:-1+", "z:-1+")
    look(maple)
    poll(maple, "z:60+", "z:120+", "z:148+")
    assert [look(maple, 148), look(maple, 150)] == [0, 1]
    assert said(maple) == ["no_data begun to rosa@example.com"]
