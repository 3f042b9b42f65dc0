"""/api/v1/imports."""

from __future__ import annotations

import csv
import io

import pytest

from storewatch.domain.permissions import GroupRole, Role
from tests.factories import load
from tests.web.conftest import said
from tests.web.service import Service, Token

PATH = "/api/v1/imports"
POLLS = """store_id,status,timestamp_utc
1,active,2023-01-23 16:14:00 UTC
=1+1,up,2023-01-23 16:14:00 UTC
"""
HOURS = 'store_id,day,start_time_local,end_time_local\n1,0,09:00,12:00\n1,1,9,12\n"a,b",x,"09:00",12:00\n'


@pytest.fixture
def operator(service: Service) -> Token:
    return service.token("olga@example.com", Role.OPERATOR)


def test_an_import_tells_who_loaded_what_and_what_was_assumed(service: Service, operator: Token) -> None:
    load(service.database, POLLS, HOURS)
    poll = {"store_id": "2", "status": "active", "timestamp_utc": "2023-01-23T16:14:00Z"}
    operator.post("/api/v1/polls", json={"polls": [poll]})
    newest, hours, first = said(operator.get(PATH))["items"]
    assert (newest["source"], newest["loaded_by"]) == ("api", "olga@example.com")
    assert (first["source"], first["loaded_by"], first["upload_id"]) == ("cli", None, None)
    assert [first[f"rows_{count}"] for count in ("read", "new", "rejected")] == [2, 1, 1]
    assert (first["size_bytes"], len(first["sha256"])) == (len(POLLS), 64)
    assert hours["assumptions"]["closed_days"] == [{"store_id": "1", "day": "Tuesday"}]
    assert newest["assumptions"] == {"polled_stores": 2, "open_24x7": 1, "default_zone": 2}
    answer = operator.get(f"{PATH}/{first['import_id']}")
    assert said(answer) == first
    again = operator.get(f"{PATH}/{first['import_id']}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_imports_come_newest_first_filtered_and_in_pages(service: Service, operator: Token) -> None:
    load(service.database, POLLS, HOURS, POLLS)
    for query, expected in (("", "321"), ("kind=menu_hours", "2"), ("source=api", ""), ("source=cli", "321")):
        found, cursor = "", ""
        while cursor is not None:
            answer = said(operator.get(f"{PATH}?limit=1&{query}&cursor={cursor}"))
            found += "".join(row["import_id"] for row in answer["items"])
            cursor = answer["next_cursor"]
        assert found == expected, query
    assert operator.get(f"{PATH}?cursor=WyJ4Il0").status_code == 200
    assert operator.get(f"{PATH}?cursor=junk").status_code == 400
    assert operator.get(f"{PATH}?kind=x").status_code == 422


def test_rejected_rows_come_in_pages_and_as_csv_that_runs_no_formula(
    service: Service, operator: Token
) -> None:
    load(service.database, POLLS, HOURS)
    first = said(operator.get(f"{PATH}/2/rejects?limit=1"))
    assert (first["items"][0]["line"], first["items"][0]["row"]) == (3, "1,1,9,12")
    rest = said(operator.get(f"{PATH}/2/rejects?limit=1&cursor={first['next_cursor']}"))
    assert (rest["items"][0]["row"], rest["next_cursor"]) == ('"a,b",x,"09:00",12:00', None)
    answer = operator.get(f"{PATH}/2/rejects.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["line", "reason", "row"]
    assert [row[2] for row in rows[1:]] == ["1,1,9,12", '"a,b",x,"09:00",12:00']
    formula = list(csv.reader(io.StringIO(operator.get(f"{PATH}/1/rejects.csv").text)))[1]
    assert formula[2] == "'=1+1,up,2023-01-23 16:14:00 UTC"


def test_what_is_no_import_is_not_found(operator: Token) -> None:
    for path in ("7", "7/rejects", "7/rejects.csv"):
        assert operator.get(f"{PATH}/{path}").status_code == 404
    for odd in ("0", "-1", "x", "99999999999", "1 "):
        assert operator.get(f"{PATH}/{odd}").status_code == 422


def test_members_see_no_imports(service: Service) -> None:
    load(service.database, POLLS)
    service.group("mine", "1")
    manager = service.token("mia@example.com", mine=GroupRole.MANAGER)
    for path in ("", "/1", "/1/rejects", "/1/rejects.csv"):
        assert manager.get(PATH + path).status_code == 403
