"""Measures reads under load: 50 a second beside imports and reports that never pause.

`python -m bench.load` measures this part alone and prints it.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import data, imports, openloop
from bench.measure import ROOT, STOREWATCH, environment, keep_compiled, module, say
from bench.openloop import Answered, Asked
from bench.server import Server, open_folder, running
from bench.service import serving
from bench.sizes import FULL, QUICK, SEED, Sizes
from bench.table import Line, amount, bounded, table
from storewatch.domain.permissions import COMMAND, GroupRole, Role, Scope
from storewatch.services import tokens
from storewatch.storage import accounts, groups
from storewatch.storage.db import Database, raw

DATABASE = "storewatch_bench_load"
RATE = 50  # requests a second
_FILES = 100  # hourly files that wait to be imported; more than fit into the time
_HISTORY_WITHIN_S = 180.0
_GROUP = 4  # the member's group has every fourth store


@dataclass(frozen=True)
class Read:
    """A kind of request: how many of a hundred, its path, and who sends it.

    {store}, {report} and {group} in a path are filled in, a store at random each time.
    """

    share: int
    path: str
    by: str = "admin"
    accept: str = "application/json"

    @property
    def name(self) -> str:
        return f"`{self.path}`" + (", a member" if self.by == "member" else "")


READS = (
    Read(9, "/api/v1/stores/{store}"),
    Read(8, "/api/v1/stores/{store}", by="member"),
    Read(6, "/api/v1/hours/{store}"),
    Read(4, "/api/v1/zones/{store}"),
    Read(6, "/api/v1/stores?limit=100"),
    Read(4, "/api/v1/stores?limit=100", by="member"),
    Read(3, "/api/v1/stores?limit=100&group_id={group}"),
    Read(2, "/api/v1/stores?limit=20&q={store}"),
    Read(6, "/api/v1/availability?store_id={store}"),
    Read(4, "/api/v1/availability?store_id={store}", by="member"),
    Read(6, "/api/v1/history?store_id={store}&by=day"),
    Read(5, "/api/v1/timeline/{store}?limit=100"),
    Read(5, "/api/v1/polls?store_id={store}&limit=100"),
    Read(3, "/api/v1/imports?limit=20"),
    Read(3, "/api/v1/reports?limit=20"),
    Read(4, "/api/v1/reports/{report}/rows?limit=50&sort=down_seconds&window=last_week"),
    Read(3, "/api/v1/groups"),
    Read(5, "/get_report?report_id={report}"),
    Read(2, "/download/{report}", accept="text/csv"),
    Read(5, "/", accept="text/html"),
    Read(2, "/api/openapi.json"),
    Read(5, "/healthz"),
)


@dataclass(frozen=True)
class People:
    """Secrets of tokens by who, the group's id, and the stores that each may see."""

    secrets: dict[str, str]
    group_id: str
    stores: dict[str, list[str]]


@dataclass(frozen=True)
class Figures:
    answered: list[Answered]
    web_cpu_s: float
    imports: int
    reports: int


def measure(server: Server, folder: Path, sizes: Sizes) -> Figures:
    """On a copy of the database that `imports.measure` left."""
    say(f"{RATE} reads a second for {sizes.load_seconds} s, beside imports and reports")
    data.hourly(folder, _FILES, sizes.hourly_polls)
    url = server.copy(imports.DATABASE, DATABASE)
    people = _people(url)
    with serving(url, folder / "load.log", people.secrets["admin"]) as service:
        _, report_id = service.report()
        _history_is_made(url)
        asked = _asked(people, report_id, RATE * sizes.load_seconds)
        openloop.run(service.port, _each(people, report_id), RATE)  # what is made once is made
        worked = service.cpu_seconds("web")
        files = (folder / f"hourly{number}.csv" for number in range(_FILES))
        with _beside(lambda: _import(url, next(files))) as imported, _beside(service.report) as reported:
            answered = openloop.run(service.port, asked, RATE)
            worked = service.cpu_seconds("web") - worked
            counts = len(imported), len(reported)
    server.drop(DATABASE)
    return Figures(answered, worked, *counts)


def _history_is_made(url: str) -> None:
    """Waits until the worker has made the history of what was imported before."""
    until = time.monotonic() + _HISTORY_WITHIN_S
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT EXISTS (SELECT FROM history_due)").fetchone() == (True,):
            assert time.monotonic() < until, "the worker does not get done with the history"
            time.sleep(0.5)


