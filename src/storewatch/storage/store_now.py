"""How each store stands at T: written, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.clock import from_us
from storewatch.domain.standing import NOTHING, SPANS, STATES, UNTOLD, Costs, Standing, States
from storewatch.storage.arrays import among, positions, read_arrays
from storewatch.storage.copying import NO_MOMENT, PG_EPOCH, copy_rows, moments, timestamps
from storewatch.storage.db import raw

TOTALS = tuple(f"{kind.name.lower()}_us" for kind in Kind)
MEASURES = (*TOTALS, "down_min_us", "down_max_us", "outages")
_LOST = ("lost_num", "lost_seen_num", "lost_den")


def column(measure: str, days: int) -> str:
    """`up_seen_7d_us`: the column of a measure of so many days."""
    name, unit, rest = measure.partition("_us")
    return f"{name}_{days}d{unit}{rest}"


COLUMNS = tuple(column(measure, days) for days in SPANS for measure in MEASURES)
_STOOD = ("state", "since", "last_state", "last_since")
_FIGURES = ("as_of", *_STOOD, *COLUMNS, *_LOST)
_COLUMNS = ", ".join(("store_key", *_FIGURES))
_STATES = f"'{{{','.join(STATES)}}}'::text[]"


def stage(session: Session, store_keys: NDArray[np.int32], of: Standing, as_of: int) -> None:
    """Sends what was computed now, to be kept or compared."""
    connection = raw(session)
    connection.execute("DROP TABLE IF EXISTS fresh_now, fresh_cost")
    connection.execute(f"CREATE TEMP TABLE fresh_now ({_FRESH}) ON COMMIT DROP")
    connection.execute(f"CREATE TEMP TABLE fresh_cost (store_key integer, {_COSTS}) ON COMMIT DROP")
    measures = np.stack([*np.moveaxis(of.totals, 2, 0), of.down_min, of.down_max, of.outages], axis=2)
    states = of.states
    columns = [
        store_keys,
        timestamps(np.full(len(store_keys), as_of)),
        (states.state + 1).astype(np.int32),
        moments(states.since, states.since != UNTOLD),
        (states.last_state + 1).astype(np.int32),
        moments(states.last_since, states.last_since != UNTOLD),
        *measures.reshape(-1, len(COLUMNS)).T.astype(np.int64),
    ]
    copy_rows(connection, "COPY fresh_now FROM STDIN (FORMAT binary)", [columns])
    with connection.cursor().copy("COPY fresh_cost FROM STDIN") as copy:
        for key, lost in zip(store_keys.tolist(), of.lost, strict=True):
            if lost is not None:
                copy.write_row((key, _list(lost[0]), _list(lost[1]), lost[2]))


_FRESH = f"""
    store_key integer, as_of timestamptz, state integer, since timestamptz, last_state integer,
    last_since timestamptz, {", ".join(f"{name} bigint" for name in COLUMNS)}
"""
_COSTS = "lost_num numeric[], lost_seen_num numeric[], lost_den numeric"
_STAGED = f"""
    SELECT store_key, as_of, ({_STATES})[state] AS state, nullif(since, '-infinity') AS since,
           ({_STATES})[last_state] AS last_state, nullif(last_since, '-infinity') AS last_since,
           {", ".join(COLUMNS)}, {", ".join(_LOST)}
    FROM fresh_now LEFT JOIN fresh_cost USING (store_key)
