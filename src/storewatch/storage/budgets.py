"""incident of kind budget: which service levels are watched, and which incidents of theirs are going on.

An incident is of a level and of the period that begins on the UTC day of `began_at`: there is never another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.storage import queue
from storewatch.storage.history import PRIORITY, QUEUE
from storewatch.storage.incidents import Saying

TASK = "look_at_budgets"
SHARE = 80
"""Per cent of the budget of a level that is no group's business, from which on whoever sees all is told."""

_LOCK = 0x53574255


@dataclass(frozen=True)
class Watched:
    """A level; from which shares of its budget, in per cent, somebody is to be told; and those that were, by
    the first days, counted from 1970, of the periods whose incidents are going on.
    """

    level_no: int
    shares: Sequence[int]
    going_on: dict[int, set[int]]


def is_any(session: Session) -> bool:
    """Whether there is a service level."""
    return bool(session.execute(text("SELECT EXISTS (SELECT FROM service_level)")).scalar())


def look_at(session: Session, at_us: int) -> None:
    """Has budgets looked at from an instant on, once."""
    queue.defer_once(session, QUEUE, TASK, PRIORITY, from_us(at_us))


def lock(session: Session) -> None:
    """Waits until nobody else writes what was seen, and keeps others waiting until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def watched(session: Session) -> list[Watched]:
    """The levels that are to be looked at."""
    shares = {row.level_no: row.shares for row in session.execute(text(_SHARES), {"share": SHARE})}
    going_on: dict[int, dict[int, set[int]]] = {}
    for row in session.execute(text(_GOES_ON)):
        going_on.setdefault(row.level_no, {})[to_us(row.began_at) // DAY] = set(row.told)
    numbers = sorted(shares.keys() | going_on.keys())
    return [Watched(number, shares.get(number, ()), going_on.get(number, {})) for number in numbers]


_SHARES = """
    WITH asked AS (
        SELECT DISTINCT l.level_no,
            CASE WHEN g.group_no IS NULL THEN :share ELSE r.budget_percent END AS share
        FROM service_level AS l
        LEFT JOIN group_store AS s ON s.store_key = l.store_key
        LEFT JOIN store_group AS g ON g.group_no = coalesce(l.group_no, s.group_no)
        LEFT JOIN alert_rule AS r ON r.group_no = g.group_no
    )
    SELECT level_no, array_agg(share ORDER BY share) AS shares FROM asked WHERE share IS NOT NULL
    GROUP BY level_no
"""
_GOES_ON = """
    SELECT i.level_no, i.began_at, coalesce(array_agg(n.step) FILTER (WHERE n.kind = 'begun'), '{}') AS told
    FROM incident AS i LEFT JOIN notice AS n USING (incident_no)
    WHERE i.kind = 'budget' AND i.ended_at IS NULL
    GROUP BY i.incident_no
"""


def begin(
    session: Session, day: Mapping[int, int], reached: Mapping[int, Sequence[int]], now_us: int
) -> list[Saying]:
    """What is to be said, by level number, of the periods that begin on a day and of the shares that were
    reached. A period of which there was an incident gets no other, one that is over is not told any more.
    """
    values = {
        "levels": list(day),
        "began": [from_us(each * DAY).isoformat() for each in day.values()],
        "now": from_us(now_us),
    }
    session.execute(text(_BEGIN), values)
    rows = session.execute(text(_GOING_ON), values)
    return [Saying(row.incident_no, "begun", share) for row in rows for share in reached[row.level_no]]


_PERIODS = """
    unnest(CAST(:levels AS int[]), CAST(:began AS timestamptz[])) AS b(level_no, began_at)
"""
_BEGIN = f"""
    INSERT INTO incident (kind, level_no, began_at, noticed_at)
    SELECT 'budget', level_no, b.began_at, greatest(b.began_at, :now)
    FROM {_PERIODS} JOIN service_level USING (level_no)
    ON CONFLICT DO NOTHING
"""
_GOING_ON = f"""
    SELECT i.incident_no, i.level_no FROM incident AS i JOIN {_PERIODS} USING (level_no, began_at)
    WHERE i.kind = 'budget' AND i.ended_at IS NULL
"""


def end(session: Session, over: Sequence[tuple[int, int]], now_us: int) -> list[Saying]:
    """Incidents of periods that are over: (level number, first day)."""
    values = {
        "levels": [level_no for level_no, _ in over],
        "began": [from_us(day * DAY).isoformat() for _, day in over],
        "now": from_us(now_us),
    }
    return [Saying(number, "ended") for number in session.execute(text(_END), values).scalars()]


_END = f"""
    UPDATE incident AS i SET ended_at = greatest(:now, i.noticed_at) FROM {_PERIODS}
    WHERE i.level_no = b.level_no AND i.began_at = b.began_at AND i.kind = 'budget' AND i.ended_at IS NULL
    RETURNING i.incident_no
"""
