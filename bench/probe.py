"""`python -m bench.probe`: 2,000 storefronts on loopback, each looked at once a minute for five minutes.

Before, a week of their history is imported with the rules on. Then 200 of them go down and come back, and
people and programs are told by a real mail server and webhooks. Shown is whether a look was missed, what it
cost, how soon each change was seen; and who was told what, when, against a plain model (`bench/told.py`).
STOREWATCH_BENCH_DATABASE_URL names a server, as for `python -m bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg
from sqlalchemy import text

from bench.measure import say
from bench.server import open_folder, running
from bench.told import came, expected, table
from bench.town import Processes, Town, history
from storewatch.domain.clock import SECOND
from storewatch.domain.probe_times import next_look
from storewatch.storage import storefronts, stores
from storewatch.storage.db import Database
from tests.post_office import PostOffice, post_office

DATABASE = "storewatch_bench_probe"
EVERY_S = 60
_UP = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nOrder now"
_DOWN = b"HTTP/1.1 503 Off\r\nContent-Length: 6\r\nConnection: close\r\n\r\nClosed"

Polls = dict[str, list[tuple[int, bool]]]
"""(microseconds, active) of each store, in order."""


@dataclass
class Shops:
    """All storefronts on one port; each has an address of its own in 127.0.0.0/8, and so is a host."""

    port: int = 0
    down: bool = False
    off: frozenset[bytes] = frozenset()
    came: int = 0
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def url(self, number: int) -> str:
        return f"http://127.{1 + number // 250}.{number % 250}.1:{self.port}/{number}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.came += 1
            off = self.down and head.split(b" ", 2)[1] in self.off
            writer.write(_DOWN if off else _UP)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@contextmanager
def open_shops(off: int) -> Iterator[Shops]:
    """Storefronts that answer until the end of the block."""
    shops = Shops(off=frozenset(f"/{number}".encode() for number in range(off)))

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(shops.answer, "0.0.0.0", 0, backlog=1000)  # noqa: S104

    thread = threading.Thread(target=shops.loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(begin(), shops.loop).result()
    shops.port = server.sockets[0].getsockname()[1]
    try:
        yield shops
    finally:
        shops.loop.call_soon_threadsafe(shops.loop.stop)
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.probe", description=__doc__)
    parser.add_argument("--stores", type=int, default=2000)
    parser.add_argument("--off", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder, server = stack.enter_context(open_folder()), stack.enter_context(running())
        shops, office = stack.enter_context(open_shops(asked.off)), stack.enter_context(post_office())
        town = Town(asked.stores, asked.off, stack)
        server.prepare()
        url = server.make(DATABASE)
        database = Database(url)
        town.settle(database)
        processes = Processes(url, folder, office)
        try:
            print(history(database, processes, town, office))
            _open(database, shops, asked.stores)
            print(_measured(url, database, shops, asked, processes, town, office))
        finally:
            processes.stop()
            database.close()
            server.drop(DATABASE)


def _open(database: Database, shops: Shops, count: int) -> None:
    with database.transaction() as session:
        keys = stores.allot_keys(session, [str(number) for number in range(count)])
        for store_id, key in keys.iter_rows():
            front = {"url": shops.url(int(store_id)), "every_s": EVERY_S, "says": "order now"}
            storefronts.put(session, key, front)


def _measured(
    url: str,
    database: Database,
    shops: Shops,
    asked: argparse.Namespace,
    processes: Processes,
    town: Town,
    office: PostOffice,
) -> str:
    child, worker = processes.start("probe"), processes.children["worker"]
    while not shops.came:
        time.sleep(0.05)
    begin, cpu = time.time(), _cpu(url, child.pid, worker.pid)
    say(f"{asked.stores:,} storefronts are looked at for {asked.minutes:g} minutes")
    _sleep_until(begin + 2.2 * EVERY_S)  # by then each was seen up twice
    shops.down, down_at = True, time.time()
    _sleep_until(down_at + 2.3 * EVERY_S)  # and down twice
    shops.down, up_at = False, time.time()
    _sleep_until(begin + asked.minutes * 60)
    end, spent = time.time(), _cpu(url, child.pid, worker.pid)
    memory = psutil.Process(child.pid).memory_info().rss / 1e6
    due = expected(town.groups, EVERY_S, down_at, up_at)
    _sleep_until(max(end + 9, up_at + 2.3 * EVERY_S))  # a second look of the last ones
    _wait_for(lambda: {told for told, _, _ in came(office, town.receivers)} >= due.due.keys())
    polls = _polls(database, begin)
    length = end - begin
    share = [100 * (after - before) / length for before, after in zip(cpu, spent, strict=True)]
    lines = (
        f"looks due {_due(asked.stores, begin, end):,}, missed {_missed(polls, asked.stores, begin, end):,}; "
        f"requests {shops.came:,}; polls kept {sum(map(len, polls.values())):,}",
        f"CPU: probe {share[0]:.1f} % of a core, worker {share[2]:.1f} %, database {share[1]:.1f} %; "
        f"memory of the probe {memory:.0f} MB",
        _seen("down", polls, asked.off, down_at, active=False),
        _seen("up again", polls, asked.off, up_at, active=True),
        f"polls that say down of a store that was not: {_false(polls, asked.off, down_at, up_at)}",
        table(town.groups, due, came(office, town.receivers)),
    )
    return "\n".join(lines)


def _wait_for(done: Callable[[], bool]) -> None:
    """For two minutes at most: what did not come by then is missing."""
    until = time.monotonic() + 120
    while not done() and time.monotonic() < until:
        time.sleep(0.5)
    time.sleep(5)  # in which nothing more should come


def _sleep_until(moment: float) -> None:
    time.sleep(max(0, moment - time.time()))


def _cpu(url: str, probe: int, worker: int) -> tuple[float, float, float]:
    """CPU seconds so far: of the probe, of the database server with all its processes, and of the worker."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        server = psutil.Process(row[0]).parent()
        assert server
        ours = server.cpu_times()
        each = [process.cpu_times() for process in server.children()]
    database = ours.user + ours.system + ours.children_user + ours.children_system
    own = [psutil.Process(number).cpu_times() for number in (probe, worker)]
    seconds = [times.user + times.system for times in own]
    return seconds[0], database + sum(one.user + one.system for one in each), seconds[1]


