"""How a file of stores is taken in, and a request that says what such a file would."""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from storewatch.domain import store_rows as rows_of_stores
from storewatch.domain.rows import Read
from storewatch.services import exception_marks
from storewatch.services.takers import Taker
from storewatch.storage import history, store_rows, stores


class StoresTaker(Taker):
    """stores."""

    columns = rows_of_stores.COLUMNS
    whole = True

    def __init__(self, session: Session, import_no: int = 0) -> None:
        super().__init__(session, import_no)
        self._made: set[str] = set()
        self._moved: dict[int, list[int]] = {}
        store_rows.begin(session)

    def read(self, rows: pl.DataFrame) -> Read:
        """See `Taker`."""
        return rows_of_stores.read_stores(rows)

    def take(self, read: Read) -> None:
        """See `Taker`. Where rows say different things, `given` names what each of them sets."""
        if not len(read.good):
            return
        ids = read.good["store_id"].unique()
        self._made |= set(ids) - set(stores.keys(self.session, ids.to_list())["store_id"])
        given = [column for column in rows_of_stores.OPTIONAL if column in read.good.columns]
        rows = self._with_keys(read.good).iter_rows(named=True)
        store_rows.add(
            self.session,
            ({"given": given} | row | {"is_new": row["store_id"] in self._made} for row in rows),
        )

    def finish(self) -> tuple[dict[str, int], dict[str, Any]]:
        """See `Taker`."""
        counts, self._moved = store_rows.take(self.session)
        return counts, {}

    def mark(self) -> None:
        """See `Taker`."""
        history.wake(self.session)
        exception_marks.mark_groups(self.session, self._moved)
