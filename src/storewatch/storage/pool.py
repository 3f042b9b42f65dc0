"""The pool of connections: none is handed out that has ended, and to know that costs no round trip.

SQLAlchemy's `pool_pre_ping` asks the server each time a connection is taken. On a busy machine every
question waits for its turn, and most requests have two or three of their own.
"""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

_ASKED_AFTER_S = 30.0  # a firewall may have forgotten a connection that was idle for long, and says nothing


def check_connections(engine: Engine) -> None:
    """From here on the engine's pool makes a new connection in place of one that has ended."""

    @event.listens_for(engine, "checkin")
    def _idle_from_now(_: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _lives(connection: psycopg.Connection[Any], record: Any, _: Any) -> None:
        since = record.info.pop("idle_since", None)
        if since is not None and _has_ended(connection, time.monotonic() - since):
            raise InvalidatePoolError


def _has_ended(connection: psycopg.Connection[Any], idle_s: float) -> bool:
    """Nobody asked the server anything: what can be read from it now is its farewell."""
    if connection.closed or _can_be_read(connection.fileno()):
        return True
    return idle_s > _ASKED_AFTER_S and not _answers(connection)


def _can_be_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("")
        connection.rollback()
    except psycopg.Error:
        return False
    return True
