"""Which incidents begin and end, from how stores stand now and which are going on. Pure.

stands as      no incident is going on                         one is going on
down           begins, if its newest poll is fresh enough      goes on
recovering     nothing: it is over before it was told          goes on
up, suspected  nothing                                         ends
closed         nothing                                         goes on: closed time ends no downtime
not seen       nothing                                         goes on: nobody knows
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.axis import Int64
from storewatch.domain.watch import NEVER, State, Watch


@dataclass(frozen=True)
class Changes:
    """Positions of stores whose downtime begins to be told, or ends."""

    begun: Int64
    ended: Int64


def changes(seen: Watch, ongoing: NDArray[np.bool_], now: int, within: int) -> Changes:
    """See the table above. `ongoing` bool[stores]; a poll is fresh if it is not older than `within`."""
    fresh = (seen.seen != NEVER) & (seen.seen >= now - within)
    begun = (seen.state == State.DOWN) & fresh & ~ongoing
    ended = np.isin(seen.state, (State.UP, State.SUSPECTED)) & ongoing
    return Changes(np.flatnonzero(begun), np.flatnonzero(ended))
