"""An upgrade of an older schema, full of data, that is killed half way; and two upgrades at once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storewatch import embedded
from storewatch.services import proof
from storewatch.services.reporting import Request
from storewatch.storage import db
from storewatch.storage.db import Database
from tests.acceptance.scripted_day import Observer
from tests.conftest import clone_of
from tests.faults.town import open_folder
from tests.faults.twins import begun, ended
from tests.storage.older import OLD, fill, make_history, make_older, told

_TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
_REVISION = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True)
class Older:
    """A server with a database of an old schema, to be copied, and what its figures are."""

    server: str
    name: str
    figures: list[object]

    @contextmanager
    def copy(self) -> Iterator[str]:
        with clone_of(self.server, self.name) as url:
            yield url.replace("+psycopg", "")

    def looked_over(self, url: str) -> None:
        """The database is of the newest schema, and says the same as one that always was."""
        database = Database(url)
        try:
            db.prepare(database)
            make_history(database)
            for part in (proof.verify, proof.verify_standing, proof.verify_groups):
                found = part(database, Request())
                assert (found.wrong, found.compared > 0) == (0, True), found
            assert told(database) == self.figures, "other figures"
        finally:
            database.close()


@contextmanager
def older() -> Iterator[Older]:
    with open_folder() as folder, embedded.running(folder / "home", lambda _: None) as server:
        full = Database(server)
        db.prepare(full)
        fill(full, folder / "files")
        with clone_of(server, "template1") as url:
            old = Database(url)
            make_older(old, full)
            figures = told(full)
            old.close()
            full.close()
            yield Older(server, url.rpartition("/")[2].partition("?")[0], figures)


class Killing:
    """`db upgrade` is killed at any instant, within the time that one takes; then it is run again."""

    def __init__(self, old: Older, dice: random.Random) -> None:
        self._old, self._dice = old, dice
        with old.copy() as url:
            before = Observer(url).rows(_TABLES)
            self._length = _upgraded(url)
            self._whole = (([(OLD,)], before), ([(db.HEAD,)], Observer(url).rows(_TABLES)))

    def once(self) -> float:
        with self._old.copy() as url:
            process = begun({"STOREWATCH_DATABASE_URL": url}, "db", "upgrade")
            time.sleep(self._dice.uniform(0.3, 1) * self._length)
            process.kill()
            process.communicate()
            found = Observer(url).rows(_REVISION), Observer(url).rows(_TABLES)
            assert found in self._whole, found
            took = _upgraded(url)
            self._old.looked_over(url)
        return took


def twice(old: Older) -> float:
    """Two upgrades begin at once: one does it, the other one finds it done."""
    with old.copy() as url:
        began = time.monotonic()
        both = [begun({"STOREWATCH_DATABASE_URL": url}, "db", "upgrade") for _ in range(2)]
        first, second = sorted((ended(process) for process in both), key=len)
        took = time.monotonic() - began
        assert first == f"The schema is at {db.HEAD} already.\n", first
        assert second.startswith(f"The schema is at {db.HEAD}.\nTo go back: "), second
        old.looked_over(url)
    return took


def _upgraded(url: str) -> float:
    began = time.monotonic()
    ended(begun({"STOREWATCH_DATABASE_URL": url}, "db", "upgrade"))
    return time.monotonic() - began
