"""What the readers of polls, hours and zones share: rows of raw text in, good rows and problems out.

A frame of raw rows has a column `line` (int64: the line of a file, or the index in a request body)
beside the text columns of its kind. Every row comes out exactly once: as good, or as bad with a
reason in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

MAX_ID = 200

_PLAIN_ID = r"^[!-~]{1,200}$"
_NOT_PRINTABLE = r"[\p{C}\p{Z}--\x20]"
_SPREADSHEET = r"^-?[0-9](?:[.,][0-9]+[eE][+-]?|[eE][+-])[0-9]+$"


@dataclass(frozen=True)
class Read:
    """`good` rows in the kind's own columns; `bad` rows as (line: int64, reason: str)."""

    good: pl.DataFrame
    bad: pl.DataFrame


def checked_ids(ids: pl.Series) -> pl.DataFrame:
    """Distinct raw ids -> (raw, store_id, problem); `problem` is null where the id can be used."""
    trimmed = pl.col("raw").str.strip_chars()
    return (
        pl.DataFrame({"raw": ids})
        .with_columns(store_id=trimmed)
        .with_columns(problem=_id_problem(pl.col("store_id")))
    )


def _id_problem(store_id: pl.Expr) -> pl.Expr:
    return (
        pl.when(store_id.is_null() | (store_id == ""))
        .then(pl.lit("no store_id"))
        .when(store_id.str.contains(_SPREADSHEET))
        .then(pl.format("store_id '{}' was damaged by a spreadsheet; export the column as text", store_id))
        .when(store_id.str.contains(_PLAIN_ID))
        .then(None)
        .when(store_id.str.len_chars() > MAX_ID)
        .then(pl.format("store_id has {} characters; at most 200 are allowed", store_id.str.len_chars()))
        .when(store_id.str.contains(_NOT_PRINTABLE))
        .then(pl.lit("store_id has characters that cannot be printed"))
        .otherwise(None)
    )


def with_ids(rows: pl.DataFrame) -> Read:
    """Replaces each raw `store_id` by the trimmed one; rows whose id cannot be used are bad."""
    ids = checked_ids(rows["store_id"].unique())
    if ids["problem"].null_count() == len(ids) and (ids["raw"] == ids["store_id"]).all():
        return Read(rows, bad_rows(rows.clear(), pl.lit("")))
    joined = rows.rename({"store_id": "raw"}).join(
        ids, on="raw", how="left", nulls_equal=True, maintain_order="left"
    )
    good = joined.filter(pl.col("problem").is_null()).select(rows.columns)
    return Read(good, bad_rows(joined.filter(pl.col("problem").is_not_null()), pl.col("problem")))


def bad_rows(rows: pl.DataFrame, reason: pl.Expr) -> pl.DataFrame:
    """(line, reason) of rows."""
    return rows.select(pl.col("line").cast(pl.Int64), reason.cast(pl.String).alias("reason"))


def quoted(column: str) -> pl.Expr:
    """The text of a cell as a message shows it: at most 60 characters, in quotes."""
    text = pl.col(column)
    short = pl.when(text.str.len_chars() > 60).then(text.str.slice(0, 57) + "...").otherwise(text)
    return pl.format("'{}'", short)


def missing(column: str) -> pl.Expr:
    """Whether a trimmed cell is empty or its row ended before it."""
    return pl.col(column).is_null() | (pl.col(column) == "")
