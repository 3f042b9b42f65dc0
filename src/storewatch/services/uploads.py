"""Uploads: files received over HTTP, taken in by a job, kept for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.domain.weekly import since_of
from storewatch.errors import ConflictError, FileRefusedError, NotFoundError, StorewatchError
from storewatch.formats.csv_in import CsvFile
from storewatch.services.depot import Depot, Part
from storewatch.services.hours_from import FROM_TODAY, HoursFrom
from storewatch.services.importing import Imported, Watchers, import_file, recognised
from storewatch.storage import audit, imports, queue, uploads
from storewatch.storage.access_tables import Upload
from storewatch.storage.db import Database, disk_is_full
from storewatch.storage.tables import Import
from storewatch.storage.uploads import Found

log = structlog.get_logger()

QUEUE = "uploads"
TASK = "take_upload"
MAX_ATTEMPTS = 20
"""An upload that took its worker down so often is given up."""

# --- receiving ------------------------------------------------------------------------------------


def create(
    database: Database,
    depot: Depot,
    caller: Caller,
    part: Part,
    file_name: str,
    kind: str | None = None,
    valid_from: str | None = None,
    upload_id: UUID | None = None,
) -> Found:
    """Keeps a file that has come whole and queues it; the row and the job are committed together.

    `valid_from` is for hours: a local day, or `always`. `upload_id`: if it has one already.
    """
    if not part.size:
        raise FileRefusedError(f"{file_name}: the file is empty")
    upload_id = upload_id or uuid4()
    part.keep(depot.path(upload_id))
    try:
        said = {"kind": kind, "valid_from": valid_from, "file_name": file_name}
        return _queued(database, caller, upload_id, part, said)
    except BaseException:
        depot.remove(upload_id)
        raise


def kind_of(depot: Depot, part: Part, file_name: str) -> str:
    """The kind of a file that has come whole. FileRefusedError if it is of none: known before it waits."""
    if not part.size:
        raise FileRefusedError(f"{file_name}: the file is empty")
    with part.path.open("rb") as stream:
        return recognised(CsvFile(stream, file_name, depot.most_bytes))


def waiting(database: Database, count: int) -> list[Found]:
    """Uploads that are not taken in yet, and those that failed, newest first; so many of each."""
    with database.session() as session:
        found = [uploads.page(session, None, count, status=status) for status in _NOT_TAKEN_IN]
    return [each for some in found for each in some]


_NOT_TAKEN_IN = ("running", "queued", "failed")


@dataclass(frozen=True)
class Sent:
    """An upload, and the import that it became, if it did."""

    upload: Upload
    record: Import | None


def sent(database: Database, caller: Caller, count: int) -> list[Sent]:
    """The newest uploads of the caller, in the order in which they came."""
    with database.session() as session:
        found = uploads.sent_by(session, caller.account_no, count)
        numbers = [each.import_no for each in found if each.import_no is not None]
        records = imports.by_number(session, numbers)
    return [Sent(each, records.get(each.import_no or 0)) for each in reversed(found)]


def _queued(
    database: Database, caller: Caller, upload_id: UUID, part: Part, said: dict[str, str | None]
) -> Found:
    values = said | {
        "upload_id": upload_id,
        "size_bytes": part.size,
        "sha256": part.sha256,
        "account_no": caller.account_no,
    }
    with database.transaction() as session:
        uploads.add(session, values)
        queue.defer(session, QUEUE, TASK, upload_id=str(upload_id))
        detail = {"file_name": said["file_name"], "size": part.size, "valid_from": said["valid_from"]}
        audit.record(session, caller, "create", "upload", upload_id, **detail)
        return _found(session, upload_id)


# --- reading, deleting ----------------------------------------------------------------------------


def page(database: Database, before: int | None, count: int, **which: str) -> list[Found]:
    """Uploads, newest first, before a number; `which` are columns and the values they must have."""
    with database.session() as session:
        return uploads.page(session, before, count, **which)


def get(database: Database, upload_id: UUID) -> Found:
    """An upload. NotFoundError without one."""
    with database.session() as session:
        return _found(session, upload_id)


def _found(session: Session, upload_id: UUID) -> Found:
    found = uploads.find(session, upload_id)
    if found is None:
        raise NotFoundError(f"There is no upload {upload_id}")
    return found


def file_of(database: Database, depot: Depot, upload_id: UUID) -> tuple[Upload, Path]:
    """An upload and where its file is. NotFoundError if the file is gone."""
    upload, _ = get(database, upload_id)
    path = depot.path(upload_id)
    if upload.removed_at is not None or not path.is_file():
        raise NotFoundError(f"The file of upload {upload_id} is not kept any more")
    return upload, path


def delete(database: Database, depot: Depot, caller: Caller, upload_id: UUID) -> None:
    """Removes an upload and its file; what was imported from it stays. ConflictError while it is running."""
    with database.transaction() as session:
        upload = uploads.locked(session, upload_id)
        if upload is None:
            raise NotFoundError(f"There is no upload {upload_id}")
        if upload.status == "running":
            raise ConflictError("The file is being taken in just now: wait until that is finished")
        uploads.remove(session, upload)
        audit.record(session, caller, "delete", "upload", upload_id, file_name=upload.file_name)
    depot.remove(upload_id)


def remove_old(database: Database, depot: Depot, keep_us: int) -> None:
    """Removes the files of uploads that were finished so long ago, and files that belong to none."""
    with database.transaction() as session:
        removed = uploads.note_removed(session, datetime.now(UTC) - timedelta(microseconds=keep_us))
    for upload_id in removed:
        depot.remove(upload_id)
    left_over = list(depot.abandoned())
    with database.session() as session:
        known = {depot.path(upload_id) for upload_id in uploads.with_files(session)}
    for path in left_over:
        if path not in known:
            path.unlink(missing_ok=True)


# --- taking in ------------------------------------------------------------------------------------


def take(
    database: Database,
    depot: Depot,
    upload_id: UUID,
    now_us: Callable[[], int],
    hold: HoursFrom = FROM_TODAY,
) -> None:
    """Imports a queued upload. May be run again at any time: a finished one is left as it is, for the
    upload is marked complete in the very transaction that imports it.

    A failure is written to the upload in plain words; only what a new attempt may cure is raised.
    """
    with database.transaction() as session:
        upload = uploads.begin_attempt(session, upload_id)
    if upload is None:
        return
    if upload.attempt > MAX_ATTEMPTS:
        return _fail(database, upload, f"It was interrupted {MAX_ATTEMPTS} times and is given up.")
    try:
        _import(database, depot, upload, now_us(), hold)
    except _TakenOverError:
        log.warning("upload taken over by another attempt", upload_id=str(upload_id), attempt=upload.attempt)
    except (OperationalError, psycopg.OperationalError) as error:
        if disk_is_full(error):
            _wait_for_room(database, upload)
        raise
    except StorewatchError as error:
        _fail(database, upload, str(error))
    except (MemoryError, ArithmeticError, ValueError, LookupError, TypeError, OSError) as error:
        log.exception("upload failed", upload_id=str(upload_id))
        told = f"An internal error ({type(error).__name__}) stopped it; the log has the details."
        _fail(database, upload, told)


class _TakenOverError(Exception):
    """Another attempt at the same upload began while this one was paused."""


def _wait_for_room(database: Database, upload: Upload) -> None:
    """The attempt does not count: the file is taken in once there is room, however long that takes."""
    log.error("an upload waits: the disk of the database is full", upload_id=str(upload.upload_id))
    with database.transaction() as session:
        uploads.uncount(session, upload)


def _fail(database: Database, upload: Upload, reason: str) -> None:
    with database.transaction() as session:
        uploads.fail(session, upload, reason)
    log.warning("upload failed", upload_id=str(upload.upload_id), reason=reason)


def _import(database: Database, depot: Depot, upload: Upload, now_us: int, hold: HoursFrom) -> None:
    def done(session: Session, result: Imported) -> None:
        if not uploads.complete(session, upload, result.import_no, result.kind):
            raise _TakenOverError  # what we imported is rolled back; the other attempt imports it

    try:
        stream = depot.path(upload.upload_id).open("rb")
    except OSError as error:
        raise FileRefusedError(
            f"The file is not in the worker's folder of uploads, {depot.folder} ({error.strerror}): "
            "web and worker must share one, STOREWATCH_UPLOADS"
        ) from error
    with stream:
        import_file(
            database,
            stream,
            upload.file_name,
            now_us=now_us,
            kind=upload.kind,
            source=uploads.source(upload.upload_id),
            account_no=upload.account_no,
            opened=partial(CsvFile, at_most=depot.most_bytes),
            watchers=Watchers(_Progress(database, upload), done=done),
            hold=hold if upload.valid_from is None else replace(hold, since=since_of(upload.valid_from)),
        )
    log.info("upload complete", upload_id=str(upload.upload_id))


class _Progress:
    """Shows progress to others; in transactions of its own, for the import's is not over."""

    def __init__(self, database: Database, upload: Upload) -> None:
        self._database, self._upload = database, upload
        self._shown = 0

    def __call__(self, bytes_read: int, _: int) -> None:
        percent = min(99, 99 * bytes_read // max(1, self._upload.size_bytes))
        if percent > self._shown:
            self._shown = percent
            with self._database.transaction() as session:
                uploads.set_progress(session, self._upload, percent)
