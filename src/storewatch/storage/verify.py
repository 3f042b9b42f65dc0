"""Proofs over the whole database: what the schema leaves to us is counted here."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_CHECKS = {
    "every poll belongs to a store": """
        SELECT count(*) FROM store_status AS p
        WHERE NOT EXISTS (SELECT FROM store AS s WHERE s.store_key = p.store_key)""",
    "every poll belongs to an import or was set by hand": """
        SELECT count(*) FROM store_status AS p WHERE p.import_no IS NOT NULL
        AND NOT EXISTS (SELECT FROM import AS i WHERE i.import_no = p.import_no)""",
    "every report row belongs to a report and a store": """
        SELECT count(*) FROM store_report AS t
        WHERE NOT EXISTS (SELECT FROM report AS r WHERE r.report_no = t.report_no
                          AND r.attempt = t.attempt AND r.status = 'complete')
        OR NOT EXISTS (SELECT FROM store AS s WHERE s.store_key = t.store_key)""",
    "every day and period of history belongs to a store": """
        SELECT count(*) FROM (SELECT store_key FROM store_day UNION SELECT store_key FROM store_period) AS d
        WHERE NOT EXISTS (SELECT FROM store AS s WHERE s.store_key = d.store_key)""",
    "every complete report has its rows": """
        SELECT count(*) FROM report AS r WHERE r.status = 'complete'
        AND (r.summary ->> 'stores')::bigint
            <> (SELECT count(*) FROM store_report AS t WHERE t.report_no = r.report_no)""",
    "the tally of each day is right": """
        SELECT count(*) FROM store_status_day AS d FULL JOIN (
            SELECT (timestamp_utc AT TIME ZONE 'UTC')::date AS day,
                   count(*) AS polls, max(timestamp_utc) AS newest
            FROM store_status GROUP BY 1
        ) AS found USING (day)
        WHERE coalesce(d.polls, 0) <> coalesce(found.polls, 0) OR d.polls > 0 AND d.newest <> found.newest""",
    "every store's first poll is right": """
        SELECT count(*) FROM store AS s LEFT JOIN (
            SELECT store_key, min(timestamp_utc) AS first FROM store_status GROUP BY store_key
        ) AS found USING (store_key), retention AS r
        WHERE s.first_poll_at IS DISTINCT FROM found.first
          AND (s.first_poll_at IS NULL OR s.first_poll_at >= r.polls_from::timestamp AT TIME ZONE 'UTC')""",
    "no poll is there that is not kept any more": """
        SELECT count(*) FROM store_status, retention
        WHERE timestamp_utc < polls_from::timestamp AT TIME ZONE 'UTC'""",
    "no poll that was deleted by hand is back": """
        SELECT count(*) FROM deleted_poll AS d JOIN store_status AS p USING (store_key, timestamp_utc)
        WHERE p.import_no IS NOT NULL""",
}


def verify(session: Session) -> list[tuple[str, int]]:
    """(what is checked, how many rows contradict it) for every check."""
    return [(name, int(session.execute(text(query)).scalar_one())) for name, query in _CHECKS.items()]
