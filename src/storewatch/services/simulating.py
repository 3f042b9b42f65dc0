"""Write the three files of a made-up fleet: `storewatch simulate`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from storewatch.domain import simulation
from storewatch.domain.simulation import Fleet, Span
from storewatch.errors import UsageError

MAX_STORES = 200_000
MAX_DAYS = 366
MAX_STORE_DAYS = 2_000_000  # some 50 million polls, a file of 3 GB
_EARLIEST_US = 946_684_800 * simulation.SECOND_US  # 2000-01-01: what an import takes
_LATEST_US = 4_102_444_800 * simulation.SECOND_US  # 2100-01-01
_ROWS_AT_A_TIME = 250_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFiles:
    """The files that were written and their rows, headers not counted."""

    store_status: Path
    menu_hours: Path
    store_timezone: Path
    polls: int
    hours: int
    zones: int


def simulate(
    output: Path, *, stores: int, days: int, seed: int, end_us: int, progress: Progress
) -> SimulatedFiles:
    """Write the files of `stores` polled stores over the `days` days up to `end_us` into `output`.

    The same arguments give the same files, byte for byte. `progress` is told (done, total), in stores, of
    which each counts twice: once made up, once written. The files take their names only when all is written.
    """
    _check(stores=stores, days=days, seed=seed, end_us=end_us)
    fleet = simulation.make_fleet(stores=stores, seed=seed)
    span = simulation.make_span(days=days, seed=seed, end_us=end_us)
    try:
        output.mkdir(parents=True, exist_ok=True)
        return _write(output, fleet, span, progress)
    except OSError as exc:
        raise UsageError(f"Cannot write to {output}: {exc.strerror or exc}.", field="output") from exc


def _write(output: Path, fleet: Fleet, span: Span, progress: Progress) -> SimulatedFiles:
    names = ("store_status.csv", "menu_hours.csv", "store_timezone.csv")
    status, hours, zones = (output / name for name in names)
    with _replacing(status) as status_file, _replacing(hours) as hours_file, _replacing(zones) as zones_file:
        return SimulatedFiles(
            store_status=status,
            menu_hours=hours,
            store_timezone=zones,
            hours=_write_rows(hours_file, simulation.hours_rows(fleet)),
            zones=_write_rows(zones_file, simulation.timezone_rows(fleet)),
            polls=_write_polls(status_file, fleet, _polls(fleet, span, progress), progress),
        )


def _write_rows(file: BinaryIO, rows: pl.DataFrame, *, header: bool = True) -> int:
    """Write rows as CSV; return how many."""
    rows.write_csv(file, include_header=header)
    return rows.height


def _check(*, stores: int, days: int, seed: int, end_us: int) -> None:
    if not 1 <= stores <= MAX_STORES:
        raise UsageError(f"A fleet has 1 to {MAX_STORES:,} stores, not {stores:,}.", field="stores")
    if not 1 <= days <= MAX_DAYS:
        raise UsageError(f"A simulation covers 1 to {MAX_DAYS} days, not {days:,}.", field="days")
    if stores * days > MAX_STORE_DAYS:
        most = MAX_STORE_DAYS // stores
        raise UsageError(
            f"That is too much at once: {stores:,} stores go with at most {most} days.", field="days"
        )
    if seed < 0:
        raise UsageError(f"A seed is a whole number from 0 on, not {seed}.", field="seed")
    if end_us - days * simulation.DAY_US < _EARLIEST_US or end_us > _LATEST_US:
        raise UsageError("A simulation lies between the years 2000 and 2100.", field="end")


def _polls(fleet: Fleet, span: Span, progress: Progress) -> pl.DataFrame:
    """Return all polls as numbers, 13 bytes each: as text they would take ten times that."""
    batches = []
    for done, batch in simulation.poll_batches(fleet, span):
        batches.append(batch)
        progress(done, 2 * fleet.polled)
    return pl.concat(batches, rechunk=True)


def _write_polls(file: BinaryIO, fleet: Fleet, polls: pl.DataFrame, progress: Progress) -> int:
    """Write the polls in the order of the field, a slice at a time; return how many rows."""
    order = simulation.file_order(fleet.seed, polls["active"].to_numpy())
    for first in range(0, len(order), _ROWS_AT_A_TIME):
        part = polls[order[first : first + _ROWS_AT_A_TIME]]
        _write_rows(file, simulation.poll_rows(fleet, part), header=first == 0)
        written = min(first + _ROWS_AT_A_TIME, len(order))
        progress(fleet.polled + fleet.polled * written // len(order), 2 * fleet.polled)
    return len(order)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` that takes its name when the block ends well, and vanishes when not."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(name).chmod(0o644)  # mkstemp's 0600 would hide the file from a service's user
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
