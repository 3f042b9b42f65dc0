"""Rows of a file of stores."""

from __future__ import annotations

import polars as pl
import pytest

from storewatch.domain.rows import Read
from storewatch.domain.store_rows import read_stores


def stores(*rows: dict[str, str | None]) -> Read:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    schema = {"line": pl.Int64} | dict.fromkeys(columns, pl.String)
    return read_stores(pl.DataFrame([{"line": at, **row} for at, row in enumerate(rows, 2)], schema))


def test_what_is_said_is_trimmed_and_an_empty_cell_is_null() -> None:
    read = stores(
        {"store_id": " s ", "name": " Corner  Café ", "location": " ", "revenue_per_week": " 12500.50 "}
    )
    assert read.bad.is_empty()
    assert read.good.to_dicts() == [
        {"line": 2, "store_id": "s", "name": "Corner  Café", "location": None, "revenue_per_week": "12500.50"}
    ]


@pytest.mark.parametrize(
    ("cell", "names"),
    [(None, []), ("", []), (" ; ", []), ("b; a;b;", ["a", "b"]), ("Maple St", ["Maple St"])],
)
def test_groups_are_names_each_once(cell: str | None, names: list[str]) -> None:
    assert stores({"store_id": "s", "groups": cell}).good["groups"].to_list() == [names]


@pytest.mark.parametrize("url", ["http://a", "https://example.com/menu?x=1#y", "https://[::1]:80/"])
def test_an_address_of_the_web_is_taken(url: str) -> None:
    assert len(stores({"store_id": "s", "storefront_url": url, "manage_url": url}).good) == 1


URL_REASON = "storefront_url '{}' is not an address like https://example.com/menu"
AMOUNT_REASON = "revenue_per_week '{}' is not an amount like 12500 or 12500.50"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("name", "x" * 201, "name has 201 characters; at most 200 are allowed"),
        ("platform", "a\x1bb", "platform has characters that cannot be printed"),
        ("groups", "a;" + "x" * 201, "a name in groups has 201 characters; at most 200 are allowed"),
        ("groups", "a\tb;c", "a name in groups has characters that cannot be printed"),
        (
            "storefront_url",
            "https://" + "x" * 2000,
            "storefront_url has 2008 characters; at most 2,000 are allowed",
        ),
        *(
            ("storefront_url", url, URL_REASON.format(url))
            for url in (
                "example.com",
                "javascript:alert(1)",
                "ftp://a/b",
                "https://",
                "https://a b",
                "https:///x",
            )
        ),
        *(
            ("revenue_per_week", amount, AMOUNT_REASON.format(amount))
            for amount in ("-1", "1e3", "12,500", "$5", "nan", "10000000000")
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_told_why(column: str, cell: str, reason: str) -> None:
    read = stores({"store_id": "t", column: None}, {"store_id": "s", column: cell})
    assert read.good["store_id"].to_list() == ["t"]
    assert read.bad.rows() == [(3, reason)]


def test_an_id_that_cannot_be_used_is_told_why() -> None:
    read = stores({"store_id": "", "name": "a"}, {"store_id": "2.57E+14", "name": "a"})
    assert [reason for _, reason in read.bad.iter_rows()] == [
        "no store_id",
        "store_id '2.57E+14' was damaged by a spreadsheet; export the column as text",
    ]
