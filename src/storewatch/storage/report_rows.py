"""The rows of reports: written, read in frames, by page, summed up. Who reads sees their stores of now."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Double, cast, exists, func, or_, select, text
from sqlalchemy.orm import Session

from storewatch.ahead import ahead
from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.outages import Figures
from storewatch.storage.access_tables import GroupStore, StoreGroup
from storewatch.storage.arrays import among, positions, read_arrays
from storewatch.storage.copying import Column, copy_rows
from storewatch.storage.db import raw
from storewatch.storage.sight import SEEN, seen
from storewatch.storage.tables import Report, Store, StoreReport

TOTALS = tuple(f"{kind.name.lower()}_us" for kind in Kind)
RAW = TOTALS[:5]  # what is kept of raw figures: without exceptions nothing is excluded
OUTAGES = ("outages", "longest_outage_us")
BOUNDS = ("down_min_us", "down_max_us")
GIVEN = ("hours_given", "zone_given")
_NONE = -1  # stands for the figures that rows of old reports lack
_ZERO = ("excluded_us",)  # what such rows lack for there was none of it


# --- writing --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """What stores gave of themselves: bool[stores] each; False is what the report had to assume."""

    hours: NDArray[np.bool_]
    zone: NDArray[np.bool_]


def add(
    session: Session,
    report: Report,
    store_keys: NDArray[np.int32],
    figures: Figures,
    given: Given,
    raw_totals: Int64 | None = None,
) -> None:
    """Adds rows of this attempt, in the order of `store_keys`. `raw_totals` int64[stores, windows, 6] is what
    the totals would be without exceptions, if any had a part in them: kept where they differ.
    """
    if not len(store_keys):
        return
    number, attempt = (np.full(len(store_keys), n, np.int32) for n in (report.report_no, report.attempt))
    totals = [np.ascontiguousarray(figures.totals[:, :, kind]) for kind in Kind]
    columns: list[Column] = [number, attempt, store_keys, *totals, figures.outages, figures.longest]
    columns += [figures.down_min, figures.down_max, given.hours, given.zone]
    names = f"report_no, attempt, store_key, {', '.join((*TOTALS, *OUTAGES, *BOUNDS, *GIVEN))}"
    if raw_totals is None:
        copy_rows(raw(session), _COPY.format(names), [columns])
        return
    differs = (raw_totals != figures.totals).any(axis=(1, 2))
    copy_rows(raw(session), _COPY.format(names), [[column[~differs] for column in columns]])
    flat = raw_totals[differs][:, :, : len(RAW)].reshape(-1, raw_totals.shape[1] * len(RAW))
    batch = [*(column[differs] for column in columns), flat]
    copy_rows(raw(session), _COPY.format(f"{names}, raw_us"), [batch])


_COPY = "COPY store_report ({}) FROM STDIN (FORMAT binary)"


# --- all of them, in frames -----------------------------------------------------------------------


def frames(
    session: Session,
    report: Report,
    seen_by: int | None = None,
    *,
    extended: bool = False,
    raw_figures: bool = False,
    at_once: int = 20_000,
) -> Iterator[pl.DataFrame]:
    """A report's rows of the stores that may be seen, by store id in code point order, in frames of at most
    `at_once` rows. Raw figures are those without exceptions: what outages there were is not known of rows
    where these differ.

    Columns: store_id, and for each total a column `{total}_us` of arrays, an element a window. The extended
    form has name, location, hours_given, zone_given, and arrays of outages, longest_outage_us and the bounds
    of downtime besides; these are null in rows of old reports.
    """
    names = TOTALS + OUTAGES + BOUNDS if extended else TOTALS
    most, after = _FIGURES_AT_ONCE // (len(names) * len(report.window_names)), ""
    while True:
        stores = _stores(session, report.report_no, after, seen_by, most, extended=extended)
        if not len(stores):
            return
        figures = _figures(session, report, stores["store_key"].to_numpy(), names, raw_figures=raw_figures)
        after = stores["store_id"][-1]
        told = stores.drop("store_key")
        for first in range(0, len(told), at_once):
            part = slice(first, first + at_once)
            arrays = {name: np.ascontiguousarray(figures[part, at]) for at, name in enumerate(names)}
            yield _with_nulls(told[part].hstack(pl.DataFrame(arrays)))


_FIGURES_AT_ONCE = 20_000_000
"""So many are in memory, 8 bytes each; all of a million stores: they are read in the order in which they are
stored, which is not that of the stores' ids.
"""
_KEYS_AT_ONCE = 50_000


def _with_nulls(frame: pl.DataFrame) -> pl.DataFrame:
    """Null for what an old row does not hold."""
    names = [name for name in OUTAGES + BOUNDS if name in frame.columns]
    known = [pl.when(pl.col(name).arr.get(0) != _NONE).then(pl.col(name)).alias(name) for name in names]
    return frame.with_columns(known)


def _stores(
    session: Session, report_no: int, after: str, seen_by: int | None, most: int, *, extended: bool
) -> pl.DataFrame:
    """The next stores of a report, so many at `most`, and in the extended form what is said of them."""
    schema: dict[str, Any] = {"store_key": pl.Int32, "store_id": pl.String}
    if extended:
        schema |= {"name": pl.String, "location": pl.String} | dict.fromkeys(GIVEN, pl.Boolean)
    query = text(f"""
        SELECT {", ".join(f"array_agg({name})" for name in schema)} FROM (
            SELECT {", ".join(schema)} FROM store_report AS t JOIN store AS s USING (store_key)
            WHERE t.report_no = :report_no AND s.store_id > :after AND {SEEN}
            ORDER BY s.store_id LIMIT :at_once
        ) AS page
    """)
    bounds = {"report_no": report_no, "after": after, "at_once": most, "seen_by": seen_by}
    columns = session.execute(query, bounds).one()
    return pl.DataFrame([column or [] for column in columns], schema)


def _figures(
    session: Session, report: Report, keys: NDArray[np.int32], names: Sequence[str], *, raw_figures: bool
) -> Int64:
    """int64[stores, names, windows]: the figures of stores."""
    figure, windows = _raw_figures if raw_figures else _figures_of, len(report.window_names)
    arrays = ", ".join(f"array_agg({figure(name, windows)})" for name in names)
    query = f"SELECT array_agg(store_key), {arrays} FROM store_report WHERE report_no = :report_no AND {{}}"
    types = (">i4", *(">i8",) * len(names))

    def read(own: NDArray[np.intp]) -> tuple[NDArray[np.intp], list[NDArray[Any]]]:
        which = query.format(among(keys[own]))
        return own, read_arrays(session, which, {"report_no": report.report_no}, types)

    found, order = np.zeros((len(keys), len(names), windows), np.int64), np.argsort(keys)
    parts = (order[first : first + _KEYS_AT_ONCE] for first in range(0, len(keys), _KEYS_AT_ONCE))
    for own, (key, *columns) in ahead(read, parts):
        at = positions(keys[own])[key]
        mine = at >= 0
        found[own[at[mine]]] = np.stack([each.reshape(-1, windows) for each in columns], axis=1)[mine]
    return found


def _figures_of(name: str, windows: int) -> str:
    """The figures of all windows, in SQL. Arrays are added up whole, which costs less than their elements."""
    lacks = 0 if name in _ZERO else _NONE
    return f"coalesce({name}::bigint[], array_fill({lacks}::bigint, ARRAY[{windows}]))"


def _raw_figures(name: str, windows: int) -> str:
    """The same without exceptions."""
    each = (_raw_figure(name, at) for at in range(1, windows + 1))
    return f"ARRAY[{', '.join(f'({one})::bigint' for one in each)}]"


def _figure(name: str, at: int) -> str:
    """The figure of a window, counted from 1, in SQL."""
    return f"coalesce({name}[{at}], {0 if name in _ZERO else _NONE})"


def _raw_figure(name: str, at: int) -> str:
    """The same without exceptions."""
    if name in RAW:
        return f"coalesce(raw_us[{(at - 1) * len(RAW) + RAW.index(name) + 1}], {name}[{at}])"
    lacks = 0 if name in _ZERO else _NONE
    return f"CASE WHEN raw_us IS NULL THEN {_figure(name, at)} ELSE {lacks} END"


# --- a page of them -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Which rows, in which order. `window` is its place in the report, from 0.

    `sort` is store_id, name, or a figure of that window, as `at_least` and `at_most` have them: times in
    microseconds, shares 0 to 1. A row that has no such figure comes last, and meets no bound. Bounds are
    about `bounds_window` if it is given, else about the same window.
    """

    window: int = 0
    sort: str = "store_id"
    descending: bool = False
    q: str | None = None
    group_id: UUID | None = None
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    bounds_window: int | None = None


