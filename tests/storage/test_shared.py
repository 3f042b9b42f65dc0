"""A transaction that others join."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storewatch.storage import groups
from storewatch.storage.db import Database, Shared


@pytest.fixture
def shared(database: Database) -> Iterator[Shared]:
    """Joined from here on."""
    found = Shared(database)
    found.join()
    yield found
    found.roll_back()


def make(database: Database, name: str) -> None:
    with database.transaction() as session:
        groups.add(session, name)


def names(session: Session) -> list[str]:
    return [group.name for group in groups.page(session, None, "", 10)]


def seen_by_others(database: Database) -> list[str]:
    with Session(database.engine) as session:
        return names(session)


def test_parts_see_each_other_and_others_nothing_until_the_end(database: Database, shared: Shared) -> None:
    make(database, "Maple")
    make(database, "Oak")
    with database.session() as session:
        assert names(session) == ["Maple", "Oak"]
    assert seen_by_others(database) == []
    shared.commit()
    assert seen_by_others(database) == ["Maple", "Oak"]


def test_what_is_rolled_back_was_never_there(database: Database, shared: Shared) -> None:
    make(database, "Maple")
    shared.roll_back()
    shared.roll_back()
    assert seen_by_others(database) == []
    make(database, "Oak")
    assert seen_by_others(database) == ["Oak"]


def test_a_part_that_fails_is_undone_alone(database: Database, shared: Shared) -> None:
    make(database, "Maple")
    with pytest.raises(IntegrityError):
        make(database, "Maple")
    make(database, "Elm")
    shared.commit()
    assert seen_by_others(database) == ["Elm", "Maple"]


def test_what_a_part_has_loaded_stays_with_it(database: Database, shared: Shared) -> None:
    make(database, "Maple")
    with database.session() as session:
        [group] = groups.page(session, None, "", 10)
    with database.transaction() as session:
        groups.rename(session, group.group_no, "Oak")
    assert group.name == "Maple"
