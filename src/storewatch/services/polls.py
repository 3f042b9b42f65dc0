"""Polls of a request, and polls as people see to them: listed, corrected, deleted."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import BinaryIO

import polars as pl
from sqlalchemy.orm import Session

from storewatch.domain import polls as poll_rows
from storewatch.domain.clock import EARLIEST, from_us, iso, to_us
from storewatch.domain.permissions import Caller
from storewatch.errors import NotFoundError, TooLargeError, UsageError
from storewatch.formats.csv_block import Block
from storewatch.formats.csv_in import CsvFile, RowsFile
from storewatch.formats.json_in import JsonPolls
from storewatch.services import stores
from storewatch.services.importing import Imported, Watchers, import_file
from storewatch.storage import audit, history, imports, retention
from storewatch.storage import poll_rows as rows
from storewatch.storage.db import Database
from storewatch.storage.tables import StoreStatus

MOST = 50_000
"""So many polls may be in one request."""

MOST_BYTES = 16 << 20
"""So many bytes may they have, unpacked."""

_KIND = "store_status"


class Form(StrEnum):
    """How the polls of a request are written."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    CSV = "text/csv"


_OPENED: dict[Form, Callable[[BinaryIO, str], RowsFile]] = {
    Form.JSON: JsonPolls,
    Form.NDJSON: partial(JsonPolls, by_line=True),
    Form.CSV: partial(CsvFile, at_most=MOST_BYTES),
}
_FIRST_LINE = {Form.JSON: 0, Form.NDJSON: 0, Form.CSV: 2}


@dataclass(frozen=True)
class Rejected:
    """A poll that was rejected: `index` counts from 0, over what stands in the list or on a line."""

    index: int
    reason: str


# --- appending ------------------------------------------------------------------------------------


def append(
    database: Database, caller: Caller, body: bytes, form: Form, now_us: int
) -> tuple[Imported, list[Rejected]]:
    """Takes in the polls of a request as those of a file: good ones in, bad ones told.

    FileRefusedError if the body as a whole cannot be used, TooLargeError if it holds too many polls.
    """
    rejected: list[Rejected] = []
    first = _FIRST_LINE[form]
    imported = import_file(
        database,
        io.BytesIO(body),
        "the request's body",
        now_us=now_us,
        kind=_KIND,
        source="api",
        account_no=caller.account_no,
        opened=lambda stream, name: _AtMost(_OPENED[form](stream, name)),
        watchers=Watchers(reject=lambda row: rejected.append(Rejected(row[0] - first, row[1]))),
        patience_s=stores.PATIENCE_S,
    )
    return imported, rejected


class _AtMost:
    """A file of polls that is refused if it has more than MOST."""

    def __init__(self, file: RowsFile) -> None:
        self._file = file
        self.name, self.header, self.source = file.name, file.header, file.source

    def blocks(
        self, columns: dict[str, int], optional: tuple[str, ...] = (), *, whole: bool = False
    ) -> Iterator[Block]:
        """See `RowsFile`."""
        count = 0
        for block in self._file.blocks(columns, optional, whole=whole):
            count += len(block.rows) + len(block.bad)
            if count > MOST:
                raise TooLargeError(
                    f"{self.name} holds more than {MOST:,} polls: send several, or upload a file"
                )
            yield block


# --- reading --------------------------------------------------------------------------------------


def page(
    database: Database,
    caller: Caller,
    store_id: str,
    between: tuple[int, int],
    count: int,
    *,
    active: bool | None,
    newest_first: bool,
) -> list[StoreStatus]:
    """Polls at instants in [first, end) of a store that the caller may see."""
    first, end = map(from_us, between)
    with database.session() as session:
        key = stores.found(session, caller, store_id).store.store_key
        return rows.page(session, key, first, end, count, active=active, newest_first=newest_first)


def get(database: Database, caller: Caller, store_id: str, at_us: int) -> StoreStatus:
    """One poll of a store that the caller may see."""
    with database.session() as session:
        return _poll(session, stores.found(session, caller, store_id).store.store_key, store_id, at_us)


def _poll(session: Session, store_key: int, store_id: str, at_us: int) -> StoreStatus:
    poll = rows.find(session, store_key, from_us(at_us))
    if poll is None:
        raise NotFoundError(f"Store '{store_id}' has no poll at {iso(at_us)}")
    return poll


# --- by hand --------------------------------------------------------------------------------------

Check = Callable[[StoreStatus | None], None]
"""Looks at the poll that is there, and raises if it must not be changed."""


