"""Connections that ended while they were idle."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from storewatch.storage import pool
from storewatch.storage.db import Database, raw


def end_all_but_mine(database_url: str) -> None:
    """Ends every session on the database, and waits until each has said farewell."""
    plain = database_url.replace("+psycopg", "")
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(plain, autocommit=True) as connection:
        assert connection.execute(f"SELECT count(pg_terminate_backend(pid, 10000)) {others}").fetchone()


@pytest.mark.parametrize("asked_after_s", [1000.0, -1.0])
def test_a_connection_that_ended_is_replaced(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, asked_after_s: float
) -> None:
    monkeypatch.setattr(pool, "_ASKED_AFTER_S", asked_after_s)
    with database.session() as first, database.session() as second:
        assert [session.execute(text("SELECT 1")).scalar() for session in (first, second)] == [1, 1]
    end_all_but_mine(database_url)
    for _ in range(3):
        with database.session() as session:
            assert session.execute(text("SELECT 2")).scalar() == 2


def test_a_connection_that_lives_is_taken_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for asked_after_s in (1000.0, -1.0):
        monkeypatch.setattr(pool, "_ASKED_AFTER_S", asked_after_s)
        numbers = set()
        for _ in range(3):
            with database.session() as session:
                numbers.add(raw(session).info.backend_pid)
        assert len(numbers) == 1


def test_what_reads_only_begins_no_transaction(database: Database) -> None:
    with database.reading() as session:
        session.execute(text("SELECT 1"))
        assert raw(session).info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
        assert raw(session).info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
