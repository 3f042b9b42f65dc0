"""Threads that are the first to use a database, all at once, as requests are that waited for the service."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import Connection, text

from storewatch.storage.db import Database

MOST = 8


@pytest.fixture
def slow_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy's lock takes its time to be made, so that every thread that needs it makes one."""
    usual = threading.Lock

    def slow() -> Any:
        time.sleep(0.05)
        return usual()

    monkeypatch.setattr("sqlalchemy.event.attr.threading", type("_", (), {"Lock": staticmethod(slow)}))


def test_they_wait_until_the_first_has_learnt_what_server_it_is(
    database_url: str, slow_locks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, problems = Database(database_url), list[BaseException]()
    dialect, begin = database.engine.dialect, threading.Barrier(MOST)
    learn = dialect.initialize

    def slowly(connection: Connection) -> None:
        time.sleep(0.3)
        learn(connection)

    monkeypatch.setattr(dialect, "initialize", slowly)

    def ask() -> None:
        begin.wait()
        try:
            with database.session() as session:
                session.execute(text("SELECT 1"))
        except Exception as error:  # whatever it is
            problems.append(error)

    threads = [threading.Thread(target=ask) for _ in range(MOST)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert problems == []
