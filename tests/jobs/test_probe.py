"""The probe, in a loop of the test's own, against real storefronts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from storewatch.domain.clock import HOUR, to_us
from storewatch.jobs import probe
from storewatch.jobs.hosts import Hosts, host_of
from storewatch.jobs.probe import Manner, Probe
from storewatch.outbound.addresses import networks
from storewatch.storage import imports
from storewatch.storage.db import Database
from storewatch.storage.storefronts import Place
from tests import storefronts
from tests.outbound.storefront import Page, Storefront, storefront

MANNER = Manner(allowed=networks("127.0.0.0/8", "X"), agent="storewatch-probe/test", second_look_s=0.2)
PATIENCE_S = 60.0


def probed(database: Database, enough: Callable[[], bool], manner: Manner = MANNER) -> None:
    """Lets the probe work until there is enough, then tells it to stop."""

    async def work() -> None:
        told = asyncio.Event()
        task = asyncio.create_task(Probe(database, manner).work(told))
        until = time.monotonic() + PATIENCE_S
        while not await asyncio.to_thread(enough):
            assert time.monotonic() < until, "it takes too long"
            assert not task.done(), task.exception()
            await asyncio.sleep(0.1)
        told.set()
        await task

    asyncio.run(work())


def front(database: Database, shop: Storefront, name: str, **values: object) -> int:
    return storefronts.add(database, name, f"{shop.url}/{name}", **values)


def seen(database: Database) -> dict[str, tuple[bool, str | None]]:
    """The last poll of each store."""
    return {store: (active, reason) for store, active, reason in storefronts.polls(database)}


def later(database: Database, names: set[str]) -> Callable[[], bool]:
    return lambda: names <= {name for name, *_ in storefronts.polls(database)}


def test_each_storefront_is_looked_at_and_judged_by_its_rule(database: Database) -> None:
    with storefront() as shop:
        shop.pages |= {
            "/up": Page(body=b"Order now"),
            "/off": Page(body=b"closed"),
            "/broken": Page(500),
            "/json": Page(body=b'{"open": false}'),
        }
        front(database, shop, "up", says="order now")
        front(database, shop, "off", says="order now")
        front(database, shop, "broken")
        front(database, shop, "json", json_path="open", json_value="true")
        probed(database, later(database, {"up", "off", "broken", "json"}))
    assert seen(database) == {
        "up": (True, None),
        "off": (False, "the page does not say 'order now'"),
        "broken": (False, "answered 500"),
        "json": (False, "open is false, not true"),
    }
    asked = [path for path, _ in shop.came]
    assert (asked.count("/up"), asked.count("/off") >= 2, asked.count("/broken") >= 2) == (1, True, True)


def test_what_is_up_at_the_second_look_is_up(database: Database) -> None:
    with storefront() as shop:
        shop.pages["/a"] = Page(503)
        front(database, shop, "a")

        def enough() -> bool:
            if shop.came:
                shop.pages["/a"] = Page(200)
            return bool(storefronts.polls(database))

        probed(database, enough, Manner(allowed=MANNER.allowed, second_look_s=2))
    assert seen(database) == {"a": (True, None)}


def test_a_new_storefront_is_looked_at_within_ten_seconds(database: Database) -> None:
    with storefront() as shop:
        front(database, shop, "a")
        added: list[float] = []

        def enough() -> bool:
            if not added and storefronts.polls(database):
                front(database, shop, "b", every_s=86_400)
                added.append(time.monotonic())
            return later(database, {"a", "b"})()

        probed(database, enough)
        assert time.monotonic() - added[0] < 10


def test_looks_go_on_when_the_clock_was_set_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = [HOUR]
    monkeypatch.setattr(probe, "_now", lambda: to_us(datetime.now(UTC)) + ahead[0])
    with storefront() as shop:
        for name in "abcdefghij":
            front(database, shop, name)

        def enough() -> bool:
            if ahead[0] and storefronts.polls(database):
                ahead[0] = 0
                shop.came.clear()
            return not ahead[0] and len(shop.came) >= 3

        probed(database, enough)


def test_a_host_that_asks_for_peace_gets_it_and_nothing_is_said_of_its_stores(database: Database) -> None:
    with storefront() as shop:
        for name in "abcdefgh":
            shop.pages[f"/{name}"] = Page(429, headers={"Retry-After": "600"})
            front(database, shop, name)

        def told() -> bool:
            with database.session() as session:
                return bool(session.execute(text("SELECT count(said) FROM storefront")).scalar())

        probed(database, told, Manner(allowed=MANNER.allowed, per_host=1))
    assert (storefronts.polls(database), len(shop.came)) == ([], 1)


def test_a_storefront_in_a_private_network_is_never_reached(database: Database) -> None:
    with storefront() as shop:
        front(database, shop, "a")

        def told() -> bool:
            with database.session() as session:
                return bool(session.execute(text("SELECT said LIKE '%private%' FROM storefront")).scalar())

        probed(database, told, Manner(allowed=()))
        assert (shop.came, storefronts.polls(database)) == ([], [])


def test_a_second_probe_waits_for_its_place(database: Database) -> None:
    place = Place(database)
    assert place.held()
    with storefront() as shop:
        front(database, shop, "a")
        began = time.monotonic()

        def enough() -> bool:
            if time.monotonic() - began > 3 and not shop.came:
                place.leave()
            return bool(storefronts.polls(database))

        probed(database, enough)
        assert time.monotonic() - began > 3


def test_looks_go_on_while_an_import_holds_the_polls_and_are_written_after(database: Database) -> None:
    held = database.transaction()
    session = held.__enter__()
    imports.lock(session, "store_status")
    with storefront() as shop:
        front(database, shop, "a")
        released: list[float] = []

        def enough() -> bool:
            if shop.came and not released:
                assert storefronts.polls(database) == []
                released.append(time.monotonic())
                held.__exit__(None, None, None)
            return bool(storefronts.polls(database))

        probed(database, enough)
    assert (seen(database), len(shop.came)) == ({"a": (True, None)}, 1)


def test_when_the_database_goes_away_looks_go_on_and_what_they_saw_is_written_later(
    database: Database,
) -> None:
    others = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """

    def enough() -> bool:
        """Ends every connection to the database, as a restart does."""
        with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(others)
            time.sleep(0.7)
            row = connection.execute("SELECT count(*) FROM store_status").fetchone()
            return row is not None and row[0] >= 30

    with storefront() as shop:
        for number in range(40):
            front(database, shop, str(number))
        probed(database, enough)
    database.engine.dispose()
    assert len(shop.came) - 5 <= len(storefronts.polls(database)) <= len(shop.came)


