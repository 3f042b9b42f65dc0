"""storewatch outages; and that it says what the API and the report say."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from storewatch.config import Settings
from storewatch.domain.permissions import COMMAND
from storewatch.services import reporting, reports
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.acceptance.conftest import storewatch
from tests.factories import load
from tests.web.api.test_outages import POLLS, ZONES

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(database_url: str, database: Database) -> dict[str, str]:
    load(database, POLLS, ZONES)
    return {"STOREWATCH_DATABASE_URL": database_url}


@pytest.fixture
def client(database: Database) -> FlaskClient:
    return create_app(Settings(), database, Edge(login=False, limits=False)).test_client()


def test_outages_are_told_in_sentences_below_what_they_add_up_to(environment: dict[str, str]) -> None:
    result = storewatch("outages", "--from", "2023-01-23", "--min", "1h", environment=environment)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "3 stores, from 2023-01-23T00:00:00Z to 2023-01-23T15:00:00Z"
    assert lines[2].split() == ["all", "3", "5", "h", "10", "min", "3", "h", "1", "h", "43", "min", "13", "h",
                                "16", "min", "5", "h"]  # fmt: skip
    assert lines[3].split()[:5] == ["chosen", "2", "5", "h", "3"]
    assert lines[5].startswith("b: last seen up 2023-01-23 05:00, first seen down 09:00, counted from 07:00;")
    assert lines[7].startswith("a: last seen up 2023-01-23 10:00, first seen down 11:00, counted from 10:30;")


def test_command_api_and_report_agree_on_counts_and_lengths(
    environment: dict[str, str], database: Database, client: FlaskClient, tmp_path: Path
) -> None:
    file = tmp_path / "outages.csv"
    result = storewatch("outages", "--csv", str(file), environment=environment)
    assert result.returncode == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    listed: Any = client.get("/api/v1/outages").json
    names = [name for name in rows[0] if name.endswith("_seconds")]
    for row, item in zip(rows, listed["items"], strict=True):
        assert (row["store_id"], int(row["polls"])) == (item["store_id"], item["polls"])
        assert [float(row[name]) for name in names] == [item[name] for name in names]
    report = reporting.make_now(database, COMMAND, Request(), 1 << 60, lambda _: None)
    text = b"".join(reports.file(database, COMMAND, report, "csv", extended=True)).decode()
    for line in csv.DictReader(io.StringIO(text)):
        own = [row for row in rows if row["store_id"] == line["store_id"]]
        assert int(line["outages_last_week"]) == len(own)
        down = [float(row["down_seconds"]) for row in own]
        assert float(line["down_seconds_last_week"]) == sum(down)
        assert float(line["longest_outage_seconds_last_week"]) == max(down, default=0)
        for side in ("min", "max"):
            told = sum(float(row[f"down_{side}_seconds"]) for row in own)
            assert float(line[f"down_{side}_seconds_last_week"]) == told


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--from", "noon"), "--from 'noon' is not a time"),
        (("--min", "short"), "--min 'short' is not a duration"),
        (("--from", "2023-01-24", "--to", "2023-01-23"), "--to lies before --from"),
        (("--store", "nobody"), "There is no store 'nobody'"),
        (("--group", "nobody"), "There is no group 'nobody'"),
    ],
)
def test_outages_complain_plainly(
    environment: dict[str, str], words: tuple[str, ...], complaint: str
) -> None:
    result = storewatch("outages", *words, environment=environment)
    assert (result.returncode, complaint in result.stderr) == (2, True), result.stderr
