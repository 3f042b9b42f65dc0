"""What of history an exception changes is due: when it is made or undone, and when groups change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, EARLIEST
from storewatch.domain.exceptions import Ruling, stretches
from storewatch.domain.history import Stretches
from storewatch.domain.touched import MANY
from storewatch.storage import exceptions_in_force, history, polls
from storewatch.storage.truth_tables import ExceptionRow

_NEAR = 31 * DAY
"""Nothing of history lies so long before the first poll that there may be; what lies after the newest is due
when it moves.
"""

_MOST_TIMES = 100
"""An exception that came more often is told as one stretch, from its first time to its last."""


def mark(session: Session, exception: ExceptionRow) -> None:
    """Says that an exception was made or undone. To be called last in the transaction that does it.

    What lies after the newest poll is not history yet, and will be told by polls.
    """
    ruling = exceptions_in_force.ruling(exception)
    if exception.store_key is not None:
        _mark(session, [ruling], [exception.store_key])
    elif exception.group_no is not None:
        exceptions_in_force.hold_groups(session, [exception.group_no])
        _mark(session, [ruling], exceptions_in_force.stores_of(session, exception.group_no))
    else:
        _mark(session, [ruling], None)


def mark_groups(session: Session, moved: Mapping[int, Iterable[int]]) -> None:
    """Says that stores (their keys) joined or left groups, by the number of the group: the exceptions of a
    group concern its stores of now. To be called last in the transaction, but before a group is removed.
    """
    if not moved:
        return
    exceptions_in_force.hold_groups(session, moved)
    history.wake(session)
    for group_no, rulings in exceptions_in_force.of_groups(session, moved).items():
        _mark(session, rulings, moved[group_no])


def mark_group_gone(session: Session, group_no: int) -> None:
    """Says that a group is to be removed, and its exceptions with it. To be called before."""
    exceptions_in_force.hold_groups(session, [group_no])
    mark_groups(session, {group_no: exceptions_in_force.stores_of(session, group_no)})


def _mark(session: Session, rulings: list[Ruling], store_keys: Iterable[int] | None) -> None:
    """Marks their times, for stores or (None) for all."""
    newest = polls.newest(session)
    if newest is None:
        return
    low, high = _keys(store_keys)
    if not len(low):
        return
    # open time ahead is kept too, wherever an exception lies: how stores stand is to be computed anew
    history.mark_standing(session, low, high)
    most = _MOST_TIMES if len(low) * _MOST_TIMES <= MANY else 1  # of rows there are MANY at most
    for ruling in rulings:
        first, last = (
            np.clip(side, EARLIEST - _NEAR, newest + _NEAR) for side in stretches(ruling, newest + 1, most)
        )
        if len(first):
            history.mark_polls(
                session,
                Stretches(
                    np.repeat(low, len(first)),
                    np.repeat(high, len(first)),
                    np.tile(first, len(low)),
                    np.tile(last, len(low)),
                ),
            )


def _keys(store_keys: Iterable[int] | None) -> tuple[Int64, Int64]:
    """From key to key; from the lowest to the highest if they are many."""
    if store_keys is None:
        return np.array([0], np.int64), np.array([history.LAST_KEY], np.int64)
    keys = np.unique(np.fromiter(store_keys, np.int64))
    return (keys[:1], keys[-1:]) if len(keys) > MANY else (keys, keys)