def put(
    database: Database,
    caller: Caller,
    store_id: str,
    at_us: int,
    said: tuple[str, str | None],
    now_us: int,
    check: Check,
) -> StoreStatus:
    """Sets a poll's status and reason by hand, or adds it, also one that was deleted. Imports keep it so."""
    with database.transaction(stores.PATIENCE_S) as session:
        key = _to_change(session, caller, store_id)
        present = rows.find(session, key, from_us(at_us))
        check(present)
        active, reason = _checked(store_id, at_us, *said, now_us, retention.polls_from(session))
        return _set(session, caller, store_id, key, at_us, present, (active, reason))


def patch(
    database: Database,
    caller: Caller,
    store_id: str,
    at_us: int,
    changes: dict[str, str | None],
    check: Check,
) -> StoreStatus:
    """Changes the status or the reason of a poll by hand; what `changes` lacks stays."""
    with database.transaction(stores.PATIENCE_S) as session:
        key = _to_change(session, caller, store_id)
        present = _poll(session, key, store_id, at_us)
        check(present)
        status = changes.get("status") or _status(present.active)
        reason = changes.get("reason", present.reason)
        wanted = _checked(store_id, at_us, status, reason, None)
        return _set(session, caller, store_id, key, at_us, present, wanted)


def delete(
    database: Database, caller: Caller, store_id: str, at_us: int, reason: str | None, check: Check
) -> None:
    """Deletes one poll, so that no import brings it back. NotFoundError without one."""
    with database.transaction(stores.PATIENCE_S) as session:
        key = _to_change(session, caller, store_id)
        check(_poll(session, key, store_id, at_us))
        _delete(session, caller, store_id, key, from_us(at_us), from_us(at_us + 1), reason)


def delete_range(
    database: Database, caller: Caller, store_id: str, between: tuple[int, int], reason: str
) -> int:
    """Deletes the polls of a store at instants in [first, end), so that no import brings them back.

    Returns how many there were.
    """
    first, end = map(from_us, between)
    with database.transaction(stores.PATIENCE_S) as session:
        key = _to_change(session, caller, store_id)
        return _delete(session, caller, store_id, key, first, end, reason)


def _to_change(session: Session, caller: Caller, store_id: str) -> int:
    """The key of a store whose polls nobody else changes until the end of the transaction."""
    imports.lock(session, _KIND)
    return stores.found(session, caller, store_id, lock=True).store.store_key


def _checked(
    store_id: str,
    at_us: int,
    status: str,
    reason: str | None,
    now_us: int | None,
    earliest_us: int = EARLIEST,
) -> tuple[bool, str | None]:
    """A poll by the rules of files. UsageError if it breaks one."""
    row = {"line": [0], "store_id": [store_id], "status": [status], "timestamp_utc": [iso(at_us)]}
    types = {"line": pl.Int64} | dict.fromkeys((*poll_rows.COLUMNS, *poll_rows.OPTIONAL), pl.String)
    read = poll_rows.read_polls(pl.DataFrame(row | {"reason": [reason]}, types), now_us, earliest_us)
    if len(read.bad):
        problem = str(read.bad["reason"][0])
        raise UsageError(problem, field=problem.split()[0])
    poll = read.good.row(0, named=True)
    return poll["active"], poll["reason"]


def _set(
    session: Session,
    caller: Caller,
    store_id: str,
    store_key: int,
    at_us: int,
    present: StoreStatus | None,
    wanted: tuple[bool, str | None],
) -> StoreStatus:
    before = None if present is None else _told(present)
    if present is None:
        rows.add(session, store_key, at_us, *wanted)
    else:
        rows.correct(session, store_key, from_us(at_us), *wanted)
    poll = _poll(session, store_key, store_id, at_us)
    audit.record(session, caller, "correct", "poll", _subject(store_id, at_us), **_told(poll), before=before)
    history.mark(session, [store_key], at_us, at_us)
    return poll


def _delete(
    session: Session,
    caller: Caller,
    store_id: str,
    store_key: int,
    first: datetime,
    end: datetime,
    reason: str | None,
) -> int:
    gone = rows.remove(session, store_key, first, end)
    if gone is None:
        return 0
    count, first_us, last_us = gone
    told = {"polls": count, "first": iso(first_us), "last": iso(last_us), "reason": reason}
    audit.record(session, caller, "delete", "poll", _subject(store_id, to_us(first)), **told)
    history.mark(session, [store_key], first_us, last_us)
    return count


def _subject(store_id: str, at_us: int) -> str:
    return f"{store_id} {iso(at_us)}"


def _status(active: bool) -> str:
    return "active" if active else "inactive"


def _told(poll: StoreStatus) -> dict[str, object]:
    """A poll as the audit log keeps it."""
    return {"status": _status(poll.active), "reason": poll.reason}
