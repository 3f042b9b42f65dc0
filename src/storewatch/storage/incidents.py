"""incident and notice: what people are told of, from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.clock import from_us

MASS_PERCENT, MASS_WITHIN, MASS_LEAST = 30, 15, 5
"""Of a group without a rule: more than so many per cent of its open stores that went down within so many
minutes are told together. At least so many stores are many.
"""


@dataclass(frozen=True)
class Saying:
    """What is to be said of an incident: `kind` begun, still or ended; `step` tells those of a kind apart."""

    incident_no: int
    kind: str
    step: int = 0


# --- a store --------------------------------------------------------------------------------------


def ongoing(session: Session, store_keys: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """By store: the number of its incident that is going on, and whether it is meant to be."""
    query = text("""
        SELECT store_key, incident_no, intended FROM incident
        WHERE kind = 'down' AND ended_at IS NULL AND store_key = ANY(CAST(:keys AS int[]))
    """)
    rows = session.execute(query, {"keys": list(store_keys)})
    return {row.store_key: (row.incident_no, row.intended) for row in rows}


def begin(
    session: Session, began: Mapping[int, int], reasons: Mapping[int, str], meant: Iterable[int], now_us: int
) -> list[Saying]:
    """Incidents of stores, by when each began; those that are `meant` are noted and not told."""
    keys, wanted = list(began), set(meant)
    values = {
        "keys": keys,
        "began": [from_us(began[key]).isoformat() for key in keys],
        "reasons": [reasons.get(key) for key in keys],
        "meant": [key in wanted for key in keys],
        "now": from_us(now_us),
    }
    rows = session.execute(text(_BEGIN), values).all()
    return [Saying(row.incident_no, "begun") for row in rows if not row.intended]


_BEGIN = """
    INSERT INTO incident (kind, store_key, began_at, noticed_at, reason, intended)
    SELECT 'down', b.store_key, least(b.began_at, :now), :now, b.reason, b.meant
    FROM unnest(CAST(:keys AS int[]), CAST(:began AS timestamptz[]), CAST(:reasons AS text[]),
                CAST(:meant AS boolean[])) AS b(store_key, began_at, reason, meant)
    RETURNING incident_no, intended
"""


def no_longer_meant(session: Session, numbers: Sequence[int]) -> list[Saying]:
    """Incidents that were meant to be and are not any more: now they are told."""
    query = text(
        "UPDATE incident SET intended = false WHERE incident_no = ANY(:numbers) RETURNING incident_no"
    )
    return [
        Saying(number, "begun") for number in session.execute(query, {"numbers": list(numbers)}).scalars()
    ]


def correct(session: Session, began: Mapping[int, int]) -> None:
    """Late polls told when incidents really began."""
    if began:
        session.execute(
            text("""
                UPDATE incident AS i SET began_at = b.began_at
                FROM unnest(CAST(:numbers AS bigint[]), CAST(:began AS timestamptz[])) AS b(number, began_at)
                WHERE i.incident_no = b.number AND i.began_at <> b.began_at
            """),
            {"numbers": list(began), "began": [from_us(at).isoformat() for at in began.values()]},
        )


def end(session: Session, numbers: Sequence[int], now_us: int) -> list[Saying]:
    """Incidents that are over."""
    query = text("""
        UPDATE incident SET ended_at = greatest(:now, noticed_at) WHERE incident_no = ANY(:numbers)
        RETURNING incident_no, intended
    """)
    rows = session.execute(query, {"numbers": list(numbers), "now": from_us(now_us)}).all()
    return [Saying(row.incident_no, "ended") for row in rows if not row.intended]


def end_of_archived(session: Session, now_us: int) -> None:
    """Of archived stores nothing more is told."""
    session.execute(
        text("""
            UPDATE incident AS i SET ended_at = greatest(:now, noticed_at) FROM store AS s
            WHERE s.store_key = i.store_key AND s.archived_from <= current_date AND i.ended_at IS NULL
        """),
        {"now": from_us(now_us)},
    )


def still(session: Session, now_us: int) -> list[Saying]:
    """What is to be said of stores that are still down after so many minutes as a group of theirs asks."""
    rows = session.execute(text(_STILL), {"now": from_us(now_us)})
    return [Saying(row.incident_no, "still", row.step) for row in rows]


_STILL = """
    SELECT i.incident_no, max(m.step) AS step
    FROM incident AS i
    JOIN store_watch AS w ON w.store_key = i.store_key AND w.state = 'down'
    JOIN group_store AS g ON g.store_key = i.store_key
    JOIN alert_rule AS r ON r.group_no = g.group_no
    CROSS JOIN unnest(r.still_down_after) AS m(step)
    WHERE i.kind = 'down' AND i.ended_at IS NULL AND NOT i.intended AND i.acknowledged_at IS NULL
      AND i.began_at + make_interval(mins => m.step) <= :now
      AND (i.snoozed_until IS NULL OR i.snoozed_until <= :now)
    GROUP BY i.incident_no
    HAVING NOT EXISTS (
        SELECT FROM notice AS n
        WHERE n.incident_no = i.incident_no AND n.kind = 'still' AND n.step >= max(m.step))
