"""The report as CSV: SEMANTICS, "The report". And the rejected rows of an import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import polars as pl

from storewatch.domain.clock import HOUR, MINUTE
from storewatch.formats.harmless import harmless, harmless_text

_COLUMNS = (("last_hour", MINUTE), ("last_day", HOUR), ("last_week", HOUR))
HEADER = (
    "store_id",
    *(f"uptime_{name}" for name, _ in _COLUMNS),
    *(f"downtime_{name}" for name, _ in _COLUMNS),
)


def report_csv(frames: Iterable[pl.DataFrame], windows: list[str]) -> Iterator[bytes]:
    """Chunks of the CSV: the header, then a chunk a frame of `storage.report_rows`."""
    yield (",".join(HEADER) + "\n").encode()
    for frame in frames:
        table = classic(frame, windows).with_columns(harmless(pl.col("store_id")))
        yield table.write_csv(include_header=False).encode()


def classic(frame: pl.DataFrame, windows: list[str]) -> pl.DataFrame:
    """Exact totals -> the seven columns as text; null where the store was open and nothing is known."""
    up, down = [], []
    for name, unit in _COLUMNS:
        at = windows.index(name)
        total = {key: _sum(at, key) for key in ("up", "down")}
        nothing = (total["up"] + total["down"] == 0) & (pl.col("unknown_us").arr.get(at) > 0)
        up.append(pl.when(~nothing).then(_two_decimals(total["up"], unit)).alias(f"uptime_{name}"))
        down.append(pl.when(~nothing).then(_two_decimals(total["down"], unit)).alias(f"downtime_{name}"))
    return frame.select("store_id", *up, *down)


def _sum(at: int, state: str) -> pl.Expr:
    return pl.col(f"{state}_seen_us").arr.get(at) + pl.col(f"{state}_inferred_us").arr.get(at)


def _two_decimals(time_us: pl.Expr, unit: int) -> pl.Expr:
    """Half away from zero, in whole numbers throughout."""
    hundredths = (time_us * 100 + unit // 2) // unit
    fraction = (hundredths % 100).cast(pl.String).str.zfill(2)
    return (hundredths // 100).cast(pl.String) + "." + fraction


def rejects_csv(rejects: Iterable[tuple[int, str, str]]) -> Iterator[bytes]:
    """Rejected rows as CSV, a chunk a row: the line, the reason, the row as it was, made harmless."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("line", "reason", "row"))
    for line, reason, row in rejects:
        writer.writerow((line, *(harmless_text(text) for text in (reason, row))))
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    """What is in the buffer, which is empty then."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
