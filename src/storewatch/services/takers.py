"""How each kind of file is taken in: good rows to the database, batch by batch, and what became of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from storewatch.ahead import ahead
from storewatch.domain import polls as poll_rows
from storewatch.domain import weekly as weekly_rows
from storewatch.domain.batches import Batch, DayBatch, sorted_day
from storewatch.domain.clock import to_us
from storewatch.domain.rows import Read
from storewatch.domain.touched import Touched
from storewatch.services.hours_from import HoursFrom, past_days
from storewatch.services.spool import Spool
from storewatch.storage import history, polls, retention, stores, week_change, weekly

_POLLS_AT_ONCE = 3_000_000
"""So many polls are held in memory before they are written."""

_REASONS_AT_ONCE = 200_000
"""So many different reasons are held in memory, which may have 200 characters each."""


class Taker(ABC):
    """Takes in the rows of one kind of file, in one transaction."""

    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    whole = False
    """Whether a row must have all the fields of the header."""

    def __init__(self, session: Session, import_no: int) -> None:
        self.session = session
        self.import_no = import_no
        self._keys = pl.DataFrame(schema=stores.KEYS)

    @abstractmethod
    def read(self, rows: pl.DataFrame) -> Read:
        """Raw rows as good ones and bad ones; asks nothing of the database."""

    @abstractmethod
    def take(self, read: Read) -> None:
        """Takes in the good rows."""

    @abstractmethod
    def finish(self) -> tuple[dict[str, int], dict[str, Any]]:
        """Writes what is left. Returns counts (new, corrected, unchanged, kept) and what was assumed."""

    def mark(self) -> None:  # noqa: B027 - what is known of stores leaves history as it is
        """Says what history is due by what changed; the last thing that the transaction does."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Drops what was not written."""

    def _with_keys(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Adds `store_key`; ids never met before become stores."""
        found = self._found(rows)
        if found.null_count():
            unknown = rows.filter(found.is_null())["store_id"].unique()
            self._keys = pl.concat([self._keys, stores.allot_keys(self.session, unknown.to_list())])
            found = self._found(rows)
        return rows.with_columns(found)

    def _found(self, rows: pl.DataFrame) -> pl.Series:
        ids = rows.select("store_id")
        return ids.join(self._keys, on="store_id", how="left", maintain_order="left")["store_key"]


class StatusTaker(Taker):
    """store_status."""

    columns = poll_rows.COLUMNS
    optional = poll_rows.OPTIONAL

    def __init__(self, session: Session, import_no: int, now_us: int | None) -> None:
        super().__init__(session, import_no)
        self._now_us = now_us
        self._waiting = Spool(_POLLS_AT_ONCE)
        self._reasons: dict[str, int] = {}
        self._first = np.zeros(0, np.int64)  # by store key
        self._stored = polls.days(session)
        self._deleted = polls.any_deleted(session)
        self._earliest = retention.polls_from(session)
        self._counts = {"new": 0, "corrected": 0, "unchanged": 0, "kept": 0}
        self._touched = Touched()

    def read(self, rows: pl.DataFrame) -> Read:
        """See `Taker`."""
        return poll_rows.read_polls(rows, self._now_us, self._earliest)

    def take(self, read: Read) -> None:
        """See `Taker`."""
        if len(read.good):
            self._waiting.add(self._batch(self._with_keys(read.good)))
        if len(self._reasons) > _REASONS_AT_ONCE:
            self._write()

    def finish(self) -> tuple[dict[str, int], dict[str, Any]]:
        """See `Taker`."""
        self._write()
        polled = np.flatnonzero(self._first < _NEVER)
        if len(polled):
            stores.lower_first_polls(self.session, polled, self._first[polled])
        return self._counts, {}

    def mark(self) -> None:
        """See `Taker`."""
        history.mark_polls(self.session, self._touched.stretches())

    def close(self) -> None:
        """See `Taker`."""
        self._waiting.close()

    def _batch(self, rows: pl.DataFrame) -> Batch:
        return Batch(
            rows["store_key"].to_numpy(),
            rows["at"].to_numpy(),
            rows["active"].to_numpy(),
            self._reason_codes(rows["reason"]),
        )

    def _reason_codes(self, reason: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        if reason.null_count() == len(reason):
            return np.zeros(len(reason), np.int32)
        for text in reason.drop_nulls().unique(maintain_order=True):
            self._reasons.setdefault(text, len(self._reasons) + 1)
        return reason.replace_strict(self._reasons, default=0, return_dtype=pl.Int32).to_numpy()

    def _write(self) -> None:
        reasons = [b"", *(text.encode() for text in self._reasons)]
        self._reasons = {}
        for day, parts in groupby(ahead(sorted_day, self._waiting.days()), lambda part: part.day):
            tallied = map(self._tallied, parts)
            if day in self._stored or self._deleted:
                for part in tallied:
                    self._merge(part, reasons)
            else:
                polls.add_day(self.session, day, map(self._first_of_day, tallied), self.import_no, reasons)
                self._stored.add(day)

    def _tallied(self, part: DayBatch) -> DayBatch:
        self._counts["corrected"] += part.corrected
        self._counts["unchanged"] += part.unchanged
        return part

    def _first_of_day(self, part: DayBatch) -> DayBatch:
        self._note_first(part.polls)
        self._touched.add(part.polls.key, part.polls.at)
        self._counts["new"] += len(part.polls)
        return part

    def _merge(self, day: DayBatch, reasons: list[bytes]) -> None:
        if day.day not in self._stored:
            polls.make_day(self.session, day.day)
            self._stored.add(day.day)
        counts = polls.merge_day(self.session, day, self.import_no, reasons)
        for name, count in counts.items():
            self._counts[name] += count
        if counts.get("new") or counts.get("corrected"):
            self._touched.add(day.polls.key, day.polls.at)

    def _note_first(self, polls_of_day: Batch) -> None:
        """Remembers each store's earliest poll; a day's batch is sorted by store and time."""
        head = np.flatnonzero(np.diff(polls_of_day.key, prepend=-1))
        key = polls_of_day.key[head]
        more = max(0, int(key[-1]) + 1 - len(self._first))
        self._first = np.pad(self._first, (0, more), constant_values=_NEVER)
        self._first[key] = np.minimum(self._first[key], polls_of_day.at[head])


_NEVER = (1 << 63) - 1


class HoursTaker(Taker):
    """menu_hours."""

    columns = weekly_rows.HOURS_COLUMNS
    optional = weekly_rows.HOURS_OPTIONAL

    def __init__(self, session: Session, import_no: int, now_us: int | None, hold: HoursFrom) -> None:
        super().__init__(session, import_no)
        self._now_us = to_us(datetime.now(UTC)) if now_us is None else now_us
        self._hold = hold
        self._rejected: list[pl.DataFrame] = []
        week_change.begin(session)

    def read(self, rows: pl.DataFrame) -> Read:
        """See `Taker`."""
        return weekly_rows.read_hours(rows)

    def take(self, read: Read) -> None:
        """See `Taker`."""
        good = self._with_keys(read.good)
        if len(good):
            since = good["since"].replace(weekly_rows.NOT_SAID, self._hold.since)
            names = ("store_key", "since", "day", "start_s", "end_s")
            columns = good.with_columns(since=since).select(names)
            week_change.add(self.session, [column.to_numpy() for column in columns])
        self._rejected.append(read.bad.select("store_id", "day").drop_nulls().unique())

    def finish(self) -> tuple[dict[str, int], dict[str, Any]]:
        """See `Taker`. Tells the days that now count as closed because their rows were rejected, and how many
        past days have other hours now.
        """
        rejected = pl.concat([pl.DataFrame(schema=_STORE_DAY), *self._rejected]).unique()
        week_change.give(self.session, self._now_us, self._hold.default_zone)
        counts = week_change.take(self.session, self.import_no)
        closed = week_change.days_without_hours(
            self.session, rejected["store_id"].to_list(), rejected["day"].to_list()
        )
        days = [{"store_id": store, "day": weekly_rows.WEEKDAYS[day]} for store, day in closed]
        past = past_days(self.session)
        return counts, ({"closed_days": days} if days else {}) | ({"past_days_changed": past} if past else {})

    def mark(self) -> None:
        """See `Taker`."""
        history.mark_hours(self.session, *week_change.changed_from(self.session))


_STORE_DAY = {"store_id": pl.String, "day": pl.Int16}


class ZonesTaker(Taker):
    """store_timezone."""

    columns = weekly_rows.ZONE_COLUMNS

    def __init__(self, session: Session, import_no: int) -> None:
        super().__init__(session, import_no)
        weekly.begin_zones(session)

    def read(self, rows: pl.DataFrame) -> Read:
        """See `Taker`."""
        return weekly_rows.read_zones(rows)

    def take(self, read: Read) -> None:
        """See `Taker`."""
        good = self._with_keys(read.good)
        if len(good):
            weekly.add_zones(self.session, good["store_key"].to_list(), good["timezone_str"].to_list())

    def finish(self) -> tuple[dict[str, int], dict[str, Any]]:
        """See `Taker`."""
        return weekly.take_zones(self.session, self.import_no), {}

    def mark(self) -> None:
        """See `Taker`."""
        history.mark(self.session, weekly.changed_zones(self.session, self.import_no), None, None)
