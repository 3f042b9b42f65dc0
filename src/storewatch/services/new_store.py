"""A store added by hand, with all that is needed to look at it: zone, hours, storefront. All or nothing."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from itertools import count

import polars as pl
from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.domain.rows import checked_ids
from storewatch.errors import ForbiddenError, UsageError
from storewatch.services import storefronts, stores, weeks
from storewatch.services.storefronts import Wanted
from storewatch.services.weeks import Week
from storewatch.storage import groups, imports
from storewatch.storage import stores as rows
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.db import Database, Shared
from storewatch.storage.store_pages import Found

_MOST_GROUPS = 1000
_KINDS = ("menu_hours", "store_timezone", "stores")
"""In the order in which others take their locks."""


@dataclass(frozen=True)
class NewStore:
    """What is known of it. Without an id one is made of the name; `group` is a name, `week` as in `weeks`."""

    name: str
    store_id: str = ""
    zone: str | None = None
    week: Week = None
    front: Wanted | None = None
    group: str = ""


def groups_for(database: Database, caller: Caller) -> list[StoreGroup]:
    """The groups that the caller may put a new store into. ForbiddenError if they may make none."""
    if not caller.adds_stores:
        raise ForbiddenError("Operators add stores, and managers to their groups.")
    with database.session() as session:
        found = groups.page(session, caller.seen_by, "", _MOST_GROUPS)
    return [group for group in found if caller.manages(group.group_no)]


def add(database: Database, caller: Caller, new: NewStore, now_us: int) -> Found:
    """Makes the store. UsageError names the field that is wrong, ConflictError an id that is taken."""
    group = _group(groups_for(database, caller), caller, new.group)
    if new.front is not None:
        storefronts.check_wanted(new.front)
    shared = Shared(database)  # the services that are called join it
    shared.join()
    try:
        found = _made(database, caller, new, group, now_us)
        shared.commit()
    except BaseException:
        shared.roll_back()
        raise
    return found


def _group(found: list[StoreGroup], caller: Caller, name: str) -> StoreGroup | None:
    if not name and caller.sees_all:
        return None
    for group in found:
        if group.name == name:
            return group
    raise UsageError("Choose one of your groups", field="group")


def _made(database: Database, caller: Caller, new: NewStore, group: StoreGroup | None, now_us: int) -> Found:
    with database.transaction(stores.PATIENCE_S) as session:
        for kind in _KINDS:
            imports.lock(session, kind)
        store_id = _checked_id(new.store_id) if new.store_id else _proposed_id(session, new.name)
    values = {"name": new.name, "storefront_url": new.front.url if new.front else None}
    stores.create(database, caller, store_id, values, [group.group_id] if group else [])
    if new.zone is not None:
        weeks.set_zone(database, caller, store_id, new.zone, _anyhow)
    if new.week is not None:
        weeks.set_week(database, caller, store_id, new.week, _anyhow, now_us)
    if new.front is not None:
        storefronts.put(database, caller, store_id, new.front, _anyhow)
    return stores.get(database, caller, store_id)


def _anyhow(_: object) -> None:
    """Nobody can have changed what was not there."""


def _checked_id(store_id: str) -> str:
    row = checked_ids(pl.Series([store_id], dtype=pl.String)).row(0, named=True)
    if row["problem"]:
        raise UsageError(str(row["problem"]), field="store_id")
    return str(row["store_id"])


def _proposed_id(session: Session, name: str) -> str:
    """`Corner Café` -> corner-cafe, or corner-cafe-2 if there is one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall("[a-z0-9]+", plain))[:60].strip("-") or f"store-{secrets.token_hex(3)}"
    for number in count(1):
        proposed = slug if number == 1 else f"{slug}-{number}"
        if not len(rows.keys(session, [proposed])):
            return proposed
    raise AssertionError  # there is no end to numbers
