"""When a storefront is looked at: on a grid of its own, which a restart does not shift.

Stores with the same pace are spread over it by a hash of their ids, so they never come all at once.
"""

from __future__ import annotations

import hashlib

from storewatch.domain.clock import SECOND


def next_look(store_id: str, every_s: int, after: int) -> int:
    """The first instant of the store's grid after another one, in microseconds."""
    every = every_s * SECOND
    digest = hashlib.blake2b(store_id.encode(), digest_size=8).digest()
    shift = int.from_bytes(digest) % every
    return after + every - (after - shift) % every


def may_look(spans: list[tuple[int, int]] | None, now: int) -> bool:
    """Whether an instant lies in one of the stretches [start, end)."""
    return any(start <= now < end for start, end in spans or ())
