"""The stores of a digest as CSV or XLSX: a row each, times in seconds, exact to the microsecond."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from storewatch.domain.clock import SECOND
from storewatch.formats.harmless import harmless_text
from storewatch.formats.report_tables import TIMES


@dataclass(frozen=True, kw_only=True)
class Row:
    """A store; times in microseconds. `lost` None: nobody knows what it takes."""

    store_id: str
    name: str
    up: int
    down: int
    unknown: int
    excluded: int
    seen: int
    down_min: int
    down_max: int
    outages: int
    lost: float | None


_TEXTS = ("store_id", "name")
HEADER = (
    *_TEXTS,
    *(f"{name}_seconds" for name in TIMES),
    "coverage",
    "availability",
    "outages",
    "down_min_seconds",
    "down_max_seconds",
    "lost",
)

Cell = str | float | int | None


def _cells(row: Row) -> list[Cell]:
    known = row.up + row.down
    total = known + row.unknown + row.excluded
    times = (total, row.up, row.down, row.unknown, row.excluded, row.seen, known - row.seen)
    return [
        harmless_text(row.store_id),
        harmless_text(row.name),
        *(time / SECOND for time in times),
        row.seen / total if total else None,
        row.up / known if known else None,
        row.outages,
        row.down_min / SECOND,
        row.down_max / SECOND,
        row.lost,
    ]


def as_csv(rows: Sequence[Row]) -> bytes:
    """What is not known is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_cells(row) for row in rows)
    return buffer.getvalue().encode()


def as_xlsx(rows: Sequence[Row]) -> bytes:
    """Text is written as text and never looked at; numbers are numbers."""
    import xlsxwriter  # slow to import, seldom needed

    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("Stores")
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, HEADER, book.add_format({"bold": True}))
        for line, row in enumerate(rows, start=1):
            sheet.write_row(line, 0, _cells(row))
    return buffer.getvalue()


FORMATS = {"csv": as_csv, "xlsx": as_xlsx}
"""By name, which is also the ending of a file's name."""
