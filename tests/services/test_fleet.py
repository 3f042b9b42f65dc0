"""The fleet at a glance: the same numbers as a store's page and the API tell, and nothing of other groups."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from sqlalchemy import text

from storewatch.domain.availability import Kind
from storewatch.domain.clock import DAY, HOUR, SECOND, from_us
from storewatch.domain.cost import Lost
from storewatch.domain.permissions import COMMAND, Caller, GroupRole, Role, Via
from storewatch.domain.standing import SPANS
from storewatch.errors import NotFoundError, UsageError
from storewatch.services import (
    fleet,
    fleet_ask,
    fleet_trend,
    groups,
    history,
    periods,
    picture,
    proof,
    ranking,
    revenue,
    stores,
)
from storewatch.services.chosen import Chosen
from storewatch.services.fleet import Fleet
from storewatch.services.fleet_ask import SORTS, Ask
from storewatch.services.periods import Asked
from storewatch.services.reporting import Request
from storewatch.services.revenue import Takings
from storewatch.storage import clearing
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.db import Database
from tests.factories import load

USUAL = Request()
ZONES = ("America/New_York", "Australia/Lord_Howe", "Asia/Tokyo")
LAST = 19_429
"""2023-03-13, the day after the spring change in the US; counted from 1970"""
T = LAST * DAY + 16 * HOUR
STORES = 30


def make_fleet(database: Database, count: int = STORES, days: int = 40) -> None:
    """Stores in three zones with polls every other hour: every third by day only, some down for long; what
    they take is known of some, by the week or by the hour. "North" has stores 0 to 9, "South" 8 to 15.
    """
    choose = np.random.default_rng(5)
    at = T - np.arange(days * 12)[:, None] * 2 * HOUR - choose.integers(0, 3600, (days * 12, count)) * SECOND
    down = np.cumsum(choose.random(at.shape) < 0.04, axis=0) % 3 == 1
    columns = (np.tile(np.arange(count), len(at)), down.ravel(), at.ravel())
    polls = [
        f"{store},{'inactive' if off else 'active'},{from_us(moment):%Y-%m-%d %H:%M:%S}"
        for store, off, moment in zip(*(column.tolist() for column in columns), strict=True)
    ]
    zones = [f"{store},{ZONES[store % 3]}" for store in range(count) if store % 4]
    hours = [f"{store},{day},08:00,21:30" for store in range(0, count, 3) for day in range(7)]
    load(
        database,
        "store_id,timezone_str\n" + "\n".join(zones) + "\n",
        "store_id,day,start_time_local,end_time_local\n" + "\n".join(hours) + "\n",
        "store_id,status,timestamp_utc\n" + "\n".join(polls) + "\n",
    )
    for store in range(min(count, 12)):
        takes = Takings(weekly=Decimal("1000.07") + store) if store % 2 else by_the_hour(store)
        revenue.put(database, COMMAND, str(store), takes, lambda _: None)
    for name, members in (("North", range(10)), ("South", range(8, 16))):
        group = groups.create(database, COMMAND, name)
        groups.add_stores(
            database, COMMAND, group.group_id, [str(store) for store in members if store < count]
        )
    work_off(database)


def by_the_hour(store: int) -> Takings:
    return Takings(by_hour=[Decimal(hour * 3 + store) / 7 // Decimal("0.01") / 100 for hour in range(168)])


def work_off(database: Database) -> None:
    while history.update(database, USUAL):
        pass


def look(database: Database, caller: Caller = COMMAND, **said: str) -> Fleet:
    return fleet.fleet(database, caller, fleet_ask.ask(**said), USUAL)


def member(database: Database, *names: str) -> Caller:
    """Somebody who views groups."""
    with database.transaction() as session:
        made = "INSERT INTO account (account_id, email, role) VALUES (gen_random_uuid(), :email, 'member')"
        email = {"email": f"{'-'.join(names) or 'nobody'}@example.com"}
        number = session.execute(text(f"{made} RETURNING account_no"), email).scalar_one()
        for name in names:
            session.execute(
                text("""
                    INSERT INTO membership (account_no, group_no, role)
                    SELECT :number, group_no, 'viewer' FROM store_group WHERE name = :name
                """),
                {"number": number, "name": name},
            )
        found = {group.group_no: GroupRole.VIEWER for group in groups_named(database, names)}
    return Caller(Role.MEMBER, Via.SESSION, account_no=number, groups=found)


def groups_named(database: Database, names: tuple[str, ...]) -> list[StoreGroup]:
    return [groups.named(database, COMMAND, name) for name in names]


def all_rows(database: Database, caller: Caller = COMMAND, **said: str) -> list[fleet.Row]:
    first = look(database, caller, **said)
    pages = [look(database, caller, **said | {"page": str(page)}) for page in range(2, first.pages + 1)]
    return [row for each in (first, *pages) for row in each.rows]


def ids(rows: list[fleet.Row]) -> list[str]:
    return [row.store.store_id for row in rows]


# --- the same numbers -----------------------------------------------------------------------------


def test_a_store_has_the_figures_and_the_state_of_its_own_page(database: Database) -> None:
    make_fleet(database)
    shown = {row.store.store_id: row for row in all_rows(database)}
    assert len(shown) == STORES
    for store_id in ("0", "1", "2", "3", "6", "9", "20"):
        row = shown[store_id]
        for days in SPANS:
            asked = picture.Asked(days=days)
            page = picture.page(database, COMMAND, store_id, USUAL, asked, frozenset(), T + DAY)
            told, whole = row.spans[days], page.picture.whole
            assert told.totals == whole.totals
            assert (told.bounds, told.outages) == ((whole.down_min, whole.down_max), whole.outages)
            assert told.lost == page.picture.lost
        assert (row.zone, row.state) == (page.picture.zone, page.now.state)
    first = look(database)
    weeks = [first.weeks[row.store.store_key] for row in first.rows]
    assert [(row.state, row.since) for row in first.rows] == [(week.state, week.since) for week in weeks]


@pytest.mark.parametrize("name", [None, "North", "South"])
def test_a_group_adds_up_to_what_the_api_tells(database: Database, name: str | None) -> None:
    make_fleet(database)
    group = None if name is None else groups.named(database, COMMAND, name).group_id
    told = look(database, group=str(group or ""))
    assert told.days is not None
    assert told.heat is not None
    last = told.days[-1][0]
    by_day = periods.by_period(
        database, COMMAND, Chosen(group_id=group), "day", Asked(last - 89, last), USUAL
    )
    assert [day for day, _ in told.days] == by_day.first.tolist()
    assert [totals for _, totals in told.days] == by_day.sums.totals.tolist()
    hours = periods.by_week_hour(database, COMMAND, Chosen(group_id=group), Asked(last - 29, last), USUAL)
    up, down = hours.told[:, 0], hours.told[:, 1]
    assert told.heat.reshape(168, 2).tolist() == np.stack([down, up + down], axis=1).tolist()


def test_the_sums_are_those_of_the_rows_and_of_the_ranking(database: Database) -> None:
    make_fleet(database)
    told, rows = look(database), all_rows(database)
    for days, whole in told.spans.items():
        assert whole.totals == np.sum([row.spans[days].totals for row in rows], axis=0).tolist()
        assert whole.lost == sum((row.spans[days].lost or Lost() for row in rows), Lost())
    _, ranked = ranking.ranking(database, COMMAND, Chosen(), Asked(LAST - 6, LAST), USUAL)
    assert {row.store_id: row.lost is None for row in ranked.rows} == {
        row.store.store_id: row.spans[7].lost is None for row in rows
    }
    assert sum(told.states.values()) == told.stores == told.found == STORES


def wrong(database: Database, request: Request = USUAL) -> tuple[int, int]:
    return proof.verify_standing(database, request).wrong, proof.verify_groups(database, request).wrong


def test_the_fleet_is_proved(database: Database) -> None:
    make_fleet(database)
    assert proof.verify_standing(database, USUAL) == proof.Proof(0, STORES)
    groups_and_all = proof.verify_groups(database, USUAL)
    assert (groups_and_all.wrong, groups_and_all.compared > 100) == (0, True)
    with database.transaction() as session:
        session.execute(text("UPDATE store_now SET outages_7d = outages_7d + 1 WHERE store_key = 3"))
        session.execute(
            text("UPDATE fleet_day SET down_by_hour_us[4] = 7 WHERE group_no = 0 AND day = '2023-03-01'")
        )
    assert wrong(database) == (1, 1)


# --- changes --------------------------------------------------------------------------------------


def test_what_a_store_takes_makes_its_figures_due_and_then_new(database: Database) -> None:
    make_fleet(database)
    assert look(database, q="20").rows[0].spans[30].lost is None
    revenue.put(database, COMMAND, "20", Takings(weekly=Decimal(700)), lambda _: None)
    assert look(database).stale == 1
    work_off(database)
    told = look(database)
    assert (told.stale, look(database, q="20").rows[0].spans[30].lost is None) == (0, False)


def test_a_group_that_changes_is_added_up_again(database: Database) -> None:
    make_fleet(database)
    north = groups.named(database, COMMAND, "North").group_id
    groups.remove_stores(database, COMMAND, north, ["1", "2"])
    assert look(database, group=str(north)).days_due > 30
    assert look(database).days_due == 0
    work_off(database)
    assert look(database, group=str(north)).days_due == 0
    assert proof.verify_groups(database, USUAL).wrong == 0


def test_an_archived_store_is_left_out_but_for_its_days(database: Database) -> None:
    make_fleet(database)
    stores.update(database, COMMAND, "4", {"archived_from": date(2023, 3, 1)}, lambda _: None)
    work_off(database)
    told = look(database)
    assert (told.stores, "4" in ids(all_rows(database)), fleet.small(database, COMMAND, 29)) == (
        29,
        False,
        True,
    )
    assert wrong(database) == (0, 0)


def test_a_store_that_the_job_has_not_met_is_not_seen_and_nothing_of_it_is_known(database: Database) -> None:
    make_fleet(database, count=3)
    stores.create(database, COMMAND, "new", {}, [])
    told = look(database, q="new")
    [row] = told.rows
    assert (row.known, row.state, row.since, told.stale) == (False, "unseen", None, 1)
    assert row.spans[7] == fleet.Sums([0] * len(Kind), (0, 0), 0, None)
    assert told.states == {"up": 0, "down": 0, "closed": 0, "unseen": 1, "excluded": 0}


def test_without_polls_there_is_nothing_but_the_stores(database: Database) -> None:
    stores.create(database, COMMAND, "a", {}, [])
    history.update(database, USUAL)
    told = look(database)
    assert (told.as_of, told.stores, told.states["unseen"], told.found, told.down) == (None, 1, 1, 1, [])
    assert told.days is not None
    assert not any(sum(totals) for _, totals in told.days)


def test_polls_that_all_went_leave_marks_until_the_job_ran_and_nothing_after(database: Database) -> None:
    make_fleet(database, count=3, days=3)
    with database.transaction() as session:
        for key in session.execute(text("SELECT store_key FROM store")).scalars().all():
            clearing.remove_polls(session, key)
    assert proof.verify_standing(database, USUAL).wrong == 0
    work_off(database)
    with database.session() as session:
        assert session.execute(text("SELECT count(*) FROM store_now")).scalar() == 0
    assert proof.verify_standing(database, USUAL).wrong == 0


def test_other_settings_make_every_figure_stale_until_the_job_ran(database: Database) -> None:
    make_fleet(database, count=3)
    other = Request(default_zone="Asia/Tokyo")
    assert fleet.fleet(database, COMMAND, Ask(), other).stale == 3
    while history.update(database, other):
        pass
    assert fleet.fleet(database, COMMAND, Ask(), other).stale == 0
    assert wrong(database, other) == (0, 0)


# --- looking --------------------------------------------------------------------------------------


def test_every_sort_shows_every_store_once_and_what_is_not_known_last(database: Database) -> None:
    make_fleet(database, count=28, days=9)
    stores.create(database, COMMAND, "new", {"name": None}, [])
    for sort, order in product(SORTS, ("asc", "desc")):
        rows = all_rows(database, sort=sort, order=order, days="30")
        assert sorted(ids(rows)) == sorted([*map(str, range(28)), "new"])
        if sort not in ("name", "state", "lost", "since"):
            assert not rows[-1].known
        shown = [figure(row, sort) for row in rows if row.known]
        figures = [each for each in shown if each is not None]
        assert shown[: len(figures)] == figures == sorted(figures, reverse=order == "desc")


def figure(row: fleet.Row, sort: str) -> float | None:
    """What a list of 30 days is sorted by; None: unknown, or not compared here."""
    told = row.spans[30]
    up, down = sum(told.totals[:2]), sum(told.totals[2:4])
    seen = told.totals[Kind.UP_SEEN] + told.totals[Kind.DOWN_SEEN]
    figures = {
        "outages": told.outages,
        "unknown": told.totals[Kind.UNKNOWN],
        "down": down,
        "availability": up / (up + down) if up + down else None,
        "coverage": seen / sum(told.totals),
        "lost": None if told.lost is None else float(told.lost.whole),
        "since": row.since,
    }
    return figures.get(sort)


def test_filters_narrow_the_rows_and_the_sums(database: Database) -> None:
    make_fleet(database)
    stores.update(database, COMMAND, "7", {"platform": "Bites", "location": "Maple_Street"}, lambda _: None)
    assert ids(look(database, platform="Bites").rows) == ids(look(database, q="maple_").rows) == ["7"]
    assert look(database, q="%").found == 0
    tokyo = look(database, zone="Asia/Tokyo")
    assert {row.zone for row in tokyo.rows} == {"Asia/Tokyo"}
    assert (tokyo.days, tokyo.heat, tokyo.stores < STORES) == (None, None, True)
    down = look(database, state="down")
    assert (down.found, down.stores) == (down.states["down"], STORES)
    assert {row.state for row in down.rows} <= {"down"}
    assert ids(look(database).down) == ids(look(database, state="up").down)
    assert [row.state for row in look(database).down] == ["down"] * min(10, down.found)


def test_a_page_after_the_last_is_the_last(database: Database) -> None:
    make_fleet(database, days=2)
    told = look(database, page="900000")
    assert (told.page, told.pages, len(told.rows)) == (2, 2, 5)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("q", "a\x00b"), ("q", "x" * 201), ("q", "\ud800"), ("group", "north"), ("platform", "\x07"),
        ("zone", "\x00"), ("state", "gone"), ("days", "8"), ("days", "-1"), ("sort", "id; DROP"),
        ("order", "up"), ("page", "0"), ("page", "1.5"), ("page", "-1"), ("page", "9" * 30), ("page", "٣"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_field(field: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        fleet_ask.ask(**{field: said})
    assert refused.value.field == field


# --- who sees what --------------------------------------------------------------------------------


def test_where_many_stores_are_in_several_groups_a_trend_is_of_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_fleet(database)
    caller, north = member(database, "North", "South"), groups.named(database, COMMAND, "North")
    assert look(database, caller).days is not None  # 8 and 9 are in both
    monkeypatch.setattr(fleet_trend, "MOST_TWICE", 1)
    assert (look(database, caller).days, look(database, caller).heat) == (None, None)
    assert look(database, caller, group=str(north.group_id)).days is not None


@pytest.mark.parametrize(
    ("names", "seen"), [(("North",), range(10)), (("North", "South"), range(16)), ((), range(0))]
)
def test_a_member_sees_their_stores_once_and_nothing_else(
    database: Database, names: tuple[str, ...], seen: range
) -> None:
    make_fleet(database)
    stores.update(database, COMMAND, "20", {"platform": "Secret"}, lambda _: None)
    groups.create(database, COMMAND, "Hidden")
    groups.add_stores(database, COMMAND, groups.named(database, COMMAND, "Hidden").group_id, ["1", "20"])
    work_off(database)
    caller, everything = member(database, *names), all_rows(database)
    own = [row for row in everything if int(row.store.store_id) in seen]
    told = look(database, caller)
    assert sorted(ids(all_rows(database, caller))) == sorted(ids(own))
    assert (told.stores, told.found, sum(told.states.values())) == (len(own),) * 3
    assert [fleet.small(database, caller, len(own) + more) for more in (-1, 0)] == [False, True]
    for days, whole in told.spans.items():
        assert whole.totals == np.sum([row.spans[days].totals for row in own] or [[0] * 6], axis=0).tolist()
    assert [group.name for group in told.groups] == sorted(names)
    assert (told.platforms, set(told.zones)) == ([], {row.zone for row in own})
    assert set(ids(told.down)) <= set(ids(own))
    assert told.days is not None
    assert told.heat is not None
    first, last = told.days[0][0], told.days[-1][0]
    if own:
        api = periods.by_period(database, caller, Chosen(), "day", Asked(first, last), USUAL)
        assert [totals for _, totals in told.days] == api.sums.totals.tolist()
        hours = periods.by_week_hour(database, caller, Chosen(), Asked(last - 29, last), USUAL).told
        assert told.heat.reshape(168, 2)[:, 0].tolist() == hours[:, 1].tolist()
    else:
        assert not any(sum(totals) for _, totals in told.days)
        assert not told.heat.any()


def test_a_member_is_not_told_of_another_group_or_its_stores(database: Database) -> None:
    make_fleet(database)
    caller, south = member(database, "North"), groups.named(database, COMMAND, "South").group_id
    with pytest.raises(NotFoundError):
        look(database, caller, group=str(south))
    assert look(database, caller, q="20").found == 0
    revenue.put(database, COMMAND, "20", Takings(weekly=Decimal(700)), lambda _: None)
    groups.remove_stores(database, COMMAND, south, ["15"])
    assert (look(database, caller).stale, look(database, caller).days_due) == (0, 0)