FIGURES = (
    *("open", "up", "down", "unknown", "excluded", "seen", "inferred"),
    *("coverage", "availability", "outages", "longest_outage", "down_min", "down_max"),
)
"""What rows can be sorted by and chosen by."""


def page(
    session: Session,
    report: Report,
    seen_by: int | None,
    asked: Asked,
    after: Sequence[Any] | None,
    count: int,
) -> list[dict[str, Any]]:
    """Rows of the stores that may be seen, those after (key, store_id), as `frames` has them in its extended
    form; `key` is what they are sorted by, a text or a float.
    """
    figures = figures_at(asked.window + 1)
    key = key_of(asked, figures)
    said = (Store.store_id, Store.name, Store.location, *(getattr(StoreReport, name) for name in GIVEN))
    arrays = (getattr(StoreReport, name) for name in (*TOTALS, *OUTAGES, *BOUNDS, "raw_us"))
    query = (
        select(key.label("key"), *said, *arrays)
        .join(Store, Store.store_key == StoreReport.store_key)
        .where(StoreReport.report_no == report.report_no, seen(Store.store_key, seen_by))
        .where(*conditions_of(asked, figures))
    )
    if after is not None:
        beyond = key < after[0] if asked.descending else key > after[0]
        query = query.where(or_(beyond, (key == after[0]) & (Store.store_id > after[1])))
    order = key.desc() if asked.descending else key.asc()
    rows = session.execute(query.order_by(order, Store.store_id).limit(count))
    return [dict(row) for row in rows.mappings()]


