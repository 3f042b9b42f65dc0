"""The page of the fleet in SQL: the stores that may be seen and are asked for, with how they stand; counted,
added up, sorted, paged.

Archived stores are left out. A store that has no row of figures yet is unseen, and nothing of it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.clock import to_us
from storewatch.domain.cost import Lost
from storewatch.domain.standing import SPANS
from storewatch.storage.sight import mine
from storewatch.storage.store_now import COLUMNS, MEASURES

SORTS = ("name", "state", "since", "outages", "down", "availability", "coverage", "lost", "unknown")


@dataclass(frozen=True)
class Which:
    """The stores that are asked for, of those that somebody may see; None asks for nothing."""

    seen_by: int | None
    default_zone: str
    q: str | None = None
    group_id: UUID | None = None
    platform: str | None = None
    zone: str | None = None
    state: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The parameters."""
        like = None if self.q is None else f"%{_escaped(self.q)}%"
        asked = {"group_id": self.group_id, "platform": self.platform, "zone": self.zone, "state": self.state}
        given = {"default_zone": self.default_zone, "seen_by": self.seen_by, "q": like} | asked
        return given

    def source(self, *, any_state: bool = False) -> str:
        """FROM and WHERE: `s` the store, `z` its zone, `n` how it stands."""
        asked = [condition for name, condition in _ASKED.items() if getattr(self, name) is not None]
        if self.state is not None and not any_state:
            asked.append("coalesce(n.state, 'unseen') = :state")
        return _FROM + "".join(f" AND {each}" for each in (mine(self.seen_by), *asked))


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_FROM = """
    FROM store AS s LEFT JOIN store_timezone AS z USING (store_key) LEFT JOIN store_now AS n USING (store_key)
    WHERE s.archived_from IS NULL
"""
_ZONE = "coalesce(z.timezone_str, :default_zone)"
_ASKED = {
    "q": "(s.store_id ILIKE :q OR s.name ILIKE :q OR s.location ILIKE :q)",
    "group_id": """s.store_key IN (
        SELECT store_key FROM group_store JOIN store_group USING (group_no) WHERE group_id = :group_id)""",
    "platform": "s.platform = :platform",
    "zone": f"{_ZONE} = :zone",
}


def _execute(session: Session, query: str, which: Which, **values: Any) -> list[Any]:
    return list(session.execute(text(query), which.values | values).all())


# --- counts and sums ------------------------------------------------------------------------------


@dataclass(frozen=True)
class ByState:
    """Stores of a state: how many, how many of them whose figures are not of T or are due, of how many it is
    known what they take, and `sums`, by span and as in `store_now.MEASURES`.
    """

    state: str
    stores: int
    stale: int
    priced: int
    sums: list[list[int]]


_SUMS = ", ".join(f"coalesce(sum(n.{name}), 0)::bigint" for name in COLUMNS)


def by_state(session: Session, which: Which, as_of: datetime | None) -> list[ByState]:
    """Of the stores that are asked for by all but their state."""
    rows = _execute(
        session,
        f"""
        WITH due AS MATERIALIZED (
            SELECT coalesce(range_agg(int8range(first_key, last_key, '[]')), '{{}}') AS keys FROM history_due)
        SELECT coalesce(n.state, 'unseen'), count(*),
               count(*) FILTER (WHERE n.as_of IS DISTINCT FROM CAST(:as_of AS timestamptz)
                                OR s.store_key::bigint <@ (SELECT keys FROM due)),
               count(n.lost_den), {_SUMS}
        {which.source(any_state=True)} GROUP BY 1""",
        which,
        as_of=as_of,
    )
    return [
        ByState(state, stores, stale, priced, _by_span(sums)) for state, stores, stale, priced, *sums in rows
    ]


def _by_span(figures: list[int]) -> list[list[int]]:
    """Of `store_now.COLUMNS`: the measures of each span."""
    size = len(MEASURES)
    return [figures[at : at + size] for at in range(0, len(figures), size)]


def lost(session: Session, which: Which) -> list[Lost] | None:
    """What the downtime of the stores that are asked for costs, by span; None if nobody knows of any."""
    whole, seen = (
        ", ".join(f"sum(n.{name}[{place}])" for place in range(1, len(SPANS) + 1))
        for name in ("lost_num", "lost_seen_num")
    )
    rows = _execute(
        session,
        f"SELECT n.lost_den, {whole}, {seen} {which.source()} AND n.lost_den IS NOT NULL GROUP BY 1",
        which,
    )
    if not rows:
        return None
    count = len(SPANS)
    told = [[Fraction(0)] * count for _ in range(2)]
    for of, *parts in rows:
        for place in range(count):
            told[0][place] += Fraction(int(parts[place]), int(of))
            told[1][place] += Fraction(int(parts[count + place]), int(of))
    return [Lost(*each) for each in zip(*told, strict=True)]


# --- rows -----------------------------------------------------------------------------------------


class Named(NamedTuple):
    """A store as it is called."""

    store_key: int
    store_id: str
    name: str | None
    location: str | None
    platform: str | None


@dataclass(frozen=True)
class Line:
    """How a store stands; `sums` by span as in `store_now.MEASURES`, `known` False: there is no row yet."""

    store: Named
    zone: str
    state: str
    since: int | None
    known: bool
    sums: list[list[int]]
    lost: list[Lost] | None


