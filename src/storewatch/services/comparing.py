"""A report that another program made, held against ours: which cells differ, and why most likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from storewatch.domain import likely_causes
from storewatch.domain.availability import Policy, Rules
from storewatch.domain.axis import Int64
from storewatch.domain.clock import to_us
from storewatch.domain.other_weeks import Bools
from storewatch.domain.permissions import Caller
from storewatch.domain.their_catalogue import catalogue
from storewatch.domain.their_engine import Evidence
from storewatch.domain.their_rules import UNLIMITED
from storewatch.domain.windows import CLASSIC
from storewatch.errors import ConflictError, UsageError
from storewatch.formats.csv_out import classic
from storewatch.formats.report_in import TheirReport
from storewatch.services import differing_cells, reporting
from storewatch.storage import polls, report_rows, stores, weekly
from storewatch.storage.db import Database
from storewatch.storage.tables import Report

_AT_ONCE = 15_000
"""So many stores are held against each other at once, which bounds the memory."""

_AGREED_SAMPLE = 500
"""Of so many stores that agree it is seen what a rule would spoil."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Comparison:
    """What came of it: `differing` has the cells that differ, as `differing_cells.SCHEMA` says, the biggest
    first, and a row for each store that one side lacks. `stores` are those that both have.
    """

    report: Report
    stores: int
    cells_same: int
    differing: pl.DataFrame
    notes: tuple[str, ...]


def compare(
    database: Database, caller: Caller, theirs: TheirReport, report: Report, progress: Progress
) -> Comparison:
    """Holds another program's report against a complete one of ours with the windows of the seven columns.

    Causes are found by recomputing from the polls, hours and zones as they are now.
    """
    if report.status != "complete" or report.as_of is None:
        raise ConflictError(f"The report {report.report_id} is not complete")
    if not reporting.is_classic(report):
        raise UsageError("The report lacks last_hour, last_day or last_week: choose one that has them")
    place = pl.DataFrame({"store_id": theirs.ids, "row": np.arange(len(theirs.ids))})
    tables: list[pl.DataFrame] = []
    absent: list[str] = []
    same, both = 0, 0
    with database.snapshot() as session:
        for ours in _frames(session, caller, report):
            part = _part(
                session, report, theirs, ours.join(place, on="store_id", how="left", maintain_order="left")
            )
            tables.append(part.differing)
            absent += part.absent
            same, both = same + part.same, both + part.both
            place = place.join(ours.select("store_id"), on="store_id", how="anti", maintain_order="left")
            progress(both)
        tables.append(differing_cells.missing_theirs(session, report, absent))
        tables.append(differing_cells.missing_ours(session, place["store_id"].to_list()))
    differing = differing_cells.by_size(pl.concat(tables))
    return Comparison(report, both, same, differing, theirs.notes)


def _frames(session: Session, caller: Caller, report: Report) -> Iterator[pl.DataFrame]:
    """Our rows: store_id, the six cells as text, `exact` their times, `raw` whether exceptions had a part."""
    windows = report.window_names
    both = (
        report_rows.frames(session, report, caller.seen_by, raw_figures=raw, at_once=_AT_ONCE)
        for raw in (False, True)
    )
    for frame, plain in zip(*both, strict=True):
        exact, without = _totals(frame, windows), _totals(plain, windows)
        adjusted = (exact != without).any(axis=(1, 2))
        yield classic(frame, windows).with_columns(
            exact=pl.Series(exact.reshape(len(frame), -1), dtype=pl.Array(pl.Int64, 9)),
            adjusted=pl.Series(adjusted),
        )


def _totals(frame: pl.DataFrame, windows: list[str]) -> Int64:
    """int64[stores, 3, 3]: up, down and unknown in the three windows."""
    at = [windows.index(window.name) for window in CLASSIC]
    columns = {name: frame[name].to_numpy()[:, at] for name in report_rows.TOTALS}
    up, down = (columns[f"{state}_seen_us"] + columns[f"{state}_inferred_us"] for state in ("up", "down"))
    return np.stack([up, down, columns["unknown_us"]], axis=2)


@dataclass(frozen=True)
class _Part:
    """What came of some of our rows."""

    differing: pl.DataFrame
    absent: list[str]
    same: int
    both: int


def _part(session: Session, report: Report, theirs: TheirReport, rows: pl.DataFrame) -> _Part:
    absent = rows.filter(pl.col("row").is_null())["store_id"].to_list()
    rows = rows.filter(pl.col("row").is_not_null())
    if not len(rows):
        return _Part(pl.DataFrame(schema=differing_cells.SCHEMA), absent, 0, 0)
    cells = theirs.cells[rows["row"].to_numpy()]
    exact = rows["exact"].to_numpy().reshape(len(rows), 3, 3)
    times, nothing = exact[:, :, :2], (exact[:, :, :2].sum(axis=2) == 0) & (exact[:, :, 2] > 0)
    same = cells.same(times, nothing)
    agreed = np.asarray(same.all(axis=(1, 2)))
    count = int((same & ~cells.lacking).sum())
    if agreed.all():
        return _Part(pl.DataFrame(schema=differing_cells.SCHEMA), absent, count, len(rows))
    loaded = _loaded(agreed)
    of = _evidence(session, report, rows["store_id"].gather(loaded).to_list())
    weight = agreed.sum() / max(1, agreed[loaded].sum())
    rules = catalogue(of.schedule.zone_names, report.policy)
    found = likely_causes.explain(of, cells[loaded], agreed[loaded], float(weight), rules)
    mine = rows[loaded]
    texts = theirs.texts[mine["row"].to_numpy()]
    table = differing_cells.table(mine, texts, same[loaded], times[loaded], cells[loaded], found)
    return _Part(table, absent, count, len(rows))


def _loaded(agreed: Bools) -> Int64:
    """The rows that are looked into: all that differ, and a sample of those that agree."""
    fine = np.flatnonzero(agreed)
    some = fine[np.linspace(0, len(fine) - 1, min(len(fine), _AGREED_SAMPLE)).astype(np.int64)]
    return np.union1d(np.flatnonzero(~agreed), some)


def _evidence(session: Session, report: Report, ids: list[str]) -> Evidence:
    """What the figures of some stores are made from, in the order of their ids."""
    known = stores.keys(session, ids)
    keys = pl.DataFrame({"store_id": ids}).join(known, on="store_id", how="left", maintain_order="left")
    store_keys = keys["store_key"].to_numpy()
    assert report.as_of is not None  # noqa: S101 - it is complete
    as_of = to_us(report.as_of)
    rules = Rules(Policy(report.policy), report.max_gap_us, report.seen_within_us)
    lengths = tuple(window.length_us for window in CLASSIC)
    start = as_of - max(lengths) - max(UNLIMITED, rules.max_gap)
    schedule = weekly.schedule(session, store_keys, report.default_zone)
    return Evidence(polls.read((session,), store_keys, start, as_of), schedule, rules, start, as_of, lengths)
