"""The fleet's polls: a week that is there already, and a day that comes hour by hour."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import httpx
import polars as pl

from storewatch.domain.clock import DAY, HOUR, from_us
from storewatch.services.simulating import SimulatedFiles, simulate

HOURS = 24
WEEK = 7
"""So many days are there before."""

_SENT_WITHIN_S = 120


@dataclass(frozen=True)
class Feed:
    """The files of the fleet; `before` has the polls from before the day, `hours` those of each hour."""

    files: SimulatedFiles
    before: Path
    hours: list[bytes]
    end_us: int

    def first_files(self) -> list[Path]:
        """What is loaded before the day."""
        return [self.files.store_timezone, self.files.menu_hours, self.before]


def make(folder: Path, stores: int, end_us: int) -> Feed:
    """The files of so many stores, whose day ends at an instant."""
    files = simulate(folder, stores=stores, days=WEEK + 1, seed=8, end_us=end_us, progress=lambda *_: None)
    polls = pl.read_csv(files.store_status, infer_schema=False)
    at = polls["timestamp_utc"].str.slice(0, 13)
    begin = end_us - DAY
    hours = [_csv(polls.filter(at == _hour(begin + number * HOUR))) for number in range(HOURS)]
    before = folder / "before.csv"
    polls.filter(at < _hour(begin)).write_csv(before)
    return Feed(files, before, hours, end_us)


def _hour(at_us: int) -> str:
    return f"{from_us(at_us):%Y-%m-%d %H}"


def _csv(polls: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    polls.write_csv(out)
    return out.getvalue()


def drop(folder: Path, number: int, hour: bytes) -> None:
    """Puts an hour into the watched folder, whole under its name."""
    draft = folder.parent / f"draft-{number}.csv"
    draft.write_bytes(hour)
    shutil.move(draft, folder / f"hour-{number:02}.csv")


def upload(port: int, token: str, number: int, hour: bytes) -> None:
    """Sends an hour by the API; it is taken in by the worker."""
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/v1/uploads?file_name=hour-{number:02}.csv",
        content=hour,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"},
        timeout=_SENT_WITHIN_S,
    )
    answer.raise_for_status()