"""


def _list(numbers: list[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


@dataclass(frozen=True)
class Rows:
    """How stores stood when that was stored; `there` bool[stores] of which it is, and `as_of` int64[stores]
    when. What is not there is zero.
    """

    there: NDArray[np.bool_]
    as_of: Int64
    stood: Standing


def read(session: Session, store_keys: NDArray[np.int32]) -> Rows:
    """The rows of stores, whose keys are in order."""
    told = ", ".join(f"array_agg({name})" for name in COLUMNS)
    query = f"""
        SELECT array_agg(store_key), array_agg(as_of), {_arrays("state", "since")},
               {_arrays("last_state", "last_since")}, {told}
        FROM store_now WHERE {among(store_keys)}
    """
    types = (">i4", ">i8", *(">i4", ">i8") * 2, *(">i8",) * len(COLUMNS))
    key, *columns = read_arrays(session, query, {}, types)
    place = positions(store_keys)[key]
    own, place = place >= 0, place[place >= 0]
    rows = np.zeros((len(store_keys), len(columns)), np.int64)
    rows[place] = np.stack([column[own].astype(np.int64) for column in columns], axis=1)
    as_of, state, since, last_state, last_since = rows[:, :5].T
    measures = rows[:, 5:].reshape(len(rows), len(SPANS), len(MEASURES))
    down_min, down_max, outages = np.moveaxis(measures[:, :, len(Kind) :], 2, 0)
    stood = Standing(
        States(state, _instants(since), last_state, _instants(last_since)),
        measures[:, :, : len(Kind)],
        down_min,
        down_max,
        outages,
        _costs(session, store_keys),
    )
    return Rows(np.isin(np.arange(len(rows)), place), as_of + PG_EPOCH, stood)


def times(session: Session, store_keys: NDArray[np.int32]) -> tuple[NDArray[np.bool_], Int64]:
    """(bool[stores] of which it is stored how they stood, int64[stores] when); the keys are in order."""
    query = f"SELECT array_agg(store_key), array_agg(as_of) FROM store_now WHERE {among(store_keys)}"
    key, moment = read_arrays(session, query, {}, (">i4", ">i8"))
    place = positions(store_keys)[key]
    there, as_of = np.zeros(len(store_keys), np.bool_), np.zeros(len(store_keys), np.int64)
    there[place[place >= 0]] = True
    as_of[place[place >= 0]] = moment[place >= 0] + PG_EPOCH
    return there, as_of


def _arrays(state: str, since: str) -> str:
    """Two columns of the table as numbers."""
    number = f"coalesce(array_position({_STATES}, {state}) - 1, {NOTHING})"
    return f"array_agg({number}), array_agg(coalesce({since}, '-infinity'))"


def _instants(moments: Int64) -> Int64:
    return np.where(moments == NO_MOMENT, UNTOLD, moments + PG_EPOCH)


def _costs(session: Session, store_keys: NDArray[np.int32]) -> list[Costs | None]:
    query = f"""
        SELECT store_key, lost_num, lost_seen_num, lost_den
        FROM store_now WHERE lost_den IS NOT NULL AND {among(store_keys)}
    """
    position = positions(store_keys)
    costs: list[Costs | None] = [None] * len(store_keys)
    for key, whole, seen, of in session.execute(text(query)):
        if position[key] >= 0:
            costs[position[key]] = [int(each) for each in whole], [int(each) for each in seen], int(of)
    return costs


def stay(session: Session, store_keys: NDArray[np.int32], as_of: int) -> None:
    """Says of stores that they stand as they stood."""
    if len(store_keys):
        query = text("UPDATE store_now SET as_of = :as_of WHERE store_key = ANY(CAST(:keys AS int[]))")
        session.execute(query, {"keys": store_keys.tolist(), "as_of": from_us(as_of)})


def keep(session: Session) -> None:
    """Makes the staged rows the stored ones."""
    raw(session).execute(f"""
        INSERT INTO store_now AS n ({_COLUMNS}) {_STAGED} ORDER BY store_key
        ON CONFLICT (store_key) DO UPDATE
        SET ({", ".join(_FIGURES)}) = ROW({_of("excluded")})
        WHERE ({_of("n")}) IS DISTINCT FROM ({_of("excluded")})
    """)


def _of(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in _FIGURES)


def differing(session: Session) -> int:
    """How many staged rows are not stored so."""
    query = f"""
        SELECT count(*) FROM ({_STAGED}) AS f LEFT JOIN store_now AS n USING (store_key)
        WHERE n.as_of IS NULL OR ({_of("n")}) IS DISTINCT FROM ({_of("f")})
    """
    return int(session.execute(text(query)).scalar_one())


def stored(session: Session, store_key: int) -> tuple[Any, ...] | None:
    """(as_of, state, since) of a store, as the database has them."""
    query = text("SELECT as_of, state, since FROM store_now WHERE store_key = :key")
    row = session.execute(query, {"key": store_key}).first()
    return None if row is None else tuple(row)


def remove(session: Session, store_keys: NDArray[np.int32]) -> None:
    """Removes the rows of stores, for there are no polls."""
    query = text("DELETE FROM store_now WHERE store_key = ANY(CAST(:keys AS int[]))")
    session.execute(query, {"keys": store_keys.tolist()})


def count(session: Session, store_keys: NDArray[np.int32]) -> int:
    """Of how many of the stores it is stored how they stand."""
    query = "SELECT count(*) FROM store_now WHERE store_key = ANY(CAST(:keys AS int[]))"
    return int(session.execute(text(query), {"keys": store_keys.tolist()}).scalar_one())
