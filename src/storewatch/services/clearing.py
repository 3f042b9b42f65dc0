"""Taking an invented fleet out again, so that it never mixes with real data."""

from __future__ import annotations

from storewatch.storage import clearing, imports
from storewatch.storage.db import Database


def holds_real_data(database: Database) -> bool:
    """Whether anything was imported that did not come by the demo."""
    with database.session() as session:
        return imports.any_not_from(session, "demo")


def kind_of_data(database: Database) -> str:
    """`nothing`, `demo` (an invented fleet alone) or `data`."""
    with database.session() as session:
        if imports.latest(session) is None:
            return "nothing"
        return "data" if imports.any_not_from(session, "demo") else "demo"


def remove_invented(database: Database) -> bool:
    """Empties a database that holds nothing but the demo's data. False if there was nothing."""
    with database.transaction() as session:
        for kind in imports.KINDS:
            imports.lock(session, kind)
        if imports.any_not_from(session, "demo") or imports.latest(session) is None:
            return False
        clearing.empty(session)
        return True
