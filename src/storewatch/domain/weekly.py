"""Raw rows of `menu_hours` and `store_timezone` -> weekly hours and zones, and rejections.

Rules: SEMANTICS, Inputs 5 and 6, and "Opening hours" 1 to 3.
"""

from __future__ import annotations

import polars as pl

from storewatch.domain import zones
from storewatch.domain.rows import Read, bad_rows, missing, quoted, with_ids

HOURS_COLUMNS = ("store_id", "day", "start_time_local", "end_time_local")
HOURS_OPTIONAL = ("valid_from",)
ZONE_COLUMNS = ("store_id", "timezone_str")
DAY_NAMES = ("day", "dayOfWeek", "day_of_week")

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MIDNIGHT = 86_400
"""Seconds of a day: the end at midnight."""

_ALMOST_MIDNIGHT = 86_340  # an end from 23:59:00 on means midnight
TIME_OF_DAY = r"^(?:(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)$"
"""A time as files and bodies write it."""

ALWAYS = -(1 << 31)
"""In place of a local day: for all time."""

NOT_SAID = (1 << 31) - 1
"""In place of a local day: from today on, if the week is another than that of today."""

_YEARS = (2000, 2099)
_DATE = r"^\d{4}-\d{2}-\d{2}$"


def since_of(text: str) -> int:
    """The local day, counted from 1970, of `2023-11-01`, or `ALWAYS` of `always`. ValueError for all else."""
    read = pl.select(since=_since(pl.lit(text)))["since"][0]
    if read is None:
        raise ValueError(_NO_DAY.format(f"'{text[:40]}'"))
    return int(read)


def _since(text: pl.Expr) -> pl.Expr:
    day = pl.when(text.str.contains(_DATE)).then(text.str.to_date("%Y-%m-%d", strict=False))
    held = pl.when(day.dt.year().is_between(*_YEARS)).then(day)
    return pl.when(text == "always").then(ALWAYS).otherwise(held.cast(pl.Int32, strict=False))


_NO_DAY = (
    f"valid_from {{}} is neither a date like 2023-11-01, of the years {_YEARS[0]} to {_YEARS[1]}, nor always"
)


def read_hours(rows: pl.DataFrame) -> Read:
    """Weekly hours from raw rows (line, store_id, day, start_time_local, end_time_local, and valid_from if it
    is there; text).

    Good rows are (line: int64, store_id: str, day: int16, start_s: int32, end_s: int32, since: int32):
    seconds of the local day, an end from 23:59:00 on made 86,400, an end before its start on the next
    day; `since` is the local day from which on the row holds, counted from 1970, `ALWAYS` or `NOT_SAID`.
    `bad` has two more columns, store_id and day (null if unreadable), to tell which days now lack
    hours.
    """
    if "valid_from" not in rows.columns:
        rows = rows.with_columns(valid_from=pl.lit(None, pl.String))
    text = rows.with_columns(pl.col(*HOURS_COLUMNS, *HOURS_OPTIONAL).str.strip_chars())
    read = with_ids(text)
    parsed = read.good.with_columns(
        day_no=pl.when(pl.col("day").str.contains(r"^[0-6]$")).then(
            pl.col("day").cast(pl.Int16, strict=False)
        ),
        start_s=_seconds("start_time_local"),
        end_s=_seconds("end_time_local"),
        since=pl.when(missing("valid_from")).then(NOT_SAID).otherwise(_since(pl.col("valid_from"))),
    ).with_columns(
        end_s=pl.when(pl.col("end_s") >= _ALMOST_MIDNIGHT).then(MIDNIGHT).otherwise(pl.col("end_s"))
    )
    parsed = parsed.with_columns(problem=_hours_problem())
    good = parsed.filter(pl.col("problem").is_null()).select(
        "line", "store_id", pl.col("day_no").alias("day"), "start_s", "end_s", "since"
    )
    bad = parsed.filter(pl.col("problem").is_not_null())
    located = bad_rows(bad, pl.col("problem")).with_columns(bad["store_id"], bad["day_no"].alias("day"))
    return Read(good, pl.concat([located, read.bad], how="diagonal").sort("line"))


def _seconds(column: str) -> pl.Expr:
    text = pl.col(column)
    parts = text.str.split(":")
    hours, minutes, seconds = (
        parts.list.get(i, null_on_oob=True).cast(pl.Int32, strict=False) for i in range(3)
    )
    return pl.when(text.str.contains(TIME_OF_DAY)).then(hours * 3600 + minutes * 60 + seconds.fill_null(0))


def _hours_problem() -> pl.Expr:
    times = (("start_time_local", "start_s"), ("end_time_local", "end_s"))
    problem = (
        pl.when(missing("day"))
        .then(pl.lit("no day: the cell is empty or the row has too few fields"))
        .when(pl.col("day_no").is_null())
        .then(pl.format("day {} is not 0 (Monday) to 6 (Sunday)", quoted("day")))
    )
    for column, seconds in times:
        problem = (
            problem.when(missing(column))
            .then(pl.lit(f"no {column}: the cell is empty or the row has too few fields"))
            .when(pl.col(seconds).is_null())
            .then(pl.format(f"{column} {{}} is not a time of day like 9:00 or 22:30:00", quoted(column)))
        )
    return (
        problem.when(pl.col("start_s") == MIDNIGHT)
        .then(pl.lit("start_time_local is 24:00; a day starts at 00:00"))
        .when(pl.col("start_s") == pl.col("end_s"))
        .then(
            pl.format(
                "start and end are both {}: write 00:00 to 24:00 for a whole day, no row for a closed one",
                quoted("start_time_local"),
            )
        )
        .when(pl.col("since").is_null())
        .then(pl.format(_NO_DAY, quoted("valid_from")))
        .otherwise(None)
    )


def clock(seconds: int) -> str:
    """A time of day as people write it: `09:00`, `24:00`, and `23:58:59` where there are seconds."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{rest:02}" if rest else "")


def read_zones(rows: pl.DataFrame) -> Read:
    """Zones from raw rows (line, store_id, timezone_str). Good rows have the same columns, trimmed."""
    read = with_ids(rows.with_columns(pl.col("timezone_str").str.strip_chars()))
    known = pl.col("timezone_str").is_in(list(zones.names())).fill_null(False)
    problem = (
        pl.when(missing("timezone_str"))
        .then(pl.lit("no timezone_str: the cell is empty or the row has too few fields"))
        .otherwise(
            pl.format("timezone_str {} is not an IANA time zone like America/Chicago", quoted("timezone_str"))
        )
    )
    bad = pl.concat([read.bad, bad_rows(read.good.filter(~known), problem)])
    return Read(read.good.filter(known).select("line", *ZONE_COLUMNS), bad.sort("line"))
