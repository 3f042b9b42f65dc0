"""Small fleets for tests: files as text, loaded through the front door."""

from __future__ import annotations

import io

import numpy as np

from storewatch.domain.axis import Int64
from storewatch.domain.outages import Figures
from storewatch.services.importing import Imported, import_file
from storewatch.storage.db import Database
from storewatch.storage.report_rows import Given

CHICAGO_MONDAY = """store_id,status,timestamp_utc
1,active,2023-01-23 16:14:00 UTC
1,inactive,2023-01-23 17:15:00 UTC
"""
"""The first worked example: open 9 to 12 in Chicago, polled at 10:14 and 11:15 local time."""

MONDAY_NINE_TO_TWELVE = "store_id,day,start_time_local,end_time_local\n1,0,09:00,12:00\n"
MONDAY_NOON = "2023-01-23T18:00:00Z"


def load(database: Database, *files: str, now_us: int | None = None) -> list[Imported]:
    """Imports CSV texts; their kind is recognised."""
    return [
        import_file(database, io.BytesIO(text.encode()), f"file{number}.csv", now_us=now_us)
        for number, text in enumerate(files)
    ]


def load_chicago(database: Database) -> None:
    """One store with the two polls and the hours of the first worked example."""
    load(database, CHICAGO_MONDAY, MONDAY_NINE_TO_TWELVE)


def rows_of(totals: Int64) -> tuple[Figures, Given]:
    """Rows of a report without outages, from int64[stores, windows, 5]; hours and zone were given."""
    shape = totals.shape[:2]
    figures = Figures(totals, np.zeros(shape, np.int32), *np.zeros((3, *shape), np.int64))
    return figures, Given(*np.ones((2, len(totals)), np.bool_))