def test_so_many_at_a_host_and_who_waits_for_a_slow_one_holds_nobody_up() -> None:
    async def most() -> tuple[int, bool]:
        hosts, at_once, highest = Hosts(3, 2), 0, 0
        free = asyncio.Event()

        async def slow() -> None:
            nonlocal at_once, highest
            async with hosts.turn("slow"):
                at_once += 1
                highest = max(highest, at_once)
                await free.wait()
                at_once -= 1

        tasks = [asyncio.create_task(slow()) for _ in range(9)]
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5), hosts.turn("quick"):
            passed = True
        free.set()
        await asyncio.gather(*tasks)
        return highest, passed

    assert asyncio.run(most()) == (2, True)


def test_if_no_host_answers_it_is_we_who_are_cut_off() -> None:
    async def told() -> list[bool]:
        hosts = Hosts(1, 1)
        cut_off = [hosts.cut_off(f"host{number % 5}") for number in (0, 0, 1, 2, 3, 4, 4)]
        hosts.answered()
        return [*cut_off, hosts.cut_off("host0")]

    assert asyncio.run(told()) == [False, False, False, False, False, True, True, False]


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://Shop.Example:444/a", "shop.example"), ("http://shop.example./", "shop.example")],
)
def test_a_host_is_the_same_however_it_is_written(url: str, host: str) -> None:
    assert host_of(url) == host
