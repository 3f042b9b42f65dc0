"""The heartbeat: what ails, and how it is told to a real server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.domain.clock import DAY, HOUR
from storewatch.errors import DeliveryError, UsageError
from storewatch.services import heartbeat
from storewatch.services.heartbeat import Limits
from storewatch.storage.db import Database
from tests.factories import load
from tests.outbound.receiver import receiving


def do(database: Database, statement: str) -> None:
    with database.transaction() as session:
        session.execute(text(statement))


def polled(database: Database, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    load(database, f"store_id,status,timestamp_utc\n1,active,{at:%Y-%m-%d %H:%M:%S} UTC\n")


@pytest.fixture
def worked(database: Database) -> Database:
    """A database at which a worker is at work."""
    do(database, "INSERT INTO procrastinate_workers DEFAULT VALUES")
    return database


def ailing(database: Database, home: Path, feed_us: int | None = 3 * HOUR) -> list[str]:
    return heartbeat.ailments(database, Limits(home, feed_us, 2 * DAY))


def test_without_feed_and_backups_the_worker_counts(database: Database, tmp_path: Path) -> None:
    assert ailing(database, tmp_path) == ["queue: no worker is at work; 0 jobs wait"]
    do(database, "INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert ailing(database, tmp_path) == []
    do(database, "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    assert ailing(database, tmp_path) == ["queue: no worker is at work; 0 jobs wait"]


def test_a_feed_that_stopped(worked: Database, tmp_path: Path) -> None:
    polled(worked, timedelta(minutes=10))
    assert ailing(worked, tmp_path) == []
    do(worked, "UPDATE import SET finished_at = now() - interval '5 hours'")
    assert ailing(worked, tmp_path) == ["feed: new polls last came 5 h ago"]
    assert ailing(worked, tmp_path, feed_us=None) == []
    do(worked, "UPDATE import SET source = 'probe'")  # it rests while stores are closed, and is no feed
    assert ailing(worked, tmp_path) == []


def test_a_feed_that_brings_old_polls(worked: Database, tmp_path: Path) -> None:
    polled(worked, timedelta(hours=5, minutes=1))
    assert ailing(worked, tmp_path) == ["feed: new polls last came 0 s ago, and the newest is 5 h old"]


def test_a_backup_that_is_old(worked: Database, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    file = tmp_path / "backups" / "one"
    file.touch()
    told = {"at": (datetime.now(UTC) - timedelta(days=3)).isoformat(), "path": str(file), "bytes": 0}
    (tmp_path / "backups/last.json").write_text(json.dumps(told))
    assert ailing(worked, tmp_path) == [f"backup: the last one is 3 d old ({file})"]


def test_a_database_that_is_away(tmp_path: Path) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    (said,) = ailing(away, tmp_path)
    away.close()
    assert said.startswith("database: ")
    assert "\n" not in said


def test_what_is_told(tmp_path: Path) -> None:
    """To loopback, which no webhook of a user may reach: it is the administrator's own setting."""
    with receiving() as receiver:
        heartbeat.beat(receiver.url, [])
        heartbeat.beat(receiver.url, ["feed: it stopped", "backup: it is old – 3 d"])
        heartbeat.beat(f"http://127.0.0.1:{receiver.port}/ping/", ["no"])
        receiver.status = 500
        with pytest.raises(DeliveryError, match=r"127\.0\.0\.1 answered 500"):
            heartbeat.beat(receiver.url, [])
        receiver.status = 302
        with pytest.raises(DeliveryError, match="answered 302"):
            heartbeat.beat(receiver.url, [])
    assert [(path, body.decode()) for path, _, body in receiver.came[:3]] == [
        ("/hook?key=1", ""),
        ("/hook/fail?key=1", "feed: it stopped\nbackup: it is old – 3 d"),
        ("/ping/fail", "no"),
    ]
    assert receiver.came[1][1]["Content-Type"] == "text/plain; charset=utf-8"
    assert len(receiver.came) == 5  # the redirect was not followed


@pytest.mark.parametrize("url", ["ftp://example.com", "http://me:secret@example.com/", "hc-ping.com/1"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(UsageError, match="STOREWATCH_HEARTBEAT_URL must be an address"):
        heartbeat.check_url(url)
