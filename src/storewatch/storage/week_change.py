"""Weeks of opening hours: taking in what a file or a person says, from which local day on.

What is given for a store takes the place of its weeks from the earliest day given on: weeks that begin
before it stay, later ones go. A store's first week counts for all its past, so that every store with hours
has one from -infinity on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import from_us
from storewatch.domain.week_days import Course, Openings
from storewatch.domain.weekly import ALWAYS, NOT_SAID
from storewatch.storage.copying import Column, copy_rows
from storewatch.storage.db import raw


def begin(session: Session) -> None:
    """Makes room for the rows of an import, which may come in many batches."""
    raw(session).execute(
        "CREATE TEMP TABLE incoming_hours (store_key int, since int, day smallint, start_s int, end_s int)"
        " ON COMMIT DROP"
    )


def add(session: Session, columns: list[Column]) -> None:
    """Adds rows (store_key int32, since int32, day int16, start_s int32, end_s int32); `since` is a local day
    counted from 1970, `ALWAYS` or `NOT_SAID`.
    """
    copy_rows(raw(session), "COPY incoming_hours FROM STDIN (FORMAT binary)", [[*columns]])


def add_week(session: Session, store_key: int, since: int, openings: Iterable[tuple[int, int, int]]) -> None:
    """Adds one whole week, which may be empty: closed throughout. `give` makes the others."""
    codes = sorted({(day * 86_400 + start) * 86_401 + end for day, start, end in openings})
    values = [store_key, since, len(codes), codes]
    raw(session).execute(
        f"""
        INSERT INTO given_week SELECT store_key, {_DAY}, since <> {NOT_SAID}, rows, 0, codes
        FROM (SELECT %s::int AS store_key, %s::int AS since, %s::bigint AS rows, %s::bigint[] AS codes) AS i
        {_TODAY}
        """,
        values,
    )


# A row as one number, so that two weeks can be compared as sorted arrays.
_CODE = "((i.day * 86400::bigint + i.start_s) * 86401 + i.end_s)"
_TODAY = "JOIN local_today AS t USING (store_key)"
_DAY = f"""
    CASE since WHEN {NOT_SAID} THEN t.today WHEN {ALWAYS} THEN '-infinity' ELSE date '1970-01-01' + since END
"""


def give(session: Session, now_us: int, default_zone: str, store_key: int | None = None) -> None:
    """What was added as weeks, each from its local day on: that of the clock where nothing was said. With a
    key: of this store, to which `add_week` is to follow.
    """
    connection = raw(session)
    which = "SELECT DISTINCT store_key FROM incoming_hours" if store_key is None else "SELECT %s AS store_key"
    keys: list[object] = [] if store_key is None else [store_key]
    connection.execute("SELECT set_config('storewatch.default_zone', %s, true)", [default_zone])
    connection.execute(
        f"""
        CREATE TEMP TABLE local_today ON COMMIT DROP AS
        SELECT store_key, (%s::timestamptz AT TIME ZONE
                   clock_zone(coalesce(z.timezone_str, default_zone())))::date AS today
        FROM ({which}) AS k LEFT JOIN store_timezone AS z USING (store_key)
        """,
        [from_us(now_us), *keys],
    )
    connection.execute(
        "CREATE TEMP TABLE given_week (store_key int, valid_from date, said boolean, rows bigint,"
        " doubles bigint, codes bigint[]) ON COMMIT DROP"
    )
    if store_key is None:
        connection.execute(_GIVE)


_GIVE = f"""
    INSERT INTO given_week
    SELECT store_key, {_DAY} AS valid_from, bool_or(since <> {NOT_SAID}), count(DISTINCT {_CODE}),
           count(*) - count(DISTINCT {_CODE}), array_agg(DISTINCT {_CODE} ORDER BY {_CODE})
    FROM incoming_hours AS i {_TODAY} GROUP BY 1, 2
