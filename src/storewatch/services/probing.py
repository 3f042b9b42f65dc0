"""Our own looks at storefronts: which are to be made, when stores are open, and what they saw as polls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import polars as pl
import structlog
from sqlalchemy.orm import Session

from storewatch.domain import exceptions
from storewatch.domain import polls as poll_rows
from storewatch.domain.clock import HOUR, MINUTE, from_us, iso
from storewatch.services.takers import StatusTaker
from storewatch.storage import exceptions_in_force, imports, storefronts, weekly
from storewatch.storage.db import Database
from storewatch.storage.storefronts import Look, Plan

log = structlog.get_logger()

AHEAD = 3 * HOUR
"""So far ahead is it told when stores are open."""

EARLY = 15 * MINUTE
"""So long before it opens is a store looked at."""

Spans = dict[int, list[tuple[int, int]]]
"""By store key: from when until when it may be looked at, in microseconds."""

_KIND = "store_status"
_PATIENCE_S = 5


def plans(database: Database, now_us: int, default_zone: str) -> list[Plan]:
    """The storefronts to look at."""
    with database.session() as session:
        return storefronts.plans(session, from_us(now_us), default_zone)


def spans(database: Database, found: Sequence[Plan], now_us: int, default_zone: str) -> Spans:
    """When the stores of plans, in order of key, are open, or nearly, from now until `AHEAD`."""
    keys = np.array([plan.store_key for plan in found], np.int32)
    if not len(keys):
        return {}
    until = now_us + AHEAD + EARLY
    with database.session() as session:
        schedule = weekly.schedule(session, keys, default_zone)
        rulings = exceptions_in_force.read(session, keys, now_us, until)
    opens = exceptions.opens(rulings, schedule, now_us, until)
    result: Spans = {}
    columns = (keys[opens.store].tolist(), (opens.start - EARLY).tolist(), opens.end.tolist())
    for key, start, end in zip(*columns, strict=True):
        result.setdefault(key, []).append((start, end))
    return result


def write(database: Database, looks: Sequence[Look], now_us: int) -> int:
    """Takes in what looks saw: those that say something of the store as polls, by the rules of files, and
    what the last one at each storefront saw. One transaction. Returns how many polls.

    Looks at what is no storefront any more are dropped. BusyError if another import takes too long.
    """
    with database.transaction(_PATIENCE_S) as session:
        imports.lock(session, _KIND)  # a store cannot be deleted meanwhile either
        there = storefronts.still_there(session, looks)
        polls = [look for look in there if look.active is not None]
        if polls:
            _take(session, polls, now_us)
        if there:
            storefronts.keep(session, there)
        return len(polls)


def _take(session: Session, looks: Sequence[Look], now_us: int) -> None:
    """As an import that goes on for an hour: a record for each second would hide all others."""
    hour, now = from_us(now_us // HOUR * HOUR), from_us(now_us)
    name = f"storefronts from {hour:%Y-%m-%d %H:%M} UTC"
    import_no = imports.going_on(session, _KIND, "probe", name, now)
    with closing(StatusTaker(session, import_no, now_us)) as taker:
        read = taker.read(_frame(looks))
        taker.take(read)
        counts, _ = taker.finish()
        imports.add_counts(session, import_no, counts | {"rejected": len(read.bad)}, now)
        taker.mark()
    for line, reason in read.bad.select("line", "reason").iter_rows():
        log.warning("a look cannot be a poll", store_id=looks[line].store_id, reason=reason)


def _frame(looks: Sequence[Look]) -> pl.DataFrame:
    """Looks as raw rows of a file; why a store is active needs no word."""
    columns: dict[str, list[Any]] = {
        "line": list(range(len(looks))),
        "store_id": [look.store_id for look in looks],
        "status": ["active" if look.active else "inactive" for look in looks],
        "timestamp_utc": [iso(look.at) for look in looks],
        "reason": [None if look.active else look.said for look in looks],
    }
    names = (*poll_rows.COLUMNS, *poll_rows.OPTIONAL)
    return pl.DataFrame(columns, {"line": pl.Int64} | dict.fromkeys(names, pl.String)).select("line", *names)