_NAMED = ", ".join(f"s.{name}" for name in Named._fields)
_FIGURES = ", ".join(f"n.{name}" for name in COLUMNS)
_LINE = f"""
    SELECT {_NAMED}, {_ZONE} AS zone, coalesce(n.state, 'unseen') AS state, n.since,
           n.lost_num, n.lost_seen_num, n.lost_den, {_FIGURES}
"""
_UP = "(n.up_seen_{days}d_us + n.up_inferred_{days}d_us)"
_DOWN = "(n.down_seen_{days}d_us + n.down_inferred_{days}d_us)"
_OPEN = f"({_UP} + {_DOWN} + n.unknown_{{days}}d_us + n.excluded_{{days}}d_us)"
_STATES = "ARRAY['up', 'closed', 'excluded', 'unseen', 'down']"  # by how much they ask for a look
_BY = {
    "name": 's.name COLLATE "C"',
    "state": f"array_position({_STATES}, coalesce(n.state, 'unseen'))",
    "since": "n.since",
    "outages": "n.outages_{days}d",
    "down": _DOWN,
    "availability": f"{_UP}::float8 / nullif({_UP} + {_DOWN}, 0)",
    "coverage": f"(n.up_seen_{{days}}d_us + n.down_seen_{{days}}d_us)::float8 / nullif({_OPEN}, 0)",
    "lost": "n.lost_num[{at}] / n.lost_den",
    "unknown": "n.unknown_{days}d_us",
}


def page(
    session: Session, which: Which, sort: str, days: int, descending: bool, first: int, count: int
) -> list[Line]:
    """So many of the stores that are asked for, from the `first` one on (0 is the very first). Those of which
    the figure is not known come last, alike ones by id in code point order.
    """
    order = f"{{figure}} {'DESC' if descending else 'ASC'} NULLS LAST, {{store}}.store_id"
    chosen = f"""
        SELECT s.store_key, s.store_id, {_at(_BY[sort], days)} AS figure {which.source()}
        ORDER BY {order.format(figure="figure", store="s")} LIMIT :count OFFSET :first
    """  # few columns are soon sorted, so the others are fetched of the chosen ones alone
    query = f"""
        {_LINE} FROM ({chosen}) AS p JOIN store AS s USING (store_key)
        LEFT JOIN store_timezone AS z USING (store_key) LEFT JOIN store_now AS n USING (store_key)
        ORDER BY {order.format(figure="p.figure", store="p")}
    """
    return [_line(row) for row in _execute(session, query, which, count=count, first=first)]


def worst_down(session: Session, which: Which, count: int) -> list[Line]:
    """So many stores that are down: those first that lost most today, in money where it is known, else in
    time.
    """
    order = f"{_at(_BY['lost'], 1)} DESC NULLS LAST, {_at(_DOWN, 1)} DESC, s.store_id"
    query = f"{_LINE} {which.source(any_state=True)} AND n.state = 'down' ORDER BY {order} LIMIT :count"
    return [_line(row) for row in _execute(session, query, which, count=count)]


def _at(expression: str, days: int) -> str:
    return expression.format(days=days, at=SPANS.index(days) + 1)


def _line(row: Any) -> Line:
    size = len(Named._fields)
    zone, state, since, num, seen_num, of, *figures = row[size:]
    known = figures[0] is not None
    costs = of and [
        Lost(Fraction(int(whole), int(of)), Fraction(int(seen), int(of)))
        for whole, seen in zip(num, seen_num, strict=True)
    ]
    return Line(
        Named(*row[:size]),
        zone,
        state,
        since and to_us(since),
        known,
        _by_span([each or 0 for each in figures]),
        costs or None,
    )


# --- what there is to choose from -----------------------------------------------------------------


def count(session: Session, seen_by: int | None, most: int) -> int:
    """How many stores somebody sees, counted up to so many."""
    few = f"SELECT FROM store AS s WHERE s.archived_from IS NULL AND {mine(seen_by)} LIMIT :most"
    values = {"most": most} if seen_by is None else {"most": most, "seen_by": seen_by}
    return int(session.execute(text(f"SELECT count(*) FROM ({few}) AS few"), values).scalar_one())


def options(session: Session, seen_by: int | None, default_zone: str) -> tuple[list[str], list[str]]:
    """The platforms and the zones of the stores that somebody sees, each in order."""
    which = Which(seen_by, default_zone)
    rows = _execute(session, f"SELECT DISTINCT s.platform, {_ZONE} {which.source()}", which)
    return sorted({row[0] for row in rows if row[0]}), sorted({row[1] for row in rows})


# --- the days of somebody's groups ----------------------------------------------------------------


def groups_of(session: Session, account_no: int) -> list[int]:
    """The numbers of somebody's groups."""
    query = text("SELECT group_no FROM membership WHERE account_no = :account_no ORDER BY group_no")
    return list(session.execute(query, {"account_no": account_no}).scalars())


def in_several(session: Session, groups: list[int]) -> dict[int, list[int]]:
    """The stores (keys) that are in several of some groups, by in how many."""
    query = text("""
        SELECT times, array_agg(store_key) FROM (
            SELECT store_key, count(*) AS times FROM group_store
            WHERE group_no = ANY(CAST(:groups AS int[])) GROUP BY store_key HAVING count(*) > 1) AS g
        GROUP BY times
    """)
    return {row[0]: row[1] for row in session.execute(query, {"groups": groups})}
