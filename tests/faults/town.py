"""A service with a fleet, people who are told, and a load; it comes to rest to be looked over."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from storewatch.domain.alert_rule import Rule
from storewatch.domain.permissions import GroupRole, Role
from storewatch.services.simulating import simulate
from storewatch.storage import alert_rules
from storewatch.storage.db import Database
from tests import storefronts
from tests.acceptance.conftest import PATIENCE, Service, postmaster, serving, storewatch
from tests.acceptance.invariants import Batch, check, settle, stored
from tests.acceptance.scripted_day import Observer, Unit
from tests.faults.load import Answers, Load, Part
from tests.outbound.storefront import storefront
from tests.post_office import PostOffice, post_office
from tests.web.service import Service as People

MIA = "mia@example.com"
_FRONTS = 20


@dataclass
class Town:
    """What a fault is done to. `home` are the settings by which its own PostgreSQL is found."""

    service: Service
    home: dict[str, str]
    folder: Path
    url: str
    database: Database
    office: PostOffice
    load: Load
    parts: list[Part]
    seed: list[Batch]
    units: list[Unit]
    uploads: Path
    told: Counter[str] = field(default_factory=Counter)

    # --- the load ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """Has all parts of the load go on."""
        self.load.steady = False
        for part in self.parts:
            part.go.set()

    def through(self, since: float) -> float:
        """Waits until each part has finished something that it began after an instant; gives that moment."""
        until = time.monotonic() + 2 * PATIENCE
        while not all(part.through >= since for part in self.parts):
            self._still_well(until, [part.name for part in self.parts if part.through < since])
            time.sleep(0.02)
        return time.monotonic()

    def _still_well(self, until: float, waits: list[str]) -> None:
        self.load.check()
        log = self.service.log.read_text()
        assert self.service.process.poll() is None, f"serve has ended\n{log[-3000:]}"
        assert time.monotonic() < until, f"{waits} do not get through\n{log[-3000:]}"

    def rest(self) -> None:
        """Has the load end what it does, and everything that it set going come to its end."""
        self.load.steady = True
        self._until_noticed()
        for part in self.parts:
            part.go.clear()
        for part in self.parts:
            while not part.busy.acquire(timeout=1):
                self.load.check()
            part.busy.release()
        self.load.check()
        settle(self.database)

    def _until_noticed(self) -> None:
        until = time.monotonic() + 2 * PATIENCE
        while not all(unit.noticed for unit in self.units):
            self._still_well(until, ["alerts"])
            time.sleep(0.1)

    # --- what must hold ---------------------------------------------------------------------------

    def check(self) -> None:
        """Everything, once it is at rest."""
        sent = [*self.seed, *self.load.ledger.batches()]
        letters = {str(letter["X-Storewatch-Key"]): str(letter["Subject"]) for letter in self.office.letters}
        check(self.database, sent, set(letters), uploads=self.uploads)
        assert Counter(map(_kind, letters.values())) == self._due()

    def _due(self) -> Counter[str]:
        """Each outage and its end, once each."""
        due: Counter[str] = Counter()
        for unit in self.units:
            due[f"Down {unit.shows}"] = unit.had
            due[f"Up again {unit.shows}"] = unit.had - unit.down
        return +due

    # --- who there is -----------------------------------------------------------------------------

    @property
    def postmaster(self) -> psutil.Process:
        """PostgreSQL, once it is up."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(FileNotFoundError, psutil.Error, ValueError, IndexError):
                return psutil.Process(postmaster(self.home))
            time.sleep(0.02)
        raise AssertionError("there is no PostgreSQL")

    def backends(self) -> list[psutil.Process]:
        """The processes of PostgreSQL that serve a connection."""
        found = []
        with contextlib.suppress(psutil.Error):
            for child in self.postmaster.children():
                with contextlib.suppress(psutil.Error):
                    if re.search(r": storewatch storewatch ", " ".join(child.cmdline())):
                        found.append(child)
        return found


def _kind(subject: str) -> str:
    found = re.match(r"(Down|Up again): store (\w+)", subject)
    assert found, subject
    return f"{found[1]} {found[2]}"


@contextlib.contextmanager
def open_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder that PostgreSQL's user can enter; pytest's are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="storewatch-faults-", dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def town(
    folder: Path,
    *,
    stores: int = 300,
    probe: bool = True,
    through: Callable[[str], str] | None = None,
    answers: Answers | None = None,
    more: dict[str, str] | None = None,
    seed: int = 1,
) -> Iterator[Town]:
    """A town in a folder, with its own PostgreSQL. `through` makes of its URL the one by which the service
    reaches it; `answers` hears of what the pages' readers were answered; `more` is what the environment of
    all commands has besides.
    """
    home = {"STOREWATCH_HOME": str(folder / "home"), "STOREWATCH_DATABASE_URL": "", **(more or {})}
    outside = Path(tempfile.mkdtemp(prefix="storewatch-faults-files-"))
    dice = random.Random(seed)  # noqa: S311
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, outside, ignore_errors=True)
        stack.callback(storewatch, "db", "stop", "--force", environment=home)
        office, shop = stack.enter_context(post_office()), stack.enter_context(storefront())
        environment = home | {
            "STOREWATCH_ALERT_AFTER": "3s",
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
            "STOREWATCH_URL": "http://127.0.0.1:9",
            "STOREWATCH_PROBE_NETWORKS": "127.0.0.0/8",
            "STOREWATCH_UPLOADS": str(folder / "uploads"),
        }
        _made(home, outside, stores)
        url = storewatch("db", "url", environment=home).stdout.strip()
        if through is not None:
            storewatch("db", "start", environment=home)
            environment["STOREWATCH_DATABASE_URL"] = through(url)
        service = stack.enter_context(serving(environment, outside))
        database, observer = Database(url), Observer(url)
        stack.callback(database.close)
        units = _peopled(database, shop.url, probe=probe)
        load = Load(service, environment, outside, observer, units, dice, answers=answers or Answers())
        with database.session() as session:
            known = [Batch(frozenset(stored(session)), taken=True)]
        parts = load.parts(probe=probe)
        stack.callback(_end, parts)
        for part in parts:
            part.start()
        yield Town(
            *(service, home, folder, url, database, office, load, parts, known, units),
            uploads=folder / "uploads",
        )


def _made(home: dict[str, str], folder: Path, stores: int) -> None:
    """The database and its fleet, with polls up to now."""
    from storewatch.cli.common import now_us

    files = simulate(folder, stores=stores, days=3, seed=3, end_us=now_us(), progress=lambda *_: None)
    three = (files.store_timezone, files.menu_hours, files.store_status)
    result = storewatch("import", *map(str, three), environment=home)
    assert result.returncode == 0, result.stderr


def _peopled(database: Database, shop: str, *, probe: bool) -> list[Unit]:
    """A group of stores that go down, of which one person hears; and storefronts."""
    units = [Unit((f"unit{number}",), "maple", 1_000_000, number) for number in range(4)]
    people = People(database)
    group = people.group("maple", *(unit.shows for unit in units))
    people.person(MIA, Role.MEMBER, maple=GroupRole.VIEWER)
    with database.transaction() as session:
        alert_rules.put(session, group, Rule(mass_percent=None, mass_within=None))
    for number in range(_FRONTS if probe else 0):
        storefronts.add(database, f"front{number}", f"{shop}/{number}")
    return units


def _end(parts: list[Part]) -> None:
    for part in parts:
        part.over.set()
    for part in parts:
        part.join(2 * PATIENCE)