"""


def take(session: Session, import_no: int | None) -> dict[str, int]:
    """Writes what was given. Counts rows: new, corrected, unchanged.

    Rows of a store without hours are new, those of a store some week of which changes corrected, all
    others unchanged, and so is a row that came twice.
    """
    connection = raw(session)
    steps = (_INDEX.format("given_week"), _BEFORE, _INDEX.format("week_before"), _AFTER)
    for statement in (*steps, _INDEX.format("week_after"), _CHANGE):
        connection.execute(statement)
    counts = connection.execute(_COUNT).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has a row
    connection.execute(_DROP)
    connection.execute(_ADD, [import_no])
    connection.execute(_ADD_ROWS)
    return dict(zip(("new", "corrected", "unchanged"), counts, strict=True))


_INDEX = "CREATE INDEX ON {0} (store_key); ANALYZE {0}"
_BEFORE = f"""
    CREATE TEMP TABLE week_before ON COMMIT DROP AS
    SELECT h.store_key, h.week_no, h.valid_from, lead(h.valid_from, 1, 'infinity')
               OVER (PARTITION BY h.store_key ORDER BY h.valid_from) AS until,
           coalesce(array_agg({_CODE} ORDER BY {_CODE}) FILTER (WHERE i.week_no IS NOT NULL),
                    ARRAY[]::bigint[]) AS codes
    FROM hours_week AS h LEFT JOIN menu_hours AS i USING (week_no)
    WHERE h.store_key IN (SELECT store_key FROM given_week)
    GROUP BY h.store_key, h.week_no, h.valid_from
"""
# A week that follows an equal one is none. Of stores that are to stay as they are nothing is here.
_AFTER = """
    CREATE TEMP TABLE week_after ON COMMIT DROP AS
    WITH first AS (
        SELECT g.store_key, min(g.valid_from) AS valid_from FROM given_week AS g
        WHERE g.said OR NOT EXISTS (
            SELECT FROM week_before AS b WHERE b.store_key = g.store_key AND b.codes = g.codes
            AND g.valid_from >= b.valid_from AND g.valid_from < b.until)
        GROUP BY g.store_key
    ), course AS (
        SELECT b.store_key, b.valid_from, b.codes
        FROM week_before AS b JOIN first AS f USING (store_key) WHERE b.valid_from < f.valid_from
        UNION ALL
        SELECT g.store_key, CASE WHEN g.valid_from > f.valid_from THEN g.valid_from
                                 WHEN EXISTS (SELECT FROM week_before AS b WHERE b.store_key = g.store_key)
                                 THEN g.valid_from ELSE '-infinity' END, g.codes
        FROM given_week AS g JOIN first AS f USING (store_key)
    )
    SELECT store_key, valid_from, codes
    FROM (SELECT *, lag(codes) OVER (PARTITION BY store_key ORDER BY valid_from) AS last FROM course) AS c
    WHERE codes IS DISTINCT FROM last
"""
# What of both is not in the other, by store: the weeks to drop and to add, and where the change begins.
_CHANGE = """
    CREATE TEMP TABLE week_change ON COMMIT DROP AS
    SELECT store_key, coalesce(a.valid_from, b.valid_from) AS valid_from, b.week_no, a.codes
    FROM week_after AS a
    FULL JOIN (SELECT * FROM week_before WHERE store_key IN (SELECT store_key FROM week_after)) AS b
        USING (store_key, valid_from, codes)
    WHERE a.ctid IS NULL OR b.week_no IS NULL
"""
_COUNT = """
    SELECT coalesce(sum(rows) FILTER (WHERE c.store_key IS NOT NULL AND b.store_key IS NULL), 0)::bigint,
           coalesce(sum(rows) FILTER (WHERE c.store_key IS NOT NULL AND b.store_key IS NOT NULL), 0)::bigint,
           coalesce(sum(rows) FILTER (WHERE c.store_key IS NULL), 0)::bigint
               + coalesce(sum(doubles), 0)::bigint
    FROM given_week AS g
    LEFT JOIN (SELECT DISTINCT store_key FROM week_change) AS c USING (store_key)
    LEFT JOIN (SELECT DISTINCT store_key FROM week_before) AS b USING (store_key)
"""
_DROP = "DELETE FROM hours_week AS w USING week_change AS c WHERE w.week_no = c.week_no"
_ADD = """
    INSERT INTO hours_week (store_key, valid_from, import_no)
    SELECT store_key, valid_from, %s FROM week_change WHERE week_no IS NULL
"""
_ADD_ROWS = """
    INSERT INTO menu_hours (week_no, day, start_s, end_s)
    SELECT w.week_no, code / 86401 / 86400, code / 86401 % 86400, code % 86401
    FROM week_change AS c
    JOIN hours_week AS w USING (store_key, valid_from)
    CROSS JOIN unnest(c.codes) AS code
    WHERE c.week_no IS NULL
