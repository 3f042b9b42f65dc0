"""After the day: figures against the slow second engine, `db verify`, and what the logs say."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import httpx
import polars as pl

from bench.measure import STOREWATCH, child
from bench.soak.feed import Feed
from storewatch.domain.clock import iso
from tests import oracle


def differing(feed: Feed, port: int, token: str, sample: int) -> tuple[int, int]:
    """A report as of the end of the day: how many of some stores' rows differ from the oracle's, and of how
    many.
    """
    theirs = _report(port, token, feed.end_us)
    ids = random.Random(3).sample(sorted(theirs), min(sample, len(theirs)))  # noqa: S311 - no secret
    return sum(theirs[store] != _expected(feed, store) for store in ids), len(ids)


def _report(port: int, token: str, as_of_us: int) -> dict[str, list[str]]:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=300,
        trust_env=False,
    ) as client:
        made = client.post("/api/v1/reports", json={"as_of": iso(as_of_us)})
        made.raise_for_status()
        report_id = made.json()["report_id"]
        ask = f"/get_report?report_id={report_id}&wait=30"
        while (said := client.get(ask).json())["status"] == "Running":
            pass
        assert said["status"] == "Complete", said
        text = client.get(f"/download/{report_id}").text
    return {row[0]: row for row in csv.reader(io.StringIO(text))}


def _expected(feed: Feed, store: str) -> list[str]:
    own = pl.col("store_id") == store
    polls = [
        oracle.Poll(store, oracle.utc(at.removesuffix(" UTC")), state == "active")
        for at, state in _rows(feed.files.store_status, own, "timestamp_utc", "status")
    ]
    hours = [
        oracle.HoursRow(store, int(day), opens, closes)
        for day, opens, closes in _rows(
            feed.files.menu_hours, own, "day", "start_time_local", "end_time_local"
        )
    ]
    zones = dict[str, str](_rows(feed.files.store_timezone, own, "store_id", "timezone_str"))  # type: ignore[arg-type]
    text = oracle.report_csv(polls, hours, zones, as_of_us=feed.end_us)
    return next(csv.reader([text.splitlines()[1]]))


def _rows(file: Path, own: pl.Expr, *columns: str) -> list[tuple[str, ...]]:
    return pl.scan_csv(file, infer_schema=False).filter(own).select(columns).collect().rows()


def verified(url: str) -> str:
    """What `storewatch db verify` says; a line of it begins with WRONG if it finds anything."""
    return child([STOREWATCH, "db", "verify"], fine=(0, 1), STOREWATCH_DATABASE_URL=url).output


def errors_in(log: Path) -> list[str]:
    """Lines of a log that tell of something that went wrong."""
    return [line for line in log.read_text(errors="replace").splitlines() if _is_error(line)]


def _is_error(line: str) -> bool:
    try:
        level = json.loads(line).get("level", "")
    except (ValueError, AttributeError):
        return line.startswith(("Traceback", "ERROR", "CRITICAL")) or "[ERROR]" in line
    return level in ("error", "critical")
