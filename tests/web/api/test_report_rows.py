"""/api/v1/reports/<report_id>/rows and /file."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import polars as pl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.services import making
from storewatch.storage import report_rows
from storewatch.storage.db import Database
from tests.factories import load
from tests.web.conftest import said

PATH = "/api/v1/reports"
FORMULA = "=HYPERLINK(0)"
IDS = (FORMULA, "8419537941919820732", "007", "éclair", "b")
POLLS = f"""store_id,status,timestamp_utc
{FORMULA},active,2023-01-23 16:00:00 UTC
8419537941919820732,inactive,2023-01-23 16:00:00 UTC
8419537941919820732,active,2023-01-23 17:00:00 UTC
007,inactive,2023-01-23 17:30:00.000001 UTC
007,active,2023-01-23 17:45:00 UTC
007,inactive,2023-01-23 18:00:00 UTC
éclair,active,2023-01-16 00:00:00 UTC
b,active,2023-01-23 18:00:00 UTC
"""
HOURS = "store_id,day,start_time_local,end_time_local\nb,3,09:00,12:00\n"
STORES = "store_id,name,location\n007,+Bond,@home\nb,100% B,Paris\n"
ZONES = "store_id,timezone_str\n007,UTC\n"


@pytest.fixture
def path(client: FlaskClient, database: Database) -> str:
    """A complete report."""
    load(database, POLLS, HOURS, STORES, ZONES)
    report_id = said(client.post(PATH, json={}))["report_id"]
    making.make(database, UUID(report_id))
    return f"{PATH}/{report_id}"


def items(client: FlaskClient, path: str, query: str = "", limit: int = 2) -> list[dict[str, Any]]:
    """All rows, page by page."""
    found, cursor = [], ""
    while cursor is not None:
        answer = client.get(f"{path}/rows?limit={limit}&cursor={cursor}&{query}")
        assert answer.status_code == 200, answer.text
        found += said(answer)["items"]
        cursor = said(answer)["next_cursor"]
    return found


def test_a_row_says_all_that_is_known_of_a_store(client: FlaskClient, path: str) -> None:
    (bond,) = items(client, path, "q=bOND")
    assert {name: bond[name] for name in ("store_id", "name", "location", "hours_given", "zone_given")} == {
        "store_id": "007",
        "name": "+Bond",
        "location": "@home",
        "hours_given": False,
        "zone_given": True,
    }
    assert bond["windows"]["last_hour"] == {
        "open_seconds": 3600.0,
        "up_seconds": 900.0,  # from the middle of 17:30:00.000001 and 17:45, rounded down, to that to 18:00
        "down_seconds": 2700.0,
        "down_min_seconds": 0.0,
        "down_max_seconds": 3600.0,
        "unknown_seconds": 0.0,
        "excluded_seconds": 0.0,
        "seen_seconds": 3600.0,
        "inferred_seconds": 0.0,
        "coverage": 1.0,
        "availability": 0.25,
        "outages": 2,
        "longest_outage_seconds": 2250.0,
        "raw": None,
    }


def test_open_is_up_down_and_unknown_in_every_row_and_window(client: FlaskClient, path: str) -> None:
    for row in items(client, path):
        for window in row["windows"].values():
            parts = window["up_seconds"] + window["down_seconds"] + window["unknown_seconds"]
            assert window["open_seconds"] == pytest.approx(parts, abs=1e-7)
            known = window["seen_seconds"] + window["inferred_seconds"]
            assert known == pytest.approx(parts - window["unknown_seconds"], abs=1e-7)


SORTS = (
    *("open_seconds", "up_seconds", "down_seconds", "unknown_seconds", "seen_seconds", "inferred_seconds"),
    *(
        "coverage",
        "availability",
        "outages",
        "longest_outage_seconds",
        "down_min_seconds",
        "down_max_seconds",
    ),
)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("window", ["last_hour", "last_day", "last_week"])
def test_rows_are_sorted_by_any_figure_those_without_it_last(
    client: FlaskClient, path: str, sort: str, window: str
) -> None:
    every = items(client, path, limit=100)
    for order, sign in (("asc", 1), ("desc", -1)):

        def key(row: dict[str, Any], sign: int = sign) -> tuple[bool, float, str]:
            value = row["windows"][window][sort]
            return value is None, sign * (value or 0), row["store_id"]

        found = items(client, path, f"sort={sort}&order={order}&window={window}")
        assert found == sorted(every, key=key)


def test_rows_are_sorted_by_id_and_by_name(client: FlaskClient, path: str) -> None:
    assert [row["store_id"] for row in items(client, path)] == sorted(IDS)
    assert [row["store_id"] for row in items(client, path, "order=desc")] == sorted(IDS)[::-1]
    assert [row["name"] for row in items(client, path, "sort=name")][-2:] == ["+Bond", "100% B"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=%25", ["b"]),
        ("q=%3D", [FORMULA]),
        ("q=paris", ["b"]),
        ("q=nowhere", []),
        ("min_down_seconds=1&window=last_hour", ["007"]),
        ("min_down_seconds=2700&window=last_hour", ["007"]),
        ("min_down_seconds=2700.000001&window=last_hour", []),
        ("max_coverage=0.5&window=last_hour", [FORMULA, "éclair"]),
        ("min_coverage=0.5&max_coverage=1&window=last_hour", ["007", "8419537941919820732"]),
        ("max_availability=0.3&window=last_hour", ["007"]),
        ("min_outages=2", ["007"]),
        ("min_longest_outage_seconds=80000&window=last_week", ["007", "8419537941919820732"]),
        ("min_unknown_seconds=3600&window=last_hour", ["éclair"]),
    ],
)
def test_rows_are_chosen(client: FlaskClient, path: str, query: str, expected: list[str]) -> None:
    assert [row["store_id"] for row in items(client, path, query)] == expected


def test_rows_of_a_group(client: FlaskClient, path: str) -> None:
    group = said(client.post("/api/v1/groups", json={"name": "mine"}))["group_id"]
    client.post(f"/api/v1/groups/{group}/stores", json={"store_ids": ["b", "007"]})
    assert [row["store_id"] for row in items(client, path, f"group_id={group}")] == ["007", "b"]
    assert client.get(f"{path}/rows?group_id={UUID(int=1)}").status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("window=last_year", 400, "window"),
        ("sort=shoe_size", 422, "sort"),
        ("min_coverage=2", 422, "min_coverage"),
        ("min_down_seconds=nan", 422, "min_down_seconds"),
        ("min_down_seconds=1e300", 422, "min_down_seconds"),
        ("min_outages=-1", 422, "min_outages"),
        ("colour=red", 422, "colour"),
        ("cursor=WyJhIl0", 400, "cursor"),
        ("sort=coverage&cursor=WyJhIiwgImIiXQ", 400, "cursor"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(
    client: FlaskClient, path: str, query: str, status: int, field: str
) -> None:
    answer = client.get(f"{path}/rows?{query}")
    assert (answer.status_code, said(answer)["field"]) == (status, field)


def test_a_report_that_is_not_complete_has_no_rows(client: FlaskClient, database: Database) -> None:
    load(database, POLLS)
    waiting = said(client.post(PATH, json={}))["report_id"]
    for part in ("rows", "file"):
        answer = client.get(f"{PATH}/{waiting}/{part}")
        assert (answer.status_code, "queued" in said(answer)["detail"]) == (409, True)


def test_rows_of_old_reports_lack_what_was_not_counted_then(
    client: FlaskClient, database: Database, path: str
) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "UPDATE store_report SET outages = NULL, longest_outage_us = NULL, hours_given = NULL,"
                " down_min_us = NULL, down_max_us = NULL, excluded_us = NULL"
            )
        )
    row = items(client, path, "sort=outages")[0]
    assert (row["hours_given"], row["windows"]["last_hour"]["outages"]) == (None, None)
    assert row["windows"]["last_hour"]["down_max_seconds"] is None
    assert items(client, path, "min_outages=0") == []
    lines = extended_csv(client, path)
    assert {line["outages_last_week"] for line in lines} == {""}
    assert {line["longest_outage_seconds_last_week"] for line in lines} == {""}
    assert {line["down_min_seconds_last_week"] for line in lines} == {""}


# --- files ----------------------------------------------------------------------------------------


def fetched(client: FlaskClient, path: str, kind: str, form: str = "extended") -> bytes:
    answer = client.get(f"{path}/file?format={kind}&form={form}")
    assert answer.status_code == 200
    report_id = path.rpartition("/")[2]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{report_id}.{kind}"'
    return bytes(answer.data)


def extended_csv(client: FlaskClient, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(fetched(client, path, "csv").decode())))


def test_the_extended_csv_is_exact_and_harmless(client: FlaskClient, path: str) -> None:
    lines = {line["store_id"]: line for line in extended_csv(client, path)}
    assert list(lines) == ["007", "8419537941919820732", f"'{FORMULA}", "b", "éclair"]
    bond = lines["007"]
    assert (bond["name"], bond["location"]) == ("'+Bond", "'@home")
    assert (bond["zone_given"], bond["down_seconds_last_hour"]) == ("true", "2700.000000")
    assert (bond["outages_last_hour"], bond["availability_last_hour"]) == ("2", "0.25")
    assert (lines["b"]["open_seconds_last_hour"], lines["b"]["coverage_last_hour"]) == ("0.000000", "")
    for line in lines.values():
        for window in ("last_hour", "last_day", "last_week"):
            parts = (line[f"{name}_seconds_{window}"].replace(".", "") for name in ("up", "down", "unknown"))
            assert int(line[f"open_seconds_{window}"].replace(".", "")) == sum(map(int, parts))


def test_json_has_the_rows_of_the_api(client: FlaskClient, path: str) -> None:
    answer = client.get(f"{path}/file?format=json&form=extended")
    assert answer.mimetype == "application/json"
    assert said(answer)["rows"] == items(client, path)
    assert said(answer)["window_seconds"] == {"last_hour": 3600, "last_day": 86400, "last_week": 604800}


def test_parquet_has_the_numbers_of_the_csv(client: FlaskClient, path: str) -> None:
    frame = pl.read_parquet(io.BytesIO(fetched(client, path, "parquet")))
    lines = extended_csv(client, path)
    assert frame.columns == list(lines[0])
    assert frame["store_id"].to_list() == sorted(IDS)
    column = "longest_outage_seconds_last_week"
    assert frame[column].to_list() == [float(line[column]) for line in lines]
    assert frame["coverage_last_hour"].dtype == pl.Float64


def test_all_kinds_hold_the_classic_report(client: FlaskClient, path: str) -> None:
    text_of = fetched(client, path, "csv", "classic").decode()
    assert text_of == client.get(f"/download/{path.rpartition('/')[2]}").text
    head, *rows = list(csv.reader(io.StringIO(text_of)))
    numbers = [[float(cell) if cell else None for cell in row[1:]] for row in rows]
    frame = pl.read_parquet(io.BytesIO(fetched(client, path, "parquet", "classic")))
    assert (frame.columns, [list(row[1:]) for row in frame.iter_rows()]) == (head, numbers)
    listed = said(client.get(f"{path}/file?format=json&form=classic"))["rows"]
    assert [list(row.values())[1:] for row in listed] == numbers
    assert [
        [cell for _, cell in row][1:] for row in sheet(fetched(client, path, "xlsx", "classic"))[1:]
    ] == numbers


NAMESPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def sheet(book: bytes, number: int = 1) -> list[list[tuple[str, Any]]]:
    """The cells of a sheet, in rows: (type as the file has it, value)."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        root = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314 - ours
    assert not root.findall(".//x:f", NAMESPACE)  # not one formula
    found: list[list[tuple[str, Any]]] = []
    for row in root.findall(".//x:row", NAMESPACE):
        cells = {cell.get("r", "").rstrip("0123456789"): cell for cell in row}
        width = len(found[0]) if found else len(cells)  # the header's
        line: list[tuple[str, Any]] = [("", None)] * width
        for name, cell in cells.items():
            line[place(name)] = read_cell(cell)
        found.append(line)
    return found


