"""lived_in: whether this database is the one in which a worker looked last, or a copy of it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

_HERE = """
    SELECT concat_ws('/', s.system_identifier, d.oid, 'lived_in'::regclass::oid::bigint) AS place,
           c.timeline_id AS timeline
    FROM pg_control_system() AS s, pg_control_checkpoint() AS c, pg_database AS d
    WHERE d.datname = current_database()
"""
"""A dump that is read in makes another table, wherever that is; a copy of the files that is recovered to an
instant goes on on another timeline.
"""

_TAKEN_OVER_WITHIN = timedelta(minutes=5)
"""A standby that takes over is on another timeline too, but knows what was of late."""


def moved(session: Session) -> bool:
    """Whether it is a copy, which is told once: the next to ask hears that it is not. Waits for who asks."""
    here = session.execute(text(_HERE)).one()._asdict()
    session.execute(
        text("INSERT INTO lived_in (place, timeline) VALUES (:place, :timeline) ON CONFLICT DO NOTHING"), here
    )
    query = "SELECT place, timeline, now() - looked_at AS since FROM lived_in FOR UPDATE"
    before = session.execute(text(query)).one()
    same = (before.place, before.timeline) == (here["place"], here["timeline"])
    if not same or before.since >= timedelta(minutes=1):
        session.execute(
            text("UPDATE lived_in SET place = :place, timeline = :timeline, looked_at = now()"), here
        )
    if before.place != here["place"]:
        return True
    return not same and before.since > _TAKEN_OVER_WITHIN
