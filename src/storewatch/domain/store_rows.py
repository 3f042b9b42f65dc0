"""Raw rows of `stores` -> what is said of stores, and rejections: one validator for files and API bodies."""

from __future__ import annotations

import polars as pl

from storewatch.domain.rows import Read, bad_rows, quoted, with_ids

COLUMNS = ("store_id",)
TEXTS = ("name", "location", "platform")
URLS = ("storefront_url", "manage_url")
OPTIONAL = (*TEXTS, "groups", *URLS, "revenue_per_week")
"""A file has at least one of these. One that is absent leaves what is known; an empty cell clears it."""

MAX_TEXT = 200
MAX_URL = 2000
MAX_REVENUE = 9_999_999_999.99
URL = r"^https?://[^\s/?#\x00-\x1f\x7f]+[^\s\x00-\x1f\x7f]*$"
_AMOUNT = r"^[0-9]{1,20}(?:\.[0-9]{1,20})?$"
_CONTROL = r"[\x00-\x1f\x7f]"


def read_stores(rows: pl.DataFrame) -> Read:
    """What is said of stores, from raw rows (line, store_id and any of `OPTIONAL`; all but `line` text).

    Good rows have the same columns: texts trimmed, null where the cell is empty; `groups` a list of names,
    each once and in order, empty where the cell is.
    """
    said = [column for column in OPTIONAL if column in rows.columns]
    trimmed = pl.col(said).str.strip_chars()
    read = with_ids(rows.with_columns(pl.col("store_id").str.strip_chars(), trimmed.replace("", None)))
    parsed = read.good.with_columns(*([_names()] if "groups" in said else []))
    parsed = parsed.with_columns(problem=_problem(said))
    good = parsed.filter(pl.col("problem").is_null()).drop("problem")
    bad = parsed.filter(pl.col("problem").is_not_null())
    return Read(good, pl.concat([read.bad, bad_rows(bad, pl.col("problem"))]).sort("line"))


def _names() -> pl.Expr:
    names = pl.col("groups").fill_null("").str.split(";").list.eval(pl.element().str.strip_chars())
    return names.list.eval(pl.element().filter(pl.element() != "")).list.unique().list.sort()


def _problem(said: list[str]) -> pl.Expr:
    """The first problem of a row; null if there is none. (A null in a condition counts as not met.)"""
    problems = [_PROBLEMS[column](column) for column in said]
    return pl.coalesce(*problems, pl.lit(None, pl.String))


def _text_problem(column: str) -> pl.Expr:
    length = pl.col(column).str.len_chars()
    return (
        pl.when(length > MAX_TEXT)
        .then(pl.format(f"{column} has {{}} characters; at most {MAX_TEXT} are allowed", length))
        .when(pl.col(column).str.contains(_CONTROL))
        .then(pl.lit(f"{column} has characters that cannot be printed"))
    )


def _groups_problem(column: str) -> pl.Expr:
    names = pl.col(column)
    longest = names.list.eval(pl.element().str.len_chars()).list.max()
    strange = names.list.eval(pl.element().str.contains(_CONTROL)).list.any()
    return (
        pl.when(longest > MAX_TEXT)
        .then(pl.format(f"a name in groups has {{}} characters; at most {MAX_TEXT} are allowed", longest))
        .when(strange)
        .then(pl.lit("a name in groups has characters that cannot be printed"))
    )


def _url_problem(column: str) -> pl.Expr:
    length = pl.col(column).str.len_chars()
    return (
        pl.when(length > MAX_URL)
        .then(pl.format(f"{column} has {{}} characters; at most {MAX_URL:,} are allowed", length))
        .when(~pl.col(column).str.contains(URL))
        .then(pl.format(f"{column} {{}} is not an address like https://example.com/menu", quoted(column)))
    )


def _revenue_problem(column: str) -> pl.Expr:
    amount = pl.col(column).cast(pl.Float64, strict=False)
    fine = pl.col(column).str.contains(_AMOUNT) & (amount <= MAX_REVENUE)
    return pl.when(~fine).then(
        pl.format(f"{column} {{}} is not an amount like 12500 or 12500.50", quoted(column))
    )


_PROBLEMS = (
    dict.fromkeys(TEXTS, _text_problem)
    | dict.fromkeys(URLS, _url_problem)
    | {"groups": _groups_problem, "revenue_per_week": _revenue_problem}
)