def place(name: str) -> int:
    """A is 0, AA is 26."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    return number - 1


def read_cell(cell: ElementTree.Element) -> tuple[str, Any]:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return kind, "".join(cell.itertext())
    value = cell.findtext("x:v", None, NAMESPACE)
    return kind, None if value is None else float(value)


def test_in_xlsx_ids_are_text_numbers_are_numbers_and_nothing_calculates(
    client: FlaskClient, path: str
) -> None:
    head, *rows = sheet(fetched(client, path, "xlsx"))
    names = [cell for _, cell in head]
    assert names == list(extended_csv(client, path)[0])
    ids = [row[0] for row in rows]
    assert ids == [
        ("inlineStr", name) for name in ("007", "8419537941919820732", f"'{FORMULA}", "b", "éclair")
    ]
    bond = dict(zip(names, rows[0], strict=True))
    assert (bond["name"], bond["location"]) == (("inlineStr", "'+Bond"), ("inlineStr", "'@home"))
    assert bond["down_seconds_last_hour"] == ("n", 2700.0)
    assert (bond["hours_given"], bond["outages_last_hour"]) == (("b", 0.0), ("n", 2.0))


def test_an_xlsx_says_which_report_it_is(client: FlaskClient, path: str) -> None:
    about = {row[0][1]: row[1][1] for row in sheet(fetched(client, path, "xlsx"), 2)}
    assert (about["report_id"], about["policy"]) == (path.rpartition("/")[2], "nearest")


@pytest.mark.parametrize("form", ["classic", "extended"])
def test_a_report_without_rows_is_a_file_with_a_header(
    client: FlaskClient, database: Database, form: str
) -> None:
    load(database, POLLS)
    report_id = said(client.post(PATH, json={"as_of": "2022-01-01T00:00:00Z"}))["report_id"]
    making.make(database, UUID(report_id))
    path = f"{PATH}/{report_id}"
    header = fetched(client, path, "csv", form).decode()
    assert header.startswith("store_id,")
    assert header.count("\n") == 1
    assert pl.read_parquet(
        io.BytesIO(fetched(client, path, "parquet", form))
    ).columns == header.strip().split(",")
    assert len(sheet(fetched(client, path, "xlsx", form))) == 1
    assert said(client.get(f"{path}/file?format=json&form={form}"))["rows"] == []


def test_a_file_is_the_same_however_few_rows_are_read_at_once(
    client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {kind: fetched(client, path, kind) for kind in ("csv", "json", "parquet")}
    usual = report_rows.frames.__kwdefaults__ or {}
    monkeypatch.setitem(usual, "at_once", 1)
    monkeypatch.setattr(report_rows, "_FIGURES_AT_ONCE", 54)  # of three stores
    monkeypatch.setattr(report_rows, "_KEYS_AT_ONCE", 2)
    assert fetched(client, path, "csv") == whole["csv"]
    assert fetched(client, path, "json") == whole["json"]
    frames = (
        pl.read_parquet(io.BytesIO(kind)) for kind in (fetched(client, path, "parquet"), whole["parquet"])
    )
    assert next(frames).equals(next(frames))
