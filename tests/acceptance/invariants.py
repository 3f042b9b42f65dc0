"""What must hold after any fault: nothing acknowledged is lost, nothing is there twice, nothing is half.

    sent, came = [Batch(polls, taken=True)], {key of each letter and call}
    settle(database)                               waits until nothing is under way any more
    check(database, sent, came, uploads=folder)    raises AssertionError with all that does not hold

`sent` are all polls that anybody offered of some stores, each batch in one request or file; None: not known.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storewatch.services import packing, proof
from storewatch.services.reporting import Request
from storewatch.storage import verify
from storewatch.storage.db import Database

Poll = tuple[str, int, bool]
"""(store, microseconds, active)."""

PATIENCE = 300.0
_ALIVE = "15 seconds"
"""A worker without a heartbeat for so long is dead."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Polls that were sent together; `taken`: that storewatch said it has them."""

    polls: frozenset[Poll]
    taken: bool


# --- nothing is under way -------------------------------------------------------------------------

_UNDER_WAY = {
    "reports": "SELECT count(*) FROM report WHERE status IN ('queued', 'running')",
    "uploads": "SELECT count(*) FROM upload WHERE status IN ('queued', 'running')",
    "deliveries": "SELECT count(*) FROM delivery WHERE status = 'waiting'",
    "history that is due": "SELECT count(*) FROM history_due",
    "days of groups that are due": "SELECT count(*) FROM fleet_due",
    "stores to be looked at": "SELECT count(*) FROM watch_due",
    "jobs": """
        SELECT count(*) FROM procrastinate_jobs
        WHERE status = 'doing' OR status = 'todo' AND coalesce(scheduled_at, now()) <= now()""",
}


def under_way(database: Database) -> dict[str, int]:
    """What waits or is being done, and how much of it."""
    with database.snapshot() as session:
        found = {what: _count(session, query) for what, query in _UNDER_WAY.items()}
    return {what: count for what, count in found.items() if count}


def settle(database: Database, patience_s: float = PATIENCE) -> None:
    """Waits until nothing is under way, while nobody asks for more."""
    until, found = time.monotonic() + patience_s, "the database is not there"
    while time.monotonic() < until:
        try:
            left = under_way(database)
        except DBAPIError as error:
            found = str(error)
        else:
            if not left:
                return
            found = str(left)
        time.sleep(0.1)
    raise AssertionError(f"it does not come to rest: {found}")


# --- what must hold -------------------------------------------------------------------------------


def check(
    database: Database,
    sent: Iterable[Batch] | None = None,
    came: set[str] | None = None,
    *,
    uploads: Path | None = None,
    usual: Request | None = None,
) -> None:
    """AssertionError if anything does not hold. `came`: the keys of all that arrived at mail servers and
    webhooks; `uploads`: the folder of uploaded files.
    """
    wrong = [*_contradictions(database, usual or Request())]
    with database.snapshot() as session:
        wrong += [f"{what}: {count}" for what, query in _NONE_OF.items() if (count := _count(session, query))]
        wrong += [] if sent is None else _lost_or_half(session, list(sent))
        wrong += [] if came is None else _not_told(session, came)
        wrong += [] if uploads is None else _torn(session, uploads)
    assert not wrong, "\n".join(wrong)


def _contradictions(database: Database, usual: Request) -> Iterator[str]:
    """What `storewatch db verify` proves: packs equal rows, history equals the engine, and the rest."""
    with database.snapshot() as session:
        yield from (f"not true: {what}: {count}" for what, count in verify.verify(session) if count)
    differing, _ = packing.verify(database)
    if differing:
        yield f"packs that differ from the polls: {differing}"
    proofs = (
        ("days of history", proof.verify(database, usual)),
        ("how stores stand", proof.verify_standing(database, usual)),
        ("days of groups", proof.verify_groups(database, usual)),
    )
    yield from (f"{what} that differ from the engine: {found.wrong}" for what, found in proofs if found.wrong)


