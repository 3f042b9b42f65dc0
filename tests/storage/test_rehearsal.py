"""A rehearsal: what is done in it can be looked at, and is undone."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.errors import BusyError
from storewatch.storage.db import Database


def test_a_rehearsal_is_undone_and_others_join_it(database: Database) -> None:
    with database.rehearsal() as session:
        with database.transaction() as part:
            part.execute(text("INSERT INTO store (store_id) VALUES ('1')"))
        assert session.execute(text("SELECT count(*) FROM store")).scalar() == 1
    with database.session() as session:
        assert session.execute(text("SELECT count(*) FROM store")).scalar() == 0


def test_who_rehearses_what_others_change_is_told_to_try_again(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO store (store_id) VALUES ('1')"))
    with pytest.raises(BusyError):
        outrun(database)
    with database.transaction() as session:
        session.execute(RENAMED)


RENAMED = text("UPDATE store SET name = 'a'")


def outrun(database: Database) -> None:
    """Somebody else is quicker."""
    with database.rehearsal() as session:
        session.execute(text("SELECT count(*) FROM store"))
        with Session(database.engine) as other, other.begin():
            other.execute(RENAMED)
        session.execute(RENAMED)
