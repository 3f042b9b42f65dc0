"""Weeks and months of stores, kept by triggers, are what all stored days add up to, whatever changes days."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.storage.db import Database
from tests.factories import load

FIRST = date(2024, 1, 29)  # a Monday, before the end of a month
PERIODS = "SELECT * FROM store_period ORDER BY period, first_day, store_key"
ANEW = "SELECT add_up_periods(array_agg(store_key), array_agg(day)) FROM store_day"
NAMES = "store_key, day, up_seen_us, down_seen_us, outages, starts_down, ends_down, complete"
LISTS = (
    "unknown_us, up_inferred_us, down_inferred_us, excluded_us, down_min_us, down_max_us, longest_outage_us"
)
INSERT = f"""
    INSERT INTO store_day ({NAMES}, {LISTS})
    SELECT key, day, up, down, outages, starts, ends, complete, up, up, down, down, down, down, down
    FROM jsonb_to_recordset(CAST(:days AS jsonb)) AS d(
        key int, day date, up bigint, down bigint, outages int, starts bool, ends bool, complete bool)
"""
UPDATE = f"""
    {INSERT} ON CONFLICT (store_key, day) DO UPDATE
    SET up_seen_us = excluded.up_seen_us, down_seen_us = excluded.down_seen_us, outages = excluded.outages,
        starts_down = excluded.starts_down, ends_down = excluded.ends_down, complete = excluded.complete
"""


class Days:
    """Days of three stores by chance."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.draw = np.random.default_rng(seed)
        self.keys = list(session.execute(text("SELECT store_key FROM store ORDER BY 1")).scalars())
        self.last = dict.fromkeys(self.keys, 0)

    def day(self, key: int, number: int, *, complete: bool) -> dict[str, Any]:
        starts, ends, is_open = (self.draw.random(3) < (0.5, 0.5, 0.7)).tolist()
        starts, ends = starts and is_open, ends and is_open
        return {
            "key": key, "day": str(FIRST + timedelta(days=number)), "complete": complete,
            "up": 10 * is_open, "down": int(self.draw.integers(1, 9)) * is_open,
            "outages": (starts + int(self.draw.integers(1, 4))) * is_open, "starts": starts, "ends": ends,
        }  # fmt: skip

    def write(self, statement: str, days: list[dict[str, Any]]) -> None:
        self.session.execute(text(statement), {"days": json.dumps(days)})

    def step(self) -> None:
        """A day goes on, ends, is followed by others, is corrected or removed."""
        kind = self.draw.choice(["on", "on", "end", "end", "many", "correct", "remove"])
        some = [key for key in self.keys if self.draw.random() < 0.7]
        if kind == "on":
            self.write(UPDATE, [self.day(key, self.last[key], complete=False) for key in some])
        elif kind == "end":
            self.write(UPDATE, [self.day(key, self.last[key], complete=True) for key in some])
            self.follow(some, 1)
        elif kind == "many":
            self.follow(some, 3)
        elif kind == "correct":
            corrected = [(key, self.before(key)) for key in some]
            self.write(UPDATE, [self.day(key, day, complete=day < self.last[key]) for key, day in corrected])
        else:
            day = FIRST + timedelta(days=self.before(self.keys[0]))
            self.session.execute(text("DELETE FROM store_day WHERE day = :day"), {"day": day})

    def follow(self, keys: list[int], count: int) -> None:
        new = [
            self.day(key, self.last[key] + ahead, complete=ahead < count)  # the last one alone runs on
            for key in keys
            for ahead in range(1, count + 1)
        ]
        self.write(UPDATE, new)
        self.last |= {key: self.last[key] + count for key in keys}

    def before(self, key: int) -> int:
        return int(self.draw.integers(0, self.last[key] + 1))


@pytest.mark.parametrize("seed", range(20))
def test_periods_are_what_all_days_add_up_to(database: Database, seed: int) -> None:
    load(
        database,
        "store_id,status,timestamp_utc\n" + "".join(f"{s},active,2023-01-01 00:00:00\n" for s in "abc"),
    )
    with database.transaction() as session:
        session.execute(text("DELETE FROM store_day"))
        days = Days(session, seed)
        for _ in range(25):
            days.step()
            kept = session.execute(text(PERIODS)).all()
            session.execute(text(ANEW))
            assert session.execute(text(PERIODS)).all() == kept
    assert kept
