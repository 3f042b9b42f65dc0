"""How polls are sent to PostgreSQL: in as few fields and batches as there can be."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.batches import Batch
from storewatch.storage.copying import Column, copy_rows, timestamps
from storewatch.storage.db import raw


def fill(
    session: Session, table: str, option: str, polls: Batch, import_no: int, reasons: list[bytes]
) -> None:
    """COPYs polls into a table. The number of the import is its column's default meanwhile, and the
    reason is left out where there is none: the fewer the fields, the faster.
    """
    connection = raw(session)
    connection.execute(f"ALTER TABLE {table} ALTER import_no SET DEFAULT {import_no}")
    plain = polls.reason == 0
    for columns, batches in (
        ("store_key, timestamp_utc, active", [_plain(polls if plain.all() else polls[plain])]),
        ("store_key, timestamp_utc, active, reason", _with_reasons(polls[~plain], reasons)),
    ):
        if batches:
            copy_rows(connection, f"COPY {table} ({columns}) FROM STDIN (FORMAT binary, {option})", batches)
    connection.execute(f"ALTER TABLE {table} ALTER import_no DROP DEFAULT")


def _plain(polls: Batch) -> list[Column]:
    return [polls.key, timestamps(polls.at), polls.active]


def _with_reasons(polls: Batch, reasons: list[bytes]) -> list[list[Column]]:
    """A batch for each length of reason, since the records of one batch have one width."""
    said = np.array(reasons, object)[polls.reason]
    length = np.array([len(reason) for reason in reasons], np.int64)[polls.reason]
    return [
        [*_plain(polls[length == size]), said[length == size].astype(f"S{size}")]
        for size in np.unique(length).tolist()
    ]


def append(session: Session, table: str, polls: Batch, import_no: int, reasons: list[bytes]) -> None:
    """The same for a table that others read meanwhile. The number of the import is sent with each poll: to
    make it the column's default, we would have to wait for them, and others for us.
    """
    plain = polls.reason == 0
    batches = [_plain(polls[plain])] if plain.any() else []
    _copy_numbered(session, table, "store_key, timestamp_utc, active", batches, import_no)
    batches = _with_reasons(polls[~plain], reasons)
    _copy_numbered(session, table, "store_key, timestamp_utc, active, reason", batches, import_no)


def _copy_numbered(
    session: Session, table: str, columns: str, batches: list[list[Column]], import_no: int
) -> None:
    numbered = [[*batch, np.full(len(batch[0]), import_no, np.int32)] for batch in batches]
    if numbered:
        into = f"{table} ({columns}, import_no)"
        copy_rows(raw(session), f"COPY {into} FROM STDIN (FORMAT binary)", numbered)
