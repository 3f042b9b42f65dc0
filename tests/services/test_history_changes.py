"""History after any run of imports, corrections, deletions, changed hours and zones; and after kills."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain import exception_rows
from storewatch.domain.clock import DAY, HOUR, SECOND, from_us
from storewatch.domain.permissions import COMMAND
from storewatch.domain.weekly import ALWAYS, NOT_SAID
from storewatch.errors import ConflictError, NotFoundError
from storewatch.services import exceptions, groups, history, proof, revenue, weeks
from storewatch.services import stores as every_store
from storewatch.services.exceptions import Clock
from storewatch.services.hours_from import HoursFrom
from storewatch.services.reporting import Request
from storewatch.services.revenue import Takings
from storewatch.storage import clearing, polls
from storewatch.storage import history as marks
from storewatch.storage.db import Database
from tests.factories import load
from tests.services.by_engine import assert_equal
from tests.services.kept_against_engine import assert_periods_equal

USUAL = Request()
FIRST = 19_428
"""2023-03-12, the spring change in the US; counted from 1970"""

STORES = ("a", "b", "c")
ZONES = ("America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "America/Santiago", "Asia/Tokyo")

stores = st.sampled_from(STORES)
instants = st.builds(
    lambda day, hour, second: (FIRST + day) * DAY + hour * HOUR + second * SECOND,
    *(st.integers(0, 16), st.integers(0, 23), st.sampled_from((0, 1, 1800, 3599))),
)
bursts = st.lists(st.tuples(stores, st.booleans(), instants), min_size=1, max_size=12)
intervals = st.tuples(st.integers(0, 6), st.integers(0, 47), st.integers(0, 48)).filter(
    lambda i: i[1] != i[2]
)
week = st.none() | st.lists(intervals.map(lambda i: (i[0], i[1] * 1800, i[2] * 1800)), max_size=6)
froms = st.one_of(st.sampled_from((ALWAYS, NOT_SAID)), st.integers(FIRST - 2, FIRST + 18))
NOW = (FIRST + 6) * DAY + 3 * HOUR
"""when hours are given of which nobody says from when on they count"""

effects = st.sampled_from(("closed", "other_hours", "excluded", "up", "down", "ignore_polls"))
spans = st.tuples(st.integers(0, 14), st.integers(0, 23), st.sampled_from((1, 3, 30)), st.booleans())
"""Of an exception: first day and hour, hours, and whether it comes again every other day"""

changes = st.one_of(
    st.tuples(st.just("import"), bursts),
    st.tuples(st.just("import"), bursts),
    st.tuples(st.just("delete"), st.tuples(stores, instants, st.integers(0, 3 * 24))),
    st.tuples(st.just("hours"), st.tuples(stores, week, froms)),
    st.tuples(st.just("zone"), st.tuples(stores, st.none() | st.sampled_from(ZONES))),
    st.tuples(st.just("except"), st.tuples(stores | st.none() | st.just("a group"), effects, spans)),
    st.tuples(st.just("except"), st.tuples(stores | st.none() | st.just("a group"), effects, spans)),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("move"), st.tuples(stores, st.booleans())),
    st.tuples(st.just("takes"), st.tuples(stores, st.none() | st.integers(0, 90_000), st.booleans())),
    st.tuples(st.just("job"), st.none()),
)
departures = st.one_of(
    st.tuples(st.just("archive"), st.tuples(stores, st.none() | st.integers(FIRST, FIRST + 18))),
    st.tuples(st.just("remove"), stores),
)


def make(database: Database, change: str, what: object) -> None:
    """Makes one change, as it comes."""
    if change == "import":
        assert isinstance(what, list)
        rows = [f"{s},{'active' if up else 'inactive'},{from_us(at):%Y-%m-%d %H:%M:%S}" for s, up, at in what]
        load(database, "store_id,status,timestamp_utc\n" + "\n".join(rows) + "\n")
    elif change == "delete":
        assert isinstance(what, tuple)
        with database.transaction() as session:
            delete(session, what[0], what[1], what[1] + what[2] * HOUR)
    elif change == "hours":
        assert isinstance(what, tuple)
        store, wanted, since = what
        weeks.set_week(database, COMMAND, store, wanted, lambda _: None, NOW, HoursFrom(since))
    elif change == "zone":
        assert isinstance(what, tuple)
        weeks.set_zone(database, COMMAND, what[0], what[1], lambda _: None)
    elif change == "except":
        assert isinstance(what, tuple)
        except_(database, *what)
    elif change == "undo":
        undo(database)
    elif change == "move":
        assert isinstance(what, tuple)
        with suppress(NotFoundError):
            (groups.add_stores if what[1] else groups.remove_stores)(
                database, COMMAND, group_of(database), [what[0]]
            )
    elif change in ("archive", "takes"):
        assert isinstance(what, tuple)
        (archive if change == "archive" else takes)(database, *what)
    elif change == "remove":
        assert isinstance(what, str)
        every_store.delete(database, COMMAND, what, what)
    else:
        history.update(database, USUAL)


def archive(database: Database, store: str, day: int | None) -> None:
    since = None if day is None else from_us(day * DAY).date()
    every_store.update(database, COMMAND, store, {"archived_from": since}, lambda _: None)


def takes(database: Database, store: str, cents: int | None, by_hour: bool) -> None:
    amount = None if cents is None else Decimal(cents) / 100
    wanted = Takings(by_hour=[amount] * 168) if by_hour and amount is not None else Takings(weekly=amount)
    revenue.put(database, COMMAND, store, wanted, lambda _: None)


def assert_fleet_is_right(database: Database) -> None:
    """How stores stand, and the days of groups: all of them right, none left out, none due."""
    with database.session() as session:
        every = session.execute(text("SELECT count(*) FROM store")).scalar()
        due = session.execute(text("SELECT count(*) FROM fleet_due")).scalar()
        polled = polls.newest(session) is not None
    stand, days = proof.verify_standing(database, USUAL), proof.verify_groups(database, USUAL)
    assert (stand.wrong, stand.compared, days.wrong, due) == (0, every if polled else 0, 0, 0)
    assert proof.verify(database, USUAL).wrong == 0
    with database.session() as session:
        scopes = 1 + session.execute(text("SELECT count(*) FROM store_group")).scalar_one()
    assert assert_periods_equal(database, USUAL) == (9 * scopes if polled else 0)


def group_of(database: Database) -> UUID:
    with suppress(ConflictError):
        groups.create(database, COMMAND, "Maple")
    return groups.named(database, COMMAND, "Maple").group_id


def except_(database: Database, scope: str | None, effect: str, span: tuple[int, int, int, bool]) -> None:
    """Makes an exception: on the clock of the stores, or at instants if it does not come again."""
    day, hour, hours, again = span
    start = from_us((FIRST + day) * DAY + (0 if effect == "other_hours" else hour) * HOUR)
    end = start + timedelta(hours=24 if effect == "other_hours" else hours)
    local = again or effect == "other_hours"
    said = {
        "effect": effect,
        "store_id": None if scope == "a group" else scope,
        "group": str(group_of(database)) if scope == "a group" else None,
        "start": f"{start:%Y-%m-%dT%H:%M}" + ("" if local else "Z"),
        "end": f"{end:%Y-%m-%dT%H:%M}" + ("" if local else "Z"),
        "rrule": "FREQ=DAILY;INTERVAL=2;COUNT=4" if again else None,
        "hours": "10:00-02:00" if effect == "other_hours" else None,
        "note": "a test",
    }
    wanted = exception_rows.read(said, every=scope is None)
    with suppress(NotFoundError):  # a store that was never met
        exceptions.add(database, COMMAND, [wanted], Clock(NOW, USUAL.default_zone))


def undo(database: Database) -> None:
    """Takes the oldest exception in force back, if there is one."""
    query = "SELECT exception_id FROM exception WHERE undone_at IS NULL ORDER BY exception_no LIMIT 1"
    with database.session() as session:
        found = session.execute(text(query)).scalar()
    if found is not None:
        exceptions.undo(database, COMMAND, found, Clock(NOW, USUAL.default_zone))


def delete(session: Session, store_id: str, first: int, last: int) -> None:
    """Deletes polls by hand."""
    query = text("SELECT store_key FROM store WHERE store_id = :store_id")
    key = session.execute(query, {"store_id": store_id}).scalar()
    if key is None:
        raise NotFoundError(store_id)
    values = {"key": key, "first": from_us(first), "last": from_us(last)}
    between = "store_key = :key AND timestamp_utc BETWEEN :first AND :last"
    session.execute(text(f"DELETE FROM store_status WHERE {between}"), values)
    session.execute(
        text("""
            UPDATE store_status_day AS d SET polls = f.polls, newest = coalesce(f.newest, '-infinity')
            FROM (SELECT day, count(timestamp_utc) AS polls, max(timestamp_utc) AS newest
                  FROM store_status_day
                  LEFT JOIN store_status ON (timestamp_utc AT TIME ZONE 'UTC')::date = day GROUP BY day) AS f
            WHERE f.day = d.day
        """)
    )
    own = "(SELECT min(timestamp_utc) FROM store_status WHERE store_key = :key)"
    session.execute(text(f"UPDATE store SET first_poll_at = {own} WHERE store_key = :key"), values)
    marks.mark(session, [key], first, last)


def begin(database: Database) -> None:
    """Nothing but the stores and their zones."""
    with database.transaction() as session:
        clearing.empty(session)
    load(
        database,
        "store_id,timezone_str\n" + "".join(f"{s},{z}\n" for s, z in zip(STORES, ZONES, strict=False)),
    )


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(first=[("a", True, FIRST * DAY)], run=[("delete", ("a", FIRST * DAY, 0))])
@given(first=bursts, run=st.lists(changes, min_size=1, max_size=10))
def test_history_equals_the_engine_after_any_run_of_changes(
    database: Database, first: list[object], run: list[tuple[str, object]]
) -> None:
    begin(database)
    for change, what in [("import", first), ("job", None), *run]:
        make(database, change, what)
    assert_equal(database, FIRST - 3, FIRST + 20, USUAL)
    while history.update(database, USUAL):
        pass
    proved = proof.verify(database, USUAL)
    wrong, compared = proved.wrong, proved.compared
    with database.session() as session:
        stored = session.execute(text("SELECT count(*) FROM store_day")).scalar()
        due = session.execute(text("SELECT count(*) FROM history_due")).scalar()
    assert (wrong, due, compared) == (0, 0, stored)
    assert_fleet_is_right(database)
    assert len(assert_equal(database, FIRST - 3, FIRST + 20, USUAL)) == stored


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(first=[("a", True, FIRST * DAY)], run=[("delete", ("a", FIRST * DAY, 0)), ("job", None)])
@given(first=bursts, run=st.lists(changes | departures, min_size=1, max_size=10))
def test_the_fleet_is_right_but_for_what_is_marked_after_any_run_of_changes_and_departures(
    database: Database, first: list[object], run: list[tuple[str, object]]
) -> None:
    begin(database)
    for change, what in [("import", first), ("job", None), ("job", None), *run]:
        with suppress(NotFoundError):  # a store that is gone
            make(database, change, what)
        assert proof.verify_standing(database, USUAL).wrong == 0
        assert proof.verify_groups(database, USUAL).wrong == 0
    assert_periods_equal(database, USUAL)  # though some is due
    while history.update(database, USUAL):
        pass
    assert_fleet_is_right(database)


# --- kills ----------------------------------------------------------------------------------------

WORK = """
import sys
from storewatch.services import history, sight
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
database = Database(sys.argv[1])
sight._BOX = 300
print("at work", flush=True)
while history.update(database, Request()):
    pass
"""


def test_a_job_that_is_killed_at_any_instant_and_run_again_makes_the_same_days(database: Database) -> None:
    choose = np.random.default_rng(7)
    at = FIRST * DAY + choose.integers(0, 20 * DAY // SECOND, 6000) * SECOND
    rows = [
        f"{store % 500},{'in' * bool(store % 3)}active,{from_us(each):%Y-%m-%d %H:%M:%S}\n"
        for store, each in enumerate(at.tolist())
    ]
    load(database, "store_id,status,timestamp_utc\n" + "".join(rows))
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WORK, database.url], stdout=subprocess.PIPE, text=True
        ) as job:
            assert job.stdout is not None
            job.stdout.readline()
            time.sleep(choose.uniform(0, 0.5))
            job.send_signal(signal.SIGKILL)
    stored = len(assert_equal(database, FIRST - 3, FIRST + 22, USUAL))
    while history.update(database, USUAL):
        pass
    assert proof.verify(database, USUAL) == proof.Proof(0, stored)
    assert_fleet_is_right(database)
    assert len(assert_equal(database, FIRST - 3, FIRST + 22, USUAL)) == stored