def _people(url: str) -> People:
    """An admin, and a manager of a group that has a part of the stores."""
    database = Database(url)
    with database.transaction() as session:
        rows = raw(session).execute("SELECT store_id, store_key FROM store").fetchall()
        keys = {str(store_id): int(key) for store_id, key in rows}
        everything = sorted(keys)
        theirs = everything[::_GROUP]
        group_no = groups.named(session, ["Bench"])["Bench"]
        groups.add_stores(session, group_no, [keys[store_id] for store_id in theirs])
        group_id = str(groups.by_numbers(session, [group_no])[group_no].group_id)
        admin = accounts.add(session, "admin@bench.example", Role.ADMIN)
        member = accounts.add(session, "member@bench.example", Role.MEMBER)
        accounts.put_in_groups(session, member.account_no, {group_no: GroupRole.MANAGER})
    secrets = {
        who: tokens.create(database, COMMAND, "bench", Scope.WRITE, None, account.account_id)[1]
        for who, account in (("admin", admin), ("member", member))
    }
    database.close()
    return People(secrets, group_id, {"admin": everything, "member": theirs})


def _each(people: People, report_id: str) -> list[Asked]:
    rng = random.Random(SEED)  # noqa: S311 - no secret
    return [_one(read, people, report_id, rng) for read in READS]


def _asked(people: People, report_id: str, count: int) -> list[Asked]:
    """A mix of so many requests, the same in each run."""
    rng = random.Random(SEED)  # noqa: S311 - no secret
    chosen = rng.choices(READS, [read.share for read in READS], k=count)
    return [_one(read, people, report_id, rng) for read in chosen]


def _one(read: Read, people: People, report_id: str, rng: random.Random) -> Asked:
    store = rng.choice(people.stores[read.by])
    path = read.path.format(store=store, report=report_id, group=people.group_id)
    return Asked(
        read.name, path, {"Authorization": f"Bearer {people.secrets[read.by]}", "Accept": read.accept}
    )


def _import(url: str, file: Path) -> None:
    subprocess.run(
        [STOREWATCH, "import", str(file)],
        cwd=ROOT,
        env=environment(STOREWATCH_DATABASE_URL=url),
        check=True,
        capture_output=True,
    )


@contextmanager
def _beside(work: Callable[[], object]) -> Iterator[list[object]]:
    """Does something over and over in a thread until the end of the block; gives what it returned."""
    done: list[object] = []
    failed: list[Exception] = []
    over = threading.Event()

    def loop() -> None:
        try:
            while not over.is_set():
                done.append(work())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]


def written(figures: Figures) -> str:
    """The section of the document."""
    took = [one.seconds for one in figures.answered]
    errors = Counter(one.error for one in figures.answered if one.error)
    shown = ", ".join(f"{count} × {error}" for error, count in errors.items()) or "0"
    lines = [
        Line("errors", errors.total(), "", 0, shown),
        Line("p50", part(took, 0.50), "s"),
        Line("p95", part(took, 0.95), "s", 0.25),
        Line("p99", part(took, 0.99), "s"),
        Line("the slowest", max(took), "s"),
        Line("work of the web process, a read", figures.web_cpu_s / len(took), "s"),
    ]
    return f"""## Reads under load

{len(took):,} reads over HTTP on loopback, {RATE} a second for {len(took) / RATE:.0f} s, with tokens and
the usual limits. Beside them, without a pause: the command `storewatch import` of an hourly file, which ran
{figures.imports} times, and a report on the whole fleet, which was made {figures.reports} times. A read is
counted from when it was due: if answers are slow, those that wait for a connection are not spared. The
client, the service, PostgreSQL, the imports and the reports share the machine's cores.

{bounded(lines)}

{_kinds(figures.answered)}
"""


def _kinds(answered: list[Answered]) -> str:
    rows = []
    for read in READS:
        took = [one.seconds for one in answered if one.name == read.name]
        if took:
            cells = [amount(value, "s") for value in (part(took, 0.5), part(took, 0.95), max(took))]
            rows.append([read.name, str(len(took)), *cells])
    return table(("read", "count", "p50", "p95", "slowest"), rows)


def part(took: list[float], part: float) -> float:
    """The time within which this part of them was answered."""
    return sorted(took)[max(0, round(part * len(took)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small fleet, for a few seconds")
    sizes = QUICK if parser.parse_args().quick else FULL
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        given = {"folder": str(folder), "stores": sizes.stores, "days": sizes.days, "seed": SEED}
        few = {"polls": sizes.polls, "hourly_files": 1, "hourly_polls": sizes.hourly_polls}
        module("data", given | few)
        url = server.make(imports.DATABASE)
        for name in ("store_status", "menu_hours", "store_timezone"):
            _import(url, folder / f"{name}.csv")
        figures = measure(server, folder, sizes)
        server.drop(imports.DATABASE)
    print(written(figures))


if __name__ == "__main__":
    main()
