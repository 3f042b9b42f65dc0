"""/api/v1/polls."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch.config import Settings
from storewatch.domain.permissions import GroupRole, Role, Scope
from storewatch.services import polls, stores
from storewatch.storage import imports, verify
from storewatch.storage.db import Database
from storewatch.web import limits
from storewatch.web.app import Edge, create_app
from tests.factories import load
from tests.web.conftest import said
from tests.web.service import Service, Token

PATH = "/api/v1/polls"
NDJSON = "application/x-ndjson"
GOOD = {"store_id": "1", "status": "active", "timestamp_utc": "2023-01-23T16:14:00Z"}
POLLS = """store_id,status,timestamp_utc,reason
1,active,2023-01-23 16:14:00 UTC,
1,inactive,2023-01-23 17:15:00 UTC,printer
1,active,2023-01-24 17:15:00.5 UTC,
2,active,2023-01-22 12:00:00 UTC,
"""


@pytest.fixture
def operator(service: Service) -> Token:
    return service.token("olga@example.com", Role.OPERATOR)


@pytest.fixture
def importer(service: Service) -> Token:
    return service.another_token(service.person("ida@example.com", Role.OPERATOR), Scope.IMPORT)


def one(database: Database, query: str) -> Any:
    with database.session() as session:
        return session.execute(text(query)).scalar()


def sound(database: Database) -> bool:
    with database.session() as session:
        return not any(wrong for _, wrong in verify.verify(session))


def counts(answer: TestResponse) -> tuple[int, ...]:
    assert answer.status_code == 200, answer.text
    body = said(answer)
    return *(body[name] for name in ("new", "corrected", "unchanged", "kept")), len(body["rejected"])


# --- appending ------------------------------------------------------------------------------------

BAD: list[tuple[Any, str]] = [
    (17, "this is not a JSON object"),
    ({**GOOD, "store_id": 17}, "store_id is not a text: write it in quotes"),
    ({**GOOD, "store_id": "2.57E+14"}, "store_id '2.57E+14' was damaged by a spreadsheet"),
    ({**GOOD, "store_id": "a\0"}, "store_id has characters that are no text"),
    ({**GOOD, "reason": "\ud800"}, "reason has characters that are no text"),
    ({**GOOD, "reason": "x" * 201}, "reason has 201 characters; at most 200 are allowed"),
    ({**GOOD, "reason": "x" * 9000}, "reason is much too long"),
    ({**GOOD, "status": "up"}, "status 'up' is neither 'active' nor 'inactive'"),
    ({"store_id": "1"}, "no status"),
    ({**GOOD, "timestamp_utc": "yesterday"}, "timestamp_utc 'yesterday' is not a time"),
    ({**GOOD, "timestamp_utc": "1999-12-31 23:59:59"}, "timestamp_utc '1999-12-31 23:59:59' is before"),
    (
        {**GOOD, "timestamp_utc": "2099-12-31 23:59:59"},
        "timestamp_utc '2099-12-31 23:59:59' is in the future",
    ),
]


@pytest.mark.parametrize("by_line", [False, True], ids=["JSON", "NDJSON"])
def test_good_polls_are_kept_and_bad_ones_told_by_index(importer: Token, by_line: bool) -> None:
    rows = [GOOD, *(row for row, _ in BAD), {**GOOD, "store_id": " 2 ", "reason": "", "more": 1}]
    if by_line:
        body = "\n".join(json.dumps(row) for row in rows)
        answer = importer.post(PATH, data=body, content_type=NDJSON)
    else:
        answer = importer.post(PATH, json={"polls": rows})
    assert counts(answer) == (2, 0, 0, 0, len(BAD))
    for number, (rejected, (_, reason)) in enumerate(zip(said(answer)["rejected"], BAD, strict=True), 1):
        assert (rejected["index"], rejected["reason"][: len(reason)]) == (number, reason)


def test_appended_polls_are_rows_of_an_import(service: Service, importer: Token) -> None:
    answer = importer.post(PATH, json={"polls": [GOOD, {}, {**GOOD, "status": "inactive", "reason": "é"}]})
    assert counts(answer) == (1, 1, 0, 0, 1)
    row = "SELECT concat_ws(' ', source, kind, rows_read, email, import_no) FROM import JOIN account"
    assert (
        one(service.database, f"{row} USING (account_no)")
        == f"api store_status 3 ida@example.com {said(answer)['import_id']}"
    )
    assert one(service.database, "SELECT concat(line, row) FROM import_reject") == "1{}"
    poll = "SELECT concat_ws(' ', store_id, status, timestamp_utc, reason) FROM store_status_local"
    assert one(service.database, poll) == "1 inactive 2023-01-23 16:14:00+00 é"
    assert sound(service.database)


def test_a_csv_is_taken_and_the_same_again_changes_nothing(service: Service, importer: Token) -> None:
    body = POLLS + "\n3,up,2023-01-23 16:14:00\n"
    first = importer.post(PATH, data=body, content_type="text/csv")
    assert counts(first) == (4, 0, 0, 0, 1)
    assert said(first)["rejected"][0]["index"] == 5  # the header is not counted, the blank line is
    packed = gzip.compress(body.encode())
    for headers in ({"Content-Encoding": "gzip"}, {}):
        again = importer.post(PATH, data=packed, content_type="text/csv; charset=utf-8", headers=headers)
        assert counts(again) == (0, 0, 4, 0, 1)
    assert sound(service.database)


def test_lines_that_are_blank_or_no_json_spoil_no_other(importer: Token) -> None:
    lines = [json.dumps(GOOD), "", "{", '"x"', "9" * 5000, "[" * 50_000, " " * 70_000, "x" * 70_000, "", ""]
    answer = importer.post(PATH, data="\r\n".join(lines), content_type=NDJSON)
    assert counts(answer) == (1, 0, 0, 0, 5)
    assert [row["index"] for row in said(answer)["rejected"]] == [2, 3, 4, 5, 7]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "detail"),
    [
        ("[]", "application/json", 422, "it is not a JSON object like"),
        ("", "application/json", 422, "it is not a JSON object like"),
        ('{"polls": {}}', "application/json", 422, "it is not a JSON object like"),
        ('{"polls": [], "pols": []}', "application/json", 422, "there is no field 'pols' beside polls"),
        ('{"polls": [], "\\ud800": 1}', "application/json", 422, "there is no field '\\ud800' beside polls"),
        ("a,b\n1,2\n", "text/csv", 422, "needs the columns store_id and status and timestamp_utc"),
        ("", "text/csv", 422, "the file is empty"),
        ("<polls/>", "application/xml", 415, "Send one of application/json"),
        ("x" * (polls.MOST_BYTES + 1), "text/csv", 413, "larger than the 16,777,216 bytes"),
    ],
)
def test_a_body_that_is_none_is_refused_whole(
    service: Service, importer: Token, body: str, content_type: str, status: int, detail: str
) -> None:
    answer = importer.post(PATH, data=body, content_type=content_type)
    assert (answer.status_code, detail in said(answer)["detail"]) == (status, True), answer.text
    assert one(service.database, "SELECT count(*) FROM import") == 0


def test_too_many_polls_and_gzip_bombs_are_refused(service: Service, importer: Token) -> None:
    many = {"polls": [GOOD] * (polls.MOST + 1)}
    answer = importer.post(PATH, json=many)
    assert (answer.status_code, "more than 50,000 polls" in said(answer)["detail"]) == (413, True)
    rows = "store_id,status,timestamp_utc\n" + "1,active,2023-01-23 16:14:00\n" * (polls.MOST + 1)
    assert importer.post(PATH, data=rows, content_type="text/csv").status_code == 413
    bomb = gzip.compress(POLLS.encode() + b"\n" * polls.MOST_BYTES)
    for headers in ({"Content-Encoding": "gzip"}, {}):
        answer = importer.post(PATH, data=bomb, content_type="text/csv", headers=headers)
        assert (answer.status_code, "unpacks to more than" in said(answer)["detail"]) == (413, True)
    cut = gzip.compress(POLLS.encode())[:-9]
    answer = importer.post(PATH, data=cut, content_type="text/csv", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, "damaged or cut off" in said(answer)["detail"]) == (422, True)
    odd = importer.post(PATH, json=many, headers={"Content-Encoding": "br"})
    assert odd.status_code == 415
    assert one(service.database, "SELECT count(*) FROM import") == 0


def test_a_request_waits_for_a_running_import_only_so_long(
    service: Service, importer: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "PATIENCE_S", 1)
    with service.database.transaction() as session:
        imports.lock(session, "store_status")
        answer = importer.post(PATH, json={"polls": [GOOD]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert counts(importer.post(PATH, json={"polls": [GOOD]})) == (1, 0, 0, 0, 0)


# --- listing --------------------------------------------------------------------------------------


def test_polls_of_a_store_are_listed_filtered_and_paged(service: Service, operator: Token) -> None:
    load(service.database, POLLS)
    first, second, third = "2023-01-23T16:14:00", "2023-01-23T17:15:00", "2023-01-24T17:15:00.5"
    for query, expected in (
        ("", [third, second, first]),
        ("&sort=oldest", [first, second, third]),
        ("&status=active", [third, first]),
        (f"&start={second}Z&sort=oldest", [second, third]),
        (f"&end={third}Z", [second, first]),
        (f"&start={second}Z&end={second}Z", []),
        ("&start=2023-01-23T18:15:00%2B01:00&end=2023-13-24", None),
        ("&start=1999-01-01T00:00:00Z", None),
    ):
        answer = operator.get(f"{PATH}?store_id=1{query}")
        if expected is None:
            assert (answer.status_code, said(answer)["field"] in ("start", "end")) == (422, True)
            continue
        found = [row["timestamp_utc"].rstrip("Z") for row in said(answer)["items"]]
        assert found == [f"{at.partition('.')[0]}.{at.partition('.')[2]:0<6}" for at in expected], query
    for sort in ("newest", "oldest"):
        assert pages(operator, f"{PATH}?store_id=1&limit=1&sort={sort}") == 3
    for cursor in (
        "junk",
        "WzFd",
        "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTld",
        "Wy05OTk5OTk5OTk5OTk5OTk5OTk5OV0",
    ):
        assert operator.get(f"{PATH}?store_id=1&cursor={cursor}").status_code in (200, 400)
        assert operator.get(f"{PATH}?store_id=1&sort=oldest&cursor={cursor}").status_code in (200, 400)


def pages(token: Token, path: str) -> int:
    """How many pages of one poll each there are; every poll comes once."""
    found, cursor = [], ""
    while cursor is not None:
        answer = said(token.get(f"{path}&cursor={cursor}"))
        found += [row["timestamp_utc"] for row in answer["items"]]
        cursor = answer["next_cursor"]
    assert len(set(found)) == len(found)
    return len(found)


def test_members_read_the_polls_of_their_stores_and_change_none(service: Service) -> None:
    load(service.database, POLLS)
    service.group("mine", "1")
    manager = service.token("mia@example.com", mine=GroupRole.MANAGER)
    poll = said(manager.get(f"{PATH}?store_id=1&limit=1"))["items"][0]
    assert (poll["import_id"], poll["by_hand"]) == (None, False)
    mine = f"{PATH}/{poll['timestamp_utc']}/1"
    assert said(manager.get(mine)) == poll
    assert manager.get(f"{PATH}?store_id=2").status_code == 404
    assert manager.get(f"{PATH}/2023-01-22T12:00:00Z/2").status_code == 404
    assert manager.put(mine, json={"status": "active"}).status_code == 403
    assert manager.patch(mine, json={"status": "active"}).status_code == 403
    assert manager.delete(f"{mine}?reason=x").status_code == 403
    assert manager.post(PATH, json={"polls": [GOOD]}).status_code == 403


# --- by hand --------------------------------------------------------------------------------------

AT = f"{PATH}/2023-01-23T16:14:00Z/1"


def test_a_corrected_poll_stays_so_and_imports_count_it_as_kept(service: Service, operator: Token) -> None:
    load(service.database, POLLS)
    changed = operator.patch(AT, json={"status": "inactive", "reason": " broken "})
    expected = {"status": "inactive", "reason": "broken", "by_hand": True, "import_id": None}
    assert said(changed) | expected == said(changed)
    assert said(operator.get(AT)) == said(changed)
    [again] = load(service.database, POLLS)
    assert (again.rows_kept, again.rows_unchanged) == (1, 3)
    assert counts(operator.post(PATH, json={"polls": [GOOD]})) == (0, 0, 0, 1, 0)
    assert said(operator.patch(AT, json={"reason": None}))["reason"] is None
    assert said(operator.put(AT, json={"status": "active"}))["status"] == "active"
    detail = "SELECT string_agg(concat(action, detail ->> 'status'), ' ' ORDER BY audit_no) FROM audit"
    assert (
        one(service.database, f"{detail} WHERE kind = 'poll'")
        == "correctinactive correctinactive correctactive"
    )
    assert one(service.database, "SELECT count(*) FROM history_due") > 0
    assert sound(service.database)


def test_a_lost_update_of_a_poll_is_refused(service: Service, operator: Token) -> None:
    load(service.database, POLLS)
    headers = {"If-Match": operator.get(AT).headers["ETag"]}
    assert operator.put(AT, json={"status": "inactive"}, headers=headers).status_code == 200
    assert operator.put(AT, json={"status": "active"}, headers=headers).status_code == 412
    assert operator.delete(f"{AT}?reason=x", headers=headers).status_code == 412
    assert said(operator.get(AT))["status"] == "inactive"


@pytest.mark.parametrize(
    "at", ["2022-12-31T23:59:59.999999Z", "2023-01-23T00:00:00Z", "2023-02-01T00:00:00Z"]
)
def test_a_poll_may_be_added_by_hand(service: Service, operator: Token, at: str) -> None:
    load(service.database, POLLS)
    made = operator.put(f"{PATH}/{at}/1", json={"status": "active"})
    assert (made.status_code, said(made)["by_hand"]) == (200, True)
    assert operator.get(f"{PATH}/{at}/1").status_code == 200
    assert sound(service.database)


@pytest.mark.parametrize(
    "at", ["2023-01-23T16:14:00Z", "2023-01-24T17:15:00.500000Z", "2023-01-23T17:15:00Z"]
)
def test_a_deleted_poll_does_not_come_back_but_by_hand(service: Service, operator: Token, at: str) -> None:
    load(service.database, POLLS)
    path = f"{PATH}/{at}/1"
    assert operator.delete(path).status_code == 422
    assert operator.delete(f"{path}?reason=test+order").status_code == 204
    assert sound(service.database)
    assert operator.get(path).status_code == 404
    assert operator.delete(f"{path}?reason=again").status_code == 404
    assert operator.patch(path, json={"status": "active"}).status_code == 404
    [again] = load(service.database, POLLS)
    assert (again.rows_kept, again.rows_unchanged) == (1, 3)
    assert operator.put(path, json={"status": "active"}).status_code == 200
    assert one(service.database, "SELECT count(*) FROM deleted_poll") == 0
    assert sound(service.database)


@pytest.mark.parametrize(
    ("first", "end", "deleted"),
    [
        ("2023-01-23T16:14:00Z", "2023-01-23T17:15:00Z", 1),
        ("2023-01-23T16:14:00Z", "2023-01-23T17:15:00.000001Z", 2),
        ("2023-01-23T17:15:00Z", "2024-01-01T00:00:00Z", 2),
        ("2000-01-01T00:00:00Z", "2024-01-01T00:00:00Z", 3),
        ("2024-01-01T00:00:00Z", "2000-01-01T00:00:00Z", 0),
    ],
)
def test_a_range_is_deleted_with_a_reason(
    service: Service, operator: Token, first: str, end: str, deleted: int
) -> None:
    load(service.database, POLLS)
    path = f"{PATH}?store_id=1&start={first}&end={end}"
    assert operator.delete(path).status_code == 422
    assert said(operator.delete(f"{path}&reason=a+drill")) == {"deleted": deleted}
    assert sound(service.database)
    [again] = load(service.database, POLLS)
    assert (again.rows_kept, again.rows_unchanged, again.rows_new) == (deleted, 4 - deleted, 0)
    assert sound(service.database)
    kept = "SELECT concat(detail -> 'polls', detail ->> 'reason') FROM audit WHERE kind = 'poll'"
    assert one(service.database, kept) == (f"{deleted}a drill" if deleted else None)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        (f"{PATH}/2099-01-01T00:00:00Z/1", {"status": "active"}, 400, "timestamp_utc"),
        (f"{PATH}/1999-01-01T00:00:00Z/1", {"status": "active"}, 422, "timestamp_utc"),
        (f"{PATH}/noon/1", {"status": "active"}, 422, "timestamp_utc"),
        (AT, {"status": "up"}, 422, "status"),
        (AT, {"status": "active", "reason": "x" * 201}, 422, "reason"),
        (AT, {"status": "active", "reason": "\0"}, 422, "reason"),
        (AT, {"status": "active", "reason": "\ud800"}, 422, "reason"),
        (AT, {"status": "active", "statsu": 1}, 422, "statsu"),
        (f"{PATH}/2023-01-23T16:14:00Z/9", {"status": "active"}, 404, None),
    ],
)
def test_a_poll_that_cannot_be_is_refused_by_field(
    service: Service, operator: Token, path: str, body: Any, status: int, field: str | None
) -> None:
    load(service.database, POLLS)
    answer = operator.put(path, json=body)
    assert (answer.status_code, said(answer).get("field")) == (status, field), answer.text


def test_a_request_of_many_polls_counts_as_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_LIMITS", ["2/hour"])
    client = create_app(Settings(), database, Edge(login=False)).test_client()
    many = {"polls": [GOOD] * 1000}
    assert [client.post(PATH, json=many).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.post(PATH, json=many)
    assert int(refused.headers["Retry-After"]) > 0
