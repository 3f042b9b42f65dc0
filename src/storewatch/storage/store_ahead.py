"""The open time of stores that lies ahead of T: written, added up, one by one, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.storage.arrays import read_arrays
from storewatch.storage.store_periods import Keys, Scope, list_of

TIMES = ("week_us", "month_us", "quarter_us", "next_week_us", "next_month_us", "next_quarter_us")
"""Of the periods that a store is in, and of the next ones."""

_FIGURES = ("zone", *TIMES)


@dataclass(frozen=True)
class Zone:
    """The stores in a zone: what lies ahead of them, added up as in `TIMES`."""

    name: str
    ahead: list[int]


def by_zone(session: Session, scope: Scope) -> list[Zone]:
    """The stores by their zones."""
    sums = ", ".join(f"sum({name})::bigint" for name in TIMES)
    query = f"SELECT zone, {sums} FROM store_ahead WHERE {scope.where} GROUP BY zone ORDER BY zone"
    return [Zone(name, list(ahead)) for name, *ahead in session.execute(text(query))]


def each(session: Session, scope: Scope, places: dict[str, int]) -> tuple[Keys, Int64]:
    """(keys in order, int64[stores]) of each store the one of `TIMES` that its zone has the place of, counted
    from 1; none for 0, and in other zones.
    """
    if len(set(places.values())) == 1:
        [place] = set(places.values())
        told, joined = (TIMES[place - 1] if place else "0::bigint"), ""
    else:
        told = (
            f"CASE place {' '.join(f'WHEN {at} THEN {name}' for at, name in enumerate(TIMES, 1))} ELSE 0 END"
        )
        joined = (
            "LEFT JOIN unnest(CAST(:names AS text[]), CAST(:places AS int[])) AS z(zone, place) USING (zone)"
        )
    query = f"""
        SELECT array_agg(store_key ORDER BY store_key), array_agg({told} ORDER BY store_key)
        FROM store_ahead {joined} WHERE {scope.where}
    """
    values = {"names": list_of(places), "places": list_of(places.values())} if joined else {}
    key, left = read_arrays(session, query, values, (">i4", ">i8"))
    return key.astype(np.int32), left


def keep(session: Session, store_keys: Keys, zone: list[str], ahead: Int64) -> None:
    """Stores what lies ahead of stores, and nothing of those whose zone is empty."""
    if "" in zone:
        session.execute(text(_FORGET), _values(store_keys, zone, ahead))
    session.execute(text(_KEEP), _values(store_keys, zone, ahead))


def pass_time(session: Session, store_keys: Keys, passed: Int64) -> None:
    """Takes open time that went by, int64[stores], from what lay ahead in the periods that stores are in."""
    some = passed > 0
    if some.any():
        keys, times = (list_of(column[some].tolist()) for column in (store_keys, passed))
        session.execute(text(_GO_BY), {"keys": keys, "passed": times})


_GO_BY = """
    UPDATE store_ahead AS a
    SET week_us = week_us - passed, month_us = month_us - passed, quarter_us = quarter_us - passed
    FROM unnest(CAST(:keys AS int[]), CAST(:passed AS bigint[])) AS p(store_key, passed)
    WHERE a.store_key = p.store_key
"""
_FRESH = f"""
    SELECT store_key, (CAST(:names AS text[]))[number] AS zone, {", ".join(TIMES)}
    FROM unnest(CAST(:keys AS int[]), CAST(:zone AS int[]),
        {", ".join(f"CAST(:{name} AS bigint[])" for name in TIMES)})
        AS f(store_key, number, {", ".join(TIMES)})
"""
_FORGET = (
    f"DELETE FROM store_ahead USING ({_FRESH}) AS f WHERE store_ahead.store_key = f.store_key AND f.zone = ''"
)
_KEEP = f"""
    INSERT INTO store_ahead AS a (store_key, {", ".join(_FIGURES)})
    SELECT * FROM ({_FRESH}) AS f WHERE zone <> ''
    ON CONFLICT (store_key) DO UPDATE
    SET ({", ".join(_FIGURES)}) = ({", ".join(f"excluded.{name}" for name in _FIGURES)})
    WHERE ({", ".join(f"a.{name}" for name in _FIGURES)})
        IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _FIGURES)})
"""


def _values(store_keys: Keys, zone: list[str], ahead: Int64) -> dict[str, Any]:
    times = {name: list_of(column) for name, column in zip(TIMES, ahead.T.tolist(), strict=True)}
    names = sorted(set(zone))
    number = {name: place for place, name in enumerate(names, 1)}  # a name would be sent for each store
    zones = list_of(number[name] for name in zone)
    return {"keys": list_of(store_keys.tolist()), "names": names, "zone": zones} | times


def differing(session: Session, store_keys: Keys, zone: list[str], ahead: Int64) -> int:
    """Of how many of the stores something else is kept."""
    kept = " AND ".join(f"a.{name} = f.{name}" for name in _FIGURES)
    query = f"""
        SELECT count(*) FROM ({_FRESH}) AS f LEFT JOIN store_ahead AS a USING (store_key)
        WHERE CASE f.zone WHEN '' THEN a.store_key IS NOT NULL ELSE ({kept}) IS NOT TRUE END
    """
    return int(session.execute(text(query), _values(store_keys, zone, ahead)).scalar_one())


def remove(session: Session, store_keys: Keys) -> None:
    """Forgets what lies ahead of stores, for there are no polls."""
    query = text("DELETE FROM store_ahead WHERE store_key = ANY(CAST(:keys AS int[]))")
    session.execute(query, {"keys": list_of(store_keys.tolist())})
