"""Three small files to try storewatch with: what files and pages look like."""

from __future__ import annotations

import tempfile
from pathlib import Path

from storewatch.domain.clock import HOUR
from storewatch.errors import NotFoundError
from storewatch.services.simulating import simulate

NAMES = ("store_status.csv", "menu_hours.csv", "store_timezone.csv")
_STORES, _DAYS, _SEED = 3, 9, 3


def sample(name: str, now_us: int) -> bytes:
    """A file of three made-up stores with nine days of polls up to the present hour. NotFoundError for any
    other name. All are the same fleet, so they fit together.
    """
    if name not in NAMES:
        raise NotFoundError(f"There is no sample of that name: they are {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as folder:
        end = now_us // HOUR * HOUR
        simulate(Path(folder), stores=_STORES, days=_DAYS, seed=_SEED, end_us=end, progress=lambda *_: None)
        return (Path(folder) / name).read_bytes()
