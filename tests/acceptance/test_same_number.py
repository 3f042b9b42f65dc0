"""The same number for the same question: in CSV, XLSX, the API, the commands and SQL."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.config import Settings
from storewatch.services import exception_marks, history
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.storage.truth_tables import ExceptionRow
from storewatch.web.app import Edge, create_app
from tests.acceptance.conftest import storewatch
from tests.web.api.test_report_rows import sheet

pytestmark = pytest.mark.slow

STORES = 30
WINDOWS = ("last_hour", "last_day", "last_week")
TIMES = ("open", "up", "down", "unknown", "excluded", "seen", "inferred", "down_min", "down_max")
END = "2023-03-15 18:00"  # a clock change lies in the week before

Figures = dict[str, dict[str, dict[str, float]]]
"""By store, window and name: seconds."""


@pytest.fixture
def environment(tmp_path: Path, database_url: str, database: Database) -> dict[str, str]:
    """An invented fleet, with an hour of maintenance in the last day, and history made."""
    settings = {"STOREWATCH_DATABASE_URL": database_url}
    size = ("--stores", str(STORES), "--days", "9", "--seed", "7", "--end", END)
    done(storewatch("simulate", *size, "--output", str(tmp_path), environment=settings))
    done(storewatch("import", *(str(file) for file in tmp_path.glob("*.csv")), environment=settings))
    start, end = (datetime(2023, 3, 15, hour, tzinfo=UTC) for hour in (16, 17))
    with database.transaction() as session:
        row = ExceptionRow(effect="excluded", note="maintenance", start_at=start, end_at=end)
        session.add(row)
        session.flush()
        exception_marks.mark(session, row)
    while history.update(database, Request()):
        pass
    return settings


def done(result: Any) -> str:
    assert result.returncode == 0, result.stderr
    return str(result.stdout)


def report(environment: dict[str, str], file: Path, *words: str) -> str:
    """Makes a report into a file; its id."""
    told = done(storewatch("report", "--output", str(file), *words, environment=environment))
    return told.rpartition("Report ")[2].split()[0]


@pytest.fixture
def client(database: Database) -> FlaskClient:
    return create_app(Settings(), database, Edge(login=False, limits=False)).test_client()


def pages(client: FlaskClient, path: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page: Any = client.get(f"{path}?limit=7&cursor={cursor}").json
        yield from page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def from_rows(rows: list[dict[str, Any]]) -> Figures:
    """Of the extended form, whose columns are named `up_seconds_last_day`."""
    return {
        row["store_id"]: {
            window: {name: float(row[f"{name}_seconds_{window}"]) for name in TIMES} for window in WINDOWS
        }
        for row in rows
    }


def from_json(items: list[dict[str, Any]]) -> Figures:
    return {
        item["store_id"]: {
            window: {name: item["windows"][window][f"{name}_seconds"] for name in TIMES} for window in WINDOWS
        }
        for item in items
    }


def from_xlsx(book: bytes) -> Figures:
    head, *rows = ([cell for _, cell in line] for line in sheet(book))
    return from_rows([dict(zip(head, row, strict=True)) for row in rows])


def from_availability(client: FlaskClient, store_id: str) -> dict[str, dict[str, float]]:
    answer: Any = client.get("/api/v1/availability", query_string={"store_id": store_id}).json
    return {
        each["name"]: {name: each[f"{name}_seconds"] for name in TIMES}
        for each in answer["windows"]
    }  # fmt: skip


def from_sql(database: Database) -> Figures:
    seconds = {
        "up": "up_seen_us[i] + up_inferred_us[i]",
        "down": "down_seen_us[i] + down_inferred_us[i]",
        "seen": "up_seen_us[i] + down_seen_us[i]",
        "inferred": "up_inferred_us[i] + down_inferred_us[i]",
    } | {name: f"{name}_us[i]" for name in ("unknown", "excluded", "down_min", "down_max")}
    seconds["open"] = f"{seconds['up']} + {seconds['down']} + unknown_us[i] + excluded_us[i]"
    columns = ", ".join(f"({sql}) / 1000000.0::float8 AS {name}" for name, sql in seconds.items())
    query = f"""
        SELECT store_id, window_names[i] AS window, {columns}
        FROM report JOIN store_report USING (report_no) JOIN store USING (store_key),
             generate_subscripts(window_names, 1) AS i
        WHERE report_no = (SELECT max(report_no) FROM report)"""
    found: Figures = {}
    with database.session() as session:
        for row in session.execute(text(query)).mappings():
            found.setdefault(row["store_id"], {})[row["window"]] = {name: row[name] for name in TIMES}
    return found


def test_all_that_tell_a_report_tell_the_same(
    environment: dict[str, str], client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    book, table = tmp_path / "r.xlsx", tmp_path / "extended.csv"
    report(environment, book, "--extended")
    report_id = report(environment, table, "--extended")
    told = from_json(list(pages(client, f"/api/v1/reports/{report_id}/rows")))
    assert len(told) == STORES
    assert sum(store["last_day"]["excluded"] for store in told.values()) > 0
    assert sum(store["last_week"]["down"] for store in told.values()) > 0
    assert from_rows(list(csv.DictReader(io.StringIO(table.read_text())))) == told
    assert from_xlsx(book.read_bytes()) == told
    assert from_sql(database) == told
    assert {store_id: from_availability(client, store_id) for store_id in told} == told


def test_the_seven_columns_are_the_same_rounded(
    environment: dict[str, str], client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "classic.csv"
    report_id = report(environment, file)
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    told = from_json(list(pages(client, f"/api/v1/reports/{report_id}/rows")))
    assert [row["store_id"] for row in rows] == sorted(told)
    for row in rows:
        for window, unit in zip(WINDOWS, (60, 3600, 3600), strict=True):
            for side in ("up", "down"):
                cell = row[f"{side}time_{window}"]
                assert cell in ("", rounded(told[row["store_id"]][window][side], unit))
    with client.get(f"/download/{report_id}") as answer:
        assert answer.data == file.read_bytes()
    query = "SELECT * FROM store_report_classic WHERE report_id = :id ORDER BY store_id"
    with database.session() as session:
        view = session.execute(text(query), {"id": report_id}).mappings().all()
    names = [name for name in rows[0] if name != "store_id"]
    assert [[str(line[name]) if line[name] is not None else "" for name in names] for line in view] == [
        [row[name] for name in names] for row in rows
    ]


def rounded(seconds: float, unit: int) -> str:
    return str((Decimal(repr(seconds)) / unit).quantize(Decimal("0.01"), ROUND_HALF_UP))


def test_a_month_of_a_store_is_the_same_everywhere(
    environment: dict[str, str], client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    """By command, API, SQL, and on the page of the store."""
    month = {"first_day": "2023-03-01", "last_day": "2023-03-31", "by": "month"}
    query = "SELECT store_id, * FROM store_availability_by_month WHERE local_month = '2023-03-01'"
    with database.session() as session:
        in_sql = {row["store_id"]: row for row in session.execute(text(query)).mappings()}
    assert len(in_sql) == STORES
    for store_id in sorted(in_sql)[:4]:
        answer: Any = client.get("/api/v1/history", query_string=month | {"store_id": store_id}).json
        [told] = answer["items"]
        file, row = tmp_path / "month.csv", in_sql[store_id]
        words = ("--store", store_id, "--from", "2023-03-01", "--to", "2023-03-31", "--by", "month")
        done(storewatch("availability", *words, "--csv", str(file), environment=environment))
        [line] = csv.DictReader(io.StringIO(file.read_text()))
        for name in ("open", "up", "down", "unknown", "excluded", "down_min", "down_max"):
            assert float(line[f"{name}_seconds"]) == told[f"{name}_seconds"]
        for name in ("availability", "coverage"):
            shares = ((line[name] and float(line[name])) or None, told[name], row[name])
            assert len(set(shares)) == 1
        for name, column in (("up", "uptime"), ("down", "downtime"), ("open", "open")):
            assert str(row[f"{column}_hours"]) == rounded(told[f"{name}_seconds"], 3600)
        assert (int(line["outages"]), row["outages"]) == (told["outages"], told["outages"])
        page = client.get(
            f"/stores/{store_id}?from=2023-03-01&to=2023-03-31", headers={"Accept": "text/html"}
        )
        assert f'<span class="n">{told["down_seconds"] / 3600:.1f} h</span>' in page.text
