"""What the engine is given of some stores: open time and polls, after the exceptions that are in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions, hours
from storewatch.domain.availability import Polls
from storewatch.domain.exceptions import Cover, Rulings
from storewatch.domain.hours import Intervals, Schedule
from storewatch.storage import polls


@dataclass(frozen=True)
class Sources:
    """For `segments`: `opens`, `polls`, and `cover.decided`. `all_polls` are those before any was ignored."""

    opens: Intervals
    polls: Polls
    cover: Cover
    all_polls: Polls


def read(
    sessions: Sequence[Session],
    store_keys: NDArray[np.int32],
    schedule: Schedule,
    rulings: Rulings,
    start: int,
    until: int,
) -> Sources:
    """For the time from `start`, which must reach back as far as polls speak, to `until`."""
    found = polls.read(sessions, store_keys, start, until)
    return adjusted(found, schedule, rulings, start, until)


def adjusted(found: Polls, schedule: Schedule, rulings: Rulings, start: int, until: int) -> Sources:
    """The same of polls that were read. A poll at `until` itself counts if the store is open then."""
    cover = exceptions.cover(rulings, schedule, start, until + 1)
    opens = hours.open_intervals(schedule, start, until + 1, cover.other, cover.closed)
    return Sources(opens, exceptions.without(found, cover.ignored), cover, found)
