"""How the service stands, as its database knows it: the queue, the feed, the deliveries, the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

WORKS_WITHIN_S = 15
"""A worker says every 2 s that it is alive; one that said nothing for so long is not at work."""


@dataclass(frozen=True)
class Condition:
    """How it stands now. Ages in seconds, None if there is nothing that could have one.

    `waiting` and `running` are jobs by their queue; jobs that are for later do not wait. `oldest_s`: since
    when the oldest of them waits. `stalled` are running jobs whose worker is gone. `last_import_s`: since
    polls were last taken in; `last_feed_s`: since there were new ones among them, not of our own probe.
    `import_lag_s`: since when the oldest upload waits that is not taken in yet. `deliveries` are those to be
    sent, by `waiting` and `held`.
    """

    waiting: dict[str, int]
    running: dict[str, int]
    oldest_s: float
    stalled: int
    working: bool
    newest_poll_s: float | None
    last_import_s: float | None
    last_feed_s: float | None
    import_lag_s: float
    deliveries: dict[str, int]
    size: int

    @property
    def waits(self) -> int:
        """How many jobs wait."""
        return sum(self.waiting.values())


def now(session: Session) -> Condition:
    """How it stands, in one query that touches few rows, however many stores and polls there are."""
    row = session.execute(text(_NOW), {"works_within": f"{WORKS_WITHIN_S} s"}).one()
    return Condition(**row._mapping)


_AGE = "CAST(extract(epoch FROM clock_timestamp() - {}) AS float8)"

# Numbers of jobs grow: the first that waits without a time is the oldest of its kind, and one look at its
# events tells since when.
_NOW = f"""
    WITH job AS MATERIALIZED (
        SELECT j.id, j.queue_name, j.status, j.scheduled_at, j.task_name, j.args,
               j.status = 'doing'
                   AND coalesce(w.last_heartbeat < now() - CAST(:works_within AS interval), true) AS stalled
        FROM procrastinate_jobs AS j LEFT JOIN procrastinate_workers AS w ON w.id = j.worker_id
        WHERE j.status = 'doing' OR j.status = 'todo' AND coalesce(j.scheduled_at <= now(), true)
    ), by_queue AS (
        SELECT queue_name, count(*) FILTER (WHERE status = 'todo') AS waiting,
               count(*) FILTER (WHERE status = 'doing') AS running
        FROM job GROUP BY queue_name
    ), since AS (
        SELECT min(scheduled_at) AS at FROM job WHERE status = 'todo'
        UNION ALL
        SELECT min(e.at) FROM procrastinate_events AS e
        WHERE e.job_id = (SELECT min(id) FROM job WHERE status = 'todo' AND scheduled_at IS NULL)
    )
    SELECT
        coalesce((SELECT json_object_agg(queue_name, waiting) FROM by_queue), '{{}}') AS waiting,
        coalesce((SELECT json_object_agg(queue_name, running) FROM by_queue), '{{}}') AS running,
        coalesce((SELECT {_AGE.format("min(at)")} FROM since), 0) AS oldest_s,
        (SELECT count(*) FROM job WHERE stalled) AS stalled,
        EXISTS (SELECT FROM procrastinate_workers
                WHERE last_heartbeat > now() - CAST(:works_within AS interval)) AS working,
        (SELECT {_AGE.format("newest")} FROM store_status_day WHERE polls > 0 ORDER BY day DESC LIMIT 1)
            AS newest_poll_s,
        (SELECT {_AGE.format("finished_at")} FROM import WHERE kind = 'store_status'
         ORDER BY import_no DESC LIMIT 1) AS last_import_s,
        (SELECT {_AGE.format("finished_at")} FROM import
         WHERE kind = 'store_status' AND source <> 'probe' AND rows_new > 0
         ORDER BY import_no DESC LIMIT 1) AS last_feed_s,
        coalesce((SELECT {_AGE.format("min(u.created_at)")} FROM job AS j
                  JOIN upload AS u ON u.upload_id = CAST(j.args ->> 'upload_id' AS uuid)
                  WHERE j.task_name = 'take_upload'), 0) AS import_lag_s,
        (SELECT json_build_object('waiting', count(*) FILTER (WHERE status = 'waiting'),
                                  'held', count(*) FILTER (WHERE status = 'held'))
         FROM delivery WHERE status IN ('waiting', 'held')) AS deliveries,
        pg_database_size(current_database()) AS size
"""


@dataclass(frozen=True)
class Lacking:
    """How many stores there are that are not archived, and how many of them lack hours or a zone."""

    stores: int
    hours: int
    zone: int


def lacking(session: Session) -> Lacking:
    """What stores lack."""
    query = text("""
        SELECT count(*),
               count(*) FILTER (WHERE store_key NOT IN (SELECT store_key FROM hours_week)),
               count(*) FILTER (WHERE store_key NOT IN (SELECT store_key FROM store_timezone))
        FROM store WHERE archived_from IS NULL
    """)
    return Lacking(*session.execute(query).one())


def server_version(session: Session) -> str:
    """The server's version as it says it, such as `18.1`."""
    shown = session.execute(text("SELECT current_setting('server_version')")).scalar_one()
    return str(shown).partition(" ")[0]


def clock_us(session: Session) -> int:
    """The database's clock, in microseconds since 1970."""
    query = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
    return int(session.execute(query).scalar_one())


def zones_in_use(session: Session) -> list[str]:
    """The zones that stores are in, in order."""
    return list(
        session.execute(text("SELECT DISTINCT timezone_str FROM store_timezone ORDER BY 1")).scalars()
    )


def known_zones(session: Session, names: Sequence[str]) -> set[str]:
    """Those of some zones that the server knows."""
    query = text("SELECT name FROM pg_timezone_names WHERE name = ANY(CAST(:names AS text[]))")
    return set(session.execute(query, {"names": list(names)}).scalars())


def zone_offsets(session: Session, names: Sequence[str], instants_s: Sequence[int]) -> list[int]:
    """Local minus UTC in seconds as the server has it, of `names[i]` at `instants_s[i]` (UTC, since 1970)."""
    query = text("""
        SELECT CAST(extract(epoch FROM (at AT TIME ZONE zone) - (at AT TIME ZONE 'UTC')) AS integer)
        FROM (SELECT zone, to_timestamp(at_s) AS at, number
              FROM unnest(CAST(:names AS text[]), CAST(:instants AS bigint[]))
                   WITH ORDINALITY AS asked(zone, at_s, number)) AS asked
        ORDER BY number
    """)
    values = {"names": list(names), "instants": list(instants_s)}
    return list(session.execute(query, values).scalars())
