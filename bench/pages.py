"""Measures the pages: how long the server takes for each, and how much a browser has to load.

`python -m bench.pages` measures this part alone and prints it.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bench import load
from bench.measure import keep_compiled, say
from bench.server import Server, open_folder, running
from bench.service import Service, serving
from bench.sizes import FULL, QUICK, SEED, Sizes
from bench.table import amount, table
from storewatch.domain.permissions import COMMAND, Role, Scope
from storewatch.services import groups, service_levels, tokens
from storewatch.services.chosen import Chosen
from storewatch.storage import accounts
from storewatch.storage.db import Database
from tests.browser import fleet
from tests.browser.conftest import share

DATABASE = "storewatch_bench_pages"
RUNS = 60
_AT_ONCE = 1_000
_PAUSE_S = 0.06  # who asks more often is told to wait
FIRST_KB, LATER_KB = 150, 100
FLEET_S, PAGE_S = 0.150, 0.100

PAGES = {
    "the fleet": "/",
    "the fleet, one state, by downtime": "/?state=down&sort=down",
    "the fleet, 30 days, page 300": "/?days=30&sort=availability&page=300",
    "the fleet, a text": "/?q=12345",
    "how the stores stand (a part)": "/now",
    "a store, 7 days": "/stores/{store}",
    "a store, 90 days": "/stores/{store}?days=90",
    "how a store stands (a part)": "/store-now?store={store}",
    "links to a store": "/shares?store={store}",
    "shared days of a store": "/shared/{shared}",
    "reports": "/reports",
    "a report": "/reports/{report}",
    "a report, page 200": "/reports/{report}?page=200",
    "its late polls": "/reports/{report}/late",
    "service levels": "/levels",
    "a service level of all stores": "/levels/{level}",
    "a month of all stores": "/months/{month}",
    "a month of a group of half of them": "/months/{month}?group={group}",
    "the longest outages of a month": "/months/{month}/outages",
    "a month of a store": "/months/{month}?store={store}",
    "what is mailed by itself": "/schedules",
    "imports": "/imports",
    "people": "/people",
    "groups": "/groups",
    "audit": "/audit",
    "account": "/account",
    "the numbers": "/numbers",
}
_FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')


@dataclass(frozen=True)
class Page:
    """How one was answered: seconds in order, bytes of its HTML and of its files."""

    name: str
    took: list[float]
    html: int
    files: int


def measure(server: Server, folder: Path, sizes: Sizes) -> list[Page]:
    """Each page RUNS times, one request at a time, stores at random."""
    url = server.make(DATABASE)
    (folder / "season").mkdir()
    say(f"{sizes.stores:,} stores with {fleet.DAYS} days are loaded for the pages")
    fleet.load(url, folder / "season", sizes.stores)
    database = Database(url)
    with serving(url, folder / "pages.log", _token(database)) as service:
        fleet.wait_for_history(database)
        server.settle()
        stores = _stores(database)
        given = {"report": service.report()[1], "month": time.strftime("%Y-%m")} | _levels(database)
        given["shared"] = share(database, stores[0])
        fleet.load_late(url, folder / "late", stores)
        fleet.wait_for_history(database)
        server.settle()
        found = [_measured(service, name, path, stores, given) for name, path in PAGES.items()]
    database.close()
    server.drop(DATABASE)
    return found


def _token(database: Database) -> str:
    with database.transaction() as session:
        account = accounts.add(session, "bench@example.com", Role.ADMIN, None)
        who = account.account_id
    return tokens.create(database, COMMAND, "bench", Scope.WRITE, None, who)[1]


def _levels(database: Database) -> dict[str, str]:
    """Sets targets for all stores and for a group of half of them; gives the ids of one, and of the group."""
    with database.session() as session:
        ids = list(session.connection().exec_driver_sql("SELECT store_id FROM store").scalars())
    group = groups.create(database, COMMAND, "Half").group_id
    for start in range(0, len(ids) // 2, _AT_ONCE):
        groups.add_stores(database, COMMAND, group, ids[start : start + _AT_ONCE])
    wanted = {"target": Decimal(99), "measure": "availability"}
    for period in ("week", "month", "quarter"):
        for of in (Chosen(), Chosen(group_id=group)):
            level = service_levels.create(database, COMMAND, of, wanted | {"name": period, "period": period})
    return {"level": str(level.level.level_id), "group": str(group)}


def _stores(database: Database) -> list[str]:
    with database.session() as session:
        found = session.connection().exec_driver_sql("SELECT store_id FROM store ORDER BY random() LIMIT 100")
        return [str(row[0]) for row in found]


def _measured(service: Service, name: str, path: str, stores: list[str], given: dict[str, str]) -> Page:
    draw, took, body = random.Random(SEED), [], b""  # noqa: S311
    for number in range(RUNS + 3):
        time.sleep(_PAUSE_S)
        began = time.perf_counter()
        body = service.page(path.format(store=draw.choice(stores), **given))
        if number >= 3:
            took.append(time.perf_counter() - began)
    files = sum(len(service.page(each)) for each in set(_FILES.findall(body.decode())))
    return Page(name, took, len(body), files)


def written(pages: list[Page]) -> str:
    """The section of the document."""
    rows = []
    for page in pages:
        p50, p95 = (amount(load.part(page.took, part), "s") for part in (0.5, 0.95))
        bound = FLEET_S if page.name.startswith("the fleet") else PAGE_S
        good = load.part(page.took, 0.95) <= bound and page.html <= LATER_KB * 1000
        good = good and page.html + page.files <= FIRST_KB * 1000
        sizes = [f"{page.html / 1000:.0f} kB", f"{(page.html + page.files) / 1000:.0f} kB"]
        rows.append(
            [page.name, p50, p95, f"≤ {amount(bound, 's')}", *sizes, "met" if good else "**NOT met**"]
        )
    head = ("page", "p50", "p95", "bound of p95", "HTML", "with its files", "")
    return f"""## Pages

{fleet.DAYS} days of history, {RUNS} requests each, one at a time, over HTTP from the same machine; a page at
random stores. HTML may have {LATER_KB} kB, with all files (uncompressed) {FIRST_KB} kB.

{table(head, rows)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small fleet")
    sizes = QUICK if parser.parse_args().quick else FULL
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        print(written(measure(server, folder, sizes)))


if __name__ == "__main__":
    main()
