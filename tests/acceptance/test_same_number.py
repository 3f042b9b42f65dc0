"""The same number for the same question: in CSV, XLSX, the API, the commands, SQL, and on the pages."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.config import Settings
from storewatch.domain.permissions import COMMAND
from storewatch.services import exception_marks, groups, history
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.storage.truth_tables import ExceptionRow
from storewatch.web import times, words
from storewatch.web.app import Edge, create_app
from tests.acceptance.conftest import storewatch
from tests.web.api.test_report_rows import sheet
from tests.web.conftest import said
from tests.web.test_page_files import HTML

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
    assert from_report_page(client, report_id) == {row.pop("store_id"): [*row.values()] for row in rows}
    query = "SELECT * FROM store_report_classic WHERE report_id = :id ORDER BY store_id"
    with database.session() as session:
        view = session.execute(text(query), {"id": report_id}).mappings().all()
    names = list(rows[0])
    assert [[str(line[name]) if line[name] is not None else "" for name in names] for line in view] == [
        [row[name] for name in names] for row in rows
    ]


def from_report_page(client: FlaskClient, report_id: str) -> dict[str, list[str]]:
    """The cells of the page of a report, by store, without those of coverage."""
    found: dict[str, list[str]] = {}
    for number in (1, 2):
        page = client.get(f"/reports/{report_id}?page={number}", headers=HTML).text
        for store_id, cells in rows_of(page):
            told = re.findall(r'data-label="(?:up|down), [^>]*>(?:<span class="none">)?([^<]+)', cells)
            found[store_id] = [cell.replace(",", "").replace("no data", "") for cell in told]
    return found


def rows_of(page: str) -> list[tuple[str, str]]:
    """(id, HTML) of the rows of a table of stores."""
    return re.findall(
        r'<th role="rowheader"[^>]*><a href="/stores/([^"?]+)".*?</th>(.*?)</tr>', page, re.DOTALL
    )


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
        page = client.get(f"/stores/{store_id}?from=2023-03-01&to=2023-03-31", headers=HTML)
        assert f'<span class="n">{told["down_seconds"] / 3600:.1f} h</span>' in page.text


def test_the_page_of_a_month_is_the_same_as_command_api_and_sql(
    environment: dict[str, str], client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    """Of a store, whose figures are computed, and of a group, whose are read as they are kept."""
    month = {"first_day": "2023-03-01", "last_day": "2023-03-31", "by": "month"}
    with database.session() as session:
        ids = list(session.execute(text("SELECT store_id FROM store ORDER BY 1")).scalars())
    group = groups.create(database, COMMAND, "West").group_id
    groups.add_stores(database, COMMAND, group, ids[:20])
    while history.update(database, Request()):
        pass
    scopes = (
        ([ids[0]], ("--store", ids[0]), {"store_id": ids[0]}, f"store={ids[0]}"),
        (ids[:20], ("--group", "West"), {"group_id": str(group)}, f"group={group}"),
    )
    for among, option, asked, query in scopes:
        [told] = said(client.get("/api/v1/history", query_string=month | asked))["items"]
        file = tmp_path / "month.csv"
        span = ("--from", "2023-03-01", "--to", "2023-03-31", "--by", "month", "--csv", str(file))
        done(storewatch("availability", *option, *span, environment=environment))
        [line] = csv.DictReader(io.StringIO(file.read_text()))
        with database.session() as session:
            sql = text("""
                SELECT sum(outages) AS outages, sum(downtime_hours) AS down FROM store_availability_by_month
                WHERE local_month = '2023-03-01' AND store_id = ANY(:ids)""")
            view = session.execute(sql, {"ids": among}).one()
        page = client.get(f"/months/2023-03?{query}", headers=HTML).text
        assert float(line["down_seconds"]) == told["down_seconds"] > 0
        assert view.outages == told["outages"] == int(line["outages"])
        assert abs(float(view.down) - told["down_seconds"] / 3600) <= 0.005 * len(among)
        bounds = [times.hours(round(told[f"down_{side}_seconds"] * 1e6)) for side in ("min", "max")]
        hours = times.hours(round(told["down_seconds"] * 1e6))
        for shown, beside in (
            (words.share(told["availability"], 2), times.hours(round(told["up_seconds"] * 1e6))),
            (words.share(told["coverage"], 0), times.hours(round(told["seen_seconds"] * 1e6))),
            (hours, f"between {bounds[0]} and {bounds[1]}"),
            (f"{told['outages']:,}", f"unknown {times.hours(round(told['unknown_seconds'] * 1e6))}"),
        ):
            assert f'<span class="n">{shown}</span>{beside}' in page
        days = said(client.get("/api/v1/history", query_string=month | asked | {"by": "day"}))["items"]
        rows = re.findall(r'data-label="Down">([^<]+)</td><td class="num" data-label="Between">', page)
        assert rows == [times.hours(round(day["down_seconds"] * 1e6)) for day in days if day["open_seconds"]]


def test_seven_days_of_a_store_are_the_same_in_the_list_of_the_fleet(
    environment: dict[str, str], client: FlaskClient
) -> None:
    """On the page of the fleet, on that of the store, and by the API, each on the store's own clock."""
    listed: dict[str, list[str]] = {}
    for number in (1, 2):
        page = client.get(f"/?days=7&page={number}", headers=HTML).text.partition('id="list"')[2]
        listed |= {store_id: re.findall(r'class="num">([^<]*)', cells) for store_id, cells in rows_of(page)}
    assert len(listed) == STORES
    for store_id, (outages, down, unknown, up, coverage, *_) in listed.items():
        page = client.get(f"/stores/{store_id}?days=7", headers=HTML).text
        days = re.findall(r'name="(?:from|to)" value="([\d-]+)"', page)
        asked = {"store_id": store_id, "first_day": days[0], "last_day": days[1]}
        told = said(client.get("/api/v1/history", query_string=asked | {"by": "day"}))["items"]
        sums = {name: sum(day[f"{name}_seconds"] for day in told) for name in ("up", "down", "unknown")}
        for name, shown in (("down", down), ("unknown", unknown)):
            assert shown == times.hours(round(sums[name] * 1e6))
        known = sums["up"] + sums["down"]
        assert up == words.share(sums["up"] / known if known else None, 1)
        assert outages == re.findall(r'<dt>Outages</dt><dd><span class="n">([\d,]+)', page)[0]
        for figure in (up, down, coverage):
            assert re.search(rf'<span class="n(?: weak)?">{re.escape(figure)}</span>', page)