"""

# --- many stores of a group -----------------------------------------------------------------------


def join_masses(session: Session) -> None:
    """Stores that go down while many of a group are down are told with these."""
    session.execute(
        text("""
            UPDATE incident AS i SET mass_no = m.incident_no
            FROM incident AS m JOIN group_store AS g USING (group_no)
            WHERE m.kind = 'mass' AND m.ended_at IS NULL AND i.kind = 'down' AND i.ended_at IS NULL
              AND i.store_key = g.store_key AND i.mass_no IS NULL AND i.noticed_at >= m.noticed_at
              AND NOT i.intended
        """)
    )


def begin_masses(session: Session, now_us: int) -> list[Saying]:
    """Incidents of groups of which many stores went down lately, the largest first."""
    values = {
        "now": from_us(now_us),
        "percent": MASS_PERCENT,
        "within": MASS_WITHIN,
        "least": MASS_LEAST,
    }
    numbers = list(session.execute(text(_BEGIN_MASSES), values).scalars())
    for number in sorted(numbers):  # one by one: a store in two groups is told with the first of them
        session.execute(text(_TAKE_IN), values | {"number": number})
    return [Saying(number, "begun") for number in numbers]


_LATELY = """
    i.kind = 'down' AND i.ended_at IS NULL AND NOT i.intended AND i.mass_no IS NULL
    AND i.noticed_at >= :now - make_interval(mins => coalesce(r.mass_within, :within))
"""
_BEGIN_MASSES = f"""
    WITH down AS (
        SELECT g.group_no, count(*) AS stores, min(i.began_at) AS began_at
        FROM incident AS i
        JOIN group_store AS g USING (store_key)
        LEFT JOIN alert_rule AS r ON r.group_no = g.group_no
        WHERE {_LATELY} AND (r.group_no IS NULL OR r.mass_percent IS NOT NULL)
        GROUP BY g.group_no
        HAVING count(*) >= :least
    )
    INSERT INTO incident (kind, group_no, began_at, noticed_at)
    SELECT 'mass', d.group_no, d.began_at, :now
    FROM down AS d LEFT JOIN alert_rule AS r USING (group_no)
    WHERE d.stores * 100 > coalesce(r.mass_percent, :percent) * (
        SELECT count(*) FROM store_watch AS w JOIN group_store AS g USING (store_key)
        WHERE g.group_no = d.group_no AND w.state <> 'closed')
    ORDER BY d.stores DESC, d.group_no
    ON CONFLICT DO NOTHING
    RETURNING incident_no
"""
_TAKE_IN = f"""
    UPDATE incident AS i SET mass_no = m.incident_no
    FROM incident AS m JOIN group_store AS g USING (group_no) LEFT JOIN alert_rule AS r USING (group_no)
    WHERE m.incident_no = :number AND g.store_key = i.store_key AND {_LATELY}
"""


def end_masses(session: Session, now_us: int) -> list[Saying]:
    """Incidents of groups of whose stores less than half are down still."""
    rows = session.execute(text(_END_MASSES), {"now": from_us(now_us)}).scalars()
    return [Saying(number, "ended") for number in rows]


_END_MASSES = """
    UPDATE incident AS m SET ended_at = greatest(:now, m.noticed_at)
    WHERE m.kind = 'mass' AND m.ended_at IS NULL AND (
        SELECT 2 * count(*) FILTER (WHERE i.ended_at IS NULL) < count(*)
        FROM incident AS i WHERE i.mass_no = m.incident_no)
    RETURNING m.incident_no
