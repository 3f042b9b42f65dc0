"""Which stores a question is about: one, a group's, or all that the caller may see."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.errors import NotFoundError, UsageError
from storewatch.services.stores import found
from storewatch.storage import groups, stores
from storewatch.storage.store_periods import Scope

MOST = 500_000
"""So many stores times days may be asked for at once: 16,000 stores for a month, 1,300 for a year."""


@dataclass(frozen=True)
class Chosen:
    """A store, or a group; neither means every store. `key` is that of a store that was found already, in
    the same snapshot.
    """

    store_id: str | None = None
    group_id: UUID | None = None
    key: int | None = None

    def keys(self, session: Session, caller: Caller) -> NDArray[np.int32]:
        """Keys, in order, of those stores that the caller may see and that were ever polled; a single one
        was maybe never polled. NotFoundError for what they may not see.
        """
        if self.store_id is not None and self.group_id is not None:
            raise UsageError("Give store_id or group_id, not both", field="group_id")
        if self.key is not None:
            return np.array([self.key], np.int32)
        if self.store_id is not None:
            return np.array([found(session, caller, self.store_id).store.store_key], np.int32)
        if self.group_id is None:
            return stores.polled(session, caller.seen_by)
        group = groups.find(session, self.group_id, caller.seen_by)
        if group is None:
            raise NotFoundError(f"There is no group '{self.group_id}'")
        return stores.polled(session, caller.seen_by, group.group_no)

    def scope(self, session: Session, caller: Caller) -> Scope:
        """The same as what is kept of stores is asked for. NotFoundError for what they may not see."""
        if self.group_id is not None and self.store_id is None:
            group = groups.find(session, self.group_id, caller.seen_by)
            if group is None:
                raise NotFoundError(f"There is no group '{self.group_id}'")
            return Scope(group_no=group.group_no)
        if self.store_id is None and self.key is None:
            return Scope(seen_by=caller.seen_by)
        return Scope(store_key=int(self.keys(session, caller)[0]))


def check_size(stores_asked: int, days: int, field: str) -> None:
    """UsageError if so many stores and days are more than one request may cost."""
    if stores_asked * days > MOST:
        raise UsageError(
            f"{stores_asked:,} stores x {days:,} days are more than the {MOST:,} that one request may ask "
            f"for: ask for at most {max(1, MOST // stores_asked):,} days, a group or a store",
            field=field,
        )
