"""What a file of stores leaves in the database."""

from __future__ import annotations

import io
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.errors import FileRefusedError
from storewatch.services.importing import Imported, import_file
from storewatch.storage.db import Database


def load(database: Database, *lines: str, **options: Any) -> Imported:
    data = "\n".join(lines).encode()
    return import_file(database, io.BytesIO(data), "a.csv", now_us=None, **options)


def counts(result: Imported) -> tuple[int, ...]:
    """(new, corrected, unchanged, rejected)."""
    return result.rows_new, result.rows_corrected, result.rows_unchanged, result.rows_rejected


def known(
    database: Database, columns: str = "name, platform, revenue_per_week::float"
) -> dict[str, tuple[Any, ...]]:
    with database.session() as session:
        rows = session.execute(text(f"SELECT store_id, {columns} FROM store ORDER BY store_id"))
        return {row[0]: tuple(row[1:]) for row in rows}


def groups(database: Database) -> dict[str, list[str]]:
    query = """SELECT store_id, array_agg(g.name ORDER BY g.name) FROM group_store
               JOIN store USING (store_key) JOIN store_group AS g USING (group_no) GROUP BY 1"""
    with database.session() as session:
        return {row[0]: row[1] for row in session.execute(text(query))}


FILE = (
    "store_id,name,platform,groups,revenue_per_week",
    "1,Corner Café,ubereats,Maple; Chicago,12500.5",
    '2,"Oak, 2nd",,,',
)


def test_stores_are_made_with_what_is_said_of_them(database: Database) -> None:
    result = load(database, *FILE)
    assert result.kind == "stores"
    assert counts(result) == (2, 0, 0, 0)
    assert known(database) == {"1": ("Corner Café", "ubereats", 12500.5), "2": ("Oak, 2nd", None, None)}
    assert groups(database) == {"1": ["Chicago", "Maple"]}


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    load(database, *FILE)
    before = known(database, "xmin, store"), groups(database)
    assert counts(load(database, *FILE)) == (0, 0, 2, 0)
    assert (known(database, "xmin, store"), groups(database)) == before


def test_a_column_that_is_absent_leaves_the_field_and_an_empty_cell_clears_it(database: Database) -> None:
    load(database, *FILE)
    assert counts(load(database, "store_id,platform", "1,", "2,doordash")) == (0, 2, 0, 0)
    assert known(database) == {"1": ("Corner Café", None, 12500.5), "2": ("Oak, 2nd", "doordash", None)}
    assert groups(database) == {"1": ["Chicago", "Maple"]}
    assert counts(load(database, "store_id,groups", "1,Oak;Maple", "2,Oak")) == (0, 2, 0, 0)
    assert groups(database) == {"1": ["Maple", "Oak"], "2": ["Oak"]}
    load(database, "store_id,groups", "1,", "2,Oak")
    assert groups(database) == {"2": ["Oak"]}


def test_of_several_rows_of_a_store_the_last_stands(database: Database) -> None:
    assert counts(load(database, "store_id,name", "1,a", "1,b", "2,c")) == (2, 0, 1, 0)
    assert known(database, "name") == {"1": ("b",), "2": ("c",)}
    assert counts(load(database, "store_id,name", "1,a", "1,b")) == (0, 0, 2, 0)


def test_a_row_that_is_cut_off_clears_nothing(database: Database) -> None:
    load(database, *FILE)
    result = load(database, *FILE[:2], "2,Oak", "3,x,y,z,-5", "4,x,,,1")
    assert counts(result) == (1, 0, 1, 2)
    assert [reason for _, reason, _ in result.rejects] == [
        "too few fields: 2 where the header has 5",
        "revenue_per_week '-5' is not an amount like 12500 or 12500.50",
    ]
    assert known(database, "name") == {"1": ("Corner Café",), "2": ("Oak, 2nd",), "4": ("x",)}


def test_a_file_that_fits_another_kind_is_of_that_kind(database: Database) -> None:
    result = load(database, "store_id,name,timezone_str", "1,a,Asia/Tokyo")
    assert result.kind == "store_timezone"
    assert counts(load(database, "store_id,name,timezone_str", "1,a,Asia/Tokyo", kind="stores")) == (
        0,
        1,
        0,
        0,
    )


@pytest.mark.parametrize("kind", [None, "stores"])
def test_an_id_alone_is_no_file_of_stores(database: Database, kind: str | None) -> None:
    with pytest.raises(FileRefusedError, match="store_id"):
        load(database, "store_id,notes", "1,a", kind=kind)
    assert known(database) == {}
