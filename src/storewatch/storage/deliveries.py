"""delivery: to whom a notice goes, and the jobs that bring it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.storage import queue

QUEUE = "alerts"
TASK = "deliver"


def send_later(session: Session, notices: Sequence[int]) -> list[int]:
    """Makes the deliveries of notices to all who are to hear of them, and defers a job for each."""
    if not notices:
        return []
    values = {"notices": list(notices)}
    numbers = [
        number
        for query in (_FIRST, _AGAIN)
        for number in session.execute(text(query), values).scalars()
    ]  # fmt: skip
    for number in numbers:
        queue.defer(session, QUEUE, TASK, delivery_no=number)
    return numbers


# Whose business an incident is: the groups of its store but that of which many went down at once, its own
# group, or that of its service level; and where it is nobody's, those who see everything. Groups of one store
# may ask for different shares of a budget: the beginning is told to each once.
_CONCERNED = """
    SELECT n.notice_no, n.incident_no, n.kind AS said, n.step, i.kind, g.group_no
    FROM notice AS n
    JOIN incident AS i USING (incident_no)
    LEFT JOIN incident AS m ON m.incident_no = i.mass_no
    LEFT JOIN service_level AS l ON l.level_no = i.level_no
    LEFT JOIN group_store AS s ON s.store_key = coalesce(i.store_key, l.store_key)
    LEFT JOIN store_group AS g ON g.group_no = coalesce(i.group_no, l.group_no, s.group_no)
    WHERE n.notice_no = ANY(:notices)
      AND (m.incident_no IS NULL OR s.group_no IS DISTINCT FROM m.group_no)
"""
_FIRST = f"""
    WITH concerned AS ({_CONCERNED}), asked AS (
        SELECT c.* FROM concerned AS c LEFT JOIN alert_rule AS r USING (group_no)
        WHERE CASE
            WHEN c.said = 'still' THEN c.step = ANY(r.still_down_after)
            WHEN c.kind = 'down' THEN coalesce(r.down, true)
            WHEN c.kind = 'mass' THEN r.group_no IS NULL OR r.mass_percent IS NOT NULL
            WHEN c.kind = 'budget' THEN c.group_no IS NULL OR c.step = r.budget_percent
            ELSE true END AND c.said <> 'ended'
    ), person AS (
        SELECT DISTINCT ON (c.incident_no, c.said, a.account_no) c.*, a.account_no
        FROM asked AS c
        JOIN membership AS p USING (group_no)
        JOIN account AS a ON a.account_no = p.account_no AND a.active
        WHERE NOT EXISTS (
            SELECT FROM alert_mute AS x WHERE x.account_no = a.account_no AND x.group_no = c.group_no)
        ORDER BY c.incident_no, c.said, a.account_no, c.notice_no, c.group_no
    ), overseer AS (
        SELECT c.*, a.account_no
        FROM asked AS c JOIN account AS a ON a.active AND a.role IN ('admin', 'operator')
        WHERE c.group_no IS NULL AND c.kind IN ('no_data', 'budget')
    ), reader AS (
        SELECT p.*, NULL::integer AS channel_no FROM person AS p
        UNION ALL SELECT o.*, NULL FROM overseer AS o
        UNION ALL
        SELECT c.*, NULL, h.channel_no
        FROM asked AS c JOIN alert_channel AS h ON h.group_no = c.group_no AND h.enabled
    )
    INSERT INTO delivery (notice_no, account_no, channel_no, group_no)
    SELECT w.notice_no, w.account_no, w.channel_no, w.group_no
    FROM reader AS w
    WHERE w.said <> 'begun' OR NOT EXISTS (
        SELECT FROM notice AS b JOIN delivery AS d USING (notice_no)
        WHERE b.incident_no = w.incident_no AND b.kind = 'begun'
          AND (d.account_no = w.account_no OR d.channel_no = w.channel_no))
    ON CONFLICT DO NOTHING
    RETURNING delivery_no
"""

# The end is told to those who heard of the beginning, if their group wants to hear of it.
_AGAIN = """
    INSERT INTO delivery (notice_no, account_no, channel_no, group_no)
    SELECT DISTINCT n.notice_no, d.account_no, d.channel_no, max(d.group_no)
    FROM notice AS n
    JOIN notice AS before ON before.incident_no = n.incident_no AND before.kind <> 'ended'
    JOIN delivery AS d ON d.notice_no = before.notice_no AND d.status <> 'dropped'
    LEFT JOIN alert_rule AS r ON r.group_no = d.group_no
    WHERE n.notice_no = ANY(:notices) AND n.kind = 'ended' AND coalesce(r.recovered, true)
    GROUP BY n.notice_no, d.account_no, d.channel_no
    ON CONFLICT DO NOTHING
    RETURNING delivery_no
"""