"""

# --- silence --------------------------------------------------------------------------------------


def begin_silence(session: Session, after_us: int, now_us: int) -> list[Saying]:
    """Incidents of groups, or of all, whose open stores all were live once and are not seen now, for so long
    as the group asks, and that of all for `after_us`. A group's is not told while nobody is seen at all.
    """
    values = {"now": from_us(now_us), "newest": from_us(now_us - after_us)}
    found = session.execute(text(_BEGIN_SILENCE_OF_ALL), values).scalars().all()
    if not found:
        found = session.execute(text(_BEGIN_SILENCE), values).scalars().all()
    return [Saying(number, "begun") for number in found]


_SILENT = """
    count(*) FILTER (WHERE w.state NOT IN ('closed', 'not_seen')) = 0
    AND count(*) FILTER (WHERE w.state = 'not_seen' AND w.live_at IS NOT NULL) > 0
"""
_BEGIN_SILENCE_OF_ALL = f"""
    INSERT INTO incident (kind, began_at, noticed_at)
    SELECT 'no_data', max(w.seen_at), :now FROM store_watch AS w
    HAVING {_SILENT} AND max(w.seen_at) <= :newest
    ON CONFLICT DO NOTHING
    RETURNING incident_no
"""
_BEGIN_SILENCE = f"""
    INSERT INTO incident (kind, group_no, began_at, noticed_at)
    SELECT 'no_data', r.group_no, max(w.seen_at), :now
    FROM alert_rule AS r JOIN group_store AS g USING (group_no) JOIN store_watch AS w USING (store_key)
    WHERE r.no_data_after IS NOT NULL
      AND NOT EXISTS (SELECT FROM incident WHERE kind = 'no_data' AND ended_at IS NULL AND group_no IS NULL)
    GROUP BY r.group_no
    HAVING {_SILENT} AND max(w.seen_at) <= :now - make_interval(mins => max(r.no_data_after))
    ON CONFLICT DO NOTHING
    RETURNING incident_no
"""


def end_silence(session: Session, now_us: int) -> list[Saying]:
    """Incidents of silence since which somebody was seen."""
    rows = session.execute(text(_END_SILENCE), {"now": from_us(now_us)}).scalars()
    return [Saying(number, "ended") for number in rows]


_END_SILENCE = """
    UPDATE incident AS i SET ended_at = greatest(:now, i.noticed_at)
    WHERE i.kind = 'no_data' AND i.ended_at IS NULL AND i.began_at < (
        SELECT max(w.seen_at) FROM store_watch AS w
        WHERE i.group_no IS NULL
           OR w.store_key IN (SELECT g.store_key FROM group_store AS g WHERE g.group_no = i.group_no))
    RETURNING i.incident_no
"""

# --- what is said ---------------------------------------------------------------------------------


def say(session: Session, sayings: Sequence[Saying]) -> list[int]:
    """The numbers of new notices; what was said already is not said again."""
    query = text("""
        INSERT INTO notice (incident_no, kind, step)
        SELECT * FROM unnest(CAST(:numbers AS bigint[]), CAST(:kinds AS text[]), CAST(:steps AS int[]))
        ON CONFLICT DO NOTHING RETURNING notice_no
    """)
    values = {
        "numbers": [each.incident_no for each in sayings],
        "kinds": [each.kind for each in sayings],
        "steps": [each.step for each in sayings],
    }
    return list(session.execute(query, values).scalars()) if sayings else []


# --- what is forgotten ----------------------------------------------------------------------------


def remove_ended_before(session: Session, before: datetime) -> int:
    """Removes incidents that ended before an instant with all that was said of them, and tests of channels.
    What is to be delivered still stays, and a mass outage as long as one of its stores. Returns how many
    incidents are gone.
    """
    gone = session.execute(text(_REMOVE), {"before": before}).scalars().all()
    session.execute(text(_REMOVE_TESTS), {"before": before})
    return len(gone)


_REMOVE = """
    WITH old AS (
        SELECT i.incident_no, i.mass_no FROM incident AS i
        WHERE i.ended_at < :before AND NOT EXISTS (
            SELECT FROM notice AS n JOIN delivery AS d USING (notice_no)
            WHERE n.incident_no = i.incident_no AND d.status IN ('waiting', 'held'))
    )
    DELETE FROM incident AS i USING old
    WHERE i.incident_no = old.incident_no AND NOT EXISTS (
        SELECT FROM incident AS own
        WHERE own.mass_no = i.incident_no AND own.incident_no NOT IN (SELECT incident_no FROM old))
    RETURNING i.incident_no
"""
_REMOVE_TESTS = """
    DELETE FROM delivery
    WHERE notice_no IS NULL AND created_at < :before AND status NOT IN ('waiting', 'held')
"""
