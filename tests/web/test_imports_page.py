"""/imports, with a browser's cookie."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storewatch.domain.permissions import COMMAND, Role
from storewatch.services import uploads
from storewatch.services.depot import Depot
from storewatch.storage.db import Database
from tests.factories import CHICAGO_MONDAY, MONDAY_NINE_TO_TWELVE, load
from tests.web.browsing import HTML, Browser
from tests.web.conftest import said
from tests.web.service import Service

ZONES = "store_id,timezone_str\n1,America/Chicago\n"
NOW_US = 1_700_000_000_000_000


@pytest.fixture
def oscar(service: Service) -> Browser:
    return Browser(service, "oscar@example.com", Role.OPERATOR)


def file(text: str | bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode() if isinstance(text, str) else text), name


def take_all(service: Service) -> None:
    """What the worker does."""
    depot: Depot = service.app.extensions["storewatch.depot"]
    for upload, _ in uploads.page(service.database, None, 100, status="queued"):
        uploads.take(service.database, depot, upload.upload_id, lambda: NOW_US)


def kinds(database: Database) -> list[tuple[str, str | None, str | None]]:
    found = uploads.page(database, None, 100)
    return sorted((upload.file_name, upload.kind, upload.valid_from) for upload, _ in found)


def test_with_nothing_loaded_it_says_what_each_file_is_for(oscar: Browser) -> None:
    page = oscar.read("/imports")
    assert "Nothing is loaded yet" in page
    assert "store_id, day, start_time_local, end_time_local" in page
    assert re.search(r'<input id="files" name="files" type="file" multiple', page)


def test_several_files_are_sent_watched_and_read(service: Service, oscar: Browser) -> None:
    files = [file(CHICAGO_MONDAY, "polls.csv"), file(gzip.compress(ZONES.encode()), "zones.csv.gz")]
    hours = file(MONDAY_NINE_TO_TWELVE, r"C:\\data\\hours.csv")
    page = oscar.done("/imports", valid_from="always", files=[*files, hours])
    assert 'http-equiv="refresh"' in page
    assert "3 files are here" in page
    assert kinds(service.database) == [
        ("hours.csv", "menu_hours", "always"),
        ("polls.csv", "store_status", None),
        ("zones.csv.gz", "store_timezone", None),
    ]
    take_all(service)
    page = oscar.read("/imports?received=3")
    assert 'http-equiv="refresh"' not in page
    assert all(name in page for name in ("polls.csv", "zones.csv.gz", "hours.csv", "oscar@example.com"))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [("odd.csv", "a,b\n1,2\n", "the kind of file cannot be told"), ("none.csv", "", "the file is empty")],
)
def test_a_file_of_no_kind_is_refused_at_once_and_the_others_go_in(
    service: Service, oscar: Browser, name: str, text: str, told: str
) -> None:
    answer = oscar.send("/imports", files=[file(text, name), file(ZONES, "zones.csv")])
    assert answer.status_code == 422
    assert re.search(rf'role="alert" id="e-files">{name}: [^<]*{told}', answer.text)
    assert "Taken: 1 of the files" in answer.text
    assert kinds(service.database) == [("zones.csv", "store_timezone", None)]


def test_without_a_file_the_form_says_so(oscar: Browser) -> None:
    for files in ([], [file("", "")]):
        answer = oscar.send("/imports", valid_from="", files=files, filler=file("", ""))
        assert (answer.status_code, "Choose a file first" in answer.text) == (422, True)


def test_a_day_that_is_none_is_told_beside_its_field(service: Service, oscar: Browser) -> None:
    answer = oscar.send("/imports", valid_from="<soon>", files=[file(ZONES, "zones.csv")])
    assert answer.status_code == 422
    assert 'role="alert" id="e-from">Write the day as' in answer.text
    assert 'value="&lt;soon&gt;"' in answer.text
    assert kinds(service.database) == []


def test_a_file_that_is_too_large_is_refused_alone(database: Database, tmp_path: Path) -> None:
    service = Service(database, tmp_path, max_upload="100KiB")
    oscar = Browser(service, "oscar@example.com", Role.OPERATOR)
    answer = oscar.send("/imports", files=[file("x" * 102_401, "large.csv"), file(ZONES, "zones.csv")])
    assert (answer.status_code, "large.csv: it is larger than" in answer.text) == (422, True)
    assert kinds(database) == [("zones.csv", "store_timezone", None)]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("word", ["", "wrong"])
def test_a_form_of_another_site_stores_nothing(service: Service, oscar: Browser, word: str) -> None:
    form = {"csrf_token": word, "files": file(ZONES, "zones.csv")}
    answer = oscar.client.post("/imports", data=form, headers=HTML)
    assert (answer.status_code, kinds(service.database)) == (400, [])


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nabc"])
def test_a_body_that_is_no_form_is_refused(oscar: Browser, body: bytes) -> None:
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "text/csv"):
        answer = oscar.client.post("/imports", data=body, content_type=kind, headers=HTML)
        assert answer.status_code == 400


def test_one_that_failed_says_why_and_is_removed(service: Service, oscar: Browser) -> None:
    oscar.done("/imports", files=[file(ZONES, "zones.csv")])
    ((upload, _),) = uploads.page(service.database, None, 1)
    service.app.extensions["storewatch.depot"].remove(upload.upload_id)
    take_all(service)
    page = oscar.read("/imports")
    assert "<b>Failed.</b> The file is not in the worker" in page
    assert "It is removed." in oscar.done(f"/imports/uploads/{upload.upload_id}/remove")
    assert kinds(service.database) == []
    assert oscar.send(f"/imports/uploads/{UUID(int=1)}/remove").status_code == 404


def test_an_import_tells_counts_assumptions_reasons_and_what_next(service: Service, oscar: Browser) -> None:
    rows = "".join(f"1,<{number}>,2023-01-23 16:14:00 UTC\n" for number in range(120))
    load(service.database, CHICAGO_MONDAY + rows)
    page = oscar.read("/imports/1")
    assert "2 rows were taken, 120 could not be read." in page
    assert "1 store with polls had no opening hours: counted as open day and night." in page
    assert "Give opening hours for 1 store<" in page
    assert "Start a report" in page
    assert "1,&lt;0&gt;,2023" in page
    assert page.count("<code>1,") == 50
    further = re.search(r'href="(/imports/1\?after=\d+)"', page)
    assert further
    assert "1,&lt;50&gt;,2023" in oscar.read(further[1])
    assert oscar.get("/api/v1/imports/1/rejects.csv").text.count("\n") == 121


def test_what_is_wrong_most_often_comes_first(service: Service, oscar: Browser) -> None:
    rows = "1,maybe,2023-01-23 16:14:00 UTC\n" * 3 + "1,active,noon\n"
    load(service.database, CHICAGO_MONDAY + rows)
    page = oscar.read("/imports/1")
    most = page[page.index('id="h-reasons"') : page.index('id="h-rejects"')]
    assert re.findall(r'<td class="num">(\d)</td>', most) == ["3", "1"]
    assert 'href="/imports#send"' in page


def test_the_script_is_told_kinds_and_reasons_in_json(service: Service, oscar: Browser) -> None:
    def dropped(*files: tuple[io.BytesIO, str], word: str) -> TestResponse:
        form = {"csrf_token": word, "valid_from": "", "files": list(files)}
        headers = {"Accept": "application/json", "Storewatch-Drop": "1"}
        return oscar.client.post("/imports", data=form, headers=headers)

    taken = dropped(file(ZONES, "zones.csv"), word=oscar.word())
    assert (taken.status_code, said(taken)["kinds"]) == (202, ["Zones"])
    refused = dropped(file("a,b\n1,2\n", "odd.csv"), word=oscar.word())
    assert (refused.status_code, said(refused)["kinds"]) == (422, [])
    assert "odd.csv: the kind of file cannot be told" in said(refused)["detail"]
    assert dropped(file(ZONES, "zones.csv"), word="wrong").status_code == 400
    assert len(kinds(service.database)) == 1


def test_what_became_of_ones_own_files_is_followed(service: Service, oscar: Browser) -> None:
    Browser(service, "ada@example.com", Role.ADMIN).done("/imports", files=[file(ZONES, "adas.csv")])
    oscar.done("/imports", files=[file(CHICAGO_MONDAY + "1,maybe,noon\n", "p.csv"), file(ZONES, "z.csv")])
    going = oscar.read("/imports/sent?received=2")
    assert going.count("Waits for its turn") == 2
    assert "every 1s" in going
    take_all(service)
    assert oscar.get("/imports/sent?received=2").headers["HX-Refresh"] == "true"
    done = oscar.read("/imports?received=2")
    assert "2 new. 1 could not be read." in done
    assert "every 1s" not in done
    assert "Your files are done with." in done
    assert "adas.csv" not in oscar.read("/imports/sent?received=9")


def test_imports_are_paged(service: Service, oscar: Browser) -> None:
    for _ in range(27):
        load(service.database, ZONES)
    earlier = re.search(r'href="(/imports\?before=\d+)"', oscar.read("/imports"))
    assert earlier
    assert oscar.read(earlier[1]).count('href="/imports/') == 2


def test_past_days_that_changed_are_told(service: Service, oscar: Browser) -> None:
    load(service.database, CHICAGO_MONDAY, MONDAY_NINE_TO_TWELVE)
    oscar.done(
        "/imports", valid_from="always", files=[file(MONDAY_NINE_TO_TWELVE.replace("12", "13"), "h.csv")]
    )
    take_all(service)
    assert "past days of stores have other opening hours now" in oscar.read("/imports/3")


@pytest.mark.parametrize("path", ["/imports/99", "/imports/99999999999999999999", "/imports/x"])
def test_what_is_not_there_is_said_with_what_to_do(oscar: Browser, path: str) -> None:
    answer = oscar.get(path)
    assert (answer.status_code, "There is nothing here." in answer.text) == (404, True)
    assert "What to do." in answer.text


def test_a_member_may_not(service: Service) -> None:
    answer = Browser(service, "vera@maple.example").get("/imports")
    assert (answer.status_code, "This is not yours to do." in answer.text) == (403, True)


def test_without_logins_it_works_too(client: FlaskClient, tmp_path: Path) -> None:
    client.application.extensions["storewatch.depot"] = Depot(tmp_path, 1 << 20)
    form = {"files": file(ZONES, "zones.csv")}
    assert client.post("/imports", data=form).headers["Location"] == "/imports?received=1"
    assert client.get("/imports", headers=HTML).status_code == 200
    assert COMMAND.account_no is None
