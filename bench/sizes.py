"""How much is measured: in full, and the quick pass that only shows that everything works."""

from __future__ import annotations

from dataclasses import dataclass

from storewatch.domain.clock import DAY, HOUR, MINUTE

LENGTHS = (HOUR, DAY, 7 * DAY)
MAX_GAP = DAY
SEEN_WITHIN = 45 * MINUTE
SEED = 1


@dataclass(frozen=True, kw_only=True)
class Sizes:
    stores: int
    days: int  # a report on a week reads back a day more: so far a poll speaks
    polls: int
    hourly_polls: int
    hourly_files: int
    runs: int
    few: int  # runs of what takes long
    reports: int
    orm_stores: int
    to_sql_rows: int
    growth: tuple[int, ...]
    growth_days: int
    homes: int
    starts: int
    load_seconds: int


FULL = Sizes(
    stores=14_092,
    days=8,
    polls=1_822_080,
    hourly_polls=14_000,
    hourly_files=5,
    runs=3,
    few=3,
    reports=7,
    orm_stores=400,
    to_sql_rows=100_000,
    growth=(1_000, 10_000, 100_000),
    growth_days=7,
    homes=3,
    starts=3,
    load_seconds=60,
)
QUICK = Sizes(
    stores=200,
    days=8,
    polls=25_000,
    hourly_polls=150,
    hourly_files=2,
    runs=2,
    few=1,
    reports=2,
    orm_stores=10,
    to_sql_rows=2_000,
    growth=(20, 60),
    growth_days=7,
    homes=1,
    starts=1,
    load_seconds=5,
)
