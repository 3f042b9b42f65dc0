"""The storefront of a store: where it takes orders and how we look at it. Read, set, removed, tried out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from storewatch.domain.permissions import Caller
from storewatch.domain.storefronts import (
    EVERY_S,
    TIMEOUT_S,
    USUAL_EVERY_S,
    USUAL_TIMEOUT_S,
    Judgement,
    Rule,
    check,
    judge,
)
from storewatch.errors import BusyError, NotFoundError, UsageError
from storewatch.outbound import addresses
from storewatch.outbound.addresses import Network
from storewatch.outbound.probing import Prober, Resolve
from storewatch.services import stores
from storewatch.storage import audit, storefronts
from storewatch.storage.db import Database
from storewatch.storage.probe_tables import Storefront

_TRIES_AT_ONCE = threading.BoundedSemaphore(4)
"""Each holds a thread of the web process until the storefront answers."""

_LONGEST_TRY_S = 15


@dataclass(frozen=True)
class Wanted:
    """A storefront as people set it."""

    url: str
    every_s: int = USUAL_EVERY_S
    timeout_s: int = USUAL_TIMEOUT_S
    rule: Rule = field(default_factory=Rule)
    enabled: bool = True

    def values(self) -> dict[str, Any]:
        """As the database has it."""
        values = asdict(self)
        rule: dict[str, Any] = values.pop("rule")
        return values | rule


@dataclass(frozen=True)
class Reach:
    """How storefronts are reached: private networks that are allowed, what we call ourselves, and who looks
    names up; None: the system.
    """

    allowed: Sequence[Network] = ()
    agent: str = "storewatch-probe"
    resolve: Resolve | None = None


@dataclass(frozen=True)
class Tried:
    """What a try saw: the status, 0 without an answer, how it is judged, and milliseconds."""

    status: int
    judged: Judgement
    took_ms: int


Check = Callable[[Storefront | None], None]
"""Looks at the storefront that is there, and raises if it must not be changed."""


def check_wanted(wanted: Wanted) -> None:
    """UsageError names the field of a storefront that cannot be used."""
    addresses.target(wanted.url, "url")
    for name, value, (least, most) in (
        ("every_s", wanted.every_s, EVERY_S),
        ("timeout_s", wanted.timeout_s, TIMEOUT_S),
    ):
        if not least <= value <= most:
            raise UsageError(f"{name} must lie between {least} and {most} seconds", field=name)
    check(wanted.rule)


def find(database: Database, caller: Caller, store_id: str) -> Storefront | None:
    """The storefront of a store that the caller decides on. NotFoundError if they may not see the store,
    ForbiddenError if it is not theirs.
    """
    with database.session() as session:
        return storefronts.find(session, stores.changeable(session, caller, store_id).store.store_key)


@dataclass(frozen=True)
class Shown:
    """What a store's page tells: whether the caller decides on the store, and then its storefront."""

    may_change: bool
    front: Storefront | None


def shown(database: Database, caller: Caller, store_key: int) -> Shown:
    """Of a store that the caller may see."""
    with database.session() as session:
        may = stores.may_change(session, caller, store_key)
        return Shown(may, storefronts.find(session, store_key) if may else None)


def get(database: Database, caller: Caller, store_id: str) -> Storefront:
    """The same; NotFoundError without one."""
    found = find(database, caller, store_id)
    if found is None:
        raise NotFoundError(f"No storefront of store '{store_id}' is looked at")
    return found


def put(database: Database, caller: Caller, store_id: str, wanted: Wanted, check: Check) -> Storefront:
    """Sets the storefront of a store. The probe takes it up within seconds."""
    check_wanted(wanted)
    with database.transaction(stores.PATIENCE_S) as session:
        key = stores.changeable(session, caller, store_id, lock=True).store.store_key
        present = storefronts.find(session, key)
        check(present)
        values, before = wanted.values(), None if present is None else told(present)
        if values != before:
            storefronts.put(session, key, values)
            audit.record(session, caller, "set_storefront", "store", store_id, **values, before=before)
        found = storefronts.find(session, key)
        assert found is not None  # noqa: S101 - it was just set
        return found


def remove(database: Database, caller: Caller, store_id: str, check: Check) -> None:
    """Takes the storefront of a store away: it is not looked at any more. NotFoundError without one."""
    with database.transaction(stores.PATIENCE_S) as session:
        key = stores.changeable(session, caller, store_id, lock=True).store.store_key
        present = storefronts.find(session, key)
        if present is None:
            raise NotFoundError(f"No storefront of store '{store_id}' is looked at")
        check(present)
        storefronts.remove(session, key)
        audit.record(session, caller, "remove_storefront", "store", store_id, before=told(present))


def told(front: Storefront) -> dict[str, Any]:
    """What people set of it."""
    names = ("url", "every_s", "timeout_s", "enabled", *asdict(Rule()))
    return {name: getattr(front, name) for name in names}


def try_out(wanted: Wanted, reach: Reach) -> Tried:
    """Looks once, here and now, and judges; nothing is stored. BusyError if others are at it."""
    check_wanted(wanted)
    if not _TRIES_AT_ONCE.acquire(blocking=False):
        raise BusyError("Others are trying storefronts just now: try again in a moment")
    try:
        return asyncio.run(_tried(wanted, reach))
    finally:
        _TRIES_AT_ONCE.release()


async def _tried(wanted: Wanted, reach: Reach) -> Tried:
    prober = Prober(reach.allowed, reach.agent, reach.resolve)
    try:
        began = time.monotonic()
        answer = await prober.look(wanted.url, wanted.rule, min(wanted.timeout_s, _LONGEST_TRY_S))
        took = round((time.monotonic() - began) * 1000)
    finally:
        await prober.close()
    return Tried(answer.status, judge(answer, wanted.rule), took)