def figures_at(at: int) -> dict[str, ColumnElement[Any]]:
    """The figures of the window at a place, counted from 1 as PostgreSQL does."""
    up_seen, up_inferred, down_seen, down_inferred, unknown = (
        getattr(StoreReport, name)[at] for name in TOTALS[:5]
    )
    excluded = func.coalesce(StoreReport.excluded_us[at], 0)
    up, down, shown = up_seen + up_inferred, down_seen + down_inferred, up_seen + down_seen
    known = up + down
    return {
        "open": known + unknown + excluded,
        "up": up,
        "down": down,
        "unknown": unknown,
        "excluded": excluded,
        "seen": shown,
        "inferred": up_inferred + down_inferred,
        "coverage": cast(shown, Double) / func.nullif(known + unknown + excluded, 0),
        "availability": cast(up, Double) / func.nullif(known, 0),
        "outages": StoreReport.outages[at],
        "longest_outage": StoreReport.longest_outage_us[at],
        "down_min": StoreReport.down_min_us[at],
        "down_max": StoreReport.down_max_us[at],
    }


def key_of(asked: Asked, figures: dict[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """What rows are sorted by: a text or a float."""
    if asked.sort == "store_id":
        return Store.store_id.expression
    if asked.sort == "name":
        return func.coalesce(Store.name, "").collate("C")
    last = -math.inf if asked.descending else math.inf
    return func.coalesce(cast(figures[asked.sort], Double), cast(last, Double))


def conditions_of(asked: Asked, figures: dict[str, ColumnElement[Any]]) -> list[ColumnElement[bool]]:
    """What a row must meet; `figures` are those of the window that it is sorted by."""
    if asked.bounds_window is not None:
        figures = figures_at(asked.bounds_window + 1)
    found = [figures[name] >= bound for name, bound in asked.at_least.items()]
    found += [figures[name] <= bound for name, bound in asked.at_most.items()]
    if asked.q is not None:
        texts = (Store.store_id, Store.name, Store.location)
        found.append(or_(*(column.icontains(asked.q, autoescape=True) for column in texts)))
    if asked.group_id is not None:
        in_group = exists().where(
            GroupStore.store_key == Store.store_key,
            GroupStore.group_no == StoreGroup.group_no,
            StoreGroup.group_id == asked.group_id,
        )
        found.append(in_group)
    return found


# --- summed up ------------------------------------------------------------------------------------


def counts(session: Session, report_nos: Sequence[int], seen_by: int | None) -> dict[int, int]:
    """How many rows of reports may be seen, by report number."""
    query = (
        select(StoreReport.report_no, func.count().label("rows"))
        .where(StoreReport.report_no.in_(report_nos), seen(StoreReport.store_key, seen_by))
        .group_by(StoreReport.report_no)
    )
    found = {row.report_no: row.rows for row in session.execute(query)}
    return dict.fromkeys(report_nos, 0) | found


def summary(session: Session, report: Report, seen_by: int | None) -> dict[str, Any]:
    """What a report's summary would be, had it only the rows that may be seen now."""
    windows = len(report.window_names)
    places = [(name, at) for at in range(1, windows + 1) for name in TOTALS]
    sums = [f"sum({figure(name, at)})::bigint" for figure in (_figure, _raw_figure) for name, at in places]
    sums += [f"sum(t.{name}[{at}])::bigint" for at in range(1, windows + 1) for name in BOUNDS]
    query = text(f"""
        SELECT count(*), count(*) FILTER (WHERE NOT t.hours_given),
               count(*) FILTER (WHERE NOT t.zone_given), {", ".join(sums)}
        FROM store_report AS t JOIN store AS s USING (store_key) WHERE t.report_no = :report_no AND {SEEN}
    """)
    stores, always, default_zone, *found = session.execute(
        query, {"report_no": report.report_no, "seen_by": seen_by}
    ).one()
    told = np.array([number or 0 for number in found[: 2 * len(places)]], np.int64)
    adjusted, without = (
        {
            name: dict(zip(TOTALS, row, strict=True))
            for name, row in zip(report.window_names, rows, strict=True)
        }
        for rows in told.reshape(2, windows, len(TOTALS)).tolist()
    )
    bounds = iter(found[2 * len(places) :])
    for window in report.window_names:
        adjusted[window] |= {name: next(bounds) for name in BOUNDS}
    return {
        "stores": stores,
        "open_24x7": always,
        "default_zone": default_zone,
        "windows": adjusted,
        "raw_windows": without,
        "exceptions": (report.summary or {}).get("exceptions", []),
    }
