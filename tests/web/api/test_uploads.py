"""/api/v1/uploads, and the job that takes them in."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role, Scope
from storewatch.services import uploads
from storewatch.services.depot import Depot
from storewatch.storage import uploads as rows
from storewatch.storage import verify
from storewatch.storage.db import Database
from tests.factories import CHICAGO_MONDAY, MONDAY_NINE_TO_TWELVE
from tests.web.conftest import said
from tests.web.service import Service, Token

PATH = "/api/v1/uploads"
NOW = 1_700_000_000_000_000
POLLS = CHICAGO_MONDAY.encode()
FORM = "multipart/form-data; boundary=b"


@pytest.fixture
def operator(service: Service) -> Token:
    return service.token("olga@example.com", Role.OPERATOR)


def depot_of(service: Service) -> Depot:
    found = service.app.extensions["storewatch.depot"]
    assert isinstance(found, Depot)
    return found


def work(service: Service) -> None:
    """What the worker does with the queue."""
    with service.database.session() as session:
        jobs = "SELECT args ->> 'upload_id' FROM procrastinate_jobs WHERE queue_name = 'uploads'"
        waiting = session.execute(text(jobs)).scalars().all()
    for upload_id in waiting:
        uploads.take(service.database, depot_of(service), UUID(upload_id), lambda: NOW)


def files(service: Service) -> list[Path]:
    folder = depot_of(service).folder
    return sorted(folder.iterdir()) if folder.is_dir() else []


def count(database: Database, table: str) -> Any:
    with database.session() as session:
        return session.execute(text(f"SELECT count(*) FROM {table}")).scalar()


def sent(token: Token, data: bytes = POLLS, content_type: str = "text/csv", query: str = "") -> Any:
    answer = token.post(f"{PATH}?file_name=polls.csv{query}", data=data, content_type=content_type)
    assert answer.status_code == 202, answer.text
    return said(answer)


def test_an_upload_is_received_taken_in_and_downloaded(service: Service, operator: Token) -> None:
    made = operator.post(f"{PATH}?file_name=polls.csv", data=POLLS, content_type="text/csv")
    assert (made.status_code, made.headers["Location"]) == (202, f"{PATH}/{said(made)['upload_id']}")
    waiting = said(made)
    assert (waiting["status"], waiting["progress"], waiting["kind"]) == ("queued", 0, None)
    assert (waiting["size_bytes"], waiting["sent_by"]) == (len(POLLS), "olga@example.com")
    assert waiting["sha256"] == hashlib.sha256(POLLS).hexdigest()
    work(service)
    path = made.headers["Location"]
    done = said(operator.get(path))
    assert (done["status"], done["progress"], done["kind"]) == ("complete", 100, "store_status")
    imported = said(operator.get(f"/api/v1/imports/{done['import_id']}"))
    assert (imported["source"], imported["upload_id"]) == ("upload", waiting["upload_id"])
    assert (imported["rows_new"], imported["loaded_by"]) == (2, "olga@example.com")
    assert said(operator.get(PATH))["items"] == [done]
    with operator.get(f"{path}/file") as file:
        assert (file.data, file.headers["Content-Disposition"]) == (POLLS, "attachment; filename=polls.csv")
    with service.database.session() as session:
        assert not any(wrong for _, wrong in verify.verify(session))


@pytest.mark.parametrize(("query", "since"), [("", "2023-11-14"), ("&valid_from=always", "-infinity")])
def test_hours_hold_from_the_day_on_that_an_upload_says(
    service: Service, operator: Token, query: str, since: str
) -> None:
    head = "store_id,day,start_time_local,end_time_local"
    sent(operator, f"{head}\n7,0,09:00,12:00\n".encode())
    work(service)
    sent(operator, f"{head}\n7,0,10:00,12:00\n".encode(), query=query)
    work(service)
    with service.database.session() as session:
        days = (
            session.execute(text("SELECT valid_from::text FROM hours_week ORDER BY week_no")).scalars().all()
        )
    assert days[-1] == since
    assert said(operator.get("/api/v1/hours/7"))["hours"] == [{"day": 0, "opens": "10:00", "closes": "12:00"}]


def test_nobody_else_on_the_machine_can_read_an_upload(service: Service, operator: Token) -> None:
    sent(operator)
    [file] = files(service)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["polls.csv", "../../etc/polls.csv", "/a/\x1bpolls.csv"])
def test_a_form_will_do_and_its_file_names_no_folder(service: Service, operator: Token, name: str) -> None:
    form = {"file": (io.BytesIO(POLLS), name), "note": "x"}
    made = operator.post(f"{PATH}?kind=store_status", data=form, content_type="multipart/form-data")
    assert (made.status_code, said(made)["file_name"]) == (202, "polls.csv"), made.text
    assert [file.read_bytes() for file in files(service)] == [POLLS]
    work(service)
    assert count(service.database, "store_status") == 2


def test_a_packed_file_and_another_kind_are_taken(service: Service, operator: Token) -> None:
    sent(operator, gzip.compress(POLLS), "application/gzip")
    sent(operator, MONDAY_NINE_TO_TWELVE.encode(), "application/octet-stream", "&kind=menu_hours")
    work(service)
    assert {row["status"] for row in said(operator.get(PATH))["items"]} == {"complete"}
    assert count(service.database, "menu_hours") == 1


@pytest.mark.parametrize(
    ("body", "content_type", "query", "status"),
    [
        (b"", "text/csv", "", 422),
        (b"x", "text/plain", "", 415),
        (b"x", "text/csv", "?kind=x", 422),
        (b"x", "text/csv", "?file_name=%00", 422),
        (b"x", "text/csv", "?valid_from=soon", 422),
        (b"x", "text/csv", "?valid_from=2023-02-30", 422),
        (b"x", "text/csv", "?filename=x", 422),
        (b"x", "multipart/form-data", "", 400),
        (b"x", FORM, "", 400),
        (b"--b\r\n\r\n\r\n--b--\r\n", FORM, "", 400),
        (b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n', FORM, "", 400),
        (b'--b\r\ncontent-disposition: form-data; name="a"; filename="x"\r\n\r\nx', FORM, "", 400),
    ],
)
def test_what_is_no_upload_is_refused_and_leaves_nothing(
    service: Service, operator: Token, body: bytes, content_type: str, query: str, status: int
) -> None:
    answer = operator.post(PATH + query, data=body, content_type=content_type)
    assert answer.status_code == status, answer.text
    assert (files(service), count(service.database, "upload")) == ([], 0)


def test_several_files_in_a_form_are_refused(service: Service, operator: Token) -> None:
    form = {"a": (io.BytesIO(POLLS), "a.csv"), "b": (io.BytesIO(POLLS), "b.csv")}
    answer = operator.post(PATH, data=form, content_type="multipart/form-data")
    assert (answer.status_code, files(service)) == (400, [])


def test_a_file_that_is_too_large_is_refused_with_the_limit(database: Database, tmp_path: Path) -> None:
    service = Service(database, tmp_path / "uploads", "1MiB")
    operator = service.token("olga@example.com", Role.OPERATOR)
    assert operator.post(PATH, data=b"x" * (1 << 20), content_type="text/csv").status_code == 202
    for options in ({"content_type": "text/csv"}, {"content_type": "text/csv", "headers": CHUNKED}):
        body = io.BytesIO(b"x" * ((1 << 20) + 1))
        answer = operator.post(PATH, input_stream=body, **environ(options, (1 << 20) + 1))
        assert (answer.status_code, "1,048,576 bytes" in said(answer)["detail"]) == (413, True)
    form = b'--b\r\ncontent-disposition: form-data; name="a"; filename="x"\r\n\r\n' + b"x" * (2 << 20)
    assert operator.post(PATH, data=form, content_type=FORM).status_code == 413
    assert len(files(service)) == 1


CHUNKED = {"Transfer-Encoding": "chunked"}


def environ(options: dict[str, Any], length: int) -> dict[str, Any]:
    """A body of a length that is announced, or comes in chunks, which the server takes apart."""
    if "headers" in options:
        return options | {"environ_overrides": {"wsgi.input_terminated": True}}
    return options | {"content_length": length}


def test_a_body_that_is_cut_off_leaves_nothing(service: Service, operator: Token) -> None:
    for overrides in ({}, {"wsgi.input_terminated": True}):
        announced = {"CONTENT_LENGTH": "1000", **overrides}
        answer = operator.post(PATH, data=POLLS, content_type="text/csv", environ_overrides=announced)
        assert answer.status_code == 400, answer.text
    assert (files(service), count(service.database, "upload")) == ([], 0)


def test_so_many_files_at_once_and_no_more(service: Service, operator: Token) -> None:
    depot = depot_of(service)
    with depot.incoming(), depot.incoming(), depot.incoming(), depot.incoming():
        answer = operator.post(PATH, data=POLLS, content_type="text/csv")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    sent(operator)


def test_a_folder_that_cannot_be_written_is_said(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    service = Service(database, tmp_path / "file" / "uploads")
    operator = service.token("olga@example.com", Role.OPERATOR)
    answer = operator.post(PATH, data=POLLS, content_type="text/csv")
    assert (answer.status_code, "cannot be stored" in said(answer)["detail"]) == (503, True)


# --- the job --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"a,b\n1,2\n", "the kind of file cannot be told from its columns"),
        (gzip.compress(POLLS, mtime=0)[:-9], "damaged or cut off"),
        (gzip.compress(POLLS + b"\n" * (2 << 20), mtime=0), "unpacks to more than 1,048,576 bytes"),
    ],
    ids=["no columns", "cut off", "bomb"],
)
def test_a_file_that_cannot_be_used_fails_and_says_why(
    database: Database, tmp_path: Path, data: bytes, error: str
) -> None:
    service = Service(database, tmp_path, "1MiB")
    operator = service.token("olga@example.com", Role.OPERATOR)
    upload_id = sent(operator, data)["upload_id"]
    work(service)
    failed = said(operator.get(f"{PATH}/{upload_id}"))
    assert (failed["status"], error in failed["error"], failed["import_id"]) == ("failed", True, None)
    assert count(database, "import") == 0
    with operator.get(f"{PATH}/{upload_id}/file") as file:
        assert file.data == data
    assert [row["upload_id"] for row in said(operator.get(f"{PATH}?status=failed"))["items"]] == [upload_id]
    assert said(operator.get(f"{PATH}?status=complete"))["items"] == []


def test_a_file_that_is_gone_fails_and_says_what_must_be_shared(service: Service, operator: Token) -> None:
    upload_id = sent(operator)["upload_id"]
    files(service)[0].unlink()
    work(service)
    assert "web and worker must share one" in said(operator.get(f"{PATH}/{upload_id}"))["error"]


def test_a_job_that_runs_twice_imports_once(service: Service, operator: Token) -> None:
    sent(operator)
    work(service)
    work(service)
    assert count(service.database, "import") == 1


def test_an_attempt_that_was_taken_over_imports_nothing(
    service: Service, operator: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = UUID(sent(operator)["upload_id"])
    complete = rows.complete

    def late(*words: Any) -> bool:
        monkeypatch.setattr(rows, "complete", complete)
        with service.database.transaction() as session:
            rows.begin_attempt(session, upload_id)  # another worker, while this one was paused
        return complete(*words)

    monkeypatch.setattr(rows, "complete", late)
    work(service)
    assert (count(service.database, "import"), count(service.database, "store_status")) == (0, 0)
    work(service)
    assert (count(service.database, "import"), count(service.database, "store_status")) == (1, 2)


def test_a_file_that_takes_its_worker_down_again_and_again_is_given_up(
    service: Service, operator: Token
) -> None:
    upload_id = UUID(sent(operator)["upload_id"])
    with service.database.transaction() as session:
        for _ in range(uploads.MAX_ATTEMPTS):
            rows.begin_attempt(session, upload_id)
    work(service)
    assert "given up" in said(operator.get(f"{PATH}/{upload_id}"))["error"]


# --- deleting and keeping -------------------------------------------------------------------------


def test_a_deleted_upload_is_gone_and_what_it_loaded_stays(service: Service, operator: Token) -> None:
    upload_id = sent(operator)["upload_id"]
    work(service)
    assert operator.delete(f"{PATH}/{upload_id}").status_code == 204
    assert operator.get(f"{PATH}/{upload_id}").status_code == 404
    assert operator.delete(f"{PATH}/{upload_id}").status_code == 404
    assert (files(service), count(service.database, "store_status")) == ([], 2)


def test_an_upload_that_is_deleted_while_it_waits_is_not_taken_in(service: Service, operator: Token) -> None:
    upload_id = sent(operator)["upload_id"]
    assert operator.delete(f"{PATH}/{upload_id}").status_code == 204
    work(service)
    assert count(service.database, "store_status") == 0


def test_a_running_upload_is_not_deleted(service: Service, operator: Token) -> None:
    upload_id = sent(operator)["upload_id"]
    with service.database.transaction() as session:
        rows.begin_attempt(session, UUID(upload_id))
    assert operator.delete(f"{PATH}/{upload_id}").status_code == 409
    assert len(files(service)) == 1


def test_files_are_kept_for_a_while_and_what_belongs_to_nobody_is_cleared(
    service: Service, operator: Token
) -> None:
    done, waiting = sent(operator)["upload_id"], sent(operator)["upload_id"]
    depot = depot_of(service)
    uploads.take(service.database, depot, UUID(done), lambda: NOW)
    left = [depot.folder / name for name in ("x.part", "11111111-1111-4111-8111-111111111111")]
    fresh = depot.folder / "y.part"
    for path in (*left, fresh):
        path.write_bytes(b"x")
    for path in (*left, depot.path(UUID(waiting)), depot.path(UUID(done))):
        os.utime(path, (time.time() - 7200,) * 2)
    uploads.remove_old(service.database, depot, 3_600_000_000)
    assert set(files(service)) == {depot.path(UUID(done)), depot.path(UUID(waiting)), fresh}
    uploads.remove_old(service.database, depot, 0)
    assert set(files(service)) == {depot.path(UUID(waiting)), fresh}
    assert said(operator.get(f"{PATH}/{done}"))["file_removed_at"] is not None
    assert operator.get(f"{PATH}/{done}/file").status_code == 404
    os.utime(fresh, (time.time() - 7200,) * 2)
    depot.clear_temporary()
    assert files(service) == [depot.path(UUID(waiting))]


# --- who may --------------------------------------------------------------------------------------


def test_a_token_for_imports_sends_files_and_asks_how_far_they_are(service: Service) -> None:
    account = service.person("ida@example.com", Role.OPERATOR)
    importer, reader = (service.another_token(account, scope) for scope in (Scope.IMPORT, Scope.READ))
    path = f"{PATH}/{sent(importer)['upload_id']}"
    assert (importer.get(path).status_code, reader.get(path).status_code) == (200, 200)
    assert (importer.get(PATH).status_code, importer.get(f"{path}/file").status_code) == (403, 403)
    assert (reader.post(PATH, data=POLLS, content_type="text/csv").status_code) == 403
    assert (importer.delete(path).status_code, reader.delete(path).status_code) == (403, 403)


def test_members_upload_nothing_and_see_no_uploads(service: Service, operator: Token) -> None:
    service.group("mine", "1")
    manager = service.token("mia@example.com", mine=GroupRole.MANAGER)
    path = f"{PATH}/{sent(operator)['upload_id']}"
    assert manager.post(PATH, data=POLLS, content_type="text/csv").status_code == 403
    for read in (PATH, path, f"{path}/file"):
        assert manager.get(read).status_code == 403
    assert manager.delete(path).status_code == 403


def test_uploads_come_in_pages(service: Service, operator: Token) -> None:
    expected = [sent(operator)["upload_id"] for _ in range(3)][::-1]
    found, cursor = [], ""
    while cursor is not None:
        answer = said(operator.get(f"{PATH}?limit=1&cursor={cursor}"))
        found += [row["upload_id"] for row in answer["items"]]
        cursor = answer["next_cursor"]
    assert found == expected
