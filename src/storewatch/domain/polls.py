"""Raw rows of `store_status` -> polls and rejections: the one validator, for files and API bodies.

Rules: SEMANTICS, Inputs 1 to 4.
"""

from __future__ import annotations

import polars as pl

from storewatch.domain.clock import EARLIEST, MINUTE, from_us
from storewatch.domain.instants import instants
from storewatch.domain.rows import Read, bad_rows, missing, quoted, with_ids

COLUMNS = ("store_id", "status", "timestamp_utc")
OPTIONAL = ("reason",)
MAX_REASON = 200
MAX_AHEAD = 10 * MINUTE
"""A poll may be so far ahead of our clock before it is taken for a mistake."""

_NO_LIMIT = (1 << 63) - 1


def read_polls(rows: pl.DataFrame, now_us: int | None, earliest_us: int = EARLIEST) -> Read:
    """Polls from raw rows (line, store_id, status, timestamp_utc, reason; all but `line` text).

    `now_us` is the machine's clock; None takes polls from the future too. Polls before `earliest_us` are not
    kept any more. Good rows are
    (line: int64, store_id: str, at: int64 µs, active: bool, reason: str or null), in order of line.
    """
    read = with_ids(rows)
    bounds = max(EARLIEST, earliest_us), _NO_LIMIT if now_us is None else now_us + MAX_AHEAD
    parsed = _parsed(read.good)
    fine = _fine(*bounds)
    if parsed.select(fine.all()).item():
        return Read(_polls(parsed), read.bad)
    good = parsed.filter(fine)
    again = _parsed(_trimmed(parsed.filter(~fine)))
    good = pl.concat([good, again.filter(fine)]).sort("line")
    bad = again.filter(~fine)
    return Read(_polls(good), pl.concat([read.bad, bad_rows(bad, _problem(*bounds))]).sort("line"))


def _polls(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("line", "store_id", "at", "active", "reason")


def _parsed(rows: pl.DataFrame) -> pl.DataFrame:
    status = pl.col("status")
    return rows.with_columns(
        at=instants(rows["timestamp_utc"]),
        active=pl.when(status == "active").then(True).when(status == "inactive").then(False),
    )


def _trimmed(rows: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("status", "timestamp_utc", "reason").str.strip_chars()
    reason = pl.when(pl.col("reason") != "").then(pl.col("reason"))
    return rows.with_columns(text).with_columns(reason=reason)


def _fine(earliest: int, limit: int) -> pl.Expr:
    reason = pl.col("reason")
    tidy = reason.is_null() | ((reason.str.len_chars() <= MAX_REASON) & _tidy(reason))
    time = (pl.col("at") >= earliest) & (pl.col("at") <= limit)
    return (time & pl.col("active").is_not_null() & tidy).fill_null(False)


def _tidy(text: pl.Expr) -> pl.Expr:
    return (text != "") & ~text.str.contains(r"^\s|\s$")


def _problem(earliest: int, limit: int) -> pl.Expr:
    return (
        pl.when(missing("status"))
        .then(pl.lit("no status: the cell is empty or the row has too few fields"))
        .when(pl.col("active").is_null())
        .then(pl.format("status {} is neither 'active' nor 'inactive'", quoted("status")))
        .when(missing("timestamp_utc"))
        .then(pl.lit("no timestamp_utc: the cell is empty or the row has too few fields"))
        .when(pl.col("at").is_null())
        .then(
            pl.format("timestamp_utc {} is not a time like 2023-01-22 12:09:39 UTC", quoted("timestamp_utc"))
        )
        .when(pl.col("at") < EARLIEST)
        .then(pl.format("timestamp_utc {} is before the year 2000", quoted("timestamp_utc")))
        .when(pl.col("at") < earliest)
        .then(
            pl.format(
                f"timestamp_utc {{}} is before {from_us(earliest):%Y-%m-%d}: polls of that time are not kept",
                quoted("timestamp_utc"),
            )
        )
        .when(pl.col("at") > limit)
        .then(
            pl.format(
                "timestamp_utc {} is in the future: is it local time, or is a clock wrong?",
                quoted("timestamp_utc"),
            )
        )
        .otherwise(pl.format("reason has {} characters; at most 200 are allowed", _length("reason")))
    )


def _length(column: str) -> pl.Expr:
    return pl.col(column).str.len_chars()