def _polls(database: Database, since: float) -> Polls:
    found: Polls = defaultdict(list)
    query = """
        SELECT store_id, (extract(epoch FROM timestamp_utc) * 1000000)::bigint, active
        FROM store_status JOIN store USING (store_key)
        WHERE timestamp_utc >= to_timestamp(:since) ORDER BY timestamp_utc
    """
    with database.session() as session:
        for store_id, at, active in session.execute(text(query), {"since": since}):
            found[store_id].append((at, active))
    return found


def _times(store: int, begin: float, end: float) -> list[int]:
    """When a store was to be looked at."""
    found = [next_look(str(store), EVERY_S, int(begin * SECOND))]
    while found[-1] < end * SECOND:
        found.append(found[-1] + EVERY_S * SECOND)
    return found[:-1]


def _due(count: int, begin: float, end: float) -> int:
    return sum(len(_times(store, begin, end)) for store in range(count))


def _missed(polls: Polls, count: int, begin: float, end: float) -> int:
    """Looks of which no poll came before the next one was due."""
    missed = 0
    for store in range(count):
        at = [moment for moment, _ in polls[str(store)]]
        for due in _times(store, begin, end):
            missed += not any(due <= moment < due + EVERY_S * SECOND for moment in at)
    return missed


def _seen(what: str, polls: Polls, off: int, since: float, *, active: bool) -> str:
    first = [
        next((at for at, said in polls[str(store)] if at > since * SECOND and said is active), None)
        for store in range(off)
    ]
    known = sorted(at / SECOND - since for at in first if at is not None)
    if not known:
        return f"{what}: seen of none of {off}"
    return (
        f"{what}: seen of {len(known)} of {off}, after {statistics.median(known):.0f} s in the middle, "
        f"{known[-1]:.0f} s at most"
    )


def _false(polls: Polls, off: int, down_at: float, up_at: float) -> int:
    wrong = 0
    for store_id, found in polls.items():
        for at, active in found:
            was_off = int(store_id) < off and down_at <= at / SECOND <= up_at + 1
            wrong += not active and not was_off
    return wrong


if __name__ == "__main__":
    main()