"""


def forget(session: Session, store_key: int) -> None:
    """Takes the weeks of a store away, after `give` for it: it is open 24 x 7 then."""
    connection = raw(session)
    connection.execute("INSERT INTO given_week SELECT %s, '-infinity', true, 0, 0", [store_key])
    connection.execute(_BEFORE)
    connection.execute(
        "CREATE TEMP TABLE week_after (store_key int, valid_from date, codes bigint[]) ON COMMIT DROP"
    )
    connection.execute(
        "CREATE TEMP TABLE week_change ON COMMIT DROP AS"
        " SELECT store_key, valid_from, week_no FROM week_before"
    )
    connection.execute(_DROP)


@dataclass(frozen=True)
class Past:
    """A store whose hours change on days before today: its weeks before and after, the local day of its first
    poll, and today, as days counted from 1970.
    """

    before: Course
    after: Course
    first: int
    today: int


def changed_from(session: Session) -> tuple[Int64, Int64]:
    """Keys of the stores that `take` changed, and the instants, in microseconds, of the local midnights at
    which their hours begin to be others; far in the past for all time.
    """
    rows = raw(session).execute(_CHANGED_FROM).fetchall()
    keys, moments = (np.array([row[part] for row in rows], np.int64) for part in range(2))
    return keys, moments


_CHANGED_FROM = f"""
    SELECT store_key, CASE WHEN isfinite(valid_from) THEN (extract(epoch FROM local_to_utc(
               valid_from::timestamp, coalesce(z.timezone_str, default_zone()))) * 1000000)::bigint
           ELSE {-(1 << 60)} END
    FROM (SELECT store_key, min(valid_from) AS valid_from FROM week_change GROUP BY store_key) AS c
    LEFT JOIN store_timezone AS z USING (store_key) ORDER BY store_key
"""


def past(session: Session) -> Iterator[Past]:
    """The stores whose hours `take` changed for days before today, on which they had been polled or might
    have been.
    """
    for first, today, before, after in raw(session).execute(_PAST).fetchall():
        yield Past(_course(before), _course(after), first, today)


_COURSE = """
    json_agg(json_build_array(greatest(w.valid_from, '1970-01-01') - date '1970-01-01', w.codes)
             ORDER BY w.valid_from)
"""
_PAST = f"""
    SELECT c.first_day - date '1970-01-01', c.today - date '1970-01-01',
           (SELECT {_COURSE} FROM week_before AS w WHERE w.store_key = c.store_key),
           (SELECT {_COURSE} FROM week_after AS w WHERE w.store_key = c.store_key)
    FROM (
        SELECT store_key, min(valid_from) AS valid_from, min(t.today) AS today,
               CASE WHEN min(s.first_poll_at) IS NOT NULL THEN greatest(
                   (min(s.first_poll_at) AT TIME ZONE clock)::date,
                   ((min(r.polls_from)::timestamp AT TIME ZONE 'UTC' + interval '1 day') AT TIME ZONE clock
                       + interval '1 day' - interval '1 microsecond')::date) END AS first_day
        FROM week_change {_TODAY}
        JOIN store AS s USING (store_key)
        LEFT JOIN store_timezone AS z USING (store_key)
        CROSS JOIN LATERAL (SELECT clock_zone(coalesce(z.timezone_str, default_zone())) AS clock) AS c
        CROSS JOIN retention AS r  -- days before are frozen
        GROUP BY store_key, clock
    ) AS c
    WHERE c.valid_from < c.today AND c.first_day < c.today
"""


def _course(weeks: list[tuple[int, list[int]]] | None) -> Course:
    return [(since, _openings(codes)) for since, codes in weeks or []]


def _openings(codes: list[int]) -> Openings:
    return tuple((code // 86_401 // 86_400, code // 86_401 % 86_400, code % 86_401) for code in codes)


def days_without_hours(session: Session, store_ids: list[str], days: list[int]) -> list[tuple[str, int]]:
    """Those of the given (store, weekday) pairs that count as closed: the store came in this import, and
    a week that came for it has nothing on that day.
    """
    rows = raw(session).execute(
        """
        SELECT DISTINCT store_id, r.day FROM unnest(%s ::text[], %s ::smallint[]) AS r(store_id, day)
        JOIN store AS s USING (store_id)
        JOIN given_week AS g USING (store_key)
        WHERE NOT EXISTS (SELECT FROM unnest(g.codes) AS code WHERE code / 86401 / 86400 = r.day)
        ORDER BY store_id, r.day
        """,
        [store_ids, days],
    )
    return [(row[0], row[1]) for row in rows]