_NONE_OF = {
    "reports that failed without a reason": """
        SELECT count(*) FROM report WHERE status = 'failed' AND coalesce(error, '') = ''""",
    "uploads that failed without a reason": """
        SELECT count(*) FROM upload WHERE status = 'failed' AND coalesce(error, '') = ''""",
    "complete uploads without an import": """
        SELECT count(*) FROM upload AS u WHERE status = 'complete'
        AND NOT EXISTS (SELECT FROM import AS i WHERE i.import_no = u.import_no)""",
    "imports that two uploads claim": """
        SELECT count(*) FROM (SELECT FROM upload GROUP BY import_no HAVING count(import_no) > 1) AS twice""",
    "polls that are there twice": """
        SELECT count(*) FROM (
            SELECT FROM store_status GROUP BY store_key, timestamp_utc HAVING count(*) > 1) AS twice""",
    "reports that nobody makes": """
        SELECT count(*) FROM report AS r WHERE status IN ('queued', 'running') AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS j WHERE j.task_name = 'make_report'
            AND j.args ->> 'report_id' = r.report_id::text AND j.status IN ('todo', 'doing'))""",
    "uploads that nobody takes in": """
        SELECT count(*) FROM upload AS u WHERE status IN ('queued', 'running') AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS j WHERE j.task_name = 'take_upload'
            AND j.args ->> 'upload_id' = u.upload_id::text AND j.status IN ('todo', 'doing'))""",
    "deliveries that nobody makes": """
        SELECT count(*) FROM delivery AS d WHERE status IN ('waiting', 'held') AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS j WHERE j.task_name = 'deliver'
            AND j.args ->> 'delivery_no' = d.delivery_no::text AND j.status IN ('todo', 'doing'))""",
    "jobs that a dead worker has": f"""
        SELECT count(*) FROM procrastinate_jobs AS j
        LEFT JOIN procrastinate_workers AS w ON w.id = j.worker_id
        WHERE j.status = 'doing' AND coalesce(w.last_heartbeat, '-infinity') < now() - interval '{_ALIVE}'""",
    "jobs with something to do that were given up": """
        SELECT count(*) FROM procrastinate_jobs
        WHERE status = 'failed' AND args - 'timestamp' <> '{}'::jsonb""",
    "deliveries that were given up": "SELECT count(*) FROM delivery WHERE status = 'failed'",
}


def _lost_or_half(session: Session, sent: list[Batch]) -> Iterator[str]:
    """Each batch is there whole, or, if nobody said that it was taken, not at all; and there is no more."""
    there = Counter(stored(session))
    offered = {poll for batch in sent for poll in batch.polls}
    lost = sum(len(batch.polls - there.keys()) for batch in sent if batch.taken)
    half = sum(1 for batch in sent if 0 < len(batch.polls & there.keys()) < len(batch.polls))
    known, twice = {store for store, *_ in offered}, there.total() - len(there)
    invented = sum(1 for poll in there.keys() - offered if poll[0] in known)
    for what, count in (
        ("acknowledged polls that are lost", lost),
        ("batches that are there by half", half),
        ("polls that nobody sent", invented),
        ("polls that are there more than once", twice),
    ):
        if count:
            yield f"{what}: {count}"


def stored(session: Session) -> Iterator[Poll]:
    """All polls that there are."""
    query = """
        SELECT store_id, (extract(epoch FROM timestamp_utc) * 1000000)::bigint, active
        FROM store_status JOIN store USING (store_key)
    """
    for store, at, active in session.execute(text(query)):
        yield str(store), int(at), bool(active)


def _not_told(session: Session, came: set[str]) -> Iterator[str]:
    """What is marked as sent has arrived, and of every notice somebody was told."""
    sent = {str(key) for (key,) in session.execute(text("SELECT key FROM delivery WHERE status = 'sent'"))}
    if sent - came:
        yield f"alerts that are marked as sent and never arrived: {len(sent - came)}"


def _torn(session: Session, folder: Path) -> Iterator[str]:
    """Every uploaded file that is to be kept is there, whole."""
    kept = "SELECT upload_id, size_bytes, sha256 FROM upload WHERE removed_at IS NULL"
    for upload_id, size, digest in session.execute(text(kept)):
        path = folder / str(upload_id)
        if not path.is_file():
            yield f"upload {upload_id} has no file"
        elif (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) != (size, digest):
            yield f"the file of upload {upload_id} is not what came"


def _count(session: Session, query: str) -> int:
    return int(session.execute(text(query)).scalar_one())
